using System.Diagnostics;
using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Workloads;

/// <summary>How many jobs are stored in a second, singly by so many callers, or in bulk. Nobody runs them.</summary>
internal sealed record SubmitResult
{
    public required double Rate { get; init; }

    public double Wal { get; init; }

    /// <summary>Transactions that wrote.</summary>
    public double Commits { get; init; }

    public double OwnCpu { get; init; }

    public double ServerCpu { get; init; }

    public void AddTo(Round round, string who, Measure rate)
    {
        round.Add(who, rate, Rate);
        if (Wal > 0)
        {
            round.Add(who, Measure.SubmitWal, Wal);
            round.Add(who, Measure.SubmitCommits, Commits);
            round.Add(who, Measure.ServerCpu, ServerCpu);
        }

        if (OwnCpu > 0)
            round.Add(who, Measure.SubmitterCpu, OwnCpu);
    }
}

internal static class SubmitRun
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(300);
    private static readonly string Text = new('x', 70);

    public static Task<SubmitResult> SinglyAsync(IContender contender, string server, int callers, TimeSpan time) =>
        WithDatabaseAsync(contender, server, (database, meter) => SinglyAsync(contender, database, meter, callers, time));

    public static Task<SubmitResult> InBulkAsync(IContender contender, string server, int jobs) =>
        WithDatabaseAsync(contender, server, (database, meter) => InBulkAsync(contender, database, meter, jobs));

    private static async Task<SubmitResult> SinglyAsync(IContender contender, string database, Meter? meter, int callers, TimeSpan time)
    {
        await using var submitter = await contender.OpenSubmitterAsync(database);
        var warm = await CallAsync(submitter, callers, WarmUp);
        var gauge = await Gauge.StartAsync(meter);
        var calls = await CallAsync(submitter, callers, time);
        var result = await gauge.ReadAsync(calls);
        await VerifyAsync(contender, database, warm + calls);
        return result;
    }

    private static async Task<SubmitResult> InBulkAsync(IContender contender, string database, Meter? meter, int jobs)
    {
        await using var submitter = await contender.OpenSubmitterAsync(database);
        var warm = Math.Min(jobs, 10_000);
        // The raw COPY numbers its jobs from 1, so what warmed it up has to go.
        await submitter.SubmitManyAsync(warm, Text);
        if (contender is RawLoop)
        {
            await Server.ExecuteAsync(database, "truncate millrace.job, millrace.ready");
            warm = 0;
        }

        var gauge = await Gauge.StartAsync(meter);
        await submitter.SubmitManyAsync(jobs, Text);
        var result = await gauge.ReadAsync(jobs);
        await VerifyAsync(contender, database, warm + jobs);
        return result;
    }

    private static async Task<SubmitResult> WithDatabaseAsync(IContender contender, string server, Func<string, Meter?, Task<SubmitResult>> run)
    {
        var database = await contender.NewDatabaseAsync(server);
        try
        {
            await contender.PrepareAsync(database);
            return await run(database, contender is MillraceSqlite ? null : await Meter.OpenAsync(database));
        }
        finally
        {
            contender.Drop(database);
        }
    }

    private static async Task<int> CallAsync(ISubmitter submitter, int callers, TimeSpan time)
    {
        var number = 0;
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(began) < time)
                await submitter.SubmitAsync(Interlocked.Increment(ref number), Text);
        })));
        return number;
    }

    private static async Task VerifyAsync(IContender contender, string database, long expected)
    {
        var stored = await Count.AskAsync(contender, database, contender.CountStored);
        if (stored != expected)
            throw new InvalidOperationException($"{contender.Title}: {stored} jobs are stored where {expected} were submitted.");
    }

    private sealed class Gauge
    {
        private readonly Meter? meter;
        private readonly (long Wal, long Commits, double Cpu) server;
        private readonly TimeSpan own = Environment.CpuUsage.TotalTime;
        private readonly Stopwatch clock = Stopwatch.StartNew();

        private Gauge(Meter? meter, (long, long, double) server) => (this.meter, this.server) = (meter, server);

        public static async Task<Gauge> StartAsync(Meter? meter) => new(meter, await AskAsync(meter));

        public async Task<SubmitResult> ReadAsync(double jobs)
        {
            var seconds = clock.Elapsed.TotalSeconds;
            var ownCpu = Environment.CpuUsage.TotalTime - own;
            var now = await AskAsync(meter);
            return new SubmitResult
            {
                Rate = jobs / seconds,
                Wal = (now.Wal - server.Wal) / jobs,
                Commits = (now.Commits - server.Commits) / jobs,
                OwnCpu = ownCpu.TotalMicroseconds / jobs,
                ServerCpu = (now.Cpu - server.Cpu) * 1e6 / jobs,
            };
        }

        private static async Task<(long Wal, long Commits, double Cpu)> AskAsync(Meter? meter) =>
            meter is null ? default : (await meter.WalAsync(), await meter.WritesAsync(), meter.CpuSeconds());
    }
}
