namespace Millrace.Storage;

/// <summary>What a node that looks around finds to do. One statement, cheap enough for every few seconds.</summary>
public sealed record Survey
{
    /// <summary>Nodes that have expired and are not buried yet.</summary>
    public IReadOnlyList<NodeSighting> Expired { get; init; } = [];

    /// <summary>Leases of buried nodes, and leases whose node has no row: their jobs go back.</summary>
    public IReadOnlyList<DeadLease> LeasesOfTheDead { get; init; } = [];

    /// <summary>Leases that the store says are the asking node's own. It releases those it does not know (rule 7).</summary>
    public IReadOnlyList<Guid> OwnLeases { get; init; } = [];

    /// <summary>Whether a person asked this node to claim no more.</summary>
    public bool IsDraining { get; init; }

    /// <summary>Whether something is for <see cref="IJobStore.TidyAsync"/> to do.</summary>
    public bool NeedsTidying { get; init; }
}

/// <summary>A lease whose node is dead.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Node">Whose it was.</param>
public readonly record struct DeadLease(Guid Lease, Guid Node);

/// <summary>What is going on, as a node that has nothing to do sees it once a second. One statement.</summary>
public sealed record Outlook
{
    /// <summary>Queues with something to claim now.</summary>
    public IReadOnlyList<string> ReadyQueues { get; init; } = [];

    /// <summary>Queues with a suspect, which is claimed alone.</summary>
    public IReadOnlyList<string> SuspectQueues { get; init; } = [];

    /// <summary>When the next scheduled job is due; null when there is none.</summary>
    public DateTimeOffset? NextDue { get; init; }

    /// <summary>When the next tick of a schedule is due; null when there is none.</summary>
    public DateTimeOffset? NextTick { get; init; }

    /// <summary>Whether any cancel request is open.</summary>
    public bool HasCancelRequests { get; init; }

    /// <summary>The store's clock.</summary>
    public required DateTimeOffset Now { get; init; }
}

/// <summary>How deep a queue is.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Ready">Jobs that may be claimed now. Counted up to 100,000.</param>
/// <param name="OldestReady">Since when the one that waits longest has been ready; null when none is.</param>
/// <param name="Scheduled">Jobs that wait for their time. Counted up to 100,000.</param>
public sealed record QueueDepth(string Queue, long Ready, DateTimeOffset? OldestReady, long Scheduled);
