using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Millrace.Sqlite;

/// <summary>A pending job on its way from one place to another.</summary>
internal sealed record Pending(long Id, string Queue, long Priority, string Type, int Run, int Attempt, int Crashes, bool IsSuspect)
{
    /// <summary>When it is due; where it waits for nothing, its place in line.</summary>
    public required long Due { get; init; }

    /// <summary>Why it waits, for a row of millrace_waiting; null in the other places.</summary>
    public string? Reason { get; init; }
}

internal sealed partial class SqliteStore
{
    private const string InsertReadySql = """
        insert into millrace_ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
        values (@queue, @priority, @pass, @id, @type, @run, @attempt, @crashes, @is_suspect)
        """;

    private const string InsertScheduledSql = """
        insert into millrace_scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
        values (@due, @id, @queue, @priority, @type, @run, @attempt, @crashes, @is_suspect)
        """;

    private const string InsertWaitingSql = """
        insert into millrace_waiting (id, reason, since, due, queue, priority, type, run, attempt, crashes, is_suspect)
        values (@id, @reason, @since, @due, @queue, @priority, @type, @run, @attempt, @crashes, @is_suspect)
        """;

    /// <summary>Puts a job where its due time says: in line, or among those that wait for their time.</summary>
    private static void Put(Session session, Pending job, long now)
    {
        if (job.Due <= now)
            session.Execute(InsertReadySql,
                ("@queue", job.Queue), ("@priority", job.Priority), ("@pass", job.Due), ("@id", job.Id), ("@type", job.Type),
                ("@run", (long)job.Run), ("@attempt", (long)job.Attempt), ("@crashes", (long)job.Crashes), ("@is_suspect", job.IsSuspect));
        else
            session.Execute(InsertScheduledSql,
                ("@due", job.Due), ("@id", job.Id), ("@queue", job.Queue), ("@priority", job.Priority), ("@type", job.Type),
                ("@run", (long)job.Run), ("@attempt", (long)job.Attempt), ("@crashes", (long)job.Crashes), ("@is_suspect", job.IsSuspect));
    }

    private static void PutWaiting(Session session, Pending job, string reason, long now) => session.Execute(InsertWaitingSql,
        ("@id", job.Id), ("@reason", reason), ("@since", now), ("@due", job.Due), ("@queue", job.Queue), ("@priority", job.Priority), ("@type", job.Type),
        ("@run", (long)job.Run), ("@attempt", (long)job.Attempt), ("@crashes", (long)job.Crashes), ("@is_suspect", job.IsSuspect));

    private const string FindPendingSql = """
        select id, queue, priority, type, run, attempt, crashes, is_suspect, due, reason
        from millrace_waiting
        where id = @id
        union all
        select id, queue, priority, type, run, attempt, crashes, is_suspect, due, null
        from millrace_scheduled
        where id = @id
        union all
        select id, queue, priority, type, run, attempt, crashes, is_suspect, pass, null
        from millrace_ready
        where id = @id
        """;

    private static Pending? FindPending(Session session, long id) => session.First(FindPendingSql, ReadPending, ("@id", id));

    private static Pending ReadPending(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetString(3), row.GetInt32(4), row.GetInt32(5), row.GetInt32(6), row.GetBoolean(7))
    {
        Due = row.GetInt64(8),
        Reason = row.MaybeText(9),
    };

    private const string LeaveWaitingSql = "delete from millrace_waiting where id = @id";
    private const string LeaveScheduledSql = "delete from millrace_scheduled where id = @id";
    private const string LeaveReadySql = "delete from millrace_ready where id = @id";

    private static void LeavePlace(Session session, long id)
    {
        if (session.Execute(LeaveWaitingSql, ("@id", id)) == 0 && session.Execute(LeaveScheduledSql, ("@id", id)) == 0)
            session.Execute(LeaveReadySql, ("@id", id));
    }

    private const string InsertAttemptSql = """
        insert into millrace_attempt (
            job_id, run, attempt, charged, type, tag, node, rescued_by, started, finished, success, outcome, result, error, remove_at)
        values (
            @job_id, @run, @attempt, @charged, @type, @tag, @node, @rescued_by, @started, @finished, @success, @outcome, @result, @error, @remove_at)
        on conflict do nothing
        """;

    /// <summary>The fence: false when somebody ended this run before.</summary>
    private static bool InsertAttempt(Session session, EndedRun run) => session.Execute(InsertAttemptSql,
        ("@job_id", run.JobId), ("@run", (long)run.Run), ("@attempt", (long)run.Attempt), ("@charged", run.Charged), ("@type", run.Type), ("@tag", run.Tag),
        ("@node", run.Node?.ToText()), ("@rescued_by", run.RescuedBy?.ToText()), ("@started", run.Started), ("@finished", run.Finished),
        ("@success", SuccessOf(run.Outcome)), ("@outcome", run.Outcome.ToWord()), ("@result", run.Result), ("@error", run.Error), ("@remove_at", run.RemoveAt)) == 1;

    private static object? SuccessOf(Outcome outcome) => outcome switch
    {
        Outcome.Succeeded => 1L,
        Outcome.Failed or Outcome.Discarded or Outcome.Interrupted => 0L,
        _ => null,
    };

    private const string PolicyOfSql = "select type, tag, policy, key from millrace_job where id = @id";

    /// <summary>Ends a pending job before its next run: it shows started = finished = now (rule 21).</summary>
    private static void EndPending(Session session, Pending job, Outcome outcome, string? error, long now)
    {
        var (type, tag, policy, key) = session.Query(PolicyOfSql, row => (row.GetString(0), row.MaybeText(1), row.MaybeText(2), row.MaybeText(3)), ("@id", job.Id))[0];
        LeavePlace(session, job.Id);
        InsertAttempt(session, new EndedRun(job.Id, job.Run, job.Attempt, type, tag)
        {
            Outcome = outcome, Started = now, Finished = now, Error = error, RemoveAt = RemoveAt(policy, now),
        });
        Forget(session, job.Id);
        FreeKey(session, key, job.Id, now);
    }

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

    private const string ForgetRequestSql = "delete from millrace_cancel_request where job_id = @id";
    private const string ForgetProgressSql = "delete from millrace_progress where job_id = @id";

    /// <summary>What is only kept while a job goes on.</summary>
    private static void Forget(Session session, long jobId)
    {
        session.Execute(ForgetRequestSql, ("@id", jobId));
        session.Execute(ForgetProgressSql, ("@id", jobId));
    }

    /// <summary>When a job that the store itself ends may be removed: as its submission says, otherwise after an hour like any end that is not a failure.</summary>
    private static long? RemoveAt(string? policy, long now)
    {
        var seconds = 3600.0;
        if (policy is not null)
        {
            try
            {
                using var document = JsonDocument.Parse(policy);
                if (document.RootElement.TryGetProperty("removeDelay", out var delay) && delay.ValueKind == JsonValueKind.Number)
                    seconds = delay.GetDouble();
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException)
            {
                // Written by a newer version: the default is good enough.
            }
        }

        return seconds < 0 ? null : now + (long)(Math.Min(seconds, TimeSpan.FromDays(36_500).TotalSeconds) * 1_000_000);
    }
}

/// <summary>A row of millrace_attempt.</summary>
internal sealed record EndedRun(long JobId, int Run, int Attempt, string Type, string? Tag)
{
    public bool Charged { get; init; }

    public Guid? Node { get; init; }

    public Guid? RescuedBy { get; init; }

    public required long Started { get; init; }

    public required long Finished { get; init; }

    public required Outcome Outcome { get; init; }

    public string? Result { get; init; }

    public string? Error { get; init; }

    public long? RemoveAt { get; init; }
}
