namespace Millrace.Storage;

/// <summary>Which slow runs to look for.</summary>
/// <param name="Type">The registered name of the type.</param>
/// <param name="Since">Only runs that ended at or after this time.</param>
public sealed record SlowRunQuery(string Type, DateTimeOffset Since)
{
    /// <summary>How many at most. 1 to 200.</summary>
    public int Limit { get; init; } = 20;

    /// <summary>Where the search before stopped (<see cref="SlowRuns.Next"/>); null for the newest jobs.</summary>
    public RunPlace? Before { get; init; }

    /// <summary>How long the search may go on before it stops where it is, and says so. It always looks at some candidates, so that it gets on.</summary>
    /// <value>One second.</value>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>A run of a job, as a place in the history.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Run">The run.</param>
public readonly record struct RunPlace(long JobId, int Run);

/// <summary>
/// The slowest of the runs that were looked at. There is no index of how long a run took, nor of when one that succeeded ended: runs are looked at from the newest job to older ones, until
/// jobs are reached that were submitted before the time asked for. What such older jobs ran since then is left out.
/// </summary>
/// <param name="Runs">The slowest first.</param>
/// <param name="Examined">How many runs of all types were looked at.</param>
/// <param name="Reached">When the job was submitted at which the search stopped; null when it was through.</param>
/// <param name="Next">Where to go on: the search stopped after 100,000 runs, or when its time was up. Null when it was through.</param>
public sealed record SlowRuns(IReadOnlyList<SlowRun> Runs, long Examined, DateTimeOffset? Reached, RunPlace? Next);

/// <summary>A run that took long.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Run">Its run.</param>
/// <param name="Attempt">Its attempt.</param>
/// <param name="Tag">The job's tag; null for none.</param>
/// <param name="Started">When it began.</param>
/// <param name="Finished">When it ended, or was taken back from a process that was lost.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Node">The node that ran it; null when it is not known.</param>
public sealed record SlowRun(long JobId, int Run, int Attempt, string? Tag, DateTimeOffset Started, DateTimeOffset Finished, Outcome Outcome, Guid? Node);

/// <summary>Keeps the slowest of all runs that it is shown. Not safe for several threads.</summary>
/// <param name="limit">How many.</param>
public sealed class SlowestRuns(int limit)
{
    private List<SlowRun> runs = [];

    /// <summary>The slowest first, then the newest job.</summary>
    public IReadOnlyList<SlowRun> Runs => runs;

    /// <summary>Shows it more.</summary>
    public void Add(IEnumerable<SlowRun> more) =>
        runs = [.. runs.Concat(more).OrderByDescending(static run => run.Finished - run.Started).ThenByDescending(static run => run.JobId).ThenByDescending(static run => run.Run).Take(limit)];
}
