using System.Text.Json;
using Millrace.Storage;

namespace Millrace.Sqlite;

// Taking back what people did, as far as jobs are still as it left them.
internal sealed partial class SqliteStore
{
    private const int UndoneAtOnce = 1000;

    public async Task<UndoAnswer> UndoAsync(long operation, Author author, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(author);
        var (result, undone, undo) = await WriteAsync(session => BeginUndo(session, operation, author, Now()), cancellationToken).ConfigureAwait(false);
        if (undone is null)
            return new UndoAnswer(result, 0, 0, null);
        var restored = 0L;
        for (long? after = 0; after is { } last;)
        {
            var step = await WriteAsync(session => UndoSome(session, undone, undo, last, Now()), cancellationToken).ConfigureAwait(false);
            restored += step.Restored;
            after = step.Next;
        }

        // What was pruned meanwhile has gone on too.
        var lost = undone.Done - restored;
        await WriteAsync(session => EndUndo(session, undo, lost, Now()), cancellationToken).ConfigureAwait(false);
        return new UndoAnswer(UndoResult.Done, restored, lost, undo);
    }

    private const string MarkUndoneSql = "update millrace_operation set undone_by = @undo where id = @id";

    private static (UndoResult Result, OperationRecord? Undone, long Undo) BeginUndo(Session session, long id, Author author, long now)
    {
        EndAbandoned(session, now);
        var known = FindOperation(session, id);
        UndoResult? refusal = known switch
        {
            null => UndoResult.Unknown,
            { UndoneBy: not null } => UndoResult.Before,
            _ when !JobChanges.CanBeUndone(known.Kind) => UndoResult.Never,
            { Ended: null } => UndoResult.NotEnded,
            { UndoUntil: null } => UndoResult.Never,
            _ when known.UndoUntil < now.ToTime() => UndoResult.TooLate,
            _ => null,
        };
        if (refusal is { } no || known is null)
            return (refusal ?? UndoResult.Unknown, null, 0);
        var undo = Insert(session, OperationKind.Undo, author, $"operation {id}", now, known.JobId, expected: known.Done, done: 0, ended: null, before: null, after: null);
        session.Execute(MarkUndoneSql, ("@undo", undo), ("@id", id));
        return (UndoResult.Done, known, undo);
    }

    private const string UndoSomeSql = """
        select job_id, before
        from millrace_operation_job
        where operation = @operation
          and job_id > @after
        order by job_id
        limit @limit
        """;

    private static (long Restored, long? Next) UndoSome(Session session, OperationRecord undone, long undo, long after, long now)
    {
        var notes = session.Query(UndoSomeSql, row => (Job: row.GetInt64(0), Before: row.GetString(1)), ("@operation", undone.Id), ("@after", after), ("@limit", (long)UndoneAtOnce));
        var jobs = SqliteInspection.Rows(session, [.. notes.Select(note => note.Job)]).ToDictionary(job => job.Id);
        var restored = 0L;
        foreach (var (id, before) in notes)
            if (jobs.TryGetValue(id, out var job) && JsonSerializer.Deserialize(before, UndoJson.Default.UndoNote) is { } note && Restore(session, undone, job, note, now))
                restored++;
        session.Execute(CountUpSql, ("@done", restored), ("@skipped", 0L), ("@now", now), ("@id", undo));
        return (restored, notes.Count < UndoneAtOnce ? null : notes[^1].Job);
    }

    private const string EndUndoSql = "update millrace_operation set skipped = @lost, ended = @now where id = @id";

    private static int EndUndo(Session session, long undo, long lost, long now) => session.Execute(EndUndoSql, ("@lost", lost), ("@now", now), ("@id", undo));

    /// <summary>False when the job has gone on since.</summary>
    private static bool Restore(Session session, OperationRecord undone, JobRow job, UndoNote note, long now) => undone.Kind switch
    {
        OperationKind.Retry or OperationKind.RunNow => TakeOutOfLine(session, job, note, now),
        OperationKind.Reprioritise => TakePriorityBack(session, job, note, now),
        OperationKind.Cancel when job.DeletedBy is not null => false,
        OperationKind.Delete when job.DeletedBy != undone.Id => false,
        _ when note.Place == "finished" => Undelete(session, job, note),
        _ => Revive(session, job, note, now),
    };

    // ---- a retried job, or one that was to run now

    private const string RemoveAgainSql = "update millrace_attempt set remove_at = @remove_at where job_id = @id and run = @run";

    private static bool TakeOutOfLine(Session session, JobRow job, UndoNote note, long now)
    {
        var isFinished = note.Place == "finished";
        // Here: it may have been claimed, may have ended, may have been handed back and stand in line with a later run.
        if (job.State != JobState.Ready || job.Run != (isFinished ? note.Run + 1 : note.Run))
            return false;
        LeavePlace(session, job.Id);
        if (!isFinished)
        {
            PutBack(session, PendingOf(job, note, note.Run) with { Priority = job.Priority }, note.Since, now);
            return true;
        }

        session.Execute(RemoveAgainSql, ("@remove_at", note.RemoveAt), ("@id", job.Id), ("@run", (long)note.Run));
        FreeKey(session, FindLeasedJob(session, job.Id)?.Key, job.Id, now);
        return true;
    }

    private static Pending PendingOf(JobRow job, UndoNote note, int run) =>
        new(job.Id, job.Queue, note.Priority, job.Type, run, note.Attempt, note.Crashes, note.IsSuspect) { Due = note.Due, Reason = note.Reason };

    // ---- a job with another priority

    private static bool TakePriorityBack(Session session, JobRow job, UndoNote note, long now)
    {
        if (job.Run != note.Run || job.Priority != note.NewPriority || FindPending(session, job.Id) is not { } pending)
            return false;
        Move(session, pending with { Priority = note.Priority }, now);
        return true;
    }

    // ---- a deleted job that had finished

    private static bool Undelete(Session session, JobRow job, UndoNote note)
    {
        if (job.Run != note.Run)
            return false;
        session.Execute(UndeleteSql, ("@id", job.Id));
        session.Execute(RemoveAgainSql, ("@remove_at", note.RemoveAt), ("@id", job.Id), ("@run", (long)note.Run));
        return true;
    }

    // ---- a job that was cancelled or deleted while it was pending

    private const string HoldAgainSql = """
        insert into millrace_unique_key (key, job_id, scope, until)
        values (@key, @id, @scope, @until)
        on conflict (key) do update set job_id = @id, scope = @scope, until = @until
        """;

    private static bool Revive(Session session, JobRow job, UndoNote note, long now)
    {
        if (note.Place == "running" || job.State != JobState.Cancelled || job.Run != note.Run)
            return false;
        var key = FindLeasedJob(session, job.Id)?.Key;
        if (key is not null && note.KeyScope is { } scope)
        {
            if (LookAtKey(session, key, (UniqueScope)scope, now) is { IsHeld: true } holder && holder.JobId != job.Id)
                return false;
            session.Execute(HoldAgainSql, ("@key", key), ("@id", job.Id), ("@scope", (long)scope), ("@until", note.KeyUntil));
        }

        session.Execute(KeepAttemptsSql, ("@id", job.Id));
        session.Execute(UndeleteSql, ("@id", job.Id));
        // Its run was ended, and none is used twice.
        PutBack(session, PendingOf(job, note, note.Run + 1), note.Since, now);
        return true;
    }
}
