using System.Text.Json;
using System.Text.Json.Serialization;
using Millrace.Storage;

namespace Millrace.Sqlite;

// What people do to jobs, one at a time. Which states a change is for stands in JobChanges.
internal sealed partial class SqliteStore
{
    public Task<ChangeAnswer> ChangeAsync(long jobId, JobChange change, Author author, string? expectedVersion, CancellationToken cancellationToken)
    {
        Check(change);
        ArgumentNullException.ThrowIfNull(author);
        return WriteAsync(session => Change(session, jobId, change, author, expectedVersion, Now()), cancellationToken);
    }

    private static void Check(JobChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (JobChanges.Allowed(change.Kind) == StateSet.None)
            throw new ArgumentException($"{change.Kind} is not a change of jobs.", nameof(change));
        if ((change.Kind == OperationKind.Reprioritise) != (change.Priority is not null))
            throw new ArgumentException("A new priority goes with Reprioritise, and only with that.", nameof(change));
    }

    private static ChangeAnswer Change(Session session, long id, JobChange change, Author author, string? expectedVersion, long now)
    {
        if (FindRow(session, id) is not { } job)
            return new ChangeAnswer(ChangeResult.Unknown, null, null, null);
        if (expectedVersion is not null && expectedVersion != VersionOf(job))
            return new ChangeAnswer(ChangeResult.Moved, job.State, VersionOf(job), null);
        var (result, note) = Change(session, job, change, author, now);
        if (note is null)
            return new ChangeAnswer(result, job.State, VersionOf(job), null);
        var after = FindRow(session, id) ?? job;
        var operation = Insert(session, change.Kind, author, $"job {id}", now, done: 1, id, AuditText.Of(job), AuditText.Of(after));
        Remember(session, operation, id, change.Kind, note, now);
        MayBeUndone(session, operation, now);
        return new ChangeAnswer(result, after.State, VersionOf(after), operation);
    }

    private static JobRow? FindRow(Session session, long id) => SqliteInspection.Rows(session, [id]) is [var row] ? row : null;

    private static StateSet StateOf(JobRow job) => JobChanges.StateOf(job.State, job.WaitsFor, job.Attempt);

    private static string VersionOf(JobRow job) => JobChanges.VersionOf(StateOf(job), job.Run, job.Priority);

    /// <summary>Changes a job as it stands. What an undo needs comes back with it; nothing when nothing was changed.</summary>
    private static (ChangeResult Result, UndoNote? Note) Change(Session session, JobRow job, JobChange change, Author author, long now)
    {
        // A deleted job is gone for people: it can come back by an undo alone.
        if ((JobChanges.Allowed(change.Kind) & StateOf(job)) == 0 || job.DeletedBy is not null)
            return (ChangeResult.Skipped, null);
        var note = NoteOf(session, job);
        var result = change.Kind switch
        {
            OperationKind.Retry => Retry(session, job.Id, now) == RetryResult.KeyIsTaken ? ChangeResult.KeyIsTaken : ChangeResult.Done,
            OperationKind.Cancel when job.State == JobState.Running => Ask(session, job.Id, author, now),
            OperationKind.Cancel => Cancel(session, job.Id, author.Name, author.Reason, now) == CancelResult.Cancelled ? ChangeResult.Done : ChangeResult.Skipped,
            OperationKind.Delete => Delete(session, job, author, now),
            OperationKind.RunNow => RunNow(session, job.Id, now),
            _ => Reprioritise(session, job, change.Priority ?? job.Priority, now),
        };
        return (result, result is ChangeResult.Done or ChangeResult.Asked ? note with { NewPriority = change.Priority } : null);
    }

    private static ChangeResult Ask(Session session, long id, Author author, long now) =>
        session.Execute(AskSql, ("@id", id), ("@now", now), ("@by", author.Name), ("@reason", author.Reason)) == 1 ? ChangeResult.Asked : ChangeResult.Skipped;

    // An earlier end of its time stays.
    private const string RemoveSoonSql = """
        update millrace_attempt
        set remove_at = min(coalesce(remove_at, @until), @until)
        where job_id = @id
          and run = @run
        """;

    private static ChangeResult Delete(Session session, JobRow job, Author author, long now)
    {
        var until = now + IJobOperations.UndoWindow.ToMicros();
        if (FindPending(session, job.Id) is { } pending)
            EndPending(session, pending, Outcome.Cancelled, $"Deleted by {author.Name}{(author.Reason is null ? "." : $": {author.Reason}")}", now, until);
        else
            session.Execute(RemoveSoonSql, ("@until", until), ("@id", job.Id), ("@run", (long)job.Run));
        return ChangeResult.Done;
    }

    private static ChangeResult RunNow(Session session, long id, long now)
    {
        if (FindPending(session, id) is not { } pending)
            return ChangeResult.Skipped;
        LeavePlace(session, id);
        Put(session, pending with { Due = now }, now);
        return ChangeResult.Done;
    }

    private static ChangeResult Reprioritise(Session session, JobRow job, short priority, long now)
    {
        if (priority == job.Priority || FindPending(session, job.Id) is not { } pending)
            return ChangeResult.Skipped;
        Move(session, pending with { Priority = priority }, now);
        return ChangeResult.Done;
    }

    private const string SinceSql = "select since from millrace_waiting where id = @id";

    /// <summary>To the same place, as it is now.</summary>
    private static void Move(Session session, Pending pending, long now)
    {
        var since = session.Number(SinceSql, ("@id", pending.Id));
        LeavePlace(session, pending.Id);
        PutBack(session, pending, since, now);
    }

    private static void PutBack(Session session, Pending pending, long? since, long now)
    {
        if (pending.Reason is { } reason)
            PutWaiting(session, pending, reason, since ?? now);
        else
            Put(session, pending, now);
    }

    // ---- what an undo needs

    private const string OwnKeyOfSql = """
        select k.scope, k.until
        from millrace_job j
        join millrace_unique_key k on k.key = j.key and k.job_id = j.id
        where j.id = @id
        """;

    private const string RemoveAtSql = "select remove_at from millrace_attempt where job_id = @id and run = @run";

    private static UndoNote NoteOf(Session session, JobRow job)
    {
        if (job.State == JobState.Running)
            return new UndoNote { Place = "running", Run = job.Run };
        if (FindPending(session, job.Id) is not { } pending)
            return new UndoNote { Place = "finished", Run = job.Run, RemoveAt = session.Number(RemoveAtSql, ("@id", job.Id), ("@run", (long)job.Run)) };
        var keys = session.Query(OwnKeyOfSql, row => (Scope: row.GetInt32(0), Until: row.MaybeNumber(1)), ("@id", job.Id));
        return new UndoNote
        {
            Place = job.State switch { JobState.Ready => "ready", JobState.Scheduled => "scheduled", _ => "waiting" },
            Run = pending.Run,
            Attempt = pending.Attempt,
            Crashes = pending.Crashes,
            IsSuspect = pending.IsSuspect,
            Priority = pending.Priority,
            Due = pending.Due,
            Reason = pending.Reason,
            Since = session.Number(SinceSql, ("@id", job.Id)),
            KeyScope = keys.Count > 0 ? keys[0].Scope : null,
            KeyUntil = keys.Count > 0 ? keys[0].Until : null,
        };
    }

    private const string RememberSql = """
        insert into millrace_operation_job (operation, job_id, before)
        values (@operation, @job_id, @before)
        """;

    private const string HideSql = """
        insert into millrace_deleted_job (job_id, operation, at)
        values (@job_id, @operation, @now)
        """;

    private static void Remember(Session session, long operation, long jobId, OperationKind kind, UndoNote note, long now)
    {
        session.Execute(RememberSql, ("@operation", operation), ("@job_id", jobId), ("@before", JsonSerializer.Serialize(note, UndoJson.Default.UndoNote)));
        if (kind == OperationKind.Delete)
            session.Execute(HideSql, ("@job_id", jobId), ("@operation", operation), ("@now", now));
    }
}

/// <summary>Where a job was before somebody changed it: the column <c>millrace_operation_job.before</c>.</summary>
internal sealed record UndoNote
{
    /// <summary>ready, scheduled, waiting, running or finished.</summary>
    public required string Place { get; init; }

    /// <summary>The run of its place; of a finished job the last one.</summary>
    public required int Run { get; init; }

    public int Attempt { get; init; }

    public int Crashes { get; init; }

    public bool IsSuspect { get; init; }

    public long Priority { get; init; }

    /// <summary>When it was due; in line, its place there.</summary>
    public long Due { get; init; }

    public string? Reason { get; init; }

    public long? Since { get; init; }

    public long? RemoveAt { get; init; }

    /// <summary>How it held its key; null when it held none.</summary>
    public int? KeyScope { get; init; }

    public long? KeyUntil { get; init; }

    /// <summary>The priority that it was given.</summary>
    public long? NewPriority { get; init; }
}

[JsonSerializable(typeof(UndoNote))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
internal sealed partial class UndoJson : JsonSerializerContext;
