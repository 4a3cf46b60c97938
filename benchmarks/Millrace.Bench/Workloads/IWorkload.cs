using Millrace.Bench.Measuring;

namespace Millrace.Bench.Workloads;

internal interface IWorkload
{
    /// <summary>As <c>--only</c> knows it.</summary>
    string Name { get; }

    string Title(Scale scale);

    /// <summary>How many rounds it is worth.</summary>
    int Rounds(Scale scale) => scale.Rounds;

    /// <summary>Each contender once.</summary>
    Task RunRoundAsync(Round round);

    /// <summary>After the last round: drops what the rounds shared.</summary>
    Task EndAsync() => Task.CompletedTask;
}

/// <summary>What a workload is given for one round.</summary>
internal sealed record Round(IWorkload Workload, int Number, string Server, Options Options, Sheet Sheet, Progress Progress)
{
    public Scale Scale => Options.Scale;

    public void Add(string who, Measure measure, double value) => Sheet.Add(Workload.Name, who, measure, value);

    public void Say(string what) => Progress.Say($"{Workload.Name} round {Number + 1} of {Workload.Rounds(Scale)}: {what}");
}
