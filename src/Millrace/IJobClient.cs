using System.Data.Common;

namespace Millrace;

/// <summary>
/// Submits jobs and changes what is stored. Safe to use from any thread, and from anywhere in the application. In a flow that holds a
/// <c>WithTransactionAsync</c> on the same database, submissions join its transaction.
/// </summary>
public interface IJobClient
{
    /// <summary>Submits one job. The stored name is that of <typeparamref name="TData"/>'s <see cref="JobAttribute"/>; a handler need not be registered in this process.</summary>
    /// <param name="data">The arguments, serialized as JSON.</param>
    /// <param name="options">Tag, queue, due time and so on; null for none.</param>
    /// <param name="cancellationToken">Stops waiting for the answer. The job may be stored all the same.</param>
    /// <returns>When it returns, the job is durable (inside a transaction: once that commits).</returns>
    /// <exception cref="JobDataException">The data breaks a limit. Nothing was stored.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or a name breaks a limit.</exception>
    /// <exception cref="InvalidScheduleException">The cron expression or the time zone is wrong.</exception>
    /// <exception cref="SubmitException">The database did not store it, or it is not known whether it did.</exception>
    Task<SubmitResult> SubmitAsync<TData>(TData data, JobOptions? options = null, CancellationToken cancellationToken = default)
        where TData : notnull;

    /// <summary>Submits one job by the stored name of its type.</summary>
    /// <param name="type">The name.</param>
    /// <param name="json">The arguments as JSON text; null for <c>null</c>.</param>
    /// <param name="options">Tag, queue, due time and so on; null for none.</param>
    /// <param name="cancellationToken">Stops waiting for the answer. The job may be stored all the same.</param>
    /// <exception cref="UnknownJobTypeException">This process has handlers, but none of this name. See <see cref="MillraceOptions.UnknownTypes"/>.</exception>
    /// <exception cref="JobDataException">The data breaks a limit. Nothing was stored.</exception>
    /// <exception cref="SubmitException">The database did not store it, or it is not known whether it did.</exception>
    Task<SubmitResult> SubmitNamedAsync(string type, string? json = null, JobOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Submits many jobs with the same options, in one transaction: all or none.</summary>
    /// <param name="data">The arguments of each job.</param>
    /// <param name="options">For all of them. With a tag and <see cref="WhenPending"/>, only the first can be created.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>The ids, in the order of the data.</returns>
    Task<IReadOnlyList<SubmitResult>> SubmitManyAsync<TData>(IEnumerable<TData> data, JobOptions? options = null, CancellationToken cancellationToken = default)
        where TData : notnull;

    /// <summary>Submits a stream of jobs with the same options, one transaction for each <paramref name="batchSize"/> of them.</summary>
    /// <param name="data">The arguments of each job.</param>
    /// <param name="options">For all of them.</param>
    /// <param name="batchSize">How many jobs share a transaction. At least 1; 10,000 by default. Those of a failed batch are not stored; those before it are.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>How many jobs were created.</returns>
    Task<long> SubmitManyAsync<TData>(IAsyncEnumerable<TData> data, JobOptions? options = null, int batchSize = 10_000, CancellationToken cancellationToken = default)
        where TData : notnull;

    /// <summary>A client whose submissions are part of the caller's transaction: visible if and only if it commits.</summary>
    /// <param name="transaction">Open, on the database of this instance. The client is good for as long as it is open.</param>
    /// <exception cref="ArgumentException">The transaction has ended, or belongs to another database.</exception>
    IJobClient Using(DbTransaction transaction);

    /// <summary>Cancels a pending job, or asks a running one to stop.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="reason">Why, for the handler and for people; null for none.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    Task<CancelResult> CancelAsync(long jobId, string? reason = null, CancellationToken cancellationToken = default);

    /// <summary>Makes a finished or waiting job run again, from its first attempt.</summary>
    Task<RetryResult> RetryAsync(long jobId, CancellationToken cancellationToken = default);

    /// <summary>Removes a schedule. Jobs that its earlier ticks made stay.</summary>
    /// <param name="name">Its tag, or the name of its type when it was submitted without one.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>False when there was none.</returns>
    Task<bool> CancelScheduleAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Looks a job up. Null when it is not stored, or was removed.</summary>
    Task<JobRecord?> FindAsync(long jobId, CancellationToken cancellationToken = default);

    /// <summary>Waits until a job has finished.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="timeout">How long to wait. <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <param name="cancellationToken">Stops waiting; the job goes on.</param>
    /// <returns>The job as it is stored.</returns>
    /// <exception cref="TimeoutException">It has not finished in time. The job goes on.</exception>
    /// <exception cref="JobNotFoundException">No such job is stored.</exception>
    Task<JobRecord> WaitAsync(long jobId, TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>Waits until a job has succeeded and gives its result.</summary>
    /// <exception cref="JobFailedException">The job finished without success.</exception>
    /// <inheritdoc cref="WaitAsync(long, TimeSpan, CancellationToken)"/>
    Task<TResult?> WaitAsync<TResult>(long jobId, TimeSpan timeout, CancellationToken cancellationToken = default);
}
