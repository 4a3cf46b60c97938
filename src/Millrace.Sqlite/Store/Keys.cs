using Millrace.Storage;

namespace Millrace.Sqlite;

// A job with a key: what becomes of it depends on what the key's holder is doing.
internal sealed partial class SqliteStore
{
    private const string TakeKeySql = """
        insert into millrace_unique_key (key, job_id, scope, until)
        values (@key, @id, @scope, @until)
        on conflict (key) do update set job_id = @id, scope = @scope, until = @until
        """;

    private static SubmitAnswer SubmitKeyed(Session session, NewJob job, JobKey key, long now)
    {
        if (Repeated(session, job) is { } repeated)
            return repeated;
        var state = SubmitState.Created;
        switch (LookAtKey(session, key.Name, key.Until.Scope, now))
        {
            case { Pending: { } pending } when key.OnConflict == WhenPending.Replace:
                EndPending(session, pending, Outcome.Replaced, $"Replaced by job {job.Id}.", now);
                state = SubmitState.Replaced;
                break;
            case { Pending: { } pending } when key.OnConflict == WhenPending.Postpone:
                Postpone(session, pending, DueOf(job, now), now);
                return new SubmitAnswer(pending.Id, SubmitState.Postponed);
            case { IsHeld: true } holder:
                return new SubmitAnswer(holder.JobId, SubmitState.Kept);
        }

        long? until = key.Until.Scope == UniqueScope.Window ? now + key.Until.Window.ToMicros() : null;
        session.Execute(TakeKeySql, ("@key", key.Name), ("@id", job.Id), ("@scope", (long)key.Until.Scope), ("@until", until));
        return new SubmitAnswer(Store(session, job, now).Id, state);
    }

    private const string HolderSql = "select job_id, scope, until from millrace_unique_key where key = @key";

    /// <summary>Who holds a key, and whether it counts for a newcomer: while the holder is pending; while it runs, if either of the two wants that; within its window.</summary>
    private static Holder? LookAtKey(Session session, string key, UniqueScope newcomer, long now)
    {
        var rows = session.Query(HolderSql, row => (JobId: row.GetInt64(0), Scope: (UniqueScope)row.GetInt32(1), Until: row.MaybeNumber(2)), ("@key", key));
        if (rows.Count == 0)
            return null;
        var (jobId, scope, until) = rows[0];
        var pending = FindPending(session, jobId);
        var isHeld = pending is not null
            || until > now
            || ((scope != UniqueScope.Pending || newcomer != UniqueScope.Pending) && FindRunning(session, jobId) is not null);
        return new Holder(jobId, pending, isHeld);
    }

    private sealed record Holder(long JobId, Pending? Pending, bool IsHeld);

    private const string FreeKeySql = """
        delete from millrace_unique_key
        where key = @key
          and job_id = @id
          and (until is null or until <= @now)
        """;

    private static void FreeKey(Session session, string? key, long jobId, long now)
    {
        if (key is not null)
            session.Execute(FreeKeySql, ("@key", key), ("@id", jobId), ("@now", now));
    }

    private const string OwnKeySql = """
        insert into millrace_unique_key (key, job_id)
        values (@key, @id)
        on conflict (key) do update set job_id = job_id
        returning job_id
        """;

    /// <summary>The job that holds the key by now; null when this one may be pending again: it holds its key, or takes it because nobody does (rule 16).</summary>
    private static long? SuccessorOf(Session session, string? key, long jobId) =>
        key is not null && session.Number(OwnKeySql, ("@key", key), ("@id", jobId)) is { } holder && holder != jobId ? holder : null;

    private static string SupersededBy(long successor, string? error) =>
        $"Superseded: job {successor} holds the key of this one by now.{(error is null ? "" : $"\n{error}")}";
}
