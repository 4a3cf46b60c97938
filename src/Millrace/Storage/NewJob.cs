namespace Millrace.Storage;

/// <summary>A job as a store takes it: validated, serialized, with its id. Submitting the same <see cref="NewJob"/> twice stores it once.</summary>
public sealed record NewJob
{
    /// <summary>From a block of <see cref="IJobStore.TakeIdsAsync(int, CancellationToken)"/>. More than zero.</summary>
    public required long Id { get; init; }

    /// <summary>Random, made once for each submission. An id that is already stored counts as "submitted before" only when its nonce is this one (rule 20).</summary>
    public required long Nonce { get; init; }

    /// <summary>The registered name of the type, 1 to 200 bytes.</summary>
    public required string Type { get; init; }

    /// <summary>The tag, at most 200 bytes; null for none.</summary>
    public string? Tag { get; init; }

    /// <summary>Whose job it is; 0 is the system.</summary>
    public long UserId { get; init; }

    /// <summary>The queue, 1 to 200 bytes.</summary>
    public string Queue { get; init; } = "default";

    /// <summary>Lower runs first.</summary>
    public short Priority { get; init; }

    /// <summary>The arguments as JSON text.</summary>
    public string Data { get; init; } = "null";

    /// <summary>When it may run; null for <see cref="Delay"/> after the store's now.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>How long after the store's now it may run, when <see cref="Due"/> is null. Zero or less: at once.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>What the submission set of its policy, as JSON text (see <c>JobPolicy</c>); null for nothing.</summary>
    public string? Policy { get; init; }

    /// <summary>The headers as a JSON object of strings; null for none.</summary>
    public string? Headers { get; init; }

    /// <summary>The W3C <c>traceparent</c> of the submitter; null for none.</summary>
    public string? Trace { get; init; }

    /// <summary>The job whose attempt submitted this one; null for none.</summary>
    public long? Parent { get; init; }

    /// <summary>The schedule whose tick this is; null for none.</summary>
    public string? Schedule { get; init; }

    /// <summary>The key that at most one pending job may hold; null for a job that takes no part in deduplication.</summary>
    public JobKey? Key { get; init; }
}

/// <summary>A request for uniqueness.</summary>
/// <param name="Name">The key: the tag. At most 200 bytes.</param>
/// <param name="OnConflict">What to do when another pending job holds it. Never <see cref="WhenPending.Submit"/>.</param>
/// <param name="Until">How long the key stays taken.</param>
public sealed record JobKey(string Name, WhenPending OnConflict, Unique Until);

/// <summary>What became of one <see cref="NewJob"/>.</summary>
public enum SubmitState
{
    /// <summary>Stored now, or by an earlier try of the same submission.</summary>
    Created,

    /// <summary>Another job holds the key and was kept.</summary>
    Kept,

    /// <summary>Stored; the pending holder of the key was ended as replaced.</summary>
    Replaced,

    /// <summary>The pending holder of the key was kept and its due time moved.</summary>
    Postponed,

    /// <summary>Not stored: the id belongs to a job with another nonce (after a restore or a failover). Throw the block of ids away and submit under a new id.</summary>
    IdTaken,
}

/// <summary>A store's answer to one <see cref="NewJob"/>.</summary>
/// <param name="Id">The job that is pending now: the new one, or the kept one.</param>
/// <param name="State">What became of the submission.</param>
public readonly record struct SubmitAnswer(long Id, SubmitState State)
{
    /// <summary>When the job was stored, by the store's clock, if it was leased to its submitter at once (<see cref="BirthClaim"/>); null otherwise.</summary>
    public DateTimeOffset? Claimed { get; init; }
}

/// <summary>A block of consecutive job ids that nobody else was given.</summary>
/// <param name="First">The first id.</param>
/// <param name="Count">How many.</param>
public readonly record struct IdBlock(long First, int Count);
