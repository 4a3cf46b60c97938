using System.Diagnostics;
using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;
using Millrace.Tending;

namespace Millrace.Bench.Workloads;

/// <summary>B6: whether the cost stays flat. The same drain and the same latency in an empty database and in one that holds millions of jobs, and then while old ones are removed.</summary>
internal sealed class Depth : IWorkload
{
    public const string Empty = "Millrace, empty";
    public const string Deep = "Millrace, deep";
    public const string Pruning = "Millrace, deep, pruning";

    private const int Queries = 5;
    private const int PruneBatch = 500;

    private string? deep;

    public string Name => "b6";

    public string Title(Scale scale) => $"B6: {10_000_000 / scale.DepthDivisor:N0} finished and {1_000_000 / scale.DepthDivisor:N0} scheduled jobs present";

    // Filling takes longest, and is done once.
    public int Rounds(Scale scale) => Math.Min(scale.Rounds, 3);

    public async Task RunRoundAsync(Round round)
    {
        if (deep is null)
        {
            round.Say("fill the database");
            deep = await Filling.MakeAsync(round.Server, 10_000_000 / round.Scale.DepthDivisor, 1_000_000 / round.Scale.DepthDivisor);
        }

        var control = await DrainAsync(round, Empty, database: null);
        await Server.ExecuteAsync(round.Server, "checkpoint");
        var result = await DrainAsync(round, Deep, deep);
        round.Add(Deep, Measure.ToControl, result.Drained / control.Drained);
        await PingAsync(round);
        round.Say("recent failures");
        round.Add(Deep, Measure.Query, await RecentFailuresAsync(deep));
        await PruneAsync(round, deep, result.Drained);
    }

    public async Task EndAsync()
    {
        if (deep is { } database)
            await Filling.DropAsync(database);
        deep = null;
    }

    private static async Task<DrainResult> DrainAsync(Round round, string who, string? database, Func<string, IAsyncDisposable>? beside = null)
    {
        round.Say($"{who}: drain");
        var result = await DrainRun.RunAsync(round, new DrainPlan(All.Millrace, round.Scale.Jobs) { Database = database, Beside = beside });
        result.AddTo(round, who);
        return result;
    }

    private async Task PingAsync(Round round)
    {
        round.Say("latency");
        var samples = Math.Max(100, round.Scale.Pings / 2);
        var database = await All.Millrace.NewDatabaseAsync(round.Server);
        await All.Millrace.PrepareAsync(database);
        var control = await PingRun.AcrossAsync(All.Millrace, database, samples);
        var result = await PingRun.AcrossAsync(All.Millrace, deep ?? throw new InvalidOperationException("The database has not been filled."), samples);
        control.AddTo(round, Empty);
        result.AddTo(round, Deep);
        round.Add(Deep, Measure.LatencyToControl, Figure.Percentile(result.AfterCall, 50) / Figure.Percentile(control.AfterCall, 50));
    }

    // As DESIGN §4.5 and the manual have it.
    private static async Task<double> RecentFailuresAsync(string database)
    {
        await using var connection = await Server.OpenAsync(database);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT type, tag, result, finished FROM worker_jobs WHERE success = false ORDER BY finished DESC LIMIT 20;";
        List<double> times = [];
        for (var i = 0; i < Queries; i++)
        {
            var clock = Stopwatch.StartNew();
            var rows = 0;
            await using (var reader = await command.ExecuteReaderAsync())
            {
                while (await reader.ReadAsync())
                    rows++;
            }

            times.Add(clock.Elapsed.TotalMilliseconds);
            if (rows != 20)
                throw new InvalidOperationException($"{rows} recent failures were found, not 20.");
        }

        return Figure.MedianOf(times);
    }

    private async Task PruneAsync(Round round, string database, double control)
    {
        round.Say("make jobs old");
        await Filling.MakeOldAsync(database, 1_000_000 / round.Scale.DepthDivisor);
        await using var engine = await MillracePostgres.OpenAsync(database);
        Remover? remover = null;
        var result = await DrainAsync(round, Pruning, database, _ => remover = new Remover(engine));
        round.Add(Pruning, Measure.ToControl, result.Drained / control);
        round.Add(Pruning, Measure.Pruned, remover?.Rate ?? 0);
        await Filling.RemoveOldAsync(database);
    }

    /// <summary>Removes old jobs until the drain is over, as the built-in job does in a process that has a backlog.</summary>
    private sealed class Remover : IAsyncDisposable
    {
        private readonly MillraceEngine engine;
        private readonly Stopwatch clock = Stopwatch.StartNew();
        private readonly Task removing;
        private volatile bool isStopping;
        private long removed;

        public Remover(MillraceEngine engine)
        {
            this.engine = engine;
            removing = Task.Run(RemoveAsync);
        }

        public double Rate { get; private set; }

        public async ValueTask DisposeAsync()
        {
            isStopping = true;
            await removing;
        }

        private async Task RemoveAsync()
        {
            while (!isStopping)
            {
                var batch = clock.Elapsed;
                var count = await engine.PruneAsync(PruneBatch);
                removed += count;
                if (count < PruneBatch)
                    break;
                await Task.Delay(PrunePace.RestAfter(clock.Elapsed - batch, clock.Elapsed, isBusy: true), TimeProvider.System);
            }

            Rate = removed / clock.Elapsed.TotalSeconds;
        }
    }
}
