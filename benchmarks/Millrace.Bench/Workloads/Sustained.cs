using System.Diagnostics;
using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;
using Millrace.Bench.Workers;

namespace Millrace.Bench.Workloads;

/// <summary>B3: jobs submitted one by one at a rate that does not wait for anybody, run in another process.</summary>
internal sealed class Sustained : IWorkload
{
    private static readonly int[] Rates = [500, 2_000, 5_000];
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public string Name => "b3";

    public string Title(Scale scale) => $"B3: offered rates kept up for {scale.Offered.TotalSeconds:0} seconds, single submissions, across processes";

    // It is long, and a percentile of some ten thousand jobs needs no median.
    public int Rounds(Scale scale) => 1;

    public async Task RunRoundAsync(Round round)
    {
        foreach (var rate in Rates)
            await RunAsync(round, rate);
    }

    private static async Task RunAsync(Round round, int rate)
    {
        var who = $"Millrace, {rate:N0}/s offered";
        round.Say(who);
        var contender = All.Millrace;
        var database = await contender.NewDatabaseAsync(round.Server);
        await contender.PrepareAsync(database);
        var meter = await Meter.OpenAsync(database);
        var total = (int)(rate * round.Scale.Offered.TotalSeconds);
        await using var worker = await WorkerProcess.PrepareAsync(contender.Name, database, WorkerMode.Keep);
        long[] calls;
        long began;
        await using (var submitter = await contender.OpenSubmitterAsync(database))
        {
            worker.Start();
            await WarmUpAsync(submitter, worker);
            var watch = new MachineWatch(meter, [worker.Process]);
            began = Stopwatch.GetTimestamp();
            calls = await OfferAsync(submitter, rate, total, began);
            await AllHaveRunAsync(worker, total + WarmUpJobs);
            var (workerCpu, serverCpu, others) = watch.Read();
            round.Add(who, Measure.WorkerCpu, workerCpu * 1e6 / total);
            round.Add(who, Measure.ServerCpu, serverCpu * 1e6 / total);
            round.Add(who, Measure.Memory, worker.PeakMemory() / 1048576.0);
            round.Add(who, Measure.Others, others * 100);
        }

        await worker.StopAsync();
        await ReportAsync(round, who, worker, calls, began);
        var done = await Count.AskAsync(contender, database, MillracePostgres.CountAttempts);
        if (done != total + WarmUpJobs)
            throw new InvalidOperationException($"{who}: {done} of {total + WarmUpJobs} jobs have succeeded.");
    }

    private const int WarmUpJobs = 200;

    // Numbered below zero, so that nobody takes them for measured ones.
    private static async Task WarmUpAsync(ISubmitter submitter, WorkerProcess worker)
    {
        for (var i = 1; i <= WarmUpJobs; i++)
            await submitter.PingAsync(-i);
        await AllHaveRunAsync(worker, WarmUpJobs);
    }

    private static async Task AllHaveRunAsync(WorkerProcess worker, int jobs)
    {
        var clock = Stopwatch.StartNew();
        while (worker.Count < jobs)
        {
            if (clock.Elapsed > Patience || worker.HasEnded)
                throw new TimeoutException($"{worker.Count} of {jobs} jobs have run.");
            await Task.Delay(Tick, TimeProvider.System);
        }
    }

    /// <summary>When each of them was called.</summary>
    private static async Task<long[]> OfferAsync(ISubmitter submitter, int rate, int total, long began)
    {
        var calls = new long[total];
        var open = new List<Task>(total);
        for (var sent = 0; sent < total;)
        {
            var due = Math.Min(total, (int)(Stopwatch.GetElapsedTime(began).TotalSeconds * rate) + 1);
            for (; sent < due; sent++)
            {
                calls[sent] = Stopwatch.GetTimestamp();
                open.Add(submitter.PingAsync(sent));
            }

            await Task.Delay(Tick, TimeProvider.System);
        }

        await Task.WhenAll(open);
        return calls;
    }

    private static async Task ReportAsync(Round round, string who, WorkerProcess worker, long[] calls, long began)
    {
        var waits = new List<double>(calls.Length);
        var last = began;
        await foreach (var (number, started) in worker.Pings.ReadAllAsync())
        {
            if (number < 0)
                continue;
            waits.Add(Stopwatch.GetElapsedTime(calls[number], started).TotalMilliseconds);
            last = Math.Max(last, started);
        }

        if (waits.Count != calls.Length)
            throw new InvalidOperationException($"{who}: {waits.Count} of {calls.Length} jobs have started.");
        waits.Sort();
        round.Add(who, Measure.Reached, calls.Length / Stopwatch.GetElapsedTime(began, last).TotalSeconds);
        round.Add(who, Measure.Wait50, Figure.Percentile(waits, 50));
        round.Add(who, Measure.Wait99, Figure.Percentile(waits, 99));
        round.Add(who, Measure.WaitMost, waits[^1]);
    }
}
