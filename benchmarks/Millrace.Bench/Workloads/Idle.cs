using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;
using Millrace.Bench.Workers;

namespace Millrace.Bench.Workloads;

/// <summary>What a node costs the database while there is nothing to do.</summary>
internal sealed class Idle : IWorkload
{
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(5);

    public string Name => "idle";

    public string Title(Scale scale) => $"Idle: one node with nothing to do, watched for {scale.Idle.TotalSeconds:0} seconds";

    public int Rounds(Scale scale) => 1;

    public async Task RunRoundAsync(Round round)
    {
        var contender = All.Millrace;
        round.Say(contender.Title);
        var database = await contender.NewDatabaseAsync(round.Server);
        await contender.PrepareAsync(database);
        var meter = await Meter.OpenAsync(database);
        await using var worker = await WorkerProcess.PrepareAsync(contender.Name, database, WorkerMode.Count);
        worker.Start();
        await Task.Delay(SettleTime, TimeProvider.System);
        if (await meter.StatementsAsync() is not { } before)
        {
            Console.Error.WriteLine("idle is left out: this server has no pg_stat_statements to count with.");
            return;
        }

        var (cpu, wal) = (worker.Process.TotalProcessorTime, await meter.WalAsync());
        await Task.Delay(round.Scale.Idle, TimeProvider.System);
        var seconds = round.Scale.Idle.TotalSeconds;
        // One of them was the question about the WAL.
        round.Add(contender.Title, Measure.StatementsPerSecond, ((await meter.StatementsAsync() ?? 0) - before - 1) / seconds);
        worker.Process.Refresh();
        round.Add(contender.Title, Measure.IdleCpu, (worker.Process.TotalProcessorTime - cpu).TotalMilliseconds / seconds);
        round.Add(contender.Title, Measure.IdleWal, (await meter.WalAsync() - wal) / seconds);
        await worker.StopAsync();
    }
}
