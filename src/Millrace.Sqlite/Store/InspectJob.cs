using Microsoft.Extensions.Logging;
using Millrace.Storage;

namespace Millrace.Sqlite;

// One job.
internal sealed partial class SqliteInspection
{
    public Task<JobDetail?> FindAsync(long jobId, CancellationToken cancellationToken) => LookAsync(session => Find(session, jobId), cancellationToken);

    private const string DetailSql = """
        select j.policy, j.trace, j.key, a.remove_at
        from millrace_job j
        left join millrace_attempt a on a.job_id = j.id and a.run = (select max(b.run) from millrace_attempt b where b.job_id = j.id)
        where j.id = @id
        """;

    private const string NodeNameSql = "select name from millrace_node where id = @id";

    private const string RequestSql = """
        select job_id, "by", reason
        from millrace_cancel_request
        where job_id = @id
        """;

    private const string ChildrenSql = """
        select j.id
        from millrace_job j
        where j.parent = @id
          and not exists (select 1 from millrace_deleted_job d where d.job_id = j.id)
        order by j.id
        limit 50
        """;

    private static JobDetail? Find(Session session, long id)
    {
        if (SqliteStore.Find(session, id) is not { } record)
            return null;
        var row = Rows(session, [id])[0];
        var (policy, trace, key, removeAt) = session.Query(DetailSql, row => (row.MaybeText(0), row.MaybeText(1), row.MaybeText(2), row.MaybeTime(3)), ("@id", id))[0];
        return new JobDetail
        {
            Row = row,
            Record = record,
            Version = JobChanges.VersionOf(JobChanges.StateOf(row.State, row.WaitsFor, row.Attempt), row.Run, row.Priority),
            Policy = policy,
            Trace = trace,
            Key = key,
            RemoveAt = record.IsFinished ? removeAt : null,
            NodeName = row.Node is { } node ? NameOf(session, node) : null,
            CancelRequest = row.State == JobState.Running
                ? session.First(RequestSql, row => new CancelRequest(row.GetInt64(0), row.MaybeText(1), row.MaybeText(2)), ("@id", id))
                : null,
            Children = Rows(session, session.Query(ChildrenSql, row => row.GetInt64(0), ("@id", id))),
        };
    }

    private static string? NameOf(Session session, Guid node) => session.First(NodeNameSql, row => row.GetString(0), ("@id", node.ToText()));

    // ---- its runs

    private const string AttemptsSql = """
        select job_id, run, attempt, charged, outcome, started, finished, node, result, error
        from millrace_attempt
        where job_id = @id
        order by run desc
        limit 1000
        """;

    public Task<IReadOnlyList<AttemptRecord>> ReadAttemptsAsync(long jobId, CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<AttemptRecord>>(session =>
        {
            var attempts = session.Query(AttemptsSql, SqliteStore.ReadAttempt, ("@id", jobId));
            attempts.Reverse();
            return attempts;
        }, cancellationToken);

    private const string LogSql = """
        select job_id, run, line, at, level, category, message, properties, exception
        from millrace_job_log
        where job_id = @id
          and (run, line) > (@run, @line)
        order by run, line
        limit @limit
        """;

    public Task<IReadOnlyList<LogLine>> ReadLogAsync(long jobId, int afterRun, int afterLine, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 1000);
        return LookAsync<IReadOnlyList<LogLine>>(session => session.Query(LogSql, row => new LogLine(
            row.GetInt64(0), row.GetInt32(1), row.GetInt32(2), row.Time(3), (LogLevel)row.GetInt32(4), row.GetString(5), row.GetString(6),
            row.MaybeText(7), row.MaybeText(8)), ("@id", jobId), ("@run", (long)afterRun), ("@line", (long)afterLine), ("@limit", (long)limit)), cancellationToken);
    }

    // ---- why it does not run

    private const string AheadSql = """
        select count(*)
        from (
            select 1
            from millrace_ready
            where queue = @queue
              and (priority, pass, id) < (select priority, pass, id from millrace_ready where id = @id)
            limit @cap
        )
        """;

    private const string SuspectSql = "select 1 from millrace_ready where id = @id and is_suspect = 1";

    private const string LeaseSql = $"""
        with {Standing.Leased}
        select l.node, n.name, l.claimed_at
        from leased l
        left join millrace_node n on n.id = l.node
        where l.id = @id
        """;

    private const string HolderSql = "select job_id from millrace_unique_key where key = @key and job_id <> @id";

    public Task<JobFacts?> ReadFactsAsync(long jobId, CancellationToken cancellationToken) => LookAsync(session => Facts(session, jobId), cancellationToken);

    private JobFacts? Facts(Session session, long id)
    {
        if (Find(session, id) is not { } job)
            return null;
        var now = store.Now();
        var (type, queue) = (job.Row.Type, job.Row.Queue);
        var living = Living(session);
        var isReady = job.Row.State == JobState.Ready;
        return new JobFacts
        {
            Job = job,
            Now = now.ToTime(),
            QueuePause = Pauses(session, now).GetValueOrDefault(queue),
            Claimers = [.. living.Where(node => node.Queues.Contains(queue) && node.Types.Contains(type)).Select(node => new NodeFact(node.Id, node.Name, node.IsDraining))],
            NodesOfQueue = living.Count(node => node.Queues.Contains(queue)),
            NodesOfType = living.Count(node => node.Types.Contains(type)),
            Ahead = isReady ? session.Number(AheadSql, ("@queue", queue), ("@id", id), ("@cap", (long)JobCounts.Cap)) ?? 0 : 0,
            IsSuspect = isReady && session.Any(SuspectSql, ("@id", id)),
            EndsPerMinute = Rates(session, now).GetValueOrDefault(queue).EndsPerMinute,
            Lease = session.First(LeaseSql, row => new LeaseFact(row.Guid(0), row.MaybeText(1), row.Time(2), null, living.Any(node => node.Id == row.Guid(0))), ("@id", id)),
            KeyHolder = job.Key is { } key ? session.Number(HolderSql, ("@key", key), ("@id", id)) : null,
            KnownTypes = [.. living.SelectMany(node => node.Types).Distinct().Order(StringComparer.Ordinal).Take(100)],
        };
    }

    // ---- failures of all jobs

    private const string FailuresSql = """
        select a.job_id, a.run, a.attempt, a.type, a.tag, a.finished, a.outcome, coalesce(substr(a.error, 1, 2000), '')
        from millrace_attempt a
        where a.success = false
          and a.finished >= @since
          and not exists (select 1 from millrace_deleted_job d where d.job_id = a.job_id)
        order by a.finished desc
        limit @limit
        """;

    public Task<IReadOnlyList<FailureRow>> ReadFailuresAsync(DateTimeOffset since, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 10_000);
        return LookAsync<IReadOnlyList<FailureRow>>(session => session.Query(FailuresSql, row => new FailureRow(
            row.GetInt64(0), row.GetInt32(1), row.GetInt32(2), row.GetString(3), row.MaybeText(4), row.Time(5), OutcomeExtensions.ToOutcome(row.GetString(6)),
            Cut(row.GetString(7), 2000)), ("@since", since.ToMicros()), ("@limit", (long)limit)), cancellationToken);
    }
}
