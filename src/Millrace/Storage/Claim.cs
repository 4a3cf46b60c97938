namespace Millrace.Storage;

/// <summary>One run of a job that this node may make, until its lease is lost. The pair of <see cref="JobId"/> and <see cref="Run"/> is never used twice.</summary>
public sealed record Claim
{
    /// <summary>The batch it was claimed with.</summary>
    public required Guid Lease { get; init; }

    /// <summary>The job.</summary>
    public required long JobId { get; init; }

    /// <summary>Counts every claim of the job, from 1. The fence.</summary>
    public required int Run { get; init; }

    /// <summary>Counts the runs that the retry policy charges, from 1; this run's number.</summary>
    public required int Attempt { get; init; }

    /// <summary>How many times the job was alone with a process that died.</summary>
    public int Crashes { get; init; }

    /// <summary>The registered name of the type.</summary>
    public required string Type { get; init; }

    /// <summary>The tag, or null.</summary>
    public string? Tag { get; init; }

    /// <summary>Whose job it is; 0 is the system.</summary>
    public long UserId { get; init; }

    /// <summary>The queue it was claimed from.</summary>
    public required string Queue { get; init; }

    /// <summary>Lower runs first.</summary>
    public short Priority { get; init; }

    /// <summary>The arguments as JSON text.</summary>
    public required string Data { get; init; }

    /// <summary>When the job was first due.</summary>
    public DateTimeOffset Due { get; init; }

    /// <summary>When the job was submitted.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>The job's place in line: when it became ready. A run that was released, or interrupted without being charged, keeps the place of the run before.</summary>
    public DateTimeOffset Ready { get; init; }

    /// <summary>When this run was claimed, by the store's clock.</summary>
    public DateTimeOffset Claimed { get; init; }

    /// <summary>What the submission set of its policy, as JSON text; null for nothing.</summary>
    public string? Policy { get; init; }

    /// <summary>The headers as a JSON object of strings; null for none.</summary>
    public string? Headers { get; init; }

    /// <summary>The W3C <c>traceparent</c> of the submitter; null for none.</summary>
    public string? Trace { get; init; }

    /// <summary>The job whose attempt submitted this one; null for none.</summary>
    public long? Parent { get; init; }

    /// <summary>The schedule whose tick this is; null for none.</summary>
    public string? Schedule { get; init; }

    /// <summary>The key the job asked for, or null. It may have lost it since.</summary>
    public string? Key { get; init; }
}

/// <summary>A place in the line of one queue. While batches come back full, a claim starts after the last place it took, so that it need not walk over rows that were just deleted.</summary>
/// <param name="Priority">The priority of the last claimed row.</param>
/// <param name="Pass">Its place within the priority.</param>
/// <param name="Id">Its job.</param>
public readonly record struct ClaimCursor(short Priority, long Pass, long Id);
