using System.ComponentModel;
using Millrace.Telemetry;
using Millrace.Working;

namespace Millrace.Processes;

/// <summary>Keeps one child running: starts it, starts it again when it ends, replaces it when it asks to be. Never gives up.</summary>
internal sealed class WorkerPlace(Supervisor supervisor, MillraceInstance instance, string name, ChildRole role)
{
    // From the start of the process to its first claim: long for a cold start on a busy machine.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly Signal mustReplace = new();
    private readonly List<TaskCompletionSource<bool>> replacing = [];
    private readonly Lock gate = new();
    private volatile ChildProcess? child;
    private volatile bool isWaiting;
    private volatile string? fault;
    private volatile string? lastExit;
    private int exits;
    private int failedStarts;
    private int deaths;

    public string Name => name;

    /// <summary>Why no child is ready in this place; null when one is.</summary>
    public string? Fault => fault;

    public bool IsReady => child?.Ready.IsCompletedSuccessfully == true;

    public WorkerProcessInfo Info => child is { } current && !current.Exited.IsCompleted
        ? new WorkerProcessInfo(name, current.Id, current.Node, current.IsAsked ? WorkerProcessState.Draining : current.Ready.IsCompletedSuccessfully ? WorkerProcessState.Ready : WorkerProcessState.Starting, exits, lastExit)
        : new WorkerProcessInfo(name, 0, null, isWaiting ? WorkerProcessState.Waiting : WorkerProcessState.Starting, exits, lastExit);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await LiveAsync(stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
            }
            catch (Exception exception)
            {
                // Whatever it was: a place that is given up would stay empty for as long as the server runs.
                Fail(exception.Message);
                await Task.Delay(RestartPause.AfterFailedStart(failedStarts, Random.Shared.NextDouble()), instance.Time, CancellationToken.None).ConfigureAwait(false);
            }
        }
        Answer(false);
    }

    /// <summary>One child after the other, each until it ends.</summary>
    private async Task LiveAsync(CancellationToken stopping)
    {
        while (true)
        {
            var current = child = await StartUntilReadyAsync(stopping).ConfigureAwait(false);
            fault = null;
            while (await WaitAsync(current, stopping).ConfigureAwait(false))
                current = await ReplaceAsync(current, stopping).ConfigureAwait(false);
            await PauseAfterAsync(current, stopping).ConfigureAwait(false);
        }
    }

    /// <summary>A new child takes the place of the present one as soon as it is ready; the old one finishes what it runs.</summary>
    /// <returns>False when the old one was left in place.</returns>
    public Task<bool> ReplaceAsync()
    {
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
            replacing.Add(answer);
        mustReplace.Set();
        return answer.Task;
    }

    /// <returns>True to replace it; false when it has ended.</returns>
    private async Task<bool> WaitAsync(ChildProcess current, CancellationToken stopping)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var replace = mustReplace.WaitAsync(TimeSpan.MaxValue, instance.Time, done.Token).AsTask();
        var first = await Task.WhenAny(current.Exited, replace).ConfigureAwait(false);
        stopping.ThrowIfCancellationRequested();
        if (first == replace)
            return true;
        await done.CancelAsync().ConfigureAwait(false);
        return false;
    }

    private async Task<ChildProcess> ReplaceAsync(ChildProcess old, CancellationToken stopping)
    {
        var next = await StartAsync(stopping).ConfigureAwait(false);
        if (next is null)
        {
            Answer(false);
            return old;
        }
        child = next;
        fault = null;
        old.Drain();
        Answer(true);
        return next;
    }

    private async Task<ChildProcess> StartUntilReadyAsync(CancellationToken stopping)
    {
        while (true)
        {
            if (await StartAsync(stopping).ConfigureAwait(false) is { } started)
                return started;
            await PauseAsync(RestartPause.AfterFailedStart(failedStarts, Random.Shared.NextDouble()), stopping).ConfigureAwait(false);
        }
    }

    /// <returns>A child that is ready; null when it did not become so, and what is left of it is being cleared away.</returns>
    private async Task<ChildProcess?> StartAsync(CancellationToken stopping)
    {
        ChildProcess started;
        try
        {
            started = supervisor.Start(name, role);
        }
        catch (Exception exception) when (exception is Win32Exception or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            Fail($"It could not be started: {exception.Message}");
            return null;
        }
        if (child is null || child.Exited.IsCompleted)
            child = started;
        try
        {
            await Task.WhenAny(started.Ready, started.Exited).WaitAsync(StartTimeout, instance.Time, stopping).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Fail($"It did not become ready within {StartTimeout} and was killed.");
            started.Kill();
            return null;
        }
        if (started.Ready.IsCompletedSuccessfully)
        {
            failedStarts = 0;
            return started;
        }
        Fail(started.Fault ?? supervisor.Describe(started, await started.Exited.ConfigureAwait(false)));
        return null;
    }

    private void Fail(string reason)
    {
        failedStarts++;
        fault = $"Worker process {name} cannot start. {reason}";
        Log.WorkerCannotStart(instance.Log, name, failedStarts, reason);
    }

    private async Task PauseAfterAsync(ChildProcess ended, CancellationToken stopping)
    {
        if (!ended.IsAsked)
        {
            exits++;
            lastExit = supervisor.Describe(ended, await ended.Exited.ConfigureAwait(false));
        }
        deaths = ended.ReadySince is { } since && instance.Time.GetElapsedTime(since) > RestartPause.Healthy ? 1 : deaths + 1;
        await PauseAsync(RestartPause.AfterDeath(deaths, Random.Shared.NextDouble()), stopping).ConfigureAwait(false);
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken stopping)
    {
        isWaiting = true;
        await Task.Delay(pause, instance.Time, stopping).ConfigureAwait(false);
        isWaiting = false;
    }

    private void Answer(bool isReplaced)
    {
        lock (gate)
        {
            foreach (var waiting in replacing)
                waiting.TrySetResult(isReplaced);
            replacing.Clear();
        }
    }
}
