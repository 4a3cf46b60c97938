using System.Collections.Concurrent;
using Millrace.Storage;
using Millrace.Tending;
using Millrace.Working;

namespace Millrace.Testing;

/// <summary>Claims jobs and runs them, one after the other, with the engine's own pieces and no thread of its own.</summary>
internal sealed class Runner(MillraceInstance instance, TestClock clock, Timeline timeline, ConcurrentQueue<long> submitted, TimeSpan longestRun)
{
    // A handler that waits on the clock and does nothing else for this long in real time is taken to wait for nothing else.
    private static readonly TimeSpan QuietTime = TimeSpan.FromMilliseconds(5);

    private readonly ConcurrentDictionary<(long JobId, int Run), RunWatch> watches = new();

    /// <summary>Looks on at every attempt of these types.</summary>
    public void Watch(IEnumerable<JobType> types)
    {
        foreach (var type in types)
        {
            var make = type.MakeContext;
            type.MakeContext = (attempt, json) =>
                make(watches.TryGetValue((attempt.Claim.JobId, attempt.Claim.Run), out var watch) ? new WatchedAttempt(attempt, watch) : attempt, json);
        }
    }

    /// <summary>The next jobs in line of a queue; empty when there are none.</summary>
    public async Task<IReadOnlyList<HeldClaim>> ClaimAsync(Guid node, string queue, int want, bool isForSuspect, ClaimCursor? after, CancellationToken cancellationToken)
    {
        var turn = new Turn
        {
            Node = node,
            Queue = queue,
            Types = instance.Types.Names,
            Want = want,
            Lease = Guid.NewGuid(),
            After = after,
            SuspectsOnly = isForSuspect,
            // Claimed by itself, a job runs by itself: nothing here runs two at a time unless it was claimed in a batch.
            IsAlone = want == 1,
        };
        var answer = await instance.Store.TurnAsync(turn, cancellationToken).ConfigureAwait(false);
        if (answer.NodeIsLost)
            throw new InvalidOperationException($"The store does not know the test server's node {node} as alive. Was its row changed by hand?");
        return [.. answer.Claims.Select(claim => new HeldClaim(claim, node, clock.GetTimestamp()))];
    }

    /// <summary>Runs a claim and hands its end to the store.</summary>
    /// <param name="held">The claim.</param>
    /// <param name="closesLease">Whether it is the last one open of its lease.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<JobRun> RunAsync(HeldClaim held, bool closesLease, CancellationToken cancellationToken)
    {
        var (run, watch) = await RunHandlerAsync(held, cancellationToken).ConfigureAwait(false);
        var answer = await instance.Store.TurnAsync(
            new Turn
            {
                Node = held.Node,
                Queue = held.Claim.Queue,
                Types = instance.Types.Names,
                Ends = run.IsSettled ? [] : [run.End],
                Settled = run.IsSettled ? [run.End] : [],
                EmptyLeases = closesLease ? [held.Claim.Lease] : [],
            },
            cancellationToken).ConfigureAwait(false);

        var verdict = run.IsSettled ? EndVerdict.Accepted : answer.Ends[0];
        var outcome = verdict switch
        {
            EndVerdict.Cancelled => Outcome.Cancelled,
            EndVerdict.Superseded => Outcome.Superseded,
            _ => run.End.Outcome,
        };
        watch.Submitted = await ReadSubmittedAsync(verdict == EndVerdict.Accepted ? run.End.Then : [], cancellationToken).ConfigureAwait(false);
        var job = await instance.Store.FindAsync(held.Claim.JobId, cancellationToken).ConfigureAwait(false) ?? Remembered(held.Claim);
        var ended = new JobRun(job, run.End, outcome, verdict == EndVerdict.Stale, watch, instance.Json, timeline);
        timeline.Add(ended.Describe());
        foreach (var next in watch.Submitted.Where(next => run.End.Then.Any(then => then.Id == next.Id)))
            timeline.Add($"job {next.Id} chained: {next.Type} {Timeline.Short(next.Data)}");
        return ended;
    }

    /// <summary>Runs the handler and keeps what came out of it.</summary>
    public async Task<(RunEnd Run, RunWatch Watch)> RunHandlerAsync(HeldClaim held, CancellationToken cancellationToken)
    {
        var key = (held.Claim.JobId, held.Claim.Run);
        var watch = watches[key] = new RunWatch();
        submitted.Clear();
        using var ended = new CancellationTokenSource();
        var cancels = WatchCancelsAsync(ended.Token);
        try
        {
            // On the pool, as in a worker: a context of the test's own must not run the handler's continuations.
            var running = Task.Run(() => instance.Runner.RunAsync(held).AsTask(), CancellationToken.None);
            await PassTimeAsync(held.Claim, running, cancellationToken).ConfigureAwait(false);
            var run = await running.ConfigureAwait(false) ?? throw new InvalidOperationException($"The run of job {held.Claim.JobId} was given up.");
            watch.Failure = run.Failure;
            return (run, watch);
        }
        finally
        {
            watches.TryRemove(key, out _);
            await ended.CancelAsync().ConfigureAwait(false);
            await cancels.ConfigureAwait(false);
        }
    }

    /// <summary>Hands a claim back unstarted.</summary>
    public Task ReleaseAsync(HeldClaim held, CancellationToken cancellationToken) => instance.Store.TurnAsync(
        new Turn
        {
            Node = held.Node,
            Queue = held.Claim.Queue,
            Types = instance.Types.Names,
            Ends = [AttemptRunner.Released(held, null)],
            EmptyLeases = [held.Claim.Lease],
        },
        cancellationToken);

    /// <summary>Passes a request to cancel on to the run, as the engine's upkeep would.</summary>
    private async Task WatchCancelsAsync(CancellationToken ended)
    {
        var watcher = new CancelWatcher(instance);
        try
        {
            while (true)
            {
                await watcher.Wake.WaitAsync(TimeSpan.MaxValue, TimeProvider.System, ended).ConfigureAwait(false);
                await watcher.StepAsync(ended).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
        }
    }

    /// <summary>Waits for a run, and lets the time go by that it waits for.</summary>
    private async Task PassTimeAsync(Claim claim, Task running, CancellationToken cancellationToken)
    {
        using var tooLong = new CancellationTokenSource(longestRun, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(tooLong.Token, cancellationToken);
        try
        {
            while (!running.IsCompleted)
            {
                var timerSet = clock.TimerSet();
                if (clock.NextDelay() is not { } end)
                {
                    await Task.WhenAny(running, timerSet).WaitAsync(either.Token).ConfigureAwait(false);
                    continue;
                }
                await Task.WhenAny(running, Task.Delay(QuietTime, TimeProvider.System, either.Token)).ConfigureAwait(false);
                either.Token.ThrowIfCancellationRequested();
                // From timer to timer: a deadline on the way cancels on the pool, and must have its effect before the wait is over.
                if (!running.IsCompleted && clock.NextDelay() == end)
                    clock.AdvanceTo(clock.NextTimer() ?? end);
            }
        }
        catch (OperationCanceledException) when (tooLong.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"Job {claim.JobId} ({claim.Type}, attempt {claim.Attempt}) has been running for {longestRun} of real time (JobTestOptions.LongestRun). "
                + $"If it waits for its token or for a timer, move the clock from outside with Clock.Advance.{timeline.Tail()}");
        }
    }

    private async Task<IReadOnlyList<JobRecord>> ReadSubmittedAsync(IReadOnlyList<NewJob> chained, CancellationToken cancellationToken)
    {
        var ids = submitted.ToArray().Concat(chained.Select(job => job.Id)).Distinct();
        var jobs = new List<JobRecord>();
        foreach (var id in ids)
        {
            // Not there: its transaction was rolled back.
            if (await instance.Store.FindAsync(id, cancellationToken).ConfigureAwait(false) is { } job)
                jobs.Add(job);
        }
        return jobs;
    }

    private static JobRecord Remembered(Claim claim) => new()
    {
        Id = claim.JobId,
        Type = claim.Type,
        Tag = claim.Tag,
        UserId = claim.UserId,
        Queue = claim.Queue,
        Priority = claim.Priority,
        Data = claim.Data,
        Due = claim.Due,
        Created = claim.Created,
        State = JobState.Succeeded,
        Attempt = claim.Attempt,
        Headers = claim.Headers,
        Parent = claim.Parent,
        Schedule = claim.Schedule,
    };
}
