using System.Data.Common;
using Microsoft.Extensions.Logging;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace;

/// <summary>One attempt at a job, as its handler and the middleware see it: the job record, its log, and what can be asked of Millrace. Good until the attempt ends.</summary>
public abstract class JobContext
{
    private readonly IAttempt attempt;

    private protected JobContext(IAttempt attempt) => this.attempt = attempt;

    /// <summary>What stands behind it; for the testing package.</summary>
    internal IAttempt Source => attempt;

    private Claim Claim => attempt.Claim;

    /// <summary>A log whose scope carries the job's id, type, tag, attempt and user. Its lines, like those of any other logger in this flow, are also kept with the attempt.</summary>
    public ILogger Log => attempt.Log;

    /// <summary>The services of this attempt's scope.</summary>
    public IServiceProvider Services => attempt.Services;

    /// <summary>The job's id.</summary>
    public long Id => Claim.JobId;

    /// <summary>The stored name of its type.</summary>
    public string Type => Claim.Type;

    /// <summary>Its tag; null for none.</summary>
    public string? Tag => Claim.Tag;

    /// <summary>Whose job it is; 0 is the system.</summary>
    public long UserId => Claim.UserId;

    /// <summary>The queue it came from.</summary>
    public string Queue => Claim.Queue;

    /// <summary>Which attempt this is, from 1. Runs that the policy does not charge (a snooze, a release at shutdown) repeat the number.</summary>
    public int Attempt => Claim.Attempt;

    /// <summary>How many attempts the job has in all.</summary>
    public int MaxAttempts => attempt.MaxAttempts;

    /// <summary>Grows with every run of this job and is never used twice. Give it to outside systems that can refuse a smaller number than they have seen. After a database was restored from a backup it may repeat.</summary>
    public long Fence => Claim.Run;

    /// <summary>When the job was due, for a recurring one the tick's time. By the database's clock.</summary>
    public DateTimeOffset Due => Claim.Due;

    /// <summary>When the job was submitted, by the database's clock.</summary>
    public DateTimeOffset Created => Claim.Created;

    /// <summary>The job whose attempt submitted this one; null for none.</summary>
    public long? Parent => Claim.Parent;

    /// <summary>What the submission put into <see cref="JobOptions.Headers"/>. Empty for none.</summary>
    public IReadOnlyDictionary<string, string> Headers => attempt.Headers;

    /// <summary>Why the token was cancelled; <see cref="StopReason.None"/> while it was not.</summary>
    public StopReason StopReason => attempt.StopReason;

    /// <summary>Who asked to stop and why, in words; null while nobody did.</summary>
    public string? StopMessage => attempt.StopMessage;

    /// <summary>Submits another job at once, with this one as its parent. It is stored even if this attempt fails later. Inside a <see cref="WithTransactionAsync(Func{DbTransaction, CancellationToken, Task}, CancellationToken)"/> it joins that transaction.</summary>
    public Task<SubmitResult> SubmitAsync<TNext>(TNext data, JobOptions? options = null, CancellationToken cancellationToken = default)
        where TNext : notnull => attempt.Jobs.SubmitAsync(data, options, cancellationToken);

    /// <summary>Submits another job in the same commit that completes this one: the next link of a chain. Dropped when this attempt does not succeed.</summary>
    public void Then<TNext>(TNext data, JobOptions? options = null)
        where TNext : notnull => attempt.Then(data, options);

    /// <summary>
    /// Says how far the attempt is, to whoever looks at the job and, for a user's job, to who listens to that user's events (<see cref="IJobEvents"/>). Written at most once a
    /// second; of what came too soon the last word is written within a few seconds, while the attempt runs.
    /// </summary>
    /// <param name="percent">0 to 100; values outside are moved to the nearest end.</param>
    /// <param name="message">What it is doing; null for nothing to say. Cut at 1,000 bytes.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task ReportProgressAsync(double percent, string? message = null, CancellationToken cancellationToken = default) =>
        attempt.ReportProgressAsync(percent, message, cancellationToken);

    /// <summary>
    /// Tells a user something at once: whoever listens to that user's events (<see cref="IJobEvents"/>), in any process, gets it. It is not kept for users who are away: after
    /// about 10 minutes it is gone. When this returns it is committed, whatever becomes of the attempt; an attempt that is repeated tells it again, and so does one that has lost
    /// its job and does not know yet. In a flow that holds a <c>WithTransactionAsync</c> or <see cref="CompleteInTransactionAsync"/> on this database it is raised after
    /// the commit, and not at all after a rollback; should the process or the database fail between the two, it is lost.
    /// </summary>
    /// <param name="userId">Whom to tell. 0 is the system.</param>
    /// <param name="message">At most 4,096 bytes in UTF-8. Control characters are made visible.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ArgumentException">The message is too long. Nothing was raised.</exception>
    public Task NotifyUserAsync(long userId, string message, CancellationToken cancellationToken = default) =>
        attempt.NotifyUserAsync(userId, message, cancellationToken);

    /// <summary>
    /// Does a step once per job, over all its attempts: the step's value is stored, and a later attempt gets the stored value instead of running the step again. If the process
    /// dies between the step and the storing, the step runs again; for writes in the same database use the overload with a transaction, which has no such gap.
    /// </summary>
    /// <param name="key">The step's name within the job, at most 200 bytes.</param>
    /// <param name="step">The step.</param>
    /// <param name="cancellationToken">Given to the step.</param>
    public Task<TValue> OnceAsync<TValue>(string key, Func<CancellationToken, Task<TValue>> step, CancellationToken cancellationToken = default) =>
        attempt.OnceAsync(key, step, cancellationToken);

    /// <summary>Does a step once per job, over all its attempts. See <see cref="OnceAsync{TValue}"/>.</summary>
    public Task OnceAsync(string key, Func<CancellationToken, Task> step, CancellationToken cancellationToken = default) =>
        attempt.OnceAsync(
            key,
            async token =>
            {
                await step(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <summary>Does a step once per job in a transaction on this database: its writes and the note that it was done commit together, so it takes effect exactly once.</summary>
    /// <param name="key">The step's name within the job, at most 200 bytes.</param>
    /// <param name="step">Writes through the transaction. Runs again when the transaction met a conflict.</param>
    /// <param name="cancellationToken">Given to the step.</param>
    public Task OnceInTransactionAsync(string key, Func<DbTransaction, CancellationToken, Task> step, CancellationToken cancellationToken = default) =>
        attempt.OnceInTransactionAsync(key, step, cancellationToken);

    /// <summary>Runs several writes as one serializable transaction on a connection of the handlers' pool, and repeats it when it met a conflict. See <see cref="TransactionExtensions"/>.</summary>
    public Task WithTransactionAsync(Func<DbTransaction, CancellationToken, Task> work, CancellationToken cancellationToken = default) =>
        attempt.Database.WithTransactionAsync(work, cancellationToken: cancellationToken);

    /// <inheritdoc cref="WithTransactionAsync(Func{DbTransaction, CancellationToken, Task}, CancellationToken)"/>
    public Task<TValue> WithTransactionAsync<TValue>(Func<DbTransaction, CancellationToken, Task<TValue>> work, CancellationToken cancellationToken = default) =>
        attempt.Database.WithTransactionAsync(work, cancellationToken: cancellationToken);

    /// <summary>
    /// Runs the job's last writes in a transaction that also completes the job: both are committed or neither, exactly once. When it returns the job is complete; an
    /// exception after that is logged and changes nothing. What was given to <see cref="Then{TNext}"/> before is submitted in the same transaction. The result of an
    /// <see cref="IJob{TData, TResult}"/> is not stored, because the job is complete before the handler returns it.
    /// </summary>
    /// <param name="work">Writes through the transaction. Runs again when the transaction met a conflict and the job is still this attempt's.</param>
    /// <param name="cancellationToken">Given to the work.</param>
    /// <exception cref="LeaseLostException">The job was taken back meanwhile. Everything the work wrote was rolled back.</exception>
    /// <exception cref="InvalidOperationException">It was called before in this attempt.</exception>
    public Task CompleteInTransactionAsync(Func<DbTransaction, CancellationToken, Task> work, CancellationToken cancellationToken = default) =>
        attempt.CompleteInTransactionAsync(work, cancellationToken);

    /// <summary>To throw: end this attempt and run the job again after a delay. No attempt is used.</summary>
    /// <param name="delay">Zero or more, at most 366 days.</param>
    public EndAttemptException Snooze(TimeSpan delay)
    {
        if (delay < TimeSpan.Zero || delay > TimeSpan.FromDays(366))
            throw new ArgumentOutOfRangeException(nameof(delay), delay, $"Job {Id} ({Type}) cannot snooze for {delay}: it must be zero to 366 days.");
        return new EndAttemptException(Outcome.Snoozed, delay, "The handler snoozed the job.");
    }

    /// <summary>To throw: end the job as cancelled. It will not run again.</summary>
    public EndAttemptException Cancel(string reason) => new(Outcome.Cancelled, TimeSpan.Zero, reason);

    /// <summary>To throw: give the job up. It ends as discarded, whatever attempts are left.</summary>
    public EndAttemptException Discard(string reason) => new(Outcome.Discarded, TimeSpan.Zero, reason);
}

/// <summary>One attempt at a job with data of type <typeparamref name="TData"/>.</summary>
public sealed class JobContext<TData> : JobContext
{
    internal JobContext(IAttempt attempt, TData data) : base(attempt) => Data = data;

    /// <summary>The arguments that were submitted.</summary>
    public TData Data { get; }
}

/// <summary>Ends an attempt in another way than success or failure. Made by <see cref="JobContext.Snooze"/>, <see cref="JobContext.Cancel"/> and <see cref="JobContext.Discard"/>, and thrown by the handler.</summary>
public sealed class EndAttemptException : Exception
{
    internal EndAttemptException(Outcome outcome, TimeSpan delay, string reason) : base(reason)
    {
        Outcome = outcome;
        Delay = delay;
    }

    /// <summary>How the attempt ends.</summary>
    public Outcome Outcome { get; }

    /// <summary>For a snooze: how long until the job is due again.</summary>
    public TimeSpan Delay { get; }
}
