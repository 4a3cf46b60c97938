using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

internal sealed partial class PostgresStore
{
    // Locked in one statement and looked at again in the next: an operator may just have made one of them run again. Jobs that a lease
    // lists are left for later, so that a late end finds its rows; and so are those whose deletion can still be undone: a change of many jobs may
    // take longer than that time, and it begins with its end. One whose own time is up before goes all the same. Counted for each of the few that are looked
    // at, and found as an array: as joins both begin with everything there is, whenever the planner thinks that next to nothing is old.
    internal const string LockOld = """
        with leased as materialized (
            select unnest(l.job_ids) as id
            from millrace.lease l
        ),
        old as materialized (
            select distinct a.job_id
            from (
                select o.job_id
                from millrace.attempt o
                where o.remove_at <= coalesce(@now, clock_timestamp())
                    and o.job_id not in (select id from leased)
                    and (
                        select count(*)
                        from millrace.deleted_job d
                        join millrace.operation p on p.id = d.operation
                        where d.job_id = o.job_id
                            and o.remove_at >= d.at + @window * interval '1 second'
                            and p.undone_by is null
                            and coalesce(p.undo_until > coalesce(@now, clock_timestamp()), p.ended is null)) = 0
                order by o.remove_at
                limit @limit) a
        )
        select j.id
        from millrace.job j
        where j.id = any(array(select job_id from old))
        order by j.id
        for update of j skip locked
        """;

    private const string DeleteOld = """
        with old as materialized (
            select e.id
            from unnest(@ids) as e(id)
            where exists (select from millrace.attempt a where a.job_id = e.id and a.remove_at <= coalesce(@now, clock_timestamp()))
                and not exists (select from millrace.ready p where p.id = e.id)
                and not exists (select from millrace.scheduled p where p.id = e.id)
                and not exists (select from millrace.waiting p where p.id = e.id)
                and not exists (select from millrace.lease l where l.job_ids @> array[e.id])
        ),
        attempts as (
            delete from millrace.attempt a using old where a.job_id = old.id
        ),
        lines as (
            delete from millrace.job_log l using old where l.job_id = old.id
        ),
        steps as (
            delete from millrace.once o using old where o.job_id = old.id
        ),
        how_far as (
            delete from millrace.progress p using old where p.job_id = old.id
        ),
        undos as (
            delete from millrace.operation_job u using old where u.job_id = old.id
        ),
        deletions as (
            delete from millrace.deleted_job d using old where d.job_id = old.id
        ),
        wishes as (
            delete from millrace.cancel_request c using old where c.job_id = old.id
        )
        delete from millrace.job j
        using old
        where j.id = old.id
        returning j.id
        """;

    public Task<int> PruneAsync(int limit, CancellationToken cancellationToken) =>
        WorkAsync("remove old jobs", async session =>
        {
            long[] ids;
            await using (var begin = session.Begin())
            {
                session.Add(begin, LockOld, Now(), Int("limit", limit), Double("window", IJobOperations.UndoWindow.TotalSeconds));
                await using var reader = await session.SendAsync(begin, withCommit: false, cancellationToken).ConfigureAwait(false);
                ids = [.. await CollectAsync(reader, static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false)];
            }

            var deleted = ids.Length == 0 ? [] : await ReadAsync(
                session.Connection, DeleteOld, [Now(), Longs("ids", ids)], static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return deleted.Count;
        }, cancellationToken);
}
