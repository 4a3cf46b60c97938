using System.Threading.Channels;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Showing;
using Millrace.Storage;

namespace Millrace.Dashboard.Watching;

/// <summary>
/// Tells everybody who looks that something may have changed. One reader of the database's pulse for all of them, and none while nobody looks: fifty open dashboards cost what one does.
/// </summary>
internal sealed class Broadcast(Panel panel)
{
    public const int MostListeners = 50;

    private static readonly TimeSpan interval = TimeSpan.FromMilliseconds(200);
    // Whatever happens is to be on every screen within a second: this, one look, and the way to the browser and back.
    private static readonly TimeSpan leastBetweenPulses = TimeSpan.FromMilliseconds(600);

    private readonly Lock gate = new();
    private readonly List<Channel<ServerSentEvent>> listeners = [];
    private readonly SemaphoreSlim hurry = new(0);
    private bool isSampling;

    public int Listeners
    {
        get
        {
            lock (gate)
                return listeners.Count;
        }
    }

    /// <summary>Begins to listen.</summary>
    /// <exception cref="Problem">There are too many.</exception>
    public Listening Listen()
    {
        // Who is too slow for a pulse a second misses some, and reads the whole anyway at the next.
        var channel = Channel.CreateBounded<ServerSentEvent>(new BoundedChannelOptions(16) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        lock (gate)
        {
            if (listeners.Count >= MostListeners)
                throw Problem.TooMany("too_many_streams", "Too many dashboards are open", MostListeners, $"{MostListeners} browsers listen for changes already, which is the limit. The page works without, by asking now and then.");
            listeners.Add(channel);
            if (!isSampling)
            {
                isSampling = true;
                _ = Task.Run(SampleAsync, CancellationToken.None);
            }
        }

        return new Listening(channel.Reader, () => Leave(channel));
    }

    /// <summary>Somebody changed something here: look at once.</summary>
    public void Hurry()
    {
        if (hurry.CurrentCount == 0)
            hurry.Release();
    }

    public void Say(OperationRecord operation) => Say(ServerSentEvent.Of("operation", panel.Jobs.Operation(operation)));

    private void Say(ServerSentEvent what)
    {
        lock (gate)
        {
            foreach (var listener in listeners)
                listener.Writer.TryWrite(what);
        }
    }

    private void Leave(Channel<ServerSentEvent> channel)
    {
        lock (gate)
            listeners.Remove(channel);
    }

    private async Task SampleAsync()
    {
        var stopping = panel.Lifetime.ApplicationStopping;
        var (last, isOwed, said) = ((string?)null, false, (long?)null);
        while (IsWanted(stopping))
        {
            try
            {
                var pulse = await panel.Store.Inspection.ReadPulseAsync(stopping).ConfigureAwait(false);
                panel.Outage.Over();
                isOwed |= last is not null && pulse != last;
                last = pulse;
            }
            catch (StoreException exception)
            {
                Log.NoPulse(panel.Log, exception);
                if (exception.Fault == StoreFault.Unavailable)
                    panel.Outage.Began();
                // Who looks is to learn of it now. And when it is back, whatever is on the screen is old.
                isOwed |= last is { Length: > 0 };
                last = "";
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }

            if (isOwed && (said is null || panel.Time.GetElapsedTime(said.Value) >= leastBetweenPulses))
            {
                // Who asks because of this must not be given what was true before it.
                panel.Answers.Forget();
                Say(ServerSentEvent.Of("pulse", new PulseAnswer(panel.Time.GetUtcNow())));
                (isOwed, said) = (false, panel.Time.GetTimestamp());
            }

            await PauseAsync(stopping).ConfigureAwait(false);
        }
    }

    private async Task PauseAsync(CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var hurried = hurry.WaitAsync(either.Token);
        await Task.WhenAny(hurried, Task.Delay(interval, panel.Time, either.Token)).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
    }

    private bool IsWanted(CancellationToken stopping)
    {
        lock (gate)
            return isSampling = listeners.Count > 0 && !stopping.IsCancellationRequested;
    }
}

/// <summary>One who listens, until it is disposed.</summary>
internal sealed class Listening(ChannelReader<ServerSentEvent> events, Action leave) : IDisposable
{
    public ChannelReader<ServerSentEvent> Events => events;

    public void Dispose() => leave();
}
