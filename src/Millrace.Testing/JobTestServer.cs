using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Testing;

/// <summary>
/// Millrace in a test: the real engine and real SQL on a throw-away database, driven step by step. Nothing runs by itself: no thread, no hosted service, and a clock that stands
/// still until it is moved. So nothing races, and three days of retries take milliseconds.
/// </summary>
/// <remarks>
/// <para>Time passes for a handler that waits with <c>Task.Delay</c> on the server's <see cref="TimeProvider"/>: the clock moves to the end of the wait when the handler has nothing else
/// to do. A handler that waits for something else the clock brings about, such as its timeout, needs <see cref="TestClock.Advance"/> (or <see cref="AdvanceAsync"/>) from outside while it runs.
/// One that waits with the system's clock waits in real time.</para>
/// <para>The built-in job <c>removeOldWorkerJobs</c> is not scheduled, so that a test finds what it looks for; submit it by name to have it run. Drains look at all queues, whatever
/// <see cref="WorkerOptions.Queues"/> names. The server's members are for one flow at a time; calls that overlap wait for each other.</para>
/// </remarks>
public sealed class JobTestServer : IAsyncDisposable
{
    // Nobody renews it, and a test may go through years.
    private static readonly TimeSpan VeryLong = TimeSpan.FromDays(365 * 1000);

    private readonly Sandbox sandbox;
    private readonly ServiceProvider provider;
    private readonly MillraceInstance instance;
    private readonly Timeline timeline;
    private readonly Runner runner;
    private readonly Stepper stepper;
    private readonly SemaphoreSlim gate = new(1, 1);

    private JobTestServer(Sandbox sandbox, ServiceProvider provider, MillraceInstance instance, TestClock clock, Timeline timeline, ConcurrentQueue<long> submitted, JobTestOptions options)
    {
        this.sandbox = sandbox;
        this.provider = provider;
        this.instance = instance;
        this.timeline = timeline;
        Clock = clock;
        runner = new Runner(instance, clock, timeline, submitted, options.LongestRun);
        runner.Watch(instance.Types.Types);
        stepper = new Stepper(instance, clock, timeline, runner);
    }

    /// <summary>The services, those of Millrace among them. Validated for scopes.</summary>
    public IServiceProvider Services => provider;

    /// <summary>The real client.</summary>
    public IJobClient Jobs => instance.Client;

    /// <summary>The clock of everything here: also the application's <see cref="TimeProvider"/>, and the <c>now</c> of every statement.</summary>
    public TestClock Clock { get; }

    internal MillraceInstance Instance => instance;

    internal Timeline History => timeline;

    /// <summary>Starts a server.</summary>
    /// <param name="configure">The same as for <c>AddMillrace</c>. <c>AddWorkers</c> is not needed, and a database that it chooses does not count.</param>
    /// <param name="services">Adds what handlers need. Its <see cref="TimeProvider"/> does not count.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="SetupException">Something is wrong with what was configured. The message lists everything.</exception>
    public static async Task<JobTestServer> StartAsync(Action<MillraceBuilder> configure, Action<IServiceCollection>? services = null, JobTestOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(configure);
        options ??= JobTestOptions.Default;
        var clock = new TestClock(options.Start);
        var timeline = new Timeline(clock.GetUtcNow);
        var submitted = new ConcurrentQueue<long>();
        var sandbox = Sandbox.Make(options);
        ServiceProvider? provider = null;
        try
        {
            var collection = new ServiceCollection();
            collection.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug));
            services?.Invoke(collection);
            collection.AddSingleton<TimeProvider>(clock);
            collection.AddMillrace(builder =>
            {
                configure(builder.AddWorkers());
                sandbox.Choose(builder);
                if (builder.CreateStore is { } create)
                    builder.UseStore((application, storeClock) => WatchedStore.Watch(create(application, storeClock), timeline, submitted));
            });
            provider = collection.BuildServiceProvider(validateScopes: true);
            var instance = provider.GetRequiredKeyedService<MillraceInstance>(MillraceServiceCollectionExtensions.DefaultName);
            await SetupCheck.RunAsync(instance, CancellationToken.None).ConfigureAwait(false);
            await instance.Node.RegisterByHandAsync(VeryLong, CancellationToken.None).ConfigureAwait(false);
            return new JobTestServer(sandbox, provider, instance, clock, timeline, submitted, options);
        }
        catch
        {
            if (provider is not null)
                await provider.DisposeAsync().ConfigureAwait(false);
            await sandbox.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Submits one job and runs it once, whatever its due time and whoever is before it in line. Nothing else runs, not even what it submits.</summary>
    /// <returns>What came out of it. A failure is a result, not an exception.</returns>
    /// <exception cref="ArgumentException">The options make a schedule, or contradict each other.</exception>
    public async Task<JobRun> RunAsync<TData>(TData data, JobOptions? options = null, CancellationToken cancellationToken = default)
        where TData : notnull
    {
        if (options?.CronSchedule is not null)
            throw new ArgumentException("RunAsync runs one job, and a CronSchedule makes none by itself. Submit it with Jobs.SubmitAsync and call AdvanceAsync.", nameof(options));
        using var step = await StepAsync(cancellationToken).ConfigureAwait(false);
        var answer = await Jobs.SubmitAsync(data, options, cancellationToken).ConfigureAwait(false);
        var held = await ClaimAsync(instance.Node.Id, answer.Id, cancellationToken).ConfigureAwait(false);
        return await runner.RunAsync(held, closesLease: true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs the next job that is due now.</summary>
    /// <param name="queue">Of this queue; null for any.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Null when nothing is due.</returns>
    public async Task<JobRun?> RunNextAsync(string? queue = null, CancellationToken cancellationToken = default)
    {
        using var step = await StepAsync(cancellationToken).ConfigureAwait(false);
        var next = await stepper.NextAsync(queue is null ? null : [queue], null, cancellationToken).ConfigureAwait(false);
        return next.Count == 0 ? null : await runner.RunAsync(next[0], closesLease: true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs what is due now, and what that makes due, until nothing is. The clock stands still, unless a handler waits on it.</summary>
    /// <exception cref="JobAssertionException">There are more runs than <see cref="DrainOptions.MaxRuns"/>, or one failed and <see cref="DrainOptions.ThrowOnFailure"/> is set.</exception>
    public async Task<RunReport> DrainAsync(DrainOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var step = await StepAsync(cancellationToken).ConfigureAwait(false);
        var from = Clock.Now;
        var runs = new List<JobRun>();
        await stepper.DrainAsync(options ?? DrainOptions.Default, runs, cancellationToken).ConfigureAwait(false);
        return new RunReport(from, Clock.Now, runs);
    }

    /// <summary>Lets time pass: the clock stops wherever something is due (a delayed job, a retry, a tick of a schedule, a timer) and everything due is run to its end before it goes on.</summary>
    /// <param name="time">Zero or more. A handler that waits on the clock can make it more.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="JobAssertionException">There are more runs than <see cref="DrainOptions.MaxRuns"/>, or one failed and <see cref="DrainOptions.ThrowOnFailure"/> is set.</exception>
    public Task<RunReport> AdvanceAsync(TimeSpan time, DrainOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        return AdvanceToAsync(Clock.Now + time, options, cancellationToken);
    }

    /// <summary>Lets time pass until the clock shows this time. See <see cref="AdvanceAsync"/>.</summary>
    public async Task<RunReport> AdvanceToAsync(DateTimeOffset time, DrainOptions? options = null, CancellationToken cancellationToken = default)
    {
        var from = Clock.Now;
        var runs = new List<JobRun>();
        if (!await PassTimeForOthersAsync(time, cancellationToken).ConfigureAwait(false))
            return new RunReport(from, Clock.Now, runs);
        using var step = new Step(gate);
        await stepper.AdvanceAsync(time, options ?? DrainOptions.Default, runs, cancellationToken).ConfigureAwait(false);
        return new RunReport(from, Clock.Now, runs);
    }

    /// <summary>Claims the next job that is due, on a node of its own, which dies before the handler begins.</summary>
    /// <param name="queue">Of this queue; null for any.</param>
    /// <remarks>On PostgreSQL the job is running, as far as anybody can tell, until the node's expiry is over: <c>AdvanceAsync</c> by more than 1.5 times <see cref="WorkerOptions.NodeExpiry"/> (45 seconds by default) takes it back and runs it again. On SQLite the next drain does.</remarks>
    /// <exception cref="InvalidOperationException">Nothing is due.</exception>
    public Task<Crash> CrashAfterClaimAsync(string? queue = null) => CrashAsync(node => NextAsync(node, queue), runsHandler: false);

    /// <summary>Submits a job, and claims it on a node of its own, which dies before the handler begins. See <see cref="CrashAfterClaimAsync(string?)"/>.</summary>
    public Task<Crash> CrashAfterClaimAsync<TData>(TData data, JobOptions? options = null)
        where TData : notnull => CrashAsync(node => SubmitAsync(node, data, options), runsHandler: false);

    /// <summary>Runs the next job that is due, on a node of its own, which dies when the handler has ended and before its end is written. What the handler itself committed stays.</summary>
    /// <inheritdoc cref="CrashAfterClaimAsync(string?)"/>
    public Task<Crash> CrashAfterRunAsync(string? queue = null) => CrashAsync(node => NextAsync(node, queue), runsHandler: true);

    /// <summary>Submits a job and runs it on a node of its own, which dies when the handler has ended and before its end is written. See <see cref="CrashAfterRunAsync(string?)"/>.</summary>
    public Task<Crash> CrashAfterRunAsync<TData>(TData data, JobOptions? options = null)
        where TData : notnull => CrashAsync(node => SubmitAsync(node, data, options), runsHandler: true);

    /// <summary>What happened on this server so far, in order, with the times of its clock.</summary>
    public string Dump() => timeline.ToString();

    /// <summary>Stops the server and removes its database.</summary>
    public async ValueTask DisposeAsync()
    {
        await provider.DisposeAsync().ConfigureAwait(false);
        await sandbox.DisposeAsync().ConfigureAwait(false);
        gate.Dispose();
    }

    private async Task<Crash> CrashAsync(Func<Guid, Task<HeldClaim>> claim, bool runsHandler)
    {
        using var step = await StepAsync(CancellationToken.None).ConfigureAwait(false);
        using var node = await DoomedNode.StartAsync(instance).ConfigureAwait(false);
        var held = await claim(node.Id).ConfigureAwait(false);
        Exception? exception = null;
        if (runsHandler)
            exception = (await runner.RunHandlerAsync(held, CancellationToken.None).ConfigureAwait(false)).Run.Failure;
        node.Dispose();
        stepper.NodeDied();
        timeline.Add($"the node that {(runsHandler ? "had run" : "held")} job {held.Claim.JobId} ({held.Claim.Type}, attempt {held.Claim.Attempt}) died");
        var job = await instance.Store.FindAsync(held.Claim.JobId, CancellationToken.None).ConfigureAwait(false);
        return new Crash(node.Id, held.Claim.JobId, held.Claim.Attempt, held.Claim.Run, job, exception);
    }

    private async Task<HeldClaim> NextAsync(Guid node, string? queue)
    {
        var next = await stepper.NextAsync(node, queue is null ? null : [queue], null, CancellationToken.None).ConfigureAwait(false);
        return next.Count > 0 ? next[0] : throw new InvalidOperationException($"No job is due{(queue is null ? "" : $" in queue \"{queue}\"")}, so none can be claimed.{timeline.Tail()}");
    }

    private async Task<HeldClaim> SubmitAsync<TData>(Guid node, TData data, JobOptions? options)
        where TData : notnull
    {
        var answer = await Jobs.SubmitAsync(data, options).ConfigureAwait(false);
        return await ClaimAsync(node, answer.Id, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Claims this very job, past everybody who stands before it.</summary>
    private async Task<HeldClaim> ClaimAsync(Guid node, long jobId, CancellationToken cancellationToken)
    {
        var job = await instance.Store.FindAsync(jobId, cancellationToken).ConfigureAwait(false) ?? throw new JobNotFoundException(jobId);
        if (job.State is JobState.Scheduled or JobState.Waiting)
        {
            await instance.Store.RetryAsync(jobId, cancellationToken).ConfigureAwait(false);
            job = job with { Due = Clock.Now };
        }
        // A job's place in its priority is its due time in microseconds: the claim goes on from just before it.
        var pass = (job.Due - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var claims = await runner.ClaimAsync(node, job.Queue, 1, isForSuspect: false, new ClaimCursor(job.Priority, pass, jobId - 1), cancellationToken).ConfigureAwait(false);
        if (claims is [var held] && held.Claim.JobId == jobId)
            return held;
        foreach (var other in claims)
            await runner.ReleaseAsync(other, cancellationToken).ConfigureAwait(false);
        throw new InvalidOperationException($"Job {jobId} ({job.Type}, queue {job.Queue}) cannot be run: it is {job.State.ToString().ToLowerInvariant()}. Has this server a handler for it, and is its queue open?{timeline.Tail()}");
    }

    private async Task<Step> StepAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Step(gate);
    }

    /// <summary>While a run that another call began is waiting for the clock, moves it from timer to timer.</summary>
    /// <returns>True with the gate taken; false when the time is there and the run still goes on.</returns>
    private async Task<bool> PassTimeForOthersAsync(DateTimeOffset target, CancellationToken cancellationToken)
    {
        var quietTime = TimeSpan.FromMilliseconds(5);
        while (!await gate.WaitAsync(quietTime, cancellationToken).ConfigureAwait(false))
        {
            if (Clock.Now >= target)
                return false;
            Clock.AdvanceTo(Clock.NextTimer() is { } timer && timer < target ? timer : target);
        }
        return true;
    }

    private readonly struct Step(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
