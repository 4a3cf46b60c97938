using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    public Task<CancelResult> CancelAsync(long jobId, string? by, string? reason, CancellationToken cancellationToken) =>
        WriteAsync(session => Cancel(session, jobId, by, reason, Now()), cancellationToken);

    private const string AskSql = """
        insert into millrace_cancel_request (job_id, at, "by", reason)
        values (@id, @now, @by, @reason)
        on conflict (job_id) do nothing
        """;

    private const string IsStoredSql = "select 1 from millrace_job where id = @id";

    private static CancelResult Cancel(Session session, long jobId, string? by, string? reason, long now)
    {
        if (FindPending(session, jobId) is { } pending)
        {
            EndPending(session, pending, Outcome.Cancelled, $"Cancelled{(by is null ? "" : $" by {by}")}{(reason is null ? "." : $": {reason}")}", now);
            return CancelResult.Cancelled;
        }

        if (FindRunning(session, jobId) is not null)
        {
            session.Execute(AskSql, ("@id", jobId), ("@now", now), ("@by", by), ("@reason", reason));
            return CancelResult.Asked;
        }

        return session.Any(IsStoredSql, ("@id", jobId)) ? CancelResult.Finished : CancelResult.Unknown;
    }

    private const string RequestsSql = """
        select job_id, "by", reason
        from millrace_cancel_request
        where job_id in (select value from json_each(@ids))
        order by job_id
        """;

    public Task<IReadOnlyList<CancelRequest>> ReadCancelRequestsAsync(IReadOnlyCollection<long> jobIds, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<CancelRequest>>(session => session.Query(RequestsSql,
            row => new CancelRequest(row.GetInt64(0), row.MaybeText(1), row.MaybeText(2)), ("@ids", Values.ToList(jobIds))), cancellationToken);

    public Task<RetryResult> RetryAsync(long jobId, CancellationToken cancellationToken) =>
        WriteAsync(session => Retry(session, jobId, Now()), cancellationToken);

    private const string RetriedJobSql = """
        select j.queue, j.priority, j.type, j.key, (select max(a.run) from millrace_attempt a where a.job_id = j.id)
        from millrace_job j
        where j.id = @id
        """;

    private const string KeepAttemptsSql = "update millrace_attempt set remove_at = null where job_id = @id and remove_at is not null";

    // A job that runs again is not deleted any more, whoever had deleted it.
    private const string UndeleteSql = "delete from millrace_deleted_job where job_id = @id";

    private const string TakeKeyBackSql = """
        insert into millrace_unique_key (key, job_id)
        values (@key, @id)
        on conflict (key) do update set job_id = @id, scope = 0, until = null where job_id <> @id
        """;

    private static RetryResult Retry(Session session, long jobId, long now)
    {
        var rows = session.Query(RetriedJobSql, row => (
            Queue: row.GetString(0), Priority: row.GetInt64(1), Type: row.GetString(2), Key: row.MaybeText(3), LastRun: (int)(row.MaybeNumber(4) ?? 0)), ("@id", jobId));
        if (rows.Count == 0)
            return RetryResult.Unknown;
        if (FindRunning(session, jobId) is not null)
            return RetryResult.Running;
        var job = rows[0];
        if (job.Key is not null)
        {
            if (LookAtKey(session, job.Key, UniqueScope.Pending, now) is { IsHeld: true } holder && holder.JobId != jobId)
                return RetryResult.KeyIsTaken;
            session.Execute(TakeKeyBackSql, ("@key", job.Key), ("@id", jobId));
        }

        // Its next run is the one its place carries; after an end, the one after the last (rule 2).
        var pending = FindPending(session, jobId);
        var run = pending?.Run ?? job.LastRun + 1;
        LeavePlace(session, jobId);
        session.Execute(KeepAttemptsSql, ("@id", jobId));
        session.Execute(UndeleteSql, ("@id", jobId));
        Forget(session, jobId);
        Put(session, new Pending(jobId, job.Queue, pending?.Priority ?? job.Priority, job.Type, run, Attempt: 1, Crashes: 0, IsSuspect: false) { Due = now }, now);
        return RetryResult.Ready;
    }
}
