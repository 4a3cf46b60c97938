using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace;

/// <summary>Sets up one instance of Millrace. Given to the callback of <c>AddMillrace</c>.</summary>
public sealed class MillraceBuilder
{
    internal MillraceBuilder(IServiceCollection services, string name)
    {
        Services = services;
        Name = name;
    }

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The name of this instance, which is also the key of its services; <c>"millrace"</c> unless one was given.</summary>
    public string Name { get; }

    internal Func<IServiceProvider, StoreClock, IJobStore>? CreateStore { get; private set; }

    internal List<JobType> Types { get; } = [];

    internal List<Func<IServiceProvider, Func<JobContext, JobDelegate, CancellationToken, Task>>> Middleware { get; } = [];

    internal List<Action<MillraceOptions>> Options { get; } = [];

    /// <summary>Null: this process only submits.</summary>
    internal List<Action<WorkerOptions>>? Workers { get; private set; }

    /// <summary>Chooses the database. Called by <c>UseSqlite</c> and <c>UsePostgres</c>; the last call wins.</summary>
    /// <param name="create">Makes the store, once, when it is first needed. It must not connect yet.</param>
    public MillraceBuilder UseStore(Func<IServiceProvider, StoreClock, IJobStore> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        CreateStore = create;
        return this;
    }

    /// <summary>Changes the settings, after the configuration has been bound to them.</summary>
    public MillraceBuilder Configure(Action<MillraceOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        Options.Add(configure);
        return this;
    }

    /// <summary>Registers a handler class. Its constructor gets services from a fresh scope for each attempt.</summary>
    /// <typeparam name="TJob">Implements <see cref="IJob{TData}"/> or <see cref="IJob{TData, TResult}"/>, whose data type carries a <see cref="JobAttribute"/>.</typeparam>
    /// <param name="retry">When a failed attempt of this type is tried again; null for <see cref="MillraceOptions.Retry"/>.</param>
    public MillraceBuilder AddJob<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TJob>(RetryPolicy? retry = null)
        where TJob : class, IJobHandler => Add(TJob.Describe<TJob>(), retry);

    /// <summary>Registers a delegate as handler.</summary>
    /// <typeparam name="TData">The data record, marked with <see cref="JobAttribute"/>.</typeparam>
    /// <param name="handler">The work.</param>
    /// <param name="retry">When a failed attempt of this type is tried again; null for <see cref="MillraceOptions.Retry"/>.</param>
    public MillraceBuilder AddJob<TData>(Func<JobContext<TData>, CancellationToken, Task> handler, RetryPolicy? retry = null) =>
        Add(JobType.OfDelegate(handler), retry);

    /// <summary>Registers a delegate as handler, with one service from the attempt's scope.</summary>
    /// <inheritdoc cref="AddJob{TData}(Func{JobContext{TData}, CancellationToken, Task}, RetryPolicy?)"/>
    public MillraceBuilder AddJob<TData, T1>(Func<JobContext<TData>, T1, CancellationToken, Task> handler, RetryPolicy? retry = null)
        where T1 : notnull =>
        Add(JobType.OfDelegate<TData>((job, cancellationToken) => handler(job, job.Services.GetRequiredService<T1>(), cancellationToken)), retry);

    /// <summary>Registers a delegate as handler, with two services from the attempt's scope.</summary>
    /// <inheritdoc cref="AddJob{TData}(Func{JobContext{TData}, CancellationToken, Task}, RetryPolicy?)"/>
    public MillraceBuilder AddJob<TData, T1, T2>(Func<JobContext<TData>, T1, T2, CancellationToken, Task> handler, RetryPolicy? retry = null)
        where T1 : notnull
        where T2 : notnull =>
        Add(
            JobType.OfDelegate<TData>((job, cancellationToken) =>
                handler(job, job.Services.GetRequiredService<T1>(), job.Services.GetRequiredService<T2>(), cancellationToken)),
            retry);

    /// <summary>Runs jobs in this process. Without it the process only submits.</summary>
    /// <param name="configure">Changes the settings, after the configuration section <c>Workers</c> has been bound to them.</param>
    public MillraceBuilder AddWorkers(Action<WorkerOptions>? configure = null)
    {
        Workers ??= [];
        if (configure is not null)
            Workers.Add(configure);
        return this;
    }

    /// <summary>Adds code around every attempt. The first added is the outermost.</summary>
    public MillraceBuilder Use(Func<JobContext, JobDelegate, CancellationToken, Task> middleware)
    {
        ArgumentNullException.ThrowIfNull(middleware);
        Middleware.Add(_ => middleware);
        return this;
    }

    /// <summary>Adds a class around every attempt, made from the attempt's scope. The first added is the outermost.</summary>
    public MillraceBuilder Use<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TMiddleware>()
        where TMiddleware : class, IJobMiddleware
    {
        var create = ActivatorUtilities.CreateFactory<TMiddleware>([]);
        Middleware.Add(services => create(services, null).InvokeAsync);
        return this;
    }

    private MillraceBuilder Add(JobType type, RetryPolicy? retry)
    {
        type.Retry = retry;
        Types.Add(type);
        return this;
    }
}
