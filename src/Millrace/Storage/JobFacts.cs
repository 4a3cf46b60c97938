namespace Millrace.Storage;

/// <summary>All that decides whether one job runs, read at one moment.</summary>
public sealed record JobFacts
{
    /// <summary>The job.</summary>
    public required JobDetail Job { get; init; }

    /// <summary>The store's clock.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The pause of its queue; null when it is not paused. One whose time is over is none.</summary>
    public Pause? QueuePause { get; init; }

    /// <summary>Living nodes that work on its queue and know its type: those that could claim it.</summary>
    public IReadOnlyList<NodeFact> Claimers { get; init; } = [];

    /// <summary>Living nodes that work on its queue, whatever types they know.</summary>
    public int NodesOfQueue { get; init; }

    /// <summary>Living nodes that know its type, whatever queues they work on.</summary>
    public int NodesOfType { get; init; }

    /// <summary>For a ready job: how many stand before it in its queue. Counted up to 100,000.</summary>
    public long Ahead { get; init; }

    /// <summary>For a ready job: whether a place in line is that of a suspect, which is claimed alone.</summary>
    public bool IsSuspect { get; init; }

    /// <summary>How many attempts of its queue ended in each minute, over the last five.</summary>
    public double EndsPerMinute { get; init; }

    /// <summary>For a running job: the node and its lease; null otherwise.</summary>
    public LeaseFact? Lease { get; init; }

    /// <summary>The other job that holds its key; null when it holds it itself, has none, or the key is free.</summary>
    public long? KeyHolder { get; init; }

    /// <summary>Names of types that living nodes know, at most 100: for the nearest name.</summary>
    public IReadOnlyList<string> KnownTypes { get; init; } = [];
}

/// <summary>A node as far as it concerns one job.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="IsDraining">It was asked to claim no more.</param>
public sealed record NodeFact(Guid Id, string Name, bool IsDraining);

/// <summary>The lease of a running job.</summary>
/// <param name="Node">The node.</param>
/// <param name="NodeName">Its name for people; null when its row is gone.</param>
/// <param name="Claimed">When it was claimed.</param>
/// <param name="Expires">When the node expires unless it renews itself; null where liveness is a lock and not a time (SQLite), and when its row is gone.</param>
/// <param name="IsAlive">Whether the node lives.</param>
public sealed record LeaseFact(Guid Node, string? NodeName, DateTimeOffset Claimed, DateTimeOffset? Expires, bool IsAlive);

/// <summary>Why something stands still because a person said so.</summary>
/// <param name="Since">Since when.</param>
/// <param name="By">Who said so; null when it is not known.</param>
/// <param name="Reason">Why; null for nothing said.</param>
/// <param name="Until">When it goes on by itself; null for when a person says so.</param>
public sealed record Pause(DateTimeOffset Since, string? By, string? Reason, DateTimeOffset? Until);
