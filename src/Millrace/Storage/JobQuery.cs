namespace Millrace.Storage;

/// <summary>Which jobs to list. Conditions that are null do not count; the others must all hold.</summary>
public sealed record JobQuery
{
    /// <summary>Only this type.</summary>
    public string? Type { get; init; }

    /// <summary>Only this tag.</summary>
    public string? Tag { get; init; }

    /// <summary>Only this queue.</summary>
    public string? Queue { get; init; }

    /// <summary>Only this state.</summary>
    public JobState? State { get; init; }

    /// <summary>Only jobs with a larger id: the last one of the page before.</summary>
    public long AfterId { get; init; }

    /// <summary>How many at most. 1 to 200 (DESIGN §8).</summary>
    public int Limit { get; init; } = 100;
}
