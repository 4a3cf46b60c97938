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
    // Whatever happens is to be on every screen within a second: this, one look, and the way to the browser and back. Longer only while what everybody asks takes long (Dear).
    private static readonly TimeSpan leastBetweenPulses = TimeSpan.FromMilliseconds(600);

    // Longer than any answer is kept.
    private static readonly TimeSpan settling = TimeSpan.FromSeconds(6);

    private readonly Lock gate = new();
    private readonly List<Channel<ServerSentEvent>> listeners = [];
    private readonly SemaphoreSlim hurry = new(0);
    private bool isSampling;
    private volatile bool isHurried;

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
        isHurried = true;
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
        var (late, spent) = (TimeSpan.Zero, TimeSpan.Zero);
        var (last, isOwed, isUnsettled, said) = ((string?)null, false, false, panel.Time.GetTimestamp() - panel.Time.TimestampFrequency);
        while (IsWanted(stopping))
        {
            var pulse = await ReadAsync(stopping).ConfigureAwait(false);
            // At the first reading nobody knows what has happened since his page was made. One that fails is told once, and what is read after it.
            isOwed |= pulse != last;
            last = pulse;

            var quiet = panel.Time.GetElapsedTime(said);
            if (isOwed && quiet >= (isHurried ? leastBetweenPulses : Dear.BetweenPulses(leastBetweenPulses, spent, panel.Answers.Spent)))
            {
                late = panel.ForgetCheap();
                Say();
                (isOwed, isUnsettled) = (false, true);
            }
            else if (late > TimeSpan.Zero && quiet >= late)
            {
                // What took long to count was given once more as it was before the change.
                panel.ForgetCheap();
                Say();
                late = TimeSpan.Zero;
            }
            else if (isUnsettled && quiet >= settling)
            {
                // Dear answers may have been kept over the last change. One word more, and everything on the screen is true.
                panel.Forget();
                Say();
                isUnsettled = false;
            }

            await PauseAsync(stopping).ConfigureAwait(false);
        }

        void Say()
        {
            isHurried = false;
            spent = panel.Answers.CountAnew();
            this.Say(ServerSentEvent.Of("pulse", new PulseAnswer(panel.Time.GetUtcNow())));
            said = panel.Time.GetTimestamp();
        }
    }

    /// <summary>The mark of the database; empty when it could not be read.</summary>
    private async Task<string> ReadAsync(CancellationToken stopping)
    {
        try
        {
            var pulse = await panel.Store.Inspection.ReadPulseAsync(stopping).ConfigureAwait(false);
            panel.Outage.Over();
            return pulse;
        }
        catch (Exception exception)
        {
            // Whatever it is: who looks must not be left with a reader that has ended.
            if (!stopping.IsCancellationRequested)
                Log.NoPulse(panel.Log, exception);
            if (exception is StoreException { Fault: StoreFault.Unavailable })
                panel.Outage.Began();
            return "";
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
