using Millrace.Bench.Contenders;
using Millrace.Bench.Looking;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Workloads;

/// <summary>B8: what the dashboard's API takes for each call on a long history, and what fifty open dashboards take from the workers beside them.</summary>
internal sealed class Dashboards : IWorkload
{
    public const string EveryCall = "every call";
    public const string None = "workers, no dashboard open";
    public const string Fifty = "workers, 50 dashboards open";

    private const int Times = 40;
    private const int Ready = 200_000;

    private History? history;

    public string Name => "b8";

    public string Title(Scale scale) => $"B8: the dashboard with {10_000_000 / scale.DepthDivisor:N0} attempts and {Ready / Math.Min(10, scale.DepthDivisor):N0} ready jobs, {Times} times each call, time in the server";

    // Filling takes longest, and is done once.
    public int Rounds(Scale scale) => Math.Min(scale.Rounds, 3);

    public async Task RunRoundAsync(Round round)
    {
        if (history is null)
        {
            round.Say("fill the database");
            history = await History.MakeAsync(round.Server, 10_000_000 / round.Scale.DepthDivisor, Ready / Math.Min(10, round.Scale.DepthDivisor));
        }

        await using (var dashboard = await DashboardProcess.StartAsync(All.Millrace.Name, history.Database))
            await LookAsync(round, dashboard, history);
        await DrainAsync(round, history);
    }

    public async Task EndAsync()
    {
        if (history is { } filled)
            await filled.DropAsync();
        history = null;
    }

    // Each call in turn, so that none has the caches of the database to itself.
    private static async Task LookAsync(Round round, DashboardProcess dashboard, History history)
    {
        var looks = Look.All(history);
        var times = looks.ToDictionary(look => look, _ => new List<double>());
        for (var time = 0; time <= Times; time++)
        {
            if (time % 10 == 0)
                round.Say($"calls, {time} of {Times}");
            foreach (var look in looks)
            {
                await dashboard.AskAsync(Look.Forget, time);
                var taken = await dashboard.AskAsync(look, time);
                // The first time is the compiler's.
                if (time > 0)
                    times[look].Add(taken);
            }
        }

        var figures = times.Select(pair => (pair.Key.Name, Sorted: pair.Value.Order().ToList())).OrderByDescending(figure => Figure.Percentile(figure.Sorted, 95)).ToList();
        round.Add(EveryCall, Measure.Look95, Figure.Percentile(figures[0].Sorted, 95));
        foreach (var (name, sorted) in figures)
        {
            round.Add(name, Measure.Look50, Figure.Percentile(sorted, 50));
            round.Add(name, Measure.Look95, Figure.Percentile(sorted, 95));
        }
    }

    private static async Task DrainAsync(Round round, History history)
    {
        var plan = new DrainPlan(All.Millrace, round.Scale.Jobs) { Database = history.Database, IsFinished = History.NothingIsLeft };
        round.Say("drain without a dashboard");
        var alone = await DrainRun.RunAsync(round, plan);
        await using var dashboard = await DashboardProcess.StartAsync(All.Millrace.Name, history.Database);
        round.Say("drain beside 50 dashboards");
        await using var open = await OpenDashboards.OpenAsync(dashboard, history, 50);
        // Their process is compiled by then; an application that was opened by fifty people is.
        await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);
        var beside = await DrainRun.RunAsync(round, plan);
        round.Add(None, Measure.Drained, alone.Drained);
        round.Add(Fifty, Measure.Drained, beside.Drained);
        round.Add(Fifty, Measure.ToNoDashboard, beside.Drained / alone.Drained);
    }
}
