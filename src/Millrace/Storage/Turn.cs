namespace Millrace.Storage;

/// <summary>
/// One exchange with the store: runs that ended, and room for more, for one queue. One round trip and one commit. Repeatable: the same ends
/// and the same <see cref="Lease"/> give the same answer, so a turn whose answer was lost is simply sent again, and says so (rule 7).
/// </summary>
public sealed record Turn
{
    /// <summary>The node that speaks.</summary>
    public required Guid Node { get; init; }

    /// <summary>The queue to claim from. The ends may be of other queues.</summary>
    public required string Queue { get; init; }

    /// <summary>The types this node has handlers for. No other type is claimed.</summary>
    public required IReadOnlyList<string> Types { get; init; }

    /// <summary>Runs of this node that ended. No run twice.</summary>
    public IReadOnlyList<AttemptEnd> Ends { get; init; } = [];

    /// <summary>Runs that were ended inside a user's transaction that has committed (see <see cref="IJobStore.CompleteAsync"/>): their keys are freed and their log lines stored.</summary>
    public IReadOnlyList<AttemptEnd> Settled { get; init; } = [];

    /// <summary>Leases all of whose runs have ended with this turn or before. Deleted.</summary>
    public IReadOnlyList<Guid> EmptyLeases { get; init; } = [];

    /// <summary>Leases of which the store has said, in answers to earlier turns, that every run has ended. Deleted without another look.</summary>
    public IReadOnlyList<Guid> EndedLeases { get; init; } = [];

    /// <summary>Leases of which a good part has ended. Their lists are shortened (rule 9: lazily, it is the dearest write of a turn).</summary>
    public IReadOnlyList<Guid> LeasesToShrink { get; init; } = [];

    /// <summary>Whether this turn may have been sent before. A store may take the node's word for what a lease lists the first time only.</summary>
    public bool IsRepeated { get; init; }

    /// <summary>How many jobs to claim at most. 0 claims nothing.</summary>
    public int Want { get; init; }

    /// <summary>The id of the lease that a claim of this turn makes. Made by the node, new for each turn, the same when a turn is repeated.</summary>
    public Guid Lease { get; init; }

    /// <summary>Claim only what is in line after this place; null for the head of the line.</summary>
    public ClaimCursor? After { get; init; }

    /// <summary>Claim one suspect (a job whose process died while it ran) instead of ordinary jobs. A suspect is leased alone (rule 14).</summary>
    public bool SuspectsOnly { get; init; }

    /// <summary>If the process dies while the one job that is claimed runs, it is that job's doing: it runs with no other, or is the only suspect of its process. Always so for a suspect. Goes with a <see cref="Want"/> of 1.</summary>
    public bool IsAlone { get; init; }
}

/// <summary>The store's answer to a <see cref="Turn"/>.</summary>
public sealed record TurnAnswer
{
    /// <summary>One verdict for each of <see cref="Turn.Ends"/>, in their order.</summary>
    public required IReadOnlyList<EndVerdict> Ends { get; init; }

    /// <summary>What was claimed, in the order in which it should start.</summary>
    public required IReadOnlyList<Claim> Claims { get; init; }

    /// <summary>The store's clock when it answered.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>When the next scheduled job is due; null when there is none.</summary>
    public DateTimeOffset? NextDue { get; init; }

    /// <summary>The place of the last claimed job, for the next turn's <see cref="Turn.After"/>; null when nothing was claimed.</summary>
    public ClaimCursor? Last { get; init; }

    /// <summary>The store does not know this node as alive: nothing was claimed. The node must take a new identity (rule 8).</summary>
    public bool NodeIsLost { get; init; }
}
