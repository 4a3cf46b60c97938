using Millrace.Storage;

namespace Millrace.Postgres;

internal sealed partial class PostgresStore
{
    private const string Promote = """
        with due as materialized (
            select s.ctid as place, s.due, s.id, s.queue, s.priority, s.type, s.run, s.attempt, s.crashes, s.is_suspect
            from millrace.scheduled s
            where s.due <= coalesce(@now, clock_timestamp())
            order by s.due, s.id
            limit @limit
            for update skip locked
        ),
        taken as (
            delete from millrace.scheduled s
            where s.ctid = any(array(select place from due))
        )
        insert into millrace.ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
        select queue, priority, (extract(epoch from due) * 1000000)::bigint, id, type, run, attempt, crashes, is_suspect
        from due
        returning queue
        """;

    private const string ReadNext = """
        select coalesce(@now, clock_timestamp()),
               (select min(due) from millrace.scheduled)
        """;

    public Task<PromoteAnswer> PromoteAsync(int limit, CancellationToken cancellationToken) =>
        WorkAsync("make scheduled jobs ready", async session =>
        {
            await using var batch = session.Begin();
            session.Add(batch, Promote, Now(), Int("limit", limit));
            session.Add(batch, ReadNext, Now());
            await using var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false);
            var moved = await CollectAsync(reader, static reader => reader.GetString(0), cancellationToken).ConfigureAwait(false);
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var answer = new PromoteAnswer(moved.Count, [.. moved.Distinct(StringComparer.Ordinal)], TimeOrNullAt(reader, 1), TimeAt(reader, 0));
            await session.FinishAsync(reader, cancellationToken).ConfigureAwait(false);
            return answer;
        }, cancellationToken);
}
