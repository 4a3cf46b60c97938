using System.Runtime.CompilerServices;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Telemetry;
using Millrace.Working;

namespace Millrace.Notifying;

/// <summary>Gives events to the subscribers of this process. One reader for all of them, which lives as long as there is one.</summary>
internal sealed class EventFeed(MillraceInstance instance) : IJobEvents, IAsyncDisposable
{
    public const int PageSize = 500;

    // With a bell the look is only for a ring that was lost.
    private static readonly TimeSpan LookWithBell = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(500);

    // Somebody has an id and has not committed yet.
    private static readonly TimeSpan InAMoment = TimeSpan.FromMilliseconds(2);

    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();

    // Guarded by gate.
    private readonly List<Subscription> subscriptions = [];
    private Task reading = Task.CompletedTask;
    private bool isReading;
    private bool isDisposed;

    // Touched by the reader alone.
    private TimeSpan look = ShortestLook;
    private Guid announced;

    /// <summary>Whether the reader runs; for tests.</summary>
    public bool IsReading
    {
        get
        {
            lock (gate)
                return isReading;
        }
    }

    /// <summary>How many subscribe; for tests.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return subscriptions.Count;
        }
    }

    public IAsyncEnumerable<JobEvent> SubscribeAsync(long userId, CancellationToken cancellationToken) => EnumerateAsync(userId, null, cancellationToken);

    public IAsyncEnumerable<JobEvent> SubscribeAsync(long userId, long after, CancellationToken cancellationToken) => EnumerateAsync(userId, Math.Max(after, 0), cancellationToken);

    public async Task<long> ReadPositionAsync(CancellationToken cancellationToken)
    {
        await instance.EnsureReadyAsync(cancellationToken).ConfigureAwait(false);
        return await instance.Patiently.RunAsync(instance.Store.ReadEventPositionAsync, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        Task last;
        lock (gate)
        {
            isDisposed = true;
            foreach (var subscription in subscriptions)
                subscription.End();
            subscriptions.Clear();
            last = reading;
        }
        await stopping.CancelAsync().ConfigureAwait(false);
        await last.ConfigureAwait(false);
    }

    private async IAsyncEnumerable<JobEvent> EnumerateAsync(long userId, long? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var now = await FirstPositionAsync(cancellationToken).ConfigureAwait(false);
        var subscription = new Subscription(userId, Math.Min(after ?? now, now), now);
        if (!Add(subscription))
            yield break;
        try
        {
            while (await subscription.NextAsync(cancellationToken).ConfigureAwait(false) is { } next)
            {
                yield return next;
                if (!subscription.IsLive && subscription.HasRoom)
                    instance.WakeUps.Events.Set();
            }
        }
        finally
        {
            Remove(subscription);
        }
    }

    // As long as it takes: a subscription is not ended by an outage, nor refused.
    private async Task<long> FirstPositionAsync(CancellationToken cancellationToken)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await ReadPositionAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException exception) when (exception.IsTransient)
            {
                await PauseAfterAsync(failures, exception, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private bool Add(Subscription subscription)
    {
        lock (gate)
        {
            if (isDisposed)
                return false;
            subscriptions.Add(subscription);
            if (!isReading)
            {
                isReading = true;
                // The reader belongs to no request and no attempt, whoever came first.
                using (ExecutionContext.SuppressFlow())
                    reading = Task.Run(() => ReadOnAsync(stopping.Token), CancellationToken.None);
            }
        }
        instance.WakeUps.Events.Set();
        return true;
    }

    private void Remove(Subscription subscription)
    {
        lock (gate)
            subscriptions.Remove(subscription);
        instance.WakeUps.Events.Set();
    }

    private async Task ReadOnAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!IsOver())
        {
            try
            {
                var pause = await StepAsync(cancellationToken).ConfigureAwait(false);
                failures = 0;
                // Real time, also under a test's clock: it spares the database and decides nothing.
                if (pause > TimeSpan.Zero)
                    await instance.WakeUps.Events.WaitAsync(pause, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // The instance is being disposed of, and perhaps its store already.
            }
            catch (Exception exception)
            {
                // Nothing ends a subscription but its subscriber.
                announced = Guid.Empty;
                await PauseAfterAsync(++failures, exception, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private bool IsOver()
    {
        lock (gate)
        {
            if (isDisposed)
                return true;
            // While the node is announced as listening there is one more step to do, which takes that back.
            if (subscriptions.Count > 0 || announced != Guid.Empty)
                return false;
            isReading = false;
            return true;
        }
    }

    /// <returns>How long until it should look again, unless it is woken.</returns>
    private async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        List<Subscription> open;
        bool isWanted;
        lock (gate)
        {
            isWanted = subscriptions.Count > 0;
            open = subscriptions.FindAll(static subscription => subscription.HasRoom);
        }
        await AnnounceAsync(isWanted, cancellationToken).ConfigureAwait(false);
        if (!isWanted)
            return TimeSpan.Zero;
        if (open.Count == 0)
            return LongestLook;

        var after = open.Min(static subscription => subscription.Position);
        var page = await instance.Store.ReadEventsAsync(after, [.. open.Select(static subscription => subscription.UserId).Distinct()], PageSize, cancellationToken).ConfigureAwait(false);
        lock (gate)
        {
            // Who is ahead waits until the others have come so far; only a database that was set back takes everybody with it.
            foreach (var subscription in open.Where(subscription => page.Position > subscription.Position || page.Position < after))
            {
                if (!subscription.Take(page.Events, page.Position))
                    subscriptions.Remove(subscription);
            }
        }
        return PauseAfter(page);
    }

    private TimeSpan PauseAfter(EventPage page)
    {
        if (page.HasMore)
            return page.Events.Count >= PageSize ? TimeSpan.Zero : InAMoment;
        if (announced != Guid.Empty)
            return LookWithBell;
        look = page.Events.Count > 0 ? ShortestLook : look * 1.5 < LongestLook ? look * 1.5 : LongestLook;
        return look;
    }

    /// <summary>Says in the store whether this process would like to be rung for. It can only be rung while its node lives, and a new identity has a new row.</summary>
    private async Task AnnounceAsync(bool isListening, CancellationToken cancellationToken)
    {
        if (!instance.Store.HasBell)
            return;
        var node = isListening && instance.Node.IsAlive ? instance.Node.Id : Guid.Empty;
        if (node == announced)
            return;
        var before = announced;
        announced = node;
        if (node != Guid.Empty)
            await instance.Store.SetListeningAsync(node, true, cancellationToken).ConfigureAwait(false);
        else if (before == instance.Node.Id)
            await instance.Store.SetListeningAsync(before, false, cancellationToken).ConfigureAwait(false);
    }

    private Task PauseAfterAsync(int failures, Exception exception, CancellationToken cancellationToken)
    {
        var pause = Backoff.NextDelay(failures, Random.Shared.NextDouble(), TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5));
        if (failures >= 3)
            Log.LoopFailed(instance.Log, exception is StoreException { IsTransient: true } ? null : exception, "events", failures, pause, exception.Message);
        return Task.Delay(pause, TimeProvider.System, cancellationToken);
    }
}
