using System.Diagnostics.CodeAnalysis;
using Millrace.Working;

namespace Millrace;

/// <summary>What <see cref="IJob{TData}"/> and <see cref="IJob{TData, TResult}"/> have in common: they can be registered without reflection. Implement one of those, once per class.</summary>
public interface IJobHandler
{
    internal static abstract JobType Describe<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TJob>()
        where TJob : class, IJobHandler;
}

/// <summary>
/// A handler: the code that runs for jobs with this data. Made for each attempt from a fresh scope of the application's services, which are
/// given to its constructor. Returning means success; an exception means: again later, as the retry policy says.
/// </summary>
/// <typeparam name="TData">The data record, marked with <see cref="JobAttribute"/>.</typeparam>
public interface IJob<TData> : IJobHandler
{
    /// <summary>Does the work. It may be called again for the same job, so it must be safe to repeat.</summary>
    /// <param name="job">The job record, its log, and what a handler can ask of Millrace.</param>
    /// <param name="cancellationToken">Asks to stop: shutdown, timeout, cancel, or the lease was lost. <see cref="JobContext.StopReason"/> says which.</param>
    Task RunAsync(JobContext<TData> job, CancellationToken cancellationToken);

    static JobType IJobHandler.Describe<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TJob>() =>
        JobType.OfClass<TJob, TData>();
}

/// <summary>A handler with a result, which is stored as JSON with the attempt and read by <see cref="IJobClient.WaitAsync{TResult}"/>.</summary>
/// <typeparam name="TData">The data record, marked with <see cref="JobAttribute"/>.</typeparam>
/// <typeparam name="TResult">The result.</typeparam>
public interface IJob<TData, TResult> : IJobHandler
{
    /// <inheritdoc cref="IJob{TData}.RunAsync"/>
    Task<TResult> RunAsync(JobContext<TData> job, CancellationToken cancellationToken);

    static JobType IJobHandler.Describe<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TJob>() =>
        JobType.OfClass<TJob, TData, TResult>();
}
