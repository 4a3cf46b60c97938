namespace Millrace.Storage;

/// <summary>
/// What people may change. Each change is recorded as an operation (the audit) in the same transaction: who, when, what, why, before and after. May be called from any thread; throws
/// <see cref="StoreException"/> alone for a failure of the database, and then nothing of that call was changed.
/// </summary>
public interface IJobOperations
{
    /// <summary>For how long <see cref="UndoAsync"/> can take an operation back.</summary>
    static readonly TimeSpan UndoWindow = TimeSpan.FromMinutes(15);

    /// <summary>How long a change of many jobs may say nothing of itself. After that its process is taken for gone: upkeep, or an undo, ends it with what it has done, and it can be undone from then on.</summary>
    static readonly TimeSpan AbandonedAfter = TimeSpan.FromMinutes(2);

    /// <summary>Changes one job, if it is still as the caller has seen it, and records that.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="change">What to do.</param>
    /// <param name="author">Who, how and why.</param>
    /// <param name="expectedVersion">What <see cref="JobDetail.Version"/> must still be; null to change it however it is.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<ChangeAnswer> ChangeAsync(long jobId, JobChange change, Author author, string? expectedVersion, CancellationToken cancellationToken);

    /// <summary>Records the beginning of a change of many jobs.</summary>
    /// <param name="change">What will be done to each.</param>
    /// <param name="author">Who, how and why.</param>
    /// <param name="target">Which jobs, for people: a filter, or ids.</param>
    /// <param name="expected">How many there are expected to be.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The operation's id.</returns>
    Task<long> BeginAsync(JobChange change, Author author, string target, long expected, CancellationToken cancellationToken);

    /// <summary>Records the beginning of a change of many jobs, once for each claim: whoever asks with the same one again, or at the same moment from another server, is told what the first began.</summary>
    /// <param name="claim">Whoever means the same change says the same. Remembered for as long as the operation is.</param>
    /// <param name="change">What will be done to each.</param>
    /// <param name="author">Who, how and why.</param>
    /// <param name="target">Which jobs, for people: a filter, or ids.</param>
    /// <param name="expected">How many there are expected to be.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The operation, and whether this call began it.</returns>
    Task<BegunOperation> BeginOnceAsync(Guid claim, JobChange change, Author author, string target, long expected, CancellationToken cancellationToken);

    /// <summary>Changes these jobs in one transaction and adds them to the operation. Jobs that cannot be changed are skipped and counted.</summary>
    /// <param name="operation">From <see cref="BeginAsync"/>; one that has ended changes nothing.</param>
    /// <param name="change">The same as at the beginning.</param>
    /// <param name="jobIds">At most 1,000. None only says that the change goes on: to be said more often than <see cref="AbandonedAfter"/>.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<BatchAnswer> ApplyAsync(long operation, JobChange change, IReadOnlyList<long> jobIds, CancellationToken cancellationToken);

    /// <summary>Records the end. From now on it can be undone.</summary>
    /// <param name="operation">From <see cref="BeginAsync"/>.</param>
    /// <param name="error">Why it ended before all was done; null when it did not.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<OperationRecord> EndAsync(long operation, string? error, CancellationToken cancellationToken);

    /// <summary>
    /// Takes back what an operation did, as far as the jobs are still as it left them, in transactions of at most 1,000 jobs each. A cancelled or deleted job goes back to where it was; one that was made ready
    /// and has not begun goes back too; a priority is what it was. Recorded as an operation of its own.
    /// </summary>
    Task<UndoAnswer> UndoAsync(long operation, Author author, CancellationToken cancellationToken);

    /// <summary>Records something that was done by other means: a job submitted by hand, a re-run with edited data.</summary>
    /// <param name="kind">What was done.</param>
    /// <param name="author">Who, how and why.</param>
    /// <param name="target">To what, for people.</param>
    /// <param name="jobId">The job it is about; null for none.</param>
    /// <param name="after">What was made of it, as JSON text; null for nothing to tell.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<long> RecordAsync(OperationKind kind, Author author, string target, long? jobId, string? after, CancellationToken cancellationToken);

    /// <summary>Stops claims from a queue on all nodes, or lets them go on.</summary>
    /// <param name="queue">Its name; it need not be known.</param>
    /// <param name="isPaused">Pause, or resume.</param>
    /// <param name="until">When it resumes by itself; null for when a person says so. Only with a pause.</param>
    /// <param name="author">Who, how and why.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>False when it was so before; nothing is recorded then.</returns>
    Task<bool> PauseQueueAsync(string queue, bool isPaused, DateTimeOffset? until, Author author, CancellationToken cancellationToken);

    /// <summary>Stops the ticks of a schedule, or lets them go on. Ticks that fall into the pause are skipped, whatever its <see cref="MissedTicks"/>.</summary>
    /// <inheritdoc cref="PauseQueueAsync"/>
    /// <returns>Null when there is no such schedule; false when it was so before.</returns>
    Task<bool?> PauseScheduleAsync(string name, bool isPaused, DateTimeOffset? until, Author author, CancellationToken cancellationToken);

    /// <summary>Submits the job of a schedule's tick now. Its ticks stay as they are.</summary>
    /// <param name="name">The schedule.</param>
    /// <param name="job">Made from its template, with an id.</param>
    /// <param name="author">Who, how and why.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The answer of the submission; null when there is no such schedule.</returns>
    Task<SubmitAnswer?> RunScheduleAsync(string name, NewJob job, Author author, CancellationToken cancellationToken);

    /// <summary>Asks a node to claim no more, or lets it go on; a server with all its worker processes, also those that it starts from then on. It learns of it at its next sweep, a sixth of its expiry later at most. What it runs it finishes.</summary>
    /// <returns>Null when no living node has this id; false when it was so before.</returns>
    Task<bool?> DrainAsync(Guid node, bool isDraining, Author author, CancellationToken cancellationToken);

    /// <summary>Deletes what is over: operations older than this, with what they would need to be undone.</summary>
    Task<int> ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken);
}
