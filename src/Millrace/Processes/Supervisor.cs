using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Telemetry;
using Millrace.Working;

namespace Millrace.Processes;

/// <summary>A server's children: as many as were asked for, and those that run jobs alone. What each leaves behind when it ends is given back at once.</summary>
internal sealed class Supervisor(MillraceInstance instance, WorkerOptions options, ILogger lines)
{
    // A child needs so long at most after the grace time: its token, giving up, the last results. Then it is killed.
    private static readonly TimeSpan AfterGrace = TimeSpan.FromSeconds(2.8);

    // The token of a job in an isolated child is cancelled at its timeout; a handler that heeds it has so long to end in order.
    private static readonly TimeSpan AfterDeadline = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<ChildProcess, Task> children = new();
    private readonly ConcurrentDictionary<ChildProcess, ITimer> deadlines = new();
    private readonly List<WorkerPlace> places = [];
    private readonly List<Task> running = [];
    private readonly Lock gate = new();
    private CancellationToken stopping;
    private ITimer? watch;
    private long stopBegan;

    /// <summary>Why places have no child that is ready, one sentence each.</summary>
    public IReadOnlyList<string> Faults => [.. Places.Select(static place => place.Fault).OfType<string>()];

    /// <summary>Whether jobs can run at all.</summary>
    public bool HasReady => Places.Any(static place => place.IsReady);

    private IReadOnlyList<WorkerPlace> Places
    {
        get
        {
            lock (gate)
                return [.. places];
        }
    }

    public void Start(CancellationToken stop)
    {
        stopping = stop;
        for (var i = 1; i <= options.Processes.Count; i++)
            Open($"{i}", ChildRole.Worker);
        for (var i = 1; i <= options.IsolatedProcesses; i++)
            Open($"isolated-{i}", ChildRole.Isolated);
        watch = instance.Time.CreateTimer(_ => KillFrozen(), null, options.NodeExpiry, options.NodeExpiry / 3);
        // At the first sign of the stop, before anybody waits for it.
        stop.Register(() =>
        {
            stopBegan = instance.Time.GetTimestamp();
            foreach (var child in children.Keys)
                Drain(child);
        });
    }

    /// <summary>There is something to claim.</summary>
    public void Look()
    {
        foreach (var child in children.Keys)
            child.Look();
    }

    /// <summary>The server has a new identity.</summary>
    public void ServerIs(Guid server)
    {
        foreach (var child in children.Keys)
            child.TellServer(server);
    }

    /// <summary>The stop has begun (see <see cref="Start(CancellationToken)"/>): gives the children the grace time, and then ends them.</summary>
    public async Task StopAsync(TimeSpan grace, CancellationToken hurry)
    {
        if (watch is { } timer)
            await timer.DisposeAsync().ConfigureAwait(false);
        Task all;
        lock (gate)
            all = Task.WhenAll(running);
        await all.ConfigureAwait(false);
        foreach (var child in children.Keys)
            Drain(child);
        var left = grace + AfterGrace - instance.Time.GetElapsedTime(stopBegan);
        try
        {
            await Task.WhenAll(children.Values).WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, instance.Time, hurry).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            foreach (var child in children.Keys)
            {
                Log.WorkerKilled(instance.Log, child.Name, child.Id, grace);
                child.Kill();
            }
        }
        await Task.WhenAll(children.Values).WaitAsync(AfterGrace, instance.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // One that is not ready has nothing to finish, and would begin its own grace time when it has started at last.
    private static void Drain(ChildProcess child)
    {
        if (child.Ready.IsCompletedSuccessfully)
            child.Drain();
        else
            child.Kill();
    }

    public ChildProcess Start(string name, ChildRole role)
    {
        var settings = new ChildSettings(instance.Name, name, role, instance.Node.Id, "");
        var child = new ChildProcess(settings, line => Log.WorkerLine(lines, name, line));
        children[child] = AttendAsync(child);
        return child;
    }

    /// <summary>How a child ended, with the last lines that it wrote.</summary>
    public string Describe(ChildProcess child, int exitCode)
    {
        var how = child.Overdue is not null ? "was killed: its job ran longer than its timeout" : ExitText.Of(exitCode, !OperatingSystem.IsWindows());
        var last = child.LastLines;
        var evidence = last.Count == 0 ? "It wrote nothing." : $"Its last lines: {string.Join(" ⏎ ", last)}";
        return Sanitiser.TextWithoutSecrets($"Worker process {child.Name} (pid {child.Id}) {how}. {evidence}", 8000);
    }

    public IReadOnlyList<WorkerProcessInfo> List() => [.. Places.Select(static place => place.Info)];

    public async Task<int> RestartAsync(CancellationToken cancellationToken)
    {
        var replaced = 0;
        foreach (var place in Places)
        {
            if (await place.ReplaceAsync().WaitAsync(cancellationToken).ConfigureAwait(false))
                replaced++;
        }
        return replaced;
    }

    private void Open(string name, ChildRole role)
    {
        lock (gate)
        {
            var place = new WorkerPlace(this, instance, name, role);
            places.Add(place);
            running.Add(Task.Run(() => place.RunAsync(stopping), CancellationToken.None));
        }
    }

    /// <summary>Hears a child out, waits for its end, and clears up after it.</summary>
    private async Task AttendAsync(ChildProcess child)
    {
        await Task.Yield();
        var hearing = child.HearAsync(message => Hear(child, message));
        var exitCode = await child.Exited.ConfigureAwait(false);
        await child.CloseAsync().ConfigureAwait(false);
        if (deadlines.TryRemove(child, out var deadline))
            await deadline.DisposeAsync().ConfigureAwait(false);
        // Its last words may be the first: they name the node under which it ran.
        if (child.Node is null)
            await hearing.WaitAsync(AfterDeadline, instance.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var how = Describe(child, exitCode);
        var died = !child.IsAsked || exitCode != 0;
        if (died && child.Ready.IsCompletedSuccessfully)
            Log.WorkerDied(instance.Log, how);
        if (child.Node is { } node)
        {
            if (died)
                instance.Deaths.Add(node, new Death(how, child.Running, child.Overdue, child.IsAsked));
            await GiveBackAsync(node).ConfigureAwait(false);
        }
        children.TryRemove(child, out _);
        child.Dispose();
    }

    /// <summary>The store is told at once, so that the child's jobs need not wait for its node to expire.</summary>
    private async Task GiveBackAsync(Guid node)
    {
        for (var tries = 1; !stopping.IsCancellationRequested || tries == 1; tries++)
        {
            try
            {
                await instance.Store.LeaveAsync(node, CancellationToken.None).ConfigureAwait(false);
                instance.WakeUps.Dead.Set();
                return;
            }
            catch (StoreException)
            {
                await Task.Delay(Backoff.NextDelay(tries, Random.Shared.NextDouble(), TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5)), instance.Time).ConfigureAwait(false);
            }
        }
    }

    private void Hear(ChildProcess child, ChildMessage message)
    {
        switch (message)
        {
            case ChildMessage.Recycle recycle:
                Log.WorkerRecycles(instance.Log, child.Name, child.Id, recycle.Reason);
                _ = Places.FirstOrDefault(place => place.Name == child.Name)?.ReplaceAsync();
                break;
            case ChildMessage.Began began when child.Role == ChildRole.Isolated:
                var run = (began.JobId, began.Run);
                deadlines[child] = instance.Time.CreateTimer(_ => child.KillFor(run), null, began.Timeout + AfterDeadline, Timeout.InfiniteTimeSpan);
                break;
            case ChildMessage.Ended when deadlines.TryRemove(child, out var timer):
                timer.Dispose();
                break;
        }
    }

    /// <summary>A child that says nothing although its life sign has a thread of its own is stopped or hangs: its node is dead by now, and its place is needed.</summary>
    private void KillFrozen()
    {
        foreach (var child in children.Keys)
        {
            if (child.ReadySince is null || child.Silence < options.NodeExpiry * 2)
                continue;
            Log.WorkerFrozen(instance.Log, child.Name, child.Id, child.Silence);
            child.Kill(isAsked: false);
        }
    }
}
