using Npgsql;

namespace Millrace.Postgres;

// Upkeep in small steps, each its own transaction: a step that fails or waits stops no other work.
internal sealed partial class PostgresStore
{
    // Jobs that wait because a submitter was deciding about their key. Theirs after all: touched, and back in line.
    private const string BringBackKeyed = """
        with mine as materialized (
            select k.key, k.job_id
            from millrace.unique_key k
            join millrace.waiting w on w.id = k.job_id
            where w.reason = 'key'
            order by k.key
            for no key update of k skip locked
        ),
        touched as (
            update millrace.unique_key k
            set job_id = k.job_id
            from mine
            where k.key = mine.key
            returning k.job_id
        ),
        gone as (
            delete from millrace.waiting w
            using touched
            where w.id = touched.job_id and w.reason = 'key'
            returning w.id, w.due, w.queue, w.priority, w.type, w.run, w.attempt, w.crashes, w.is_suspect
        )
        insert into millrace.scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
        select due, id, queue, priority, type, run, attempt, crashes, is_suspect
        from gone
        """;

    // The key is free: theirs again, the oldest first. The step above brings them back the next time.
    private const string RetakeFreeKeys = """
        insert into millrace.unique_key (key, job_id)
        select distinct on (j.key) j.key, j.id
        from millrace.waiting w
        join millrace.job j on j.id = w.id
        where w.reason = 'key'
            and not exists (select from millrace.unique_key k where k.key = j.key)
        order by j.key, j.id
        on conflict (key) do nothing
        """;

    // The key is another job's: superseded.
    private const string SupersedeKeyed = """
        with clock as materialized (
            select coalesce(@now, clock_timestamp()) as now
        ),
        lost as materialized (
            select w.id, k.job_id as successor
            from millrace.waiting w
            join millrace.job j on j.id = w.id
            join millrace.unique_key k on k.key = j.key and k.job_id <> w.id
            where w.reason = 'key'
            order by k.key
            for update of w skip locked
        ),
        gone as (
            delete from millrace.waiting w
            using lost
            where w.id = lost.id and w.reason = 'key'
            returning w.id, w.run, w.attempt, lost.successor
        )
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, started, finished, outcome, error, remove_at)
        select gone.id, gone.run, gone.attempt, false, j.type, j.tag, clock.now, clock.now, 'superseded', 'Job ' || gone.successor || ' holds the key "' || j.key || '".',
               clock.now + nullif(coalesce((j.policy::json ->> 'removeDelay')::double precision, 3600), -1) * interval '1 second'
        from gone
        join millrace.job j on j.id = gone.id
        cross join clock
        on conflict (job_id, run) do nothing
        """;

    // Keys whose holder has finished: they were locked when it did, or had a window that is over now. Locked first, and looked at again by the
    // statement after that: a key that changed hands between the first look and the lock would be judged by its new holder, of whom this snapshot knows nothing.
    private const string LockOldKeys = $"""
        select k.key
        from millrace.unique_key k
        where {IsFree}
        order by k.key
        limit 1000
        for update of k skip locked
        """;

    private const string FreeLockedKeys = $"""
        delete from millrace.unique_key k
        where k.key = any(@keys)
            and {IsFree}
        """;

    private const string IsFree = """
        coalesce(k.until <= coalesce(@now, clock_timestamp()), true)
            and not exists (select from millrace.ready p where p.id = k.job_id)
            and not exists (select from millrace.scheduled p where p.id = k.job_id)
            and not exists (select from millrace.waiting p where p.id = k.job_id)
            and coalesce((
                select a.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded')
                from millrace.attempt a
                where a.job_id = k.job_id
                order by a.run desc
                limit 1), not exists (select from millrace.job j where j.id = k.job_id))
            and not exists (
                select
                from millrace.lease l
                cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
                where u.job_id = k.job_id
                    and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
        """;

    // Types that no live node has, among the first rows of each line: there they would be in the way of every claim.
    private const string SetAsideTypes = """
        with recursive line as (
            (select r.queue from millrace.ready r order by r.queue limit 1)
            union all
            select (select r.queue from millrace.ready r where r.queue > line.queue order by r.queue limit 1)
            from line
            where line.queue is not null
        ),
        live as materialized (
            select distinct unnest(n.types) as type
            from millrace.node n
            where n.dead_at is null and n.expires_at > coalesce(@now, clock_timestamp())
        ),
        unknown as materialized (
            select r.id
            from millrace.ready r
            where r.id in (
                    select head.id
                    from line
                    cross join lateral (
                        select h.id, h.type
                        from millrace.ready h
                        where h.queue = line.queue
                        order by h.priority, h.pass, h.id
                        limit 2000) head
                    where head.type not in (select type from live))
            for update of r skip locked
        ),
        gone as (
            delete from millrace.ready r
            using unknown
            where r.id = unknown.id
            returning r.id, r.pass, r.queue, r.priority, r.type, r.run, r.attempt, r.crashes, r.is_suspect
        )
        insert into millrace.waiting (id, reason, since, due, queue, priority, type, run, attempt, crashes, is_suspect)
        select id, 'type', coalesce(@now, clock_timestamp()), timestamptz 'epoch' + pass * interval '1 microsecond', queue, priority, type, run, attempt, crashes, is_suspect
        from gone
        """;

    // Back to the place in line they had, or to the time that a later submission gave them.
    private const string BringBackTypes = """
        with clock as materialized (
            select coalesce(@now, clock_timestamp()) as now
        ),
        live as materialized (
            select distinct unnest(n.types) as type
            from millrace.node n, clock
            where n.dead_at is null and n.expires_at > clock.now
        ),
        known as materialized (
            select w.id
            from millrace.waiting w
            where w.reason = 'type' and w.type in (select type from live)
            limit 5000
            for update of w skip locked
        ),
        gone as (
            delete from millrace.waiting w
            using known
            where w.id = known.id
            returning w.id, w.due, w.queue, w.priority, w.type, w.run, w.attempt, w.crashes, w.is_suspect
        ),
        put_off as (
            insert into millrace.scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
            select due, id, queue, priority, type, run, attempt, crashes, is_suspect
            from gone, clock
            where due > clock.now
        ),
        lined_up as (
            insert into millrace.ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
            select queue, priority, (extract(epoch from due) * 1000000)::bigint, id, type, run, attempt, crashes, is_suspect
            from gone, clock
            where due <= clock.now
            returning queue
        )
        select gone.queue, count(*)
        from gone
        group by gone.queue
        """;

    // A tombstone outlives the node's leases.
    private const string RemoveTombstones = """
        delete from millrace.node n
        where n.dead_at < coalesce(@now, clock_timestamp()) - interval '1 day'
            and not exists (select from millrace.lease l where l.node = n.id)
        """;

    private const string DisownDead = """
        delete from millrace.schedule_owner o
        where not exists (select from millrace.node n where n.id = o.node and n.dead_at is null)
        """;

    // What was asked of jobs that have finished since, or that are gone.
    private const string ForgetOldRequests = """
        with asked as (
            delete from millrace.cancel_request c
            where not exists (
                select
                from millrace.lease l
                cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
                where u.job_id = c.job_id
                    and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
                and c.at < coalesce(@now, clock_timestamp()) - interval '1 minute'
        )
        delete from millrace.progress p
        where exists (select from millrace.attempt a where a.job_id = p.job_id and a.run >= p.run)
            or not exists (select from millrace.job j where j.id = p.job_id)
        """;

    // By id, which is as good as by time here and needs no index more.
    private const string RemoveOldEvents = """
        with oldest as materialized (
            select e.id, e.at
            from millrace.event e
            order by e.id
            limit 1000
        )
        delete from millrace.event e
        using oldest
        where e.id = oldest.id
            and oldest.at < coalesce(@now, clock_timestamp()) - interval '10 minutes'
        """;

    public async Task<IReadOnlyList<string>> TidyAsync(CancellationToken cancellationToken)
    {
        var queues = new HashSet<string>(StringComparer.Ordinal);
        foreach (var step in new[] { SupersedeKeyed, RetakeFreeKeys, BringBackKeyed, SetAsideTypes, RemoveTombstones, ForgetOldRequests, ForgetQueuePauses, ForgetSchedulePauses })
            await WorkAsync("tidy", session => session.RunAsync(step, [Now()], cancellationToken), cancellationToken).ConfigureAwait(false);
        await WorkAsync("free keys", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            var keys = await ReadAsync(session.Connection, LockOldKeys, [Now()], static reader => reader.GetString(0), cancellationToken).ConfigureAwait(false);
            if (keys.Count > 0)
                await ExecuteAsync(session.Connection, FreeLockedKeys, [Now(), Texts("keys", [.. keys])], cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }, cancellationToken).ConfigureAwait(false);
        while (await WorkAsync("remove old events", session => session.RunAsync(RemoveOldEvents, [Now()], cancellationToken), cancellationToken).ConfigureAwait(false) == 1000)
        {
        }

        await FoldStatsAsync(cancellationToken).ConfigureAwait(false);
        await EndAbandonedAsync(cancellationToken).ConfigureAwait(false);
        var now = await ReadClockAsync(cancellationToken).ConfigureAwait(false);
        await ForgetAsync(now - TimeSpan.FromDays(90), cancellationToken).ConfigureAwait(false);
        queues.UnionWith(await WorkAsync("bring back jobs", session => BringBackTypesAsync(session, cancellationToken), cancellationToken).ConfigureAwait(false));
        await WorkAsync("drop schedules without an owner", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(session.Connection, DisownDead, [], cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(session.Connection, DropOwnerless, [], cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }, cancellationToken).ConfigureAwait(false);
        // What came back for its key stands in scheduled, due already.
        queues.UnionWith((await PromoteAsync(1000, cancellationToken).ConfigureAwait(false)).Queues);
        return [.. queues];
    }

    private async Task<HashSet<string>> BringBackTypesAsync(Session session, CancellationToken cancellationToken)
    {
        var queues = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            await using var batch = session.Begin();
            session.Add(batch, BringBackTypes, Now());
            await using var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false);
            var moved = await CollectAsync(reader, static reader => (Queue: reader.GetString(0), Count: reader.GetInt64(1)), cancellationToken).ConfigureAwait(false);
            await session.FinishAsync(reader, cancellationToken).ConfigureAwait(false);
            queues.UnionWith(moved.Select(static row => row.Queue));
            if (moved.Sum(static row => row.Count) < 5000)
                return queues;
        }
    }
}
