using Millrace.Storage;
using Millrace.Tending;
using Millrace.Working;

namespace Millrace.Testing;

/// <summary>Takes the steps that the engine's loops would take: fires ticks, promotes, claims, runs, sweeps. Its caller holds the server's gate.</summary>
internal sealed class Stepper(MillraceInstance instance, TestClock clock, Timeline timeline, Runner runner)
{
    private const int LargestShuffle = 100;

    private readonly Sweeper sweeper = new(instance);

    // While it is ahead, there may be jobs to take back.
    private DateTimeOffset? sweepUntil;
    private DateTimeOffset sweptAt;

    private TimeSpan Expiry => instance.Workers?.NodeExpiry ?? new WorkerOptions().NodeExpiry;

    /// <summary>Submits nothing, waits for nothing: runs what is due now until nothing is.</summary>
    public async Task DrainAsync(DrainOptions options, List<JobRun> runs, CancellationToken cancellationToken)
    {
        var random = options.Seed is { } seed ? new Random(seed + runs.Count) : null;
        await SweepAsync(cancellationToken).ConfigureAwait(false);
        while (await NextAsync(options.Queues, random, cancellationToken).ConfigureAwait(false) is { Count: > 0 } batch)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                if (runs.Count >= options.MaxRuns)
                {
                    foreach (var held in batch.Skip(i))
                        await runner.ReleaseAsync(held, cancellationToken).ConfigureAwait(false);
                    throw new JobAssertionException($"{runs.Count} runs, and jobs are still due (DrainOptions.MaxRuns). Do they submit each other for ever?{timeline.Tail()}");
                }
                var run = await runner.RunAsync(batch[i], closesLease: i == batch.Count - 1, cancellationToken).ConfigureAwait(false);
                runs.Add(run);
                if (options.ThrowOnFailure && run.HasFailed)
                    throw run.Fault("No job should fail (DrainOptions.ThrowOnFailure).");
            }
        }
    }

    /// <summary>Moves the clock to a time, and stops on the way wherever something is due.</summary>
    public async Task AdvanceAsync(DateTimeOffset target, DrainOptions options, List<JobRun> runs, CancellationToken cancellationToken)
    {
        while (true)
        {
            await DrainAsync(options, runs, cancellationToken).ConfigureAwait(false);
            if (clock.Now >= target)
                return;
            clock.AdvanceTo(clock.Now);
            var next = await NextEventAsync(cancellationToken).ConfigureAwait(false);
            if (next is { } time && time <= clock.Now)
            {
                throw new InvalidOperationException($"Something has been due since {Timeline.Show(time)} and cannot be worked off: another connection may hold its row.{timeline.Tail()}");
            }
            clock.AdvanceTo(next < target ? next.Value : target);
        }
    }

    /// <summary>Claims what comes next: one job, or a shuffled batch.</summary>
    public Task<IReadOnlyList<HeldClaim>> NextAsync(IReadOnlyCollection<string>? queues, Random? random, CancellationToken cancellationToken) =>
        NextAsync(instance.Node.Id, queues, random, cancellationToken);

    /// <summary>The same for another node.</summary>
    public async Task<IReadOnlyList<HeldClaim>> NextAsync(Guid node, IReadOnlyCollection<string>? queues, Random? random, CancellationToken cancellationToken)
    {
        var outlook = await ComeDueAsync(cancellationToken).ConfigureAwait(false);
        var ready = outlook.ReadyQueues.Where(IsWanted).ToArray();
        random?.Shuffle(ready);
        foreach (var queue in ready)
        {
            var want = random is null ? 1 : LargestShuffle;
            var batch = await runner.ClaimAsync(node, queue, want, isForSuspect: false, null, cancellationToken).ConfigureAwait(false);
            if (batch.Count > 0)
                return Shuffled(batch, random);
        }
        foreach (var queue in outlook.SuspectQueues.Where(IsWanted))
        {
            var batch = await runner.ClaimAsync(node, queue, 1, isForSuspect: true, null, cancellationToken).ConfigureAwait(false);
            if (batch.Count > 0)
                return batch;
        }
        return [];

        bool IsWanted(string queue) => queues?.Contains(queue) ?? true;
    }

    /// <summary>A node died just now: sweeps are due from now on, until its jobs must be back.</summary>
    public void NodeDied() => sweepUntil = clock.Now + Expiry * 2;

    /// <summary>Fires ticks and promotes what is due, as often as that makes something else due.</summary>
    private async Task<Outlook> ComeDueAsync(CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var outlook = await instance.Store.LookOutAsync(cancellationToken).ConfigureAwait(false);
            var ticks = outlook.NextTick <= outlook.Now;
            var promotes = outlook.NextDue <= outlook.Now;
            if ((!ticks && !promotes) || tries > 100)
                return outlook;
            if (ticks)
                await instance.Ticker.StepAsync(cancellationToken).ConfigureAwait(false);
            if (promotes)
                await instance.Promoter.StepAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<DateTimeOffset?> NextEventAsync(CancellationToken cancellationToken)
    {
        var outlook = await instance.Store.LookOutAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset? sweep = sweepUntil is null ? null : sweptAt + Expiry / 6;
        return new[] { outlook.NextDue, outlook.NextTick, sweep, clock.NextTimer() }.Min();
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        sweptAt = clock.Now;
        // At once again when a node was buried: then its leases are found.
        while (await sweeper.StepAsync(cancellationToken).ConfigureAwait(false) == TimeSpan.Zero)
            timeline.Add("a dead node was buried");
        if (sweepUntil <= clock.Now)
            sweepUntil = null;
    }

    private static IReadOnlyList<HeldClaim> Shuffled(IReadOnlyList<HeldClaim> batch, Random? random)
    {
        if (random is null)
            return batch;
        HeldClaim[] shuffled = [.. batch];
        random.Shuffle(shuffled);
        return shuffled;
    }
}
