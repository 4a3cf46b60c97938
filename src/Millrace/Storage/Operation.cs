namespace Millrace.Storage;

/// <summary>Who changes something.</summary>
/// <param name="Name">The person or program, at most 200 bytes.</param>
/// <param name="Via">By what means: <c>dashboard</c>, <c>cli</c> or <c>code</c>.</param>
/// <param name="Reason">Why; null for nothing said. At most 1,000 characters.</param>
public sealed record Author(string Name, string Via, string? Reason = null);

/// <summary>What was done. Stored in lower case, words joined by an underscore.</summary>
public enum OperationKind
{
    /// <summary>Jobs that finished, are scheduled, or wait (in quarantine too) were made ready from their first attempt. Undone while they have not begun.</summary>
    Retry,

    /// <summary>Pending jobs were cancelled, running ones asked to stop. The pending ones can be undone.</summary>
    Cancel,

    /// <summary>Pending and finished jobs were deleted: out of every list at once, removed after the time in which that can be undone. Running ones are skipped.</summary>
    Delete,

    /// <summary>Scheduled jobs were made ready before their time, with their attempt as it was.</summary>
    RunNow,

    /// <summary>The priority of pending jobs was changed.</summary>
    Reprioritise,

    /// <summary>A copy of a job was submitted with other data.</summary>
    Rerun,

    /// <summary>A job was submitted by hand.</summary>
    Submit,

    /// <summary>A queue was paused.</summary>
    PauseQueue,

    /// <summary>A queue was resumed.</summary>
    ResumeQueue,

    /// <summary>A schedule was paused.</summary>
    PauseSchedule,

    /// <summary>A schedule was resumed.</summary>
    ResumeSchedule,

    /// <summary>A schedule's job was submitted out of turn.</summary>
    RunSchedule,

    /// <summary>A node was asked to claim no more.</summary>
    Drain,

    /// <summary>A node was let go on.</summary>
    Undrain,

    /// <summary>An operation was undone.</summary>
    Undo,

    /// <summary>A list of jobs was taken out as a file.</summary>
    Export,
}

/// <summary>A change of jobs.</summary>
/// <param name="Kind">One of the first five.</param>
/// <param name="Priority">For <see cref="OperationKind.Reprioritise"/>: the new one.</param>
public sealed record JobChange(OperationKind Kind, short? Priority = null);

/// <summary>What became of one job that was to be changed.</summary>
public enum ChangeResult
{
    /// <summary>It was changed.</summary>
    Done,

    /// <summary>It runs, and was asked to stop.</summary>
    Asked,

    /// <summary>Its state does not allow the change, or it was so before. Nothing was changed.</summary>
    Skipped,

    /// <summary>A newer job holds its key. Nothing was changed.</summary>
    KeyIsTaken,

    /// <summary>It is no longer as the caller has seen it. Nothing was changed.</summary>
    Moved,

    /// <summary>No such job is stored.</summary>
    Unknown,
}

/// <summary>The answer to the change of one job.</summary>
/// <param name="Result">What became of it.</param>
/// <param name="State">The job's state after the call; null when it is not stored.</param>
/// <param name="Version">Its version after the call; null when it is not stored.</param>
/// <param name="Operation">The operation that was recorded; null when nothing was changed.</param>
public sealed record ChangeAnswer(ChangeResult Result, JobState? State, string? Version, long? Operation);

/// <summary>The answer to a change of many jobs that begins at most once.</summary>
/// <param name="Operation">The operation's id.</param>
/// <param name="IsNew">Whether this call began it. Who did not leaves it to who did.</param>
public sealed record BegunOperation(long Operation, bool IsNew);

/// <summary>The answer to a batch.</summary>
/// <param name="Done">How many were changed or asked to stop.</param>
/// <param name="Skipped">How many were not.</param>
/// <param name="Queues">Queues that have something to claim now.</param>
public sealed record BatchAnswer(int Done, int Skipped, IReadOnlyList<string> Queues);

/// <summary>The answer to an undo.</summary>
/// <param name="Result">Whether it could be.</param>
/// <param name="Restored">How many jobs are as they were.</param>
/// <param name="Lost">How many had gone on meanwhile and were left alone.</param>
/// <param name="Operation">The operation that records the undo; null when nothing was undone.</param>
public sealed record UndoAnswer(UndoResult Result, long Restored, long Lost, long? Operation);

/// <summary>Whether an operation could be undone.</summary>
public enum UndoResult
{
    /// <summary>It was.</summary>
    Done,

    /// <summary>Its time is over.</summary>
    TooLate,

    /// <summary>It was undone before.</summary>
    Before,

    /// <summary>It still goes on.</summary>
    NotEnded,

    /// <summary>It is not of a kind that can be undone.</summary>
    Never,

    /// <summary>There is none of this id.</summary>
    Unknown,
}

/// <summary>An entry of the audit.</summary>
public sealed record OperationRecord
{
    /// <summary>Its id. Later ones have greater ids.</summary>
    public required long Id { get; init; }

    /// <summary>What was done.</summary>
    public required OperationKind Kind { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Who did it, how and why.</summary>
    public required Author Author { get; init; }

    /// <summary>To what, for people: a filter, <c>job 5</c>, <c>queue mail</c>.</summary>
    public required string Target { get; init; }

    /// <summary>The job it is about; null for many, or none.</summary>
    public long? JobId { get; init; }

    /// <summary>How many jobs there were expected to be.</summary>
    public long Expected { get; init; }

    /// <summary>How many were changed.</summary>
    public long Done { get; init; }

    /// <summary>How many were left alone.</summary>
    public long Skipped { get; init; }

    /// <summary>When it ended; null while it goes on, and for some minutes after its process died.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>Why it ended before all was done; null when it did not.</summary>
    public string? Error { get; init; }

    /// <summary>What was before, as JSON text: for changes of one thing. Null for nothing to tell.</summary>
    public string? Before { get; init; }

    /// <summary>What is since, as JSON text. Null for nothing to tell.</summary>
    public string? After { get; init; }

    /// <summary>Until when it can be undone; null when it cannot.</summary>
    public DateTimeOffset? UndoUntil { get; init; }

    /// <summary>The operation that undid it; null when none has.</summary>
    public long? UndoneBy { get; init; }
}
