using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;
using Millrace.Bench.Workers;

namespace Millrace.Bench.Workloads;

/// <summary>A backlog that worker processes work off: what is to be done.</summary>
internal sealed record DrainPlan(IContender Contender, int Jobs)
{
    public int Processes { get; init; } = 1;

    /// <summary>With the rest of the data about 100 bytes.</summary>
    public int TextSize { get; init; } = 70;

    /// <summary>An existing database with jobs that have been run before; null for a new one.</summary>
    public string? Database { get; init; }

    /// <summary>Whether all is done, where the contender's own question would never be answered by yes: the database holds more than is drained.</summary>
    public string? IsFinished { get; init; }

    /// <summary>Held open from before the submission to the end.</summary>
    public Func<string, Task<IAsyncDisposable>>? Hold { get; init; }

    /// <summary>Goes on while the backlog is worked off.</summary>
    public Func<string, IAsyncDisposable>? Beside { get; init; }
}

/// <summary>A backlog that worker processes worked off: what it cost.</summary>
internal sealed record DrainResult
{
    public required double Submitted { get; init; }

    public required double Drained { get; init; }

    public double? DrainedLate { get; init; }

    public double SubmitWal { get; init; }

    public double DrainWal { get; init; }

    public double Commits { get; init; }

    public double? Statements { get; init; }

    public double WorkerCpu { get; init; }

    public double ServerCpu { get; init; }

    public double PeakMemory { get; init; }

    public double OthersCpu { get; init; }

    public double? LockWaits { get; init; }

    public void AddTo(Round round, string who, bool hasBulk = true)
    {
        round.Add(who, Measure.Drained, Drained);
        if (DrainedLate is { } late)
            round.Add(who, Measure.DrainedLate, late);
        if (hasBulk)
            round.Add(who, Measure.SubmittedInBulk, Submitted);
        if (DrainWal > 0)
        {
            round.Add(who, Measure.SubmitWal, SubmitWal);
            round.Add(who, Measure.DrainWal, DrainWal);
            round.Add(who, Measure.Wal, SubmitWal + DrainWal);
            round.Add(who, Measure.Commits, Commits);
        }

        if (Statements is { } statements)
            round.Add(who, Measure.Statements, statements);
        round.Add(who, Measure.WorkerCpu, WorkerCpu);
        if (ServerCpu > 0)
            round.Add(who, Measure.ServerCpu, ServerCpu);
        round.Add(who, Measure.Memory, PeakMemory);
        if (LockWaits is { } waits)
            round.Add(who, Measure.LockWaits, waits);
        round.Add(who, Measure.Others, OthersCpu);
    }
}

/// <summary>
/// One drain. The clock runs from the word to start, given to processes whose hosts are built, to the moment at which the database shows the last completion as durable. The
/// handlers' own count only tells when it is worth asking.
/// </summary>
internal static class DrainRun
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static async Task<DrainResult> RunAsync(Round round, DrainPlan plan)
    {
        var contender = plan.Contender;
        var database = plan.Database ?? await contender.NewDatabaseAsync(round.Server);
        if (plan.Database is null)
            await contender.PrepareAsync(database);
        var meter = contender is MillraceSqlite ? null : await Meter.OpenAsync(database);
        await using var hold = plan.Hold is null ? null : await plan.Hold(database);
        var before = await CountAsync(contender, database) ?? 0;

        var (submitted, submitWal) = await SubmitAsync(plan, database, meter);
        await contender.SettleAsync(database);

        List<WorkerProcess> workers = [];
        try
        {
            for (var i = 0; i < plan.Processes; i++)
                workers.Add(await WorkerProcess.PrepareAsync(contender.Name, database, WorkerMode.Count));
            var result = await DrainAsync(plan, database, meter, workers);
            if (await CountAsync(contender, database) is { } done && done - before != plan.Jobs)
                throw new InvalidOperationException($"{contender.Title}: {done - before} of {plan.Jobs} jobs have succeeded.");
            var late = contender.LateRate is { } text && plan.Database is null ? await Server.AskAsync<double>(database, text) : (double?)null;
            return result with { Submitted = submitted, SubmitWal = submitWal, DrainedLate = late };
        }
        finally
        {
            foreach (var worker in workers)
                await worker.DisposeAsync();
            if (plan.Database is null)
                contender.Drop(database);
        }
    }

    private static async Task<(double Rate, double Wal)> SubmitAsync(DrainPlan plan, string database, Meter? meter)
    {
        await using var submitter = await plan.Contender.OpenSubmitterAsync(database);
        var wal = meter is null ? 0 : await meter.WalAsync();
        var clock = Stopwatch.StartNew();
        await submitter.SubmitManyAsync(plan.Jobs, new string('x', plan.TextSize));
        var rate = plan.Jobs / clock.Elapsed.TotalSeconds;
        return (rate, meter is null ? 0 : (await meter.WalAsync() - wal) / (double)plan.Jobs);
    }

    private static async Task<DrainResult> DrainAsync(DrainPlan plan, string database, Meter? meter, List<WorkerProcess> workers)
    {
        var wal = meter is null ? 0 : await meter.WalAsync();
        var commits = meter is null ? 0 : await meter.CommitsAsync();
        var statements = meter is null ? null : await meter.StatementsAsync();
        await using var connection = await plan.Contender.ConnectAsync(database);
        await using var locks = plan.Processes > 1 ? await LockSampler.StartAsync(database, plan.Processes) : null;
        await using var beside = plan.Beside?.Invoke(database);
        var watch = new MachineWatch(meter, [.. workers.Select(worker => worker.Process)]);

        var clock = Stopwatch.StartNew();
        foreach (var worker in workers)
            worker.Start();
        var asked = await FinishAsync(plan, connection, workers, clock);
        var elapsed = clock.Elapsed;

        var (workerCpu, serverCpu, others) = watch.Read();
        var jobs = (double)plan.Jobs;
        var lockWaits = locks is null ? (double?)null : await locks.ShareAsync() * 100;
        var drainWal = meter is null ? 0 : (await meter.WalAsync() - wal) / jobs;
        var memory = workers.Max(worker => worker.PeakMemory()) / 1048576.0;
        foreach (var worker in workers)
            await worker.StopAsync();
        if (workers.Sum(worker => worker.Count) < plan.Jobs)
            throw new InvalidOperationException($"{plan.Contender.Title}: handlers have run {workers.Sum(worker => worker.Count)} of {plan.Jobs} jobs.");
        await connection.CloseAsync();
        if (meter is not null)
            await meter.WaitForSessionsToEndAsync(plan.Hold is null ? 0 : 1);
        return new DrainResult
        {
            Submitted = 0,
            Drained = jobs / elapsed.TotalSeconds,
            DrainWal = drainWal,
            Commits = meter is null ? 0 : (await meter.CommitsAsync() - commits - asked) / jobs,
            Statements = meter is null ? null : (await meter.StatementsAsync() - statements - asked) / jobs,
            WorkerCpu = workerCpu * 1e6 / jobs,
            ServerCpu = serverCpu * 1e6 / jobs,
            PeakMemory = memory,
            OthersCpu = others * 100,
            LockWaits = lockWaits,
        };
    }

    private static async Task<int> FinishAsync(DrainPlan plan, DbConnection connection, List<WorkerProcess> workers, Stopwatch clock)
    {
        await using var question = connection.CreateCommand();
        question.CommandText = plan.IsFinished ?? plan.Contender.IsFinished;
        for (var asked = 0; ;)
        {
            if (clock.Elapsed > Patience)
                throw new TimeoutException($"{plan.Contender.Title}: after {Patience} not all of {plan.Jobs} jobs have ended; handlers have run {workers.Sum(worker => worker.Count)}.");
            if (workers.Exists(worker => worker.HasEnded))
                throw new InvalidOperationException($"{plan.Contender.Title}: a worker process has ended before its time.");
            if (workers.Sum(worker => worker.Count) >= plan.Jobs)
            {
                asked++;
                if (Convert.ToBoolean(await question.ExecuteScalarAsync(), CultureInfo.InvariantCulture))
                    return asked;
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    private static async Task<long?> CountAsync(IContender contender, string database) =>
        contender.CountSucceeded is { } question ? await Count.AskAsync(contender, database, question) : null;
}
