namespace Millrace;

/// <summary>Where a job is. A job is in exactly one place, and the place is its state.</summary>
public enum JobState
{
    /// <summary>It may be claimed now.</summary>
    Ready,

    /// <summary>It waits for its time: delayed, between retries, or snoozed.</summary>
    Scheduled,

    /// <summary>It waits for something else: a node that knows its type, its key, or a person.</summary>
    Waiting,

    /// <summary>A node runs it.</summary>
    Running,

    /// <summary>It finished with success.</summary>
    Succeeded,

    /// <summary>It finished without success: its attempts were used up, or the handler gave it up.</summary>
    Discarded,

    /// <summary>It was cancelled, replaced or superseded.</summary>
    Cancelled,
}

/// <summary>A job as it is stored at one moment.</summary>
public sealed record JobRecord
{
    /// <summary>Its id.</summary>
    public required long Id { get; init; }

    /// <summary>The registered name of its type.</summary>
    public required string Type { get; init; }

    /// <summary>Its tag; null for none.</summary>
    public string? Tag { get; init; }

    /// <summary>Whose job it is; 0 is the system.</summary>
    public long UserId { get; init; }

    /// <summary>Its queue.</summary>
    public required string Queue { get; init; }

    /// <summary>Lower runs first.</summary>
    public short Priority { get; init; }

    /// <summary>Its arguments as JSON text.</summary>
    public required string Data { get; init; }

    /// <summary>When it is due: the time of the next retry while it waits for one, otherwise the time it was submitted for.</summary>
    public required DateTimeOffset Due { get; init; }

    /// <summary>When it was submitted.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Where it is.</summary>
    public required JobState State { get; init; }

    /// <summary>For a waiting job: <c>type</c> (no live node knows its type), <c>key</c> or <c>quarantine</c>; otherwise null.</summary>
    public string? WaitsFor { get; init; }

    /// <summary>The number of the attempt that runs, or comes next, or was the last.</summary>
    public int Attempt { get; init; }

    /// <summary>How the last run ended; null before the first end.</summary>
    public Outcome? LastOutcome { get; init; }

    /// <summary>The result of a succeeded job as JSON text; null for none.</summary>
    public string? Result { get; init; }

    /// <summary>Why the last run did not succeed; null when it did, or before the first.</summary>
    public string? Error { get; init; }

    /// <summary>The headers as a JSON object; null for none.</summary>
    public string? Headers { get; init; }

    /// <summary>The job whose attempt submitted this one; null for none.</summary>
    public long? Parent { get; init; }

    /// <summary>The schedule whose tick this is; null for none.</summary>
    public string? Schedule { get; init; }

    /// <summary>How far the running attempt says it is, 0 to 100; null when it said nothing.</summary>
    public double? Progress { get; init; }

    /// <summary>What the running attempt says it is doing; null when it said nothing.</summary>
    public string? ProgressMessage { get; init; }

    /// <summary>Whether the job will not run again by itself.</summary>
    public bool IsFinished => State is JobState.Succeeded or JobState.Discarded or JobState.Cancelled;
}

/// <summary>One run of a job that has ended.</summary>
public sealed record AttemptRecord
{
    /// <summary>The job.</summary>
    public required long JobId { get; init; }

    /// <summary>Counts every claim, from 1.</summary>
    public required int Run { get; init; }

    /// <summary>Counts the charged runs, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>Whether the retry policy counts it.</summary>
    public required bool IsCharged { get; init; }

    /// <summary>How it ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>When the handler began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>The node that ran it; null when it ended before it ran.</summary>
    public Guid? Node { get; init; }

    /// <summary>The result as JSON text; null for none.</summary>
    public string? Result { get; init; }

    /// <summary>Why it did not succeed; null when it did.</summary>
    public string? Error { get; init; }
}
