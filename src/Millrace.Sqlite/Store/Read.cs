using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    // ---- one job

    public Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled<DateTimeOffset>(cancellationToken) : Task.FromResult(Now().ToTime());

    private const string JobByIdSql = """
        select id, type, tag, user_id, queue, priority, data, due, created, headers, parent, schedule
        from millrace_job
        where id = @id
        """;

    private const string LastAttemptSql = """
        select attempt, outcome, result, error
        from millrace_attempt
        where job_id = @id
        order by run desc
        limit 1
        """;

    private const string PlaceSql = """
        select 'ready', attempt, null, null from millrace_ready where id = @id
        union all
        select 'scheduled', attempt, null, due from millrace_scheduled where id = @id
        union all
        select 'waiting', attempt, reason, due from millrace_waiting where id = @id
        """;

    private const string ProgressSql = "select run, percent, message from millrace_progress where job_id = @id";

    public Task<JobRecord?> FindAsync(long jobId, CancellationToken cancellationToken) => ReadAsync(session => Find(session, jobId), cancellationToken);

    internal static JobRecord? Find(Session session, long id)
    {
        if (session.First(JobByIdSql, ReadJob, ("@id", id)) is not { } job)
            return null;
        var last = session.First(LastAttemptSql, row => new LastRun(
            row.GetInt32(0), OutcomeExtensions.ToOutcome(row.GetString(1)), row.MaybeText(2), row.MaybeText(3)), ("@id", id));
        job = last is null ? job : job with { Attempt = last.Attempt, LastOutcome = last.Outcome, Result = last.Result, Error = last.Error };
        if (session.First(PlaceSql, row => new Place(row.GetString(0), row.GetInt32(1), row.MaybeText(2), row.MaybeTime(3)), ("@id", id)) is { } place)
            return job with
            {
                State = place.Name switch { "ready" => JobState.Ready, "scheduled" => JobState.Scheduled, _ => JobState.Waiting },
                Attempt = place.Attempt,
                WaitsFor = place.Reason,
                Due = place.Due ?? job.Due,
                Result = null,
            };
        if (FindRunning(session, id) is { } running)
            return WithProgress(session, job with { State = JobState.Running, Attempt = running.Lease.Attempts[running.Index], Result = null }, running.Lease.Runs[running.Index]);
        return job with
        {
            State = last?.Outcome switch
            {
                Outcome.Succeeded => JobState.Succeeded,
                Outcome.Cancelled or Outcome.Replaced or Outcome.Superseded => JobState.Cancelled,
                _ => JobState.Discarded,
            },
        };
    }

    private static JobRecord WithProgress(Session session, JobRecord job, int run)
    {
        var progress = session.First(ProgressSql, row => new Progress(row.GetInt32(0), row.GetDouble(1), row.MaybeText(2)), ("@id", job.Id));
        return progress?.Run == run ? job with { Progress = progress.Percent, ProgressMessage = progress.Message } : job;
    }

    private sealed record LastRun(int Attempt, Outcome Outcome, string? Result, string? Error);

    private sealed record Place(string Name, int Attempt, string? Reason, DateTimeOffset? Due);

    private sealed record Progress(int Run, double Percent, string? Message);

    private static JobRecord ReadJob(SqliteDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Type = row.GetString(1),
        Tag = row.MaybeText(2),
        UserId = row.GetInt64(3),
        Queue = row.GetString(4),
        Priority = row.GetInt16(5),
        Data = row.GetString(6),
        Due = row.Time(7),
        Created = row.Time(8),
        State = JobState.Ready,
        Headers = row.MaybeText(9),
        Parent = row.MaybeNumber(10),
        Schedule = row.MaybeText(11),
    };

    // ---- many jobs

    public Task<IReadOnlyList<JobRecord>> ListAsync(JobQuery query, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 200);
        return ReadAsync<IReadOnlyList<JobRecord>>(session => List(session, query), cancellationToken);
    }

    /// <summary>Takes candidates in pages from where a job of that state must have a row, and keeps those that are in it.</summary>
    private static List<JobRecord> List(Session session, JobQuery query)
    {
        const int PageSize = 500;
        var found = new List<JobRecord>();
        var sql = CandidatesSql(query);
        var after = query.AfterId;
        while (true)
        {
            var ids = session.Query(sql, row => row.GetInt64(0),
                ("@after", after), ("@type", query.Type), ("@tag", query.Tag), ("@queue", query.Queue), ("@page", (long)PageSize));
            foreach (var id in ids)
            {
                if (Find(session, id) is { } job && (query.State is null || job.State == query.State))
                    found.Add(job);
                if (found.Count == query.Limit)
                    return found;
            }

            if (ids.Count < PageSize)
                return found;
            after = ids[^1];
        }
    }

    private const string RunningIdsSql = """
        (select distinct job.value as id from millrace_lease l join json_each(l.job_ids) job)
        """;

    private static string CandidatesSql(JobQuery query)
    {
        var places = query.State switch
        {
            JobState.Ready => "millrace_ready p",
            JobState.Scheduled => "millrace_scheduled p",
            JobState.Waiting => "millrace_waiting p",
            JobState.Running => $"{RunningIdsSql} p",
            JobState.Succeeded => "(select job_id as id from millrace_attempt where outcome = 'succeeded') p",
            JobState.Discarded => "(select job_id as id from millrace_attempt where success = 0 and outcome = 'discarded') p",
            JobState.Cancelled => "(select job_id as id from millrace_attempt where outcome in ('cancelled', 'replaced', 'superseded')) p",
            _ => null,
        };
        // All five parameters stand in each text, so that one binding fits all of them.
        return $"""
            select distinct j.id
            from {(places is null ? "millrace_job j" : $"{places} cross join millrace_job j on j.id = p.id")}
            where {(places is null ? "j.id" : "p.id")} > @after
              and {(query.Type is null ? "@type is null" : "j.type = @type")}
              and {(query.Tag is null ? "@tag is null" : "j.tag = @tag")}
              and {(query.Queue is null ? "@queue is null" : "j.queue = @queue")}
            order by {(places is null ? "j.id" : "p.id")}
            limit @page
            """;
    }

    private const string AttemptsSql = """
        select job_id, run, attempt, charged, outcome, started, finished, node, result, error
        from millrace_attempt
        where job_id = @id
        order by run
        """;

    public Task<IReadOnlyList<AttemptRecord>> ReadAttemptsAsync(long jobId, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<AttemptRecord>>(session => session.Query(AttemptsSql, ReadAttempt, ("@id", jobId)), cancellationToken);

    internal static AttemptRecord ReadAttempt(SqliteDataReader row) => new()
    {
        JobId = row.GetInt64(0),
        Run = row.GetInt32(1),
        Attempt = row.GetInt32(2),
        IsCharged = row.GetBoolean(3),
        Outcome = OutcomeExtensions.ToOutcome(row.GetString(4)),
        Started = row.Time(5),
        Finished = row.Time(6),
        Node = row.MaybeGuid(7),
        Result = row.MaybeText(8),
        Error = row.MaybeText(9),
    };

    private const string LogSql = """
        select job_id, run, line, at, level, category, message, properties, exception
        from millrace_job_log
        where job_id = @id
        order by run, line
        limit 10000
        """;

    public Task<IReadOnlyList<LogLine>> ReadLogAsync(long jobId, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<LogLine>>(session => session.Query(LogSql, row => new LogLine(
            row.GetInt64(0), row.GetInt32(1), row.GetInt32(2), row.Time(3), (LogLevel)row.GetInt32(4), row.GetString(5), row.GetString(6),
            row.MaybeText(7), row.MaybeText(8)), ("@id", jobId)), cancellationToken);

    // ---- queues

    private const string ReadyDepthSql = """
        select count(*), min(pass)
        from (select pass from millrace_ready where queue = @queue limit 100000)
        """;

    private const string ScheduledDepthSql = """
        select queue, count(*)
        from (select queue from millrace_scheduled limit 100000)
        group by queue
        """;

    public Task<IReadOnlyList<QueueDepth>> ReadDepthsAsync(CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<QueueDepth>>(ReadDepths, cancellationToken);

    private static List<QueueDepth> ReadDepths(Session session)
    {
        var scheduled = session.Query(ScheduledDepthSql, row => (Queue: row.GetString(0), Count: row.GetInt64(1))).ToDictionary(row => row.Queue, row => row.Count);
        var depths = new List<QueueDepth>();
        foreach (var queue in session.Query(QueuesInLineSql, row => row.GetString(0)).Union(scheduled.Keys).Order(StringComparer.Ordinal))
        {
            var (ready, oldest) = session.Query(ReadyDepthSql, row => (row.GetInt64(0), row.MaybeTime(1)), ("@queue", queue))[0];
            depths.Add(new QueueDepth(queue, ready, oldest, scheduled.GetValueOrDefault(queue)));
        }

        return depths;
    }
}
