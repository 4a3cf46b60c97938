namespace Millrace.Testing;

/// <summary>How a <see cref="JobTestServer"/> works off what is due.</summary>
public sealed record DrainOptions
{
    internal static readonly DrainOptions Default = new();

    /// <summary>Only these queues; null (the default) for all that have something due.</summary>
    public IReadOnlyCollection<string>? Queues { get; init; }

    /// <summary>How many runs at most. When there are more, <see cref="JobAssertionException"/> is thrown: jobs that submit each other for ever would never end. 10,000 by default.</summary>
    public int MaxRuns { get; init; } = 10_000;

    /// <summary>Shuffles the order of the jobs that are due together, the same way each time for the same number. Null (the default): the order in which one worker would run them.</summary>
    public int? Seed { get; init; }

    /// <summary>Whether an attempt that fails ends the drain with <see cref="JobAssertionException"/>. False by default: failures are in the report, and retries run when they are due.</summary>
    public bool ThrowOnFailure { get; init; }
}
