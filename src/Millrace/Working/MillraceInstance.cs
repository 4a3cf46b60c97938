using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Notifying;
using Millrace.Processes;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Telemetry;
using Millrace.Tending;

namespace Millrace.Working;

/// <summary>Everything that belongs to one <c>AddMillrace</c>, put together by hand, so that one page shows what there is and who knows whom.</summary>
internal sealed class MillraceInstance : IAsyncDisposable, IDisposable
{
    private readonly MillraceBuilder builder;
    private readonly Lazy<IJobStore> store;
    private readonly SemaphoreSlim preparing = new(1, 1);
    private readonly Lazy<Submitter> submitter;
    private readonly Lazy<IReadOnlyList<TypeDescription>> catalogue;
    private readonly ILoggerFactory loggers;
    private volatile bool isReady;

    public MillraceInstance(IServiceProvider services, MillraceBuilder builder)
    {
        this.builder = builder;
        Services = services;
        Name = builder.Name;
        Time = services.GetRequiredService<TimeProvider>();
        loggers = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        Log = loggers.CreateLogger(Millrace.Telemetry.Log.Category);

        Child = ChildLink.Current is { } link && link.Settings.Instance == Name ? link : null;
        var settings = Settings.Read(services.GetService<IConfiguration>(), builder);
        Faults = [.. settings.Faults];
        Options = settings.Options;
        // In a child every instance but its own only submits.
        Workers = ChildLink.Current is null || Child is not null ? settings.Workers : null;
        Json = new JobJson(Options.Json);
        Types = new TypeRegistry([.. builder.Types, RemoveOldWorkerJobs.TypeFor(this)]);
        Policies = new JobPolicies(Options, Types, settings.Jobs);
        catalogue = new Lazy<IReadOnlyList<TypeDescription>>(() => Working.Catalogue.Of(Types, Policies, Json));
        Writer = new JobWriter(Options, Types, Policies, Json);
        Middleware = builder.Middleware;
        Patiently = new Patiently(Options, Time);
        Telemetry = new MillraceTelemetry(services.GetService<IMeterFactory>());
        store = new Lazy<IJobStore>(CreateStore);
        submitter = new Lazy<Submitter>(() => new Submitter(Store, Options, Time, new Births(this)));
        Client = new JobClient(this);
        Events = new EventFeed(this);
        Runner = new AttemptRunner(this);
        Node = new NodeKeeper(this);
        Idleness = new Idleness(this);
        Promoter = new Promoter(this);
        Ticker = new Ticker(this);
        Solo = new Solo(this);
        Host = new MillraceHost(this);
    }

    public string Name { get; }

    public IServiceProvider Services { get; }

    public TimeProvider Time { get; }

    public ILogger Log { get; }

    public MillraceOptions Options { get; }

    /// <summary>Null: this process only submits.</summary>
    public WorkerOptions? Workers { get; }

    /// <summary>The link to the server that started this process; null in a server.</summary>
    public ChildLink? Child { get; }

    /// <summary>The children of this server; null when it has none, and before the host starts.</summary>
    public Supervisor? Supervisor { get; set; }

    /// <summary>What is known of children that died.</summary>
    public Deaths Deaths { get; } = new();

    /// <summary>Which loop may run a job that must be alone in the process.</summary>
    public Solo Solo { get; }

    /// <summary>What is wrong with the settings, one sentence each.</summary>
    public IReadOnlyList<string> Faults { get; }

    public JobJson Json { get; }

    public TypeRegistry Types { get; }

    public JobPolicies Policies { get; }

    /// <summary>What others can know of the registered types.</summary>
    public IReadOnlyList<TypeDescription> Catalogue => catalogue.Value;

    public JobWriter Writer { get; }

    public IReadOnlyList<Func<IServiceProvider, Func<JobContext, JobDelegate, CancellationToken, Task>>> Middleware { get; }

    public Patiently Patiently { get; }

    public MillraceTelemetry Telemetry { get; }

    public IJobStore Store => store.Value;

    public Submitter Submitter => submitter.Value;

    public JobClient Client { get; }

    public EventFeed Events { get; }

    public AttemptRunner Runner { get; }

    public RunningAttempts Running { get; } = new();

    public WakeUps WakeUps { get; } = new();

    /// <summary>What has ended here, for charts and rates.</summary>
    public StatBook Stats { get; } = new();

    public NodeKeeper Node { get; }

    public Idleness Idleness { get; }

    public Promoter Promoter { get; }

    public Ticker Ticker { get; }

    public MillraceHost Host { get; }

    /// <summary>One for each queue this process works on; empty until the host starts.</summary>
    public IReadOnlyList<QueueLoop> Loops { get; set; } = [];

    /// <summary>The queues this process works on: those that were named, or else "default" and those of the registered types.</summary>
    public IReadOnlyList<string> QueueNames
    {
        get
        {
            if (Workers is null)
                return [];
            return Workers.Queues.Count > 0
                ? [.. Workers.Queues.Keys]
                : [.. Types.Names.Select(Policies.QueueOf).Append(ResolvedPolicy.DefaultQueue).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Jobs run in child processes, not in this one.</summary>
    public bool IsSupervised => Child is null && Workers is { Processes.Count: > 0 };

    /// <summary>There may be something to claim in any queue.</summary>
    public void LookEverywhere()
    {
        foreach (var loop in Loops)
        {
            loop.Wake();
            loop.WakeForSuspect();
        }
    }

    /// <summary>For the lines that children write to their output.</summary>
    public ILogger LoggerOfChildren => loggers.CreateLogger($"{Millrace.Telemetry.Log.Category}.Processes");

    /// <summary>A logger for the handler of a type: under its own category, so that it can be filtered.</summary>
    public ILogger LoggerOf(JobType type) => type.Logger ??= loggers.CreateLogger(type.HandlerType?.FullName ?? $"Millrace.Jobs.{type.Name}");

    /// <summary>The schema was found, or brought, to this version.</summary>
    public bool IsReady => isReady;

    /// <summary>Brings the schema to this version, once, before anything else touches the store.</summary>
    public async Task EnsureReadyAsync(CancellationToken cancellationToken)
    {
        if (isReady)
            return;
        await preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (isReady)
                return;
            await Store.MigrateAsync(Options.SchemaChanges == SchemaChanges.Apply, cancellationToken).ConfigureAwait(false);
            isReady = true;
        }
        finally
        {
            preparing.Release();
        }
    }

    /// <summary>Rings for other processes. A hint: when it fails, they find the job by looking.</summary>
    public async Task RingQuietlyAsync(IReadOnlyCollection<string> queues)
    {
        try
        {
            await Store.RingAsync(queues, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Events.DisposeAsync().ConfigureAwait(false);
        await Node.DisposeAsync().ConfigureAwait(false);
        Telemetry.Dispose();
        if (store.IsValueCreated)
            await store.Value.DisposeAsync().ConfigureAwait(false);
    }

    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();

    private IJobStore CreateStore() =>
        (builder.CreateStore ?? throw new SetupException([$"AddMillrace(\"{Name}\") names no database. Call UseSqlite(\"app.db\") or UsePostgres(connectionString) on the builder."]))(Services, new StoreClock(Time));
}
