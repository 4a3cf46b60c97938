namespace Millrace.Storage;

/// <summary>Ended attempts of one bucket, queue, type and outcome. One node writes a row again and again while its minute lasts; the last one counts.</summary>
public sealed record StatRow
{
    /// <summary>The beginning of the bucket, on a full minute or hour.</summary>
    public required DateTimeOffset Bucket { get; init; }

    /// <summary>The node; the empty one for rows that are added up.</summary>
    public Guid Node { get; init; }

    /// <summary>The queue; empty where queues are added up.</summary>
    public required string Queue { get; init; }

    /// <summary>The type; empty where types are added up.</summary>
    public required string Type { get; init; }

    /// <summary>How the attempts ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>How many they were.</summary>
    public required long Count { get; init; }

    /// <summary>How long they had waited, from ready to start. Those of a node that died count, but have no times.</summary>
    public required Histogram Wait { get; init; }

    /// <summary>How long they ran.</summary>
    public required Histogram Run { get; init; }
}

/// <summary>Which roll-ups to read.</summary>
public sealed record StatQuery
{
    /// <summary>The first bucket begins at or after this time.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>The last bucket begins before this time.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>How long a bucket of the answer is: whole minutes. Those of an hour and more are read from the hours.</summary>
    public required TimeSpan Step { get; init; }

    /// <summary>Only this queue; null for all.</summary>
    public string? Queue { get; init; }

    /// <summary>Only this type; null for all.</summary>
    public string? Type { get; init; }

    /// <summary>Keep queues apart.</summary>
    public bool ByQueue { get; init; }

    /// <summary>Keep types apart.</summary>
    public bool ByType { get; init; }
}
