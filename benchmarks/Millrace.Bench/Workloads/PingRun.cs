using System.Diagnostics;
using System.Threading.Channels;
using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;
using Millrace.Bench.Workers;

namespace Millrace.Bench.Workloads;

/// <summary>One job at a time while nothing else is done: how long until it starts, in milliseconds, in ascending order; and how many ran, with those that warmed it up.</summary>
internal sealed record PingResult(IReadOnlyList<double> AfterCall, IReadOnlyList<double> AfterAnswer, int Ran)
{
    public void AddTo(Round round, string who)
    {
        round.Add(who, Measure.AfterCommit50, Figure.Percentile(AfterAnswer, 50));
        round.Add(who, Measure.AfterCommit99, Figure.Percentile(AfterAnswer, 99));
        round.Add(who, Measure.AfterCall50, Figure.Percentile(AfterCall, 50));
        round.Add(who, Measure.AfterCall99, Figure.Percentile(AfterCall, 99));
    }
}

internal static class PingRun
{
    // So many, or for so long, until the runtime has compiled the path for good: an idle node has been there for longer than ten seconds. The same for every contender.
    private const int WarmUp = 500;

    private static readonly TimeSpan longestWarmUp = TimeSpan.FromSeconds(10);

    // Long enough for the worker to be idle again, and no multiple of anything it does by the clock.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(13);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Submitted here, run in another process.</summary>
    public static async Task<PingResult> AcrossAsync(IContender contender, string database, int samples)
    {
        var before = await CountAsync(contender, database);
        await using var submitter = await contender.OpenSubmitterAsync(database);
        await using var worker = await WorkerProcess.PrepareAsync(contender.Name, database, WorkerMode.Tell);
        worker.Start();
        var result = await RunAsync(submitter, worker.Pings, samples);
        await worker.StopAsync();
        await VerifyAsync(contender, database, before, result);
        return result;
    }

    /// <summary>Submitted and run here.</summary>
    public static async Task<PingResult> WithinAsync(IContender contender, string database, int samples)
    {
        var before = await CountAsync(contender, database);
        var pings = Channel.CreateUnbounded<(int, long)>();
        Arrivals.OnPing = (number, started) => pings.Writer.TryWrite((number, started));
        PingResult result;
        await using (var worker = await contender.BuildWorkerAsync(database))
        {
            await worker.StartAsync();
            var submitter = worker.Submitter ?? throw new InvalidOperationException($"{contender.Title} does not submit from its worker.");
            result = await RunAsync(submitter, pings.Reader, samples);
            await worker.StopAsync();
        }

        await VerifyAsync(contender, database, before, result);
        return result;
    }

    private static async Task<PingResult> RunAsync(ISubmitter submitter, ChannelReader<(int Number, long Started)> pings, int samples)
    {
        var (afterCall, afterAnswer) = (new List<double>(samples), new List<double>(samples));
        var (began, ran) = (Stopwatch.GetTimestamp(), 0);
        for (var i = -WarmUp; i < samples; i++, ran++)
        {
            if (i < 0 && Stopwatch.GetElapsedTime(began) > longestWarmUp)
                i = 0;
            await Task.Delay(Pause, TimeProvider.System);
            var called = Stopwatch.GetTimestamp();
            await submitter.PingAsync(i);
            var answered = Stopwatch.GetTimestamp();
            var (number, started) = await pings.ReadAsync().AsTask().WaitAsync(Patience, TimeProvider.System);
            if (number != i)
                throw new InvalidOperationException($"Job {number} started where {i} was submitted.");
            if (i < 0)
                continue;
            afterCall.Add(Stopwatch.GetElapsedTime(called, started).TotalMilliseconds);
            // A handler may have started before the submitter saw the answer.
            afterAnswer.Add(Math.Max(0, Stopwatch.GetElapsedTime(answered, started).TotalMilliseconds));
        }

        afterCall.Sort();
        afterAnswer.Sort();
        return new PingResult(afterCall, afterAnswer, ran);
    }

    private static async Task VerifyAsync(IContender contender, string database, long? before, PingResult result)
    {
        if (await CountAsync(contender, database) - before is { } done && done != result.Ran)
            throw new InvalidOperationException($"{contender.Title}: {done} of {result.Ran} jobs have succeeded.");
    }

    private static async Task<long?> CountAsync(IContender contender, string database) =>
        contender.CountSucceeded is { } question ? await Count.AskAsync(contender, database, question) : null;
}
