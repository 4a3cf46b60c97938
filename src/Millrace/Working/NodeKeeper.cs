using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Telemetry;

namespace Millrace.Working;

/// <summary>
/// This process's identity in the store and its life sign. The life sign has a thread and a connection of its own, so that neither a starved thread pool nor a busy hot path
/// delays it; it is the last thing to stop. The same thread listens for the bell.
/// </summary>
internal sealed class NodeKeeper(MillraceInstance instance) : IAsyncDisposable
{
    private readonly SemaphoreSlim starting = new(1, 1);
    private readonly CancellationTokenSource stopping = new();
    private readonly Signal mustRenew = new();
    private Thread? thread;
    private Task? renewing;
    private volatile IHeartbeat? heartbeat;
    private volatile object id = Guid.Empty;
    private volatile bool isAlive;
    private volatile bool isByHand;
    private volatile bool isDraining;

    /// <summary>Random, new at each start and whenever the node was taken for dead.</summary>
    public Guid Id => (Guid)id;

    /// <summary>Registered, and not taken for dead as far as we know.</summary>
    public bool IsAlive => isAlive;

    /// <summary>A person asked this node to claim no more. What it holds it finishes.</summary>
    public bool IsDraining => isDraining;

    /// <summary>Alive, and not draining.</summary>
    public bool MayClaim => isAlive && !isDraining;

    /// <summary>When the last beat was answered, by our own clock; null before the first.</summary>
    public DateTimeOffset? LastBeat { get; private set; }

    private TimeSpan Expiry => instance.Workers?.NodeExpiry ?? new WorkerOptions().NodeExpiry;

    /// <summary>Registers the node and starts its life sign, once.</summary>
    public async Task<Guid> EnsureAliveAsync(CancellationToken cancellationToken)
    {
        if (thread is not null || isByHand)
            return Id;
        await starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (thread is not null)
                return Id;
            await instance.EnsureReadyAsync(cancellationToken).ConfigureAwait(false);
            await RegisterAsync(Guid.NewGuid(), cancellationToken).ConfigureAwait(false);
            renewing = Task.Run(() => RenewAsync(stopping.Token), CancellationToken.None);
            thread = new Thread(Beat) { IsBackground = true, Name = "Millrace heartbeat", Priority = ThreadPriority.AboveNormal };
            thread.Start();
            return Id;
        }
        finally
        {
            starting.Release();
        }
    }

    /// <summary>Registers the node without a life sign: for the testing package, whose clock stands still unless it is moved. It lives for as long as the expiry says.</summary>
    public async Task<Guid> RegisterByHandAsync(TimeSpan expiry, CancellationToken cancellationToken)
    {
        await instance.EnsureReadyAsync(cancellationToken).ConfigureAwait(false);
        await RegisterAsync(Guid.NewGuid(), expiry, cancellationToken).ConfigureAwait(false);
        isByHand = true;
        return Id;
    }

    /// <summary>Told by the sweeper, which reads it with every survey.</summary>
    public void SetDraining(bool asked)
    {
        if (asked == isDraining)
            return;
        isDraining = asked;
        if (asked)
        {
            Log.Draining(instance.Log, Id, instance.Running.Count);
            return;
        }

        Log.DrainEnded(instance.Log, Id);
        instance.LookEverywhere();
    }

    /// <summary>The store refused a claim of this node as dead.</summary>
    public void LooksLost(Guid node)
    {
        if (node == Id && isAlive)
            Lose();
    }

    public async ValueTask DisposeAsync()
    {
        if (thread is null && !isByHand)
            return;
        isAlive = false;
        isByHand = false;
        await stopping.CancelAsync().ConfigureAwait(false);
        heartbeat?.Interrupt();
        if (renewing is not null)
            await renewing.ConfigureAwait(false);
        if (thread is { } beating)
            await Task.Run(() => beating.Join(TimeSpan.FromSeconds(5))).ConfigureAwait(false);
        thread = null;
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(3), instance.Time);
            await instance.Store.LeaveAsync(Id, patience.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StoreException or OperationCanceledException or ObjectDisposedException)
        {
            // A service provider that is disposed of without a stop may have closed the store before. The row expires by itself, and everything of this node is written or listed by its leases.
        }
    }

    private Task RegisterAsync(Guid next, CancellationToken cancellationToken) => RegisterAsync(next, Expiry, cancellationToken);

    private async Task RegisterAsync(Guid next, TimeSpan expiry, CancellationToken cancellationToken)
    {
        await instance.Store.RegisterAsync(
            new NewNode
            {
                Id = next,
                Name = $"{Environment.MachineName}:{Environment.ProcessId}",
                Expiry = expiry,
                Application = ApplicationVersion.Name,
                Version = ApplicationVersion.Of(instance.Options.ApplicationVersion),
                Kind = instance.Child is null ? NodeKind.Server : NodeKind.Worker,
                Server = instance.Child?.Server,
                Types = instance.Workers is null ? [] : instance.Types.Names,
                Catalogue = instance.Workers is null ? [] : instance.Catalogue,
                Queues = instance.IsSupervised ? [] : instance.QueueNames,
                Settings = Inspecting.SettingText.Write(SettingsInForce.Of(instance)),
            },
            cancellationToken).ConfigureAwait(false);
        id = next;
        // A new row, of which nobody has asked anything yet; but a worker of a server that drains begins as its server is, and must know before it claims.
        isDraining = false;
        if (instance.Child is not null)
            SetDraining((await instance.Store.SurveyAsync(next, cancellationToken).ConfigureAwait(false)).IsDraining);
        // Told before the first claim: whoever finds this process dead must know whose leases to look for.
        instance.Child?.Tell(new Processes.ChildMessage.Node(next));
        instance.Supervisor?.ServerIs(next);
        instance.Idleness.Forget();
        isAlive = true;
    }

    private void Lose()
    {
        isAlive = false;
        mustRenew.Set();
    }

    /// <summary>After a death: a new identity, and everything that was held under the old one is dropped (rule 8).</summary>
    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await mustRenew.WaitAsync(TimeSpan.MaxValue, instance.Time, cancellationToken).ConfigureAwait(false);
                var dead = Id;
                var next = Guid.NewGuid();
                Log.NodeLost(instance.Log, dead, instance.Running.Count, next);
                instance.Running.StopAll(StopReason.LeaseLost, "The node was taken for dead and its jobs were given to others.");
                for (var tries = 1; !isAlive; tries++)
                {
                    try
                    {
                        await RegisterAsync(next, cancellationToken).ConfigureAwait(false);
                    }
                    catch (StoreException)
                    {
                        await Task.Delay(Backoff.NextDelay(tries, Random.Shared.NextDouble(), TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5)), instance.Time, cancellationToken).ConfigureAwait(false);
                    }
                }
                foreach (var loop in instance.Loops)
                    loop.DropEverything();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private void Beat()
    {
        var time = instance.Time;
        var interval = Expiry / 6;
        var lastGood = time.GetTimestamp();
        var failures = 0;
        var beating = Guid.Empty;
        var load = new LoadMeter(time);
        while (!stopping.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            instance.Child?.Tell(new Processes.ChildMessage.Alive());
            try
            {
                if (beating != Id)
                {
                    heartbeat?.Dispose();
                    heartbeat = instance.Store.OpenHeartbeat(Id, Expiry);
                    beating = Id;
                }
                if (isAlive && heartbeat!.Beat(load.Read()))
                {
                    lastGood = time.GetTimestamp();
                    LastBeat = time.GetUtcNow();
                    failures = 0;
                }
                else if (isAlive && beating == Id)
                {
                    Lose();
                }
                Listen(time, began, isAlive ? interval : TimeSpan.FromMilliseconds(50));
            }
            catch (Exception exception)
            {
                // The connection is gone, or the database is: the next beat tries with a new one, soon, because the expiry runs on.
                failures++;
                Log.BeatFailed(instance.Log, beating, time.GetElapsedTime(lastGood), exception.Message);
                heartbeat?.Dispose();
                heartbeat = null;
                beating = Guid.Empty;
                stopping.Token.WaitHandle.WaitOne(Backoff.NextDelay(failures, Random.Shared.NextDouble(), TimeSpan.FromMilliseconds(100), interval));
            }
        }
        heartbeat?.Dispose();
        heartbeat = null;
    }

    /// <summary>Until the next beat is due: the bell.</summary>
    private void Listen(TimeProvider time, long began, TimeSpan interval)
    {
        while (!stopping.IsCancellationRequested)
        {
            var left = interval - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
                return;
            var rung = heartbeat!.Wait(left);
            if (rung.Count > 0)
                instance.WakeUps.Rung(rung);
        }
    }
}
