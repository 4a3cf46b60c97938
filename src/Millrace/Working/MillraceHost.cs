using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Processes;
using Millrace.Storage;
using Millrace.Telemetry;
using Millrace.Tending;

namespace Millrace.Working;

/// <summary>Starts the instance with the application and stops it with it. Its loops are its own, not background services: an exception in one of those can end a host quietly.</summary>
internal sealed class MillraceHost(MillraceInstance instance) : IHostedLifecycleService
{
    // After the token: how long a handler may take to notice.
    private static readonly TimeSpan GraceAfterToken = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource abandoned = new();
    private readonly List<TendingLoop> tending = [];
    private Task work = Task.CompletedTask;
    private Task upkeep = Task.CompletedTask;
    private CancellationTokenRegistration stopSign;

    public IReadOnlyList<TendingLoop> Tending => tending;

    public bool IsStarted { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await SetupCheck.RunAsync(instance, cancellationToken).ConfigureAwait(false);
        if (instance.Workers is not { } workers)
        {
            IsStarted = true;
            return;
        }

        if (instance.Child is null && (instance.IsSupervised || instance.Types.HasIsolated))
        {
            instance.Supervisor = new Supervisor(instance, workers, instance.LoggerOfChildren);
            instance.WakeUps.Elsewhere = instance.Supervisor.Look;
        }
        instance.Loops = instance.IsSupervised ? [] : OpenLoops(workers);
        await instance.Node.EnsureAliveAsync(cancellationToken).ConfigureAwait(false);
        List<ITender> tenders = [new LookOut(instance), instance.Promoter, instance.Ticker, new Sweeper(instance), new CancelWatcher(instance), new Scribe(instance)];
        if (instance.Child is { } link)
            tenders.Add(new RecycleWatch(instance, link, workers));
        foreach (var tender in tenders)
            tending.Add(new TendingLoop(tender, instance));

        work = Task.WhenAll(instance.Loops.Select(loop => Task.Run(() => loop.RunAsync(stopping.Token, abandoned.Token), CancellationToken.None)));
        upkeep = Task.WhenAll(tending.Select(loop => Task.Run(() => loop.RunAsync(stopping.Token), CancellationToken.None)));
        // Claiming ends with the first sign of the stop, before the other hosted services have taken their time to stop.
        stopSign = instance.Services.GetService<IHostApplicationLifetime>()?.ApplicationStopping.Register(stopping.Cancel) ?? default;
        instance.Supervisor?.Start(stopping.Token);
        IsStarted = true;
        if (instance.Child is null)
            await SchedulePruningOrStopAsync(cancellationToken).ConfigureAwait(false);
        Log.Started(
            instance.Log,
            instance.Node.Id,
            instance.Store.Name,
            instance.IsSupervised ? $"{workers.Processes} worker processes" : string.Join(", ", instance.Loops.Select(loop => $"{loop.Concurrency} slots for queue \"{loop.Queue}\"")),
            instance.Types.Names.Count);
    }

    /// <summary>Some of what was added is known only now: an application that is put together by a Startup class is mapped while its web server starts.</summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        List<string> faults = [];
        foreach (var addition in instance.Additions)
            faults.AddRange(await addition.FindFaultsAsync(hasStarted: true).ConfigureAwait(false));
        if (faults.Count == 0)
            return;
        await StopAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        throw new SetupException(faults);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.WhenAll(instance.Additions.Select(addition => addition.StopAsync()));

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>No new claim; the grace time for what runs; then its token; then it goes back without using an attempt; every end is written; the life sign stops last (G8).</summary>
    public Task StopAsync(CancellationToken cancellationToken) => StopAsync(null, cancellationToken);

    /// <param name="grace">Null for <see cref="WorkerOptions.ShutdownGrace"/>.</param>
    /// <param name="cancellationToken">Hurry: what is not written by then is taken back by others.</param>
    public async Task StopAsync(TimeSpan? grace, CancellationToken cancellationToken)
    {
        await stopSign.DisposeAsync().ConfigureAwait(false);
        if (!IsStarted || instance.Workers is not { } workers)
            return;
        IsStarted = false;
        var patience = grace ?? workers.ShutdownGrace;
        Log.Stopping(instance.Log, instance.Running.Count, patience);
        await stopping.CancelAsync().ConfigureAwait(false);
        await using var hurry = cancellationToken.Register(abandoned.Cancel).ConfigureAwait(false);
        var children = instance.Supervisor?.StopAsync(patience, cancellationToken) ?? Task.CompletedTask;

        if (!await IsDoneWithinAsync(patience, cancellationToken).ConfigureAwait(false))
        {
            instance.Running.StopAll(StopReason.Shutdown, "The application is shutting down, and the grace time is over.");
            if (!await IsDoneWithinAsync(GraceAfterToken, cancellationToken).ConfigureAwait(false))
            {
                foreach (var attempt in instance.Running.All)
                    GiveUp(attempt);
                await IsDoneWithinAsync(GraceAfterToken, cancellationToken).ConfigureAwait(false);
                await abandoned.CancelAsync().ConfigureAwait(false);
            }
        }
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // What is not written is listed by our leases; others take it back.
        }
        await children.ConfigureAwait(false);
        await upkeep.ConfigureAwait(false);
        await SaveStatsAsync(cancellationToken).ConfigureAwait(false);
        await instance.Node.DisposeAsync().ConfigureAwait(false);
        Log.Stopped(instance.Log, instance.Loops.Sum(loop => loop.Released));
    }

    /// <summary>The last counts. A stop does not wait for them when the database is away.</summary>
    private async Task SaveStatsAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(GraceAfterToken, instance.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await instance.Stats.SaveAsync(instance.Store, both.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StoreException or OperationCanceledException)
        {
        }
    }

    private List<QueueLoop> OpenLoops(WorkerOptions workers)
    {
        var loops = new List<QueueLoop>();
        var slots = 0;
        foreach (var queue in instance.QueueNames)
        {
            var loop = instance.Solo.IsRule
                ? new QueueLoop(instance, queue, concurrency: 1, window: TimeSpan.Zero, slots)
                : new QueueLoop(instance, queue, ConcurrencyOf(workers, queue), workers.Prefetch, slots);
            slots += loop.Concurrency;
            loops.Add(loop);
        }
        return loops;
    }

    private void GiveUp(Attempt attempt)
    {
        var claim = attempt.Claim;
        var end = attempt.GivenUpEnd(new EndDecision(Outcome.Released, IsCharged: false, TimeSpan.Zero, "The handler did not stop within the grace time at shutdown."));
        if (instance.Loops.FirstOrDefault(loop => loop.Queue == claim.Queue)?.GiveUp(attempt, end) == true)
            Log.GivenUp(instance.Log, claim.JobId, claim.Type, claim.Queue, claim.Attempt);
    }

    private async Task<bool> IsDoneWithinAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        try
        {
            await work.WaitAsync(time, instance.Time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    // The loops have begun by then: jobs in line need not wait for it. A start that fails leaves nothing running.
    private async Task SchedulePruningOrStopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await SchedulePruningAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await StopAsync(TimeSpan.Zero, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private async Task SchedulePruningAsync(CancellationToken cancellationToken)
    {
        if (instance.Options.RemoveOldWorkerJobs is { } cron)
        {
            await instance.Client.SubmitNamedAsync(
                RemoveOldWorkerJobs.TypeName,
                null,
                new JobOptions { CronSchedule = cron, Persistent = true, Tag = RemoveOldWorkerJobs.TypeName, MissedTicks = MissedTicks.Skip, Retry = RetryPolicy.None },
                cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await instance.Store.RemoveScheduleAsync(RemoveOldWorkerJobs.TypeName, cancellationToken).ConfigureAwait(false);
        }
    }

    private static int ConcurrencyOf(WorkerOptions workers, string queue) =>
        workers.Queues.TryGetValue(queue, out var options) && options.Concurrency > 0 ? options.Concurrency : workers.Concurrency;
}
