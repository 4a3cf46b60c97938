using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Submitting;

namespace Millrace.Working;

/// <summary>A registered type of job: its stored name, and how to run its handler. Everything generic is bound at registration, so nothing stored is resolved by reflection.</summary>
internal sealed class JobType
{
    /// <summary>Makes the context for one attempt; fails when the stored data is not what the type expects. The testing package looks over its shoulder.</summary>
    public required Func<IAttempt, JobJson, JobContext> MakeContext { get; set; }

    /// <summary>Runs the handler. Gives the result as JSON text, or null.</summary>
    public required Func<JobContext, JobJson, CancellationToken, ValueTask<string?>> Run { get; init; }

    /// <summary>The handler's class; null for a delegate.</summary>
    public required Type? HandlerType { get; init; }

    /// <summary>Makes the handler once to see that its services are there; null for a delegate.</summary>
    public Action<IServiceProvider>? TryMake { get; init; }

    public required Type DataType { get; init; }

    public required string Name { get; init; }

    public IReadOnlyList<string> Aliases { get; init; } = [];

    public JobAttribute? Attribute { get; init; }

    /// <summary>Whether its jobs run alone in a child process.</summary>
    public bool IsIsolated => Attribute?.Isolated == true;

    /// <summary>The retry policy given at registration, between attribute and options.</summary>
    public RetryPolicy? Retry { get; set; }

    /// <summary>The logger of its handler, made when it is first needed.</summary>
    public ILogger? Logger { get; set; }

    public static JobType OfClass<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TJob, TData>()
        where TJob : class, IJobHandler
    {
        var create = ActivatorUtilities.CreateFactory<TJob>([]);
        Func<JobContext<TData>, JobJson, CancellationToken, ValueTask<string?>> run = IsDisposable(typeof(TJob)) ? RunAndDisposeAsync : Run;
        return Of(typeof(TJob), services => TryMakeOnce(create, services), run);

        // Most handlers have nothing to dispose, and those that never wait need no state machine either.
        ValueTask<string?> Run(JobContext<TData> job, JobJson json, CancellationToken cancellationToken) =>
            WithoutResult(((IJob<TData>)(object)create(job.Services, null)).RunAsync(job, cancellationToken));

        async ValueTask<string?> RunAndDisposeAsync(JobContext<TData> job, JobJson json, CancellationToken cancellationToken)
        {
            var handler = create(job.Services, null);
            try
            {
                await ((IJob<TData>)(object)handler).RunAsync(job, cancellationToken).ConfigureAwait(false);
                return null;
            }
            finally
            {
                await DisposeAsync(handler).ConfigureAwait(false);
            }
        }
    }

    public static JobType OfClass<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TJob, TData, TResult>()
        where TJob : class, IJobHandler
    {
        var create = ActivatorUtilities.CreateFactory<TJob>([]);
        return Of<TData>(typeof(TJob), services => TryMakeOnce(create, services), async (job, json, cancellationToken) =>
        {
            var handler = create(job.Services, null);
            try
            {
                var result = await ((IJob<TData, TResult>)(object)handler).RunAsync(job, cancellationToken).ConfigureAwait(false);
                return json.Write(result);
            }
            finally
            {
                await DisposeAsync(handler).ConfigureAwait(false);
            }
        });
    }

    public static JobType OfDelegate<TData>(Func<JobContext<TData>, CancellationToken, Task> handler) =>
        Of<TData>(null, null, (job, _, cancellationToken) => WithoutResult(handler(job, cancellationToken)));

    private static JobType Of<TData>(Type? handlerType, Action<IServiceProvider>? tryMake, Func<JobContext<TData>, JobJson, CancellationToken, ValueTask<string?>> run)
    {
        var attribute = typeof(TData).GetCustomAttribute<JobAttribute>()
            ?? throw new InvalidOperationException(
                $"The data type {typeof(TData)} of a job has no stored name. Mark it with [Job(\"…\")]; the name is what the database keeps, so choose it once.");
        return new JobType
        {
            Name = attribute.Name,
            Aliases = attribute.Aliases,
            Attribute = attribute,
            DataType = typeof(TData),
            HandlerType = handlerType,
            TryMake = tryMake,
            MakeContext = (attempt, json) => new JobContext<TData>(attempt, json.Read<TData>(attempt.Claim.Data)),
            Run = (job, json, cancellationToken) => run((JobContext<TData>)job, json, cancellationToken),
        };
    }

    private static ValueTask<string?> WithoutResult(Task running)
    {
        return running.IsCompletedSuccessfully ? default : AwaitAsync(running);

        static async ValueTask<string?> AwaitAsync(Task running)
        {
            await running.ConfigureAwait(false);
            return null;
        }
    }

    private static bool IsDisposable(Type handler) => handler.IsAssignableTo(typeof(IDisposable)) || handler.IsAssignableTo(typeof(IAsyncDisposable));

    private static void TryMakeOnce<TJob>(ObjectFactory<TJob> create, IServiceProvider services)
    {
        // Some services can only be disposed asynchronously, so a plain using would throw.
        var scope = services.CreateAsyncScope();
        try
        {
            (create(scope.ServiceProvider, null) as IDisposable)?.Dispose();
        }
        finally
        {
            Task.Run(async () => await scope.DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();
        }
    }

    private static ValueTask DisposeAsync(object handler)
    {
        if (handler is IAsyncDisposable asyncDisposable)
            return asyncDisposable.DisposeAsync();
        (handler as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }
}
