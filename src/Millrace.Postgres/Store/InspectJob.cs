using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// One job, and all that is known of it.
internal sealed partial class PostgresInspection
{
    private const string Find = $"""
        with candidate as materialized (
            select @id::bigint as id
        ),
        {Standing.Running}
        select {Standing.Row}, j.data, last.result, last.error, j.headers, p.message, j.policy, j.trace, j.key,
               case when v.finished is not null and v.state in ('succeeded', 'discarded', 'cancelled') then (select min(a.remove_at) from millrace.attempt a where a.job_id = j.id) end,
               n.name, q.at, q.by, q.reason
        from candidate c
        {Standing.Joins}
        left join millrace.node n on n.id = v.node
        left join millrace.cancel_request q on q.job_id = j.id and u.run is not null
        """;

    private const string ReadChildren = $"""
        with candidate as materialized (
            select j.id
            from millrace.job j
            where j.parent = @id and not exists (select from millrace.deleted_job d where d.job_id = j.id)
            order by j.id
            limit 50
        ),
        {Standing.Running}
        select {Standing.Row}
        from candidate c
        {Standing.Joins}
        order by j.id
        """;

    private const string ReadAttempts = """
        select a.job_id, a.run, a.attempt, a.charged, a.outcome, a.started, a.finished, a.node, a.result, a.error
        from (
            select job_id, run, attempt, charged, outcome, started, finished, node, result, error
            from millrace.attempt
            where job_id = @id
            order by run desc
            limit 1000) a
        order by a.run
        """;

    private const string ReadLog = """
        select job_id, run, line, at, level, category, message, properties, exception
        from millrace.job_log
        where job_id = @id and (run, line) > (@after_run, @after_line)
        order by run, line
        limit @limit
        """;

    // left() counts letters even where there is nothing to cut: for thousands of errors that is half of the time.
    private const string ReadFailures = """
        select a.job_id, a.run, a.attempt, a.type, a.tag, a.finished, a.outcome, case when octet_length(a.error) > 2000 then left(a.error, 2000) else coalesce(a.error, '') end
        from millrace.attempt a
        where a.success = false
            and a.finished >= @since
            and not exists (select from millrace.deleted_job d where d.job_id = a.job_id)
        order by a.finished desc, a.job_id desc, a.run desc
        limit @limit
        """;

    public Task<JobDetail?> FindAsync(long jobId, CancellationToken cancellationToken) =>
        LookAsync("find a job", look => FindAsync(look, jobId, cancellationToken), cancellationToken);

    private static async Task<JobDetail?> FindAsync(Look look, long jobId, CancellationToken cancellationToken)
    {
        var found = await look.ReadAsync(Find, [Long("id", jobId)], Standing.DetailAt, cancellationToken).ConfigureAwait(false);
        if (found.Count == 0)
            return null;
        return found[0] with { Children = await look.ReadAsync(ReadChildren, [Long("id", jobId)], static reader => Standing.RowAt(reader, 0), cancellationToken).ConfigureAwait(false) };
    }

    public Task<IReadOnlyList<AttemptRecord>> ReadAttemptsAsync(long jobId, CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<AttemptRecord>>("read attempts", async look =>
            await look.ReadAsync(ReadAttempts, [Long("id", jobId)], PostgresStore.AttemptAt, cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task<IReadOnlyList<LogLine>> ReadLogAsync(long jobId, int afterRun, int afterLine, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 1000);
        return LookAsync<IReadOnlyList<LogLine>>("read a log", async look => await look.ReadAsync(
            ReadLog, [Long("id", jobId), Int("after_run", afterRun), Int("after_line", afterLine), Int("limit", limit)], PostgresStore.LineAt, cancellationToken).ConfigureAwait(false), cancellationToken);
    }

    public Task<IReadOnlyList<FailureRow>> ReadFailuresAsync(DateTimeOffset since, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 10_000);
        return LookAsync<IReadOnlyList<FailureRow>>("read failures", async look => await look.ReadAsync(
            ReadFailures,
            [At("since", since), Int("limit", limit)],
            static reader => new FailureRow(
                reader.GetInt64(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetString(3), TextAt(reader, 4), TimeAt(reader, 5),
                OutcomeExtensions.ToOutcome(reader.GetString(6)), reader.GetString(7)),
            cancellationToken).ConfigureAwait(false), cancellationToken);
    }

    // ---- why it runs, or does not

    private const string ReadQueuePause = """
        select coalesce(paused_at, @now), paused_by, pause_reason, resume_at
        from millrace.queue
        where name = @queue and is_paused and coalesce(resume_at > @now, true)
        """;

    private const string ReadNodes = """
        select n.id, n.name, n.drain_at is not null, @queue = any(n.queues), @type = any(n.types)
        from millrace.node n
        where n.dead_at is null and n.expires_at > @now
        order by n.started_at, n.id
        """;

    private const string ReadKnownTypes = """
        select distinct known.type
        from millrace.node n
        cross join lateral unnest(n.types) as known(type)
        where n.dead_at is null and n.expires_at > @now
        order by known.type
        limit 100
        """;

    private const string ReadLine = """
        select r.is_suspect, (
                   select count(*)
                   from (
                       select
                       from millrace.ready b
                       where b.queue = r.queue and (b.priority, b.pass, b.id) < (r.priority, r.pass, r.id)
                       limit 100000) ahead)
        from millrace.ready r
        where r.id = @id
        """;

    private const string ReadRate = """
        select coalesce(sum(m.count), 0)::double precision / 5
        from millrace.stat_minute m
        where m.bucket > @now - interval '5 minutes' and m.queue = @queue
        """;

    private const string ReadLease = """
        select l.node, n.name, l.claimed_at, n.expires_at, coalesce(n.dead_at is null and n.expires_at > @now, false)
        from millrace.lease l
        cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
        left join millrace.node n on n.id = l.node
        where u.job_id = @id and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
        limit 1
        """;

    private const string ReadHolder = """
        select job_id
        from millrace.unique_key
        where key = @key and job_id <> @id
        """;

    public Task<JobFacts?> ReadFactsAsync(long jobId, CancellationToken cancellationToken) =>
        LookAsync("read what decides about a job", async look =>
        {
            if (await FindAsync(look, jobId, cancellationToken).ConfigureAwait(false) is not { } job)
                return null;
            var (queue, type) = (Text("queue", job.Row.Queue), Text("type", job.Row.Type));
            var pauses = await look.ReadAsync(ReadQueuePause, [look.At(), queue], static reader => PauseAt(reader, 0), cancellationToken).ConfigureAwait(false);
            var nodes = await look.ReadAsync(
                ReadNodes, [look.At(), queue.Clone(), type],
                static reader => (Fact: new NodeFact(reader.GetGuid(0), reader.GetString(1), reader.GetBoolean(2)), IsOfQueue: reader.GetBoolean(3), IsOfType: reader.GetBoolean(4)),
                cancellationToken).ConfigureAwait(false);
            var places = await look.ReadAsync(ReadLine, [Long("id", jobId)], static reader => (IsSuspect: reader.GetBoolean(0), Ahead: reader.GetInt64(1)), cancellationToken).ConfigureAwait(false);
            var leases = await look.ReadAsync(
                ReadLease, [look.At(), Long("id", jobId)],
                static reader => new LeaseFact(reader.GetGuid(0), TextAt(reader, 1), TimeAt(reader, 2), TimeOrNullAt(reader, 3), reader.GetBoolean(4)),
                cancellationToken).ConfigureAwait(false);
            var holders = job.Key is null ? [] : await look.ReadAsync(
                ReadHolder, [Text("key", job.Key), Long("id", jobId)], static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false);
            return new JobFacts
            {
                Job = job,
                Now = look.Now,
                QueuePause = pauses.FirstOrDefault(),
                Claimers = [.. nodes.Where(static node => node.IsOfQueue && node.IsOfType).Select(static node => node.Fact)],
                NodesOfQueue = nodes.Count(static node => node.IsOfQueue),
                NodesOfType = nodes.Count(static node => node.IsOfType),
                Ahead = places.Count > 0 ? places[0].Ahead : 0,
                IsSuspect = places.Count > 0 && places[0].IsSuspect,
                EndsPerMinute = await look.OneAsync(ReadRate, [look.At(), queue.Clone()], static reader => reader.GetDouble(0), cancellationToken).ConfigureAwait(false),
                Lease = leases.FirstOrDefault(),
                KeyHolder = holders.Count > 0 ? holders[0] : null,
                KnownTypes = await look.ReadAsync(ReadKnownTypes, [look.At()], static reader => reader.GetString(0), cancellationToken).ConfigureAwait(false),
            };
        }, cancellationToken);
}
