using Millrace.Processes;
using Millrace.Telemetry;

namespace Millrace.Working;

/// <summary>
/// Watches over the timeout of one attempt: at its end the token is cancelled, and a handler that still goes on after the grace time is given up. In a child that runs jobs alone the server watches too, and
/// kills.
/// </summary>
internal sealed class Deadline : IDisposable
{
    // A timer takes about 49 days.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(49);

    private readonly MillraceInstance instance;
    private readonly Attempt attempt;
    private readonly ITimer timer;
    private int step;

    public Deadline(MillraceInstance instance, Attempt attempt)
    {
        this.instance = instance;
        this.attempt = attempt;
        if (Watcher is { } watcher)
            watcher.Tell(new ChildMessage.Began(attempt.Claim.JobId, attempt.Claim.Run, attempt.Policy.Timeout));
        timer = instance.Time.CreateTimer(_ => Pass(), null, attempt.Policy.Timeout < Longest ? attempt.Policy.Timeout : Longest, Timeout.InfiniteTimeSpan);
    }

    private ChildLink? Watcher => instance.Solo.IsRule ? instance.Child : null;

    private TimeSpan Grace => instance.Workers?.TimeoutGrace ?? Timeout.InfiniteTimeSpan;

    public void Dispose()
    {
        timer.Dispose();
        Watcher?.Tell(new ChildMessage.Ended(attempt.Claim.JobId, attempt.Claim.Run));
    }

    private void Pass()
    {
        if (Interlocked.Increment(ref step) > 1)
        {
            GiveUp();
            return;
        }
        attempt.Stop(StopReason.Timeout, Said());
        if (Grace != Timeout.InfiniteTimeSpan)
            timer.Change(Grace, Timeout.InfiniteTimeSpan);
    }

    private void GiveUp()
    {
        var claim = attempt.Claim;
        var failure = new TimeoutException($"{Said()} The handler did not stop within {Grace} and was given up while it still runs (WorkerOptions.TimeoutGrace).");
        var decision = EndDecision.Decide(failure, StopReason.Timeout, null, claim.Attempt, attempt.Policy, Random.Shared.NextDouble());
        if (instance.Loops.FirstOrDefault(loop => loop.Queue == claim.Queue)?.GiveUp(attempt, attempt.GivenUpEnd(decision)) == true)
            Log.TimeoutIgnored(instance.Log, claim.JobId, claim.Type, claim.Queue, claim.Attempt, Grace);
    }

    private string Said() => $"The attempt ran longer than its timeout of {attempt.Policy.Timeout}.";
}
