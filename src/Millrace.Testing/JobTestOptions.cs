namespace Millrace.Testing;

/// <summary>How a <see cref="JobTestServer"/> is set up.</summary>
public sealed record JobTestOptions
{
    internal static readonly JobTestOptions Default = new();

    /// <summary>A connection string of Npgsql: the server keeps its jobs in a schema of its own there, which is dropped at the end. Null (the default): in a throw-away SQLite file.</summary>
    /// <remarks>The schema is the search path of the handlers' connections, so the tables they make stand in it too.</remarks>
    public string? Postgres { get; init; }

    /// <summary>Where the clock stands at first. <see cref="TestClock.DefaultStart"/> by default.</summary>
    public DateTimeOffset Start { get; init; } = TestClock.DefaultStart;

    /// <summary>How long, in real time, one run of a handler may take before the server stops waiting for it. 30 seconds by default; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</summary>
    public TimeSpan LongestRun { get; init; } = TimeSpan.FromSeconds(30);
}
