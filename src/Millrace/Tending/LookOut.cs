using Millrace.Working;

namespace Millrace.Tending;

/// <summary>Looks, while there is nothing to do, for work that nobody told this node of: the truth behind the bell. One statement, about once a second.</summary>
internal sealed class LookOut(MillraceInstance instance) : ITender
{
    // Without a bell an idle node looks soon after it became idle, and then less and less often.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);

    private TimeSpan pause = FirstPause;

    public string Name => "look out";

    public Signal Wake => instance.WakeUps.LookOut;

    public async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        var interval = instance.Workers!.PollInterval;
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

        if (outlook.ReadyQueues.Count > 0)
        {
            pause = FirstPause;
            return Spread(interval);
        }
        // A server whose children run the jobs claims nothing itself, so nobody need ring for it.
        if (instance.Loops.Count == 0)
            return Spread(interval);
        if (await instance.Idleness.IsIdleAsync(cancellationToken).ConfigureAwait(false))
            return TimeSpan.Zero;
        if (instance.Store.HasBell)
            return Spread(interval);
        var next = pause < interval ? pause : interval;
        pause = pause * 1.5 < interval ? pause * 1.5 : interval;
        return Spread(next);
    }

    // Nodes that were started together must not look together.
    private static TimeSpan Spread(TimeSpan pause) => pause * (0.85 + 0.3 * Random.Shared.NextDouble());
}
