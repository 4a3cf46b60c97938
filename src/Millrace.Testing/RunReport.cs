namespace Millrace.Testing;

/// <summary>What ran while a server was drained or its time moved.</summary>
public sealed class RunReport
{
    internal RunReport(DateTimeOffset from, DateTimeOffset to, IReadOnlyList<JobRun> runs)
    {
        From = from;
        To = to;
        Runs = runs;
    }

    /// <summary>Where the clock stood at first.</summary>
    public DateTimeOffset From { get; }

    /// <summary>Where it stands now.</summary>
    public DateTimeOffset To { get; }

    /// <summary>The runs, in their order.</summary>
    public IReadOnlyList<JobRun> Runs { get; }

    /// <summary>How many runs ended with success.</summary>
    public int Succeeded => Runs.Count(run => run.Outcome == Outcome.Succeeded);

    /// <summary>How many runs failed, for good or to be tried again.</summary>
    public int Failed => Runs.Count(run => run.HasFailed);

    /// <summary>The runs of one type.</summary>
    public IEnumerable<JobRun> Of<TData>() => Runs.Where(run => run.Job.Type == TypeName.Of<TData>());

    /// <summary>One line for each run.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Runs);
}
