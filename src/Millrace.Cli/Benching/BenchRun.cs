using System.Globalization;
using Millrace.Cli.Output;

namespace Millrace.Cli.Benching;

/// <summary>What is measured.</summary>
internal enum BenchProfile
{
    All,
    Throughput,
    Latency,
}

/// <summary>One measured phase.</summary>
/// <param name="Name">What was done.</param>
/// <param name="Count">How often.</param>
/// <param name="Took">How long all of it took.</param>
/// <param name="Times">How long each took; empty where only the sum was measured.</param>
internal sealed record BenchResult(string Name, long Count, TimeSpan Took, IReadOnlyList<TimeSpan> Times)
{
    public double PerSecond => Took > TimeSpan.Zero ? Count / Took.TotalSeconds : 0;

    public TimeSpan? Percentile(double share)
    {
        if (Times.Count == 0)
            return null;
        var sorted = Times.Order().ToList();
        return sorted[(int)Math.Clamp(Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)];
    }
}

/// <summary>Runs the phases of a bench. Each takes about as long as it is given, but for the drain, which takes what was submitted before it.</summary>
internal sealed class BenchRun(BenchPlace place, TimeSpan duration, int concurrency, TimeProvider time, Action<string> say)
{
    private const int BulkSize = 5000;
    private const int MostBulk = 500_000;

    public async Task<IReadOnlyList<BenchResult>> RunAsync(BenchProfile profile, CancellationToken cancellationToken)
    {
        var results = new List<BenchResult>();
        if (profile != BenchProfile.Latency)
        {
            var submitter = BenchHost.Make(place.Target, 0);
            await using (submitter.ConfigureAwait(false))
            {
                results.Add(Said(await SubmitOneByOneAsync(submitter, cancellationToken).ConfigureAwait(false)));
                results.Add(Said(await SubmitInBulkAsync(submitter, cancellationToken).ConfigureAwait(false)));
            }
        }

        var worker = BenchHost.Make(place.Target, concurrency);
        await using (worker.ConfigureAwait(false))
        {
            var submitted = results.Sum(result => result.Count);
            var began = time.GetTimestamp();
            await worker.StartAsync(cancellationToken).ConfigureAwait(false);
            if (submitted > 0)
                results.Add(Said(await DrainAsync(worker, submitted, began, cancellationToken).ConfigureAwait(false)));
            if (profile != BenchProfile.Throughput)
                results.Add(Said(await SubmitToStartAsync(worker, cancellationToken).ConfigureAwait(false)));
            await worker.StopAsync().ConfigureAwait(false);
        }

        return results;
    }

    private BenchResult Said(BenchResult result)
    {
        say(string.Create(CultureInfo.InvariantCulture, $"{result.Name}: {result.PerSecond:N0}/s"));
        return result;
    }

    private async Task<BenchResult> SubmitOneByOneAsync(BenchHost host, CancellationToken cancellationToken)
    {
        await host.Client.SubmitAsync(new BenchJob(0), cancellationToken: cancellationToken).ConfigureAwait(false);
        var began = time.GetTimestamp();
        var times = await Task.WhenAll(Enumerable.Range(0, concurrency).Select(async _ =>
        {
            var mine = new List<TimeSpan>();
            while (time.GetElapsedTime(began) < duration)
            {
                var start = time.GetTimestamp();
                await host.Client.SubmitAsync(new BenchJob(mine.Count), cancellationToken: cancellationToken).ConfigureAwait(false);
                mine.Add(time.GetElapsedTime(start));
            }

            return mine;
        })).ConfigureAwait(false);
        return new BenchResult($"submit, {concurrency} callers", times.Sum(mine => mine.Count), time.GetElapsedTime(began), [.. times.SelectMany(mine => mine)]);
    }

    private async Task<BenchResult> SubmitInBulkAsync(BenchHost host, CancellationToken cancellationToken)
    {
        var (began, count) = (time.GetTimestamp(), 0L);
        while (time.GetElapsedTime(began) < duration && count < MostBulk)
            count += (await host.Client.SubmitManyAsync(Enumerable.Range(0, BulkSize).Select(number => new BenchJob(number)), cancellationToken: cancellationToken).ConfigureAwait(false)).Count;
        return new BenchResult("submit in bulk", count, time.GetElapsedTime(began), []);
    }

    private async Task<BenchResult> DrainAsync(BenchHost host, long submitted, long began, CancellationToken cancellationToken)
    {
        while (host.Signals.Ran < submitted)
            await Task.Delay(TimeSpan.FromMilliseconds(5), time, cancellationToken).ConfigureAwait(false);
        return new BenchResult("drain", submitted, time.GetElapsedTime(began), []);
    }

    private async Task<BenchResult> SubmitToStartAsync(BenchHost host, CancellationToken cancellationToken)
    {
        var times = new List<TimeSpan>();
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < duration)
        {
            host.Signals.Expect();
            var start = time.GetTimestamp();
            await host.Client.SubmitAsync(new BenchJob(times.Count), cancellationToken: cancellationToken).ConfigureAwait(false);
            times.Add(time.GetElapsedTime(start, await host.Signals.Next.WaitAsync(cancellationToken).ConfigureAwait(false)));
        }

        return new BenchResult("submit to start", times.Count, time.GetElapsedTime(began), times);
    }
}
