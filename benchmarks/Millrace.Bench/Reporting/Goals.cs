using Millrace.Bench.Measuring;
using Millrace.Bench.Workloads;

namespace Millrace.Bench.Reporting;

/// <summary>What is to be reached, and of which figure.</summary>
/// <param name="Workload">The workload it is measured in.</param>
/// <param name="Who">Whose figure it is.</param>
/// <param name="Measure">Which figure.</param>
/// <param name="Limit">At least this where higher is better, at most this where lower is.</param>
internal sealed record Goal(string Workload, string Who, Measure Measure, double Limit)
{
    public static readonly IReadOnlyList<Goal> All =
    [
        new("b1", Drain.OneProcess, Measure.ToRaw, 0.85),
        new("b1", Drain.FourProcesses, Measure.ToOneProcess, 0.9),
        new("b1", Drain.FourProcesses, Measure.LockWaits, 5),
        new("b1", Drain.OneProcess, Measure.Wal, 750),
        new("b1", Drain.OneProcess, Measure.Commits, 0.01),
        new("b1", Drain.OneProcess, Measure.Memory, 120),
        new("b2", Latency.Across, Measure.AfterCommit50, 1.0),
        new("b2", Latency.Across, Measure.AfterCommit99, 3.0),
        new("b2", Latency.Within, Measure.AfterCommit50, 0.3),
        new("b4", OldSnapshot.Held, Measure.ToControl, 0.9),
        new("b5", Submit.Singly(Contenders.All.Millrace.Title, 8), Measure.ToPgbench8, 0.7),
        new("b5", Submit.Singly(Contenders.All.Millrace.Title, 64), Measure.ToPgbench8, 2),
        new("b5", Submit.InBulk(Contenders.All.Millrace.Title), Measure.ToCopy, 0.7),
        new("b6", Depth.Deep, Measure.ToControl, 0.9),
        new("b6", Depth.Deep, Measure.LatencyToControl, 1.1),
        new("b6", Depth.Deep, Measure.Query, 100),
        new("b6", Depth.Pruning, Measure.ToControl, 0.9),
        new("b8", Dashboards.EveryCall, Measure.Look95, 150),
        new("b8", Dashboards.Fifty, Measure.ToNoDashboard, 0.9),
        new("idle", Contenders.All.Millrace.Title, Measure.StatementsPerSecond, 1),
        new("sqlite", Contenders.All.Sqlite.Title, Measure.Drained, 25_000),
        new("sqlite", Submit.InBulk(Contenders.All.Sqlite.Title), Measure.SubmittedInBulk, 60_000),
        new("sqlite", Submit.Singly(Contenders.All.Sqlite.Title, 8), Measure.SubmittedSingly, 3_000),
    ];

    public bool IsReached(double value) => Measure.HigherIsBetter ? value >= Limit : value <= Limit;

    public string Text => $"{(Measure.HigherIsBetter ? "at least" : "at most")} {Table.Number(Limit)}{(Measure.Unit is "" or "×" ? "" : " " + Measure.Unit)}";
}
