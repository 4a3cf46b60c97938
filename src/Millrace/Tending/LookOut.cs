using Millrace.Working;

namespace Millrace.Tending;

/// <summary>Looks, while there is nothing to do, for work that nobody told this node of: the truth behind the bell. One statement, about once a second.</summary>
internal sealed class LookOut(MillraceInstance instance) : ITender
{
    // An idle node looks soon after it became idle, and then less and less often: without a bell to be quick, and with one because who submits just now may have
    // thought it busy, and commit after its look.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);

    private TimeSpan pause = FirstPause;

    public string Name => "look out";

    public Signal Wake => instance.WakeUps.LookOut;

    public async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        var interval = instance.Workers!.PollInterval;
        // Asked of the loops, and before the look: what it sees in line may be for others, or locked, and where jobs keep coming it always sees one. Nobody would ever ring.
        var isAtEnd = instance.Idleness.IsAtEnd;
        var outlook = await instance.Store.LookOutAsync(cancellationToken).ConfigureAwait(false);
        instance.WakeUps.Ready(outlook.ReadyQueues);
        foreach (var loop in instance.Loops)
        {
            if (outlook.SuspectQueues.Contains(loop.Queue))
                loop.WakeForSuspect();
        }
        if (outlook.NextDue is { } due)
            instance.Promoter.NextDueIs(due, outlook.Now);
        if (outlook.NextTick is { } tick)
            instance.Ticker.NextTickIs(tick, outlook.Now);
        if (outlook.HasCancelRequests)
            instance.WakeUps.Cancels.Set();

        // A server whose children run the jobs claims nothing itself, so nobody need ring for it.
        if (instance.Loops.Count == 0)
            return Spread(interval);
        if (instance.Store.HasBell ? !isAtEnd : outlook.ReadyQueues.Count > 0)
        {
            pause = FirstPause;
            return Spread(interval);
        }
        if (instance.Store.HasBell && await instance.Idleness.IsIdleAsync(cancellationToken).ConfigureAwait(false))
        {
            pause = FirstPause;
            return TimeSpan.Zero;
        }
        var next = pause < interval ? pause : interval;
        pause = pause * 1.5 < interval ? pause * 1.5 : interval;
        return Spread(next);
    }

    // Nodes that were started together must not look together.
    private static TimeSpan Spread(TimeSpan pause) => pause * (0.85 + 0.3 * Random.Shared.NextDouble());
}
