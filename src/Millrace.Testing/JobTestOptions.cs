namespace Millrace.Testing;

/// <summary>How a <see cref="JobTestServer"/> is set up.</summary>
public sealed record JobTestOptions
{
    internal static readonly JobTestOptions Default = new();

    /// <summary>Where the clock stands at first. <see cref="TestClock.DefaultStart"/> by default.</summary>
    public DateTimeOffset Start { get; init; } = TestClock.DefaultStart;

    /// <summary>How long, in real time, one run of a handler may take before the server stops waiting for it. 30 seconds by default; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</summary>
    public TimeSpan LongestRun { get; init; } = TimeSpan.FromSeconds(30);
}
