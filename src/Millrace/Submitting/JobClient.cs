using System.Data.Common;
using System.Diagnostics;
using Millrace.Storage;
using Millrace.Telemetry;
using Millrace.Working;

namespace Millrace.Submitting;

/// <summary>The <see cref="IJobClient"/> of an instance, of one attempt (with a parent), or of one transaction.</summary>
internal sealed class JobClient(MillraceInstance instance, long? parent = null, DbTransaction? transaction = null) : IJobClient
{
    private IJobStore Store => instance.Store;

    // A program may submit before its host has started, or without one: then the tables are made here.
    private async ValueTask PrepareAsync(CancellationToken cancellationToken)
    {
        if (instance.IsReady)
            return;
        try
        {
            await instance.EnsureReadyAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException exception)
        {
            throw new SubmitException(SubmitFault.NotStored, [], exception.Message, exception);
        }
    }

    private Task<TAnswer> AskAsync<TAnswer>(Func<CancellationToken, Task<TAnswer>> operation, CancellationToken cancellationToken) => instance.Patiently.RunAsync(
        async token =>
        {
            await instance.EnsureReadyAsync(token).ConfigureAwait(false);
            return await operation(token).ConfigureAwait(false);
        },
        cancellationToken);

    public async Task<SubmitResult> SubmitAsync<TData>(TData data, JobOptions? options, CancellationToken cancellationToken)
        where TData : notnull
    {
        ArgumentNullException.ThrowIfNull(data);
        options ??= JobOptions.None;
        using var activity = instance.Telemetry.StartSubmit();
        return await SubmitAsync(instance.Writer.Write(data, options, parent), options, activity, cancellationToken).ConfigureAwait(false);
    }

    public async Task<SubmitResult> SubmitNamedAsync(string type, string? json, JobOptions? options, CancellationToken cancellationToken)
    {
        options ??= JobOptions.None;
        var name = instance.Writer.CheckName(type);
        using var activity = instance.Telemetry.StartSubmit();
        return await SubmitAsync(instance.Writer.Write(name, json ?? "null", options, parent), options, activity, cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<SubmitResult>> SubmitManyAsync<TData>(IEnumerable<TData> data, JobOptions? options, CancellationToken cancellationToken)
        where TData : notnull
    {
        ArgumentNullException.ThrowIfNull(data);
        options ??= JobOptions.None;
        RefuseCron(options);
        using var activity = instance.Telemetry.StartSubmit();
        var template = instance.Writer.Template<TData>(options, parent);
        var jobs = new List<NewJob>(data.TryGetNonEnumeratedCount(out var count) ? count : 0);
        foreach (var item in data)
            jobs.Add(instance.Writer.Write(template, item));
        return await SubmitBulkAsync(jobs, cancellationToken).ConfigureAwait(false);
    }

    public async Task<long> SubmitManyAsync<TData>(IAsyncEnumerable<TData> data, JobOptions? options, int batchSize, CancellationToken cancellationToken)
        where TData : notnull
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        options ??= JobOptions.None;
        RefuseCron(options);
        using var activity = instance.Telemetry.StartSubmit();
        var created = 0L;
        var template = instance.Writer.Template<TData>(options, parent);
        var jobs = new List<NewJob>(Math.Min(batchSize, 10_000));
        await foreach (var item in data.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            jobs.Add(instance.Writer.Write(template, item));
            if (jobs.Count < batchSize)
                continue;
            created += Created(await SubmitBulkAsync(jobs, cancellationToken).ConfigureAwait(false));
            // Not cleared: in a transaction the batch is looked at once more when it commits, to wake its queues.
            jobs = new List<NewJob>(jobs.Capacity);
        }
        return created + Created(await SubmitBulkAsync(jobs, cancellationToken).ConfigureAwait(false));
    }

    public IJobClient Using(DbTransaction other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Connection is not { } connection)
            throw new ArgumentException("The transaction has ended: it was committed, rolled back or disposed. Submit while it is open, before the commit.", nameof(other));
        if (!Store.Owns(connection))
            throw new ArgumentException($"The transaction belongs to another database than this instance of Millrace, which keeps its jobs in {Store.Name}. A job can only be part of a transaction on the same database.", nameof(other));
        return new JobClient(instance, parent, other);
    }

    public async Task<CancelResult> CancelAsync(long jobId, string? reason, CancellationToken cancellationToken)
    {
        var result = await AskAsync(token => Store.CancelAsync(jobId, null, Sanitiser.Text(reason, 1000), token), cancellationToken).ConfigureAwait(false);
        if (result == CancelResult.Asked)
            instance.WakeUps.Cancels.Set();
        return result;
    }

    public async Task<RetryResult> RetryAsync(long jobId, CancellationToken cancellationToken)
    {
        var result = await AskAsync(token => Store.RetryAsync(jobId, token), cancellationToken).ConfigureAwait(false);
        if (result == RetryResult.Ready && await Store.FindAsync(jobId, cancellationToken).ConfigureAwait(false) is { } job)
            await RingAsync([job.Queue], cancellationToken).ConfigureAwait(false);
        return result;
    }

    public Task<bool> CancelScheduleAsync(string name, CancellationToken cancellationToken) =>
        AskAsync(token => Store.RemoveScheduleAsync(name, token), cancellationToken);

    public Task<JobRecord?> FindAsync(long jobId, CancellationToken cancellationToken) =>
        AskAsync(token => Store.FindAsync(jobId, token), cancellationToken);

    public async Task<JobRecord> WaitAsync(long jobId, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var began = instance.Time.GetTimestamp();
        // Quick jobs are done within milliseconds; the pause grows with the time already waited, to a quarter of a second.
        for (var pause = TimeSpan.FromMilliseconds(2); ; pause = pause * 1.5 < TimeSpan.FromMilliseconds(250) ? pause * 1.5 : TimeSpan.FromMilliseconds(250))
        {
            var job = await FindAsync(jobId, cancellationToken).ConfigureAwait(false) ?? throw new JobNotFoundException(jobId);
            if (job.IsFinished)
                return job;
            if (timeout != Timeout.InfiniteTimeSpan && instance.Time.GetElapsedTime(began) >= timeout)
            {
                throw new TimeoutException(
                    $"Job {jobId} ({job.Type}) has not finished within {timeout}: it is {job.State.ToString().ToLowerInvariant()}{(job.WaitsFor is null ? "" : $" for {job.WaitsFor}")}, attempt {job.Attempt}. It goes on.");
            }
            await Task.Delay(pause, instance.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<TResult?> WaitAsync<TResult>(long jobId, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var job = await WaitAsync(jobId, timeout, cancellationToken).ConfigureAwait(false);
        return job.State == JobState.Succeeded ? instance.Json.ReadOrDefault<TResult>(job.Result) : throw new JobFailedException(job);
    }

    /// <summary>Submits what was written, and checked, before; in the flow's transaction, if there is one.</summary>
    public Task SubmitWrittenAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken) => SubmitBulkAsync([.. jobs], cancellationToken);

    private async Task<SubmitResult> SubmitAsync(NewJob job, JobOptions options, Activity? activity, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken).ConfigureAwait(false);
        if (options.CronSchedule is not null)
            return await SubmitScheduleAsync(job, options, cancellationToken).ConfigureAwait(false);

        var answer = JoinedTransaction() is { } joined
            ? await instance.Submitter.SubmitAsync(job, joined, cancellationToken).ConfigureAwait(false)
            : await instance.Submitter.SubmitAsync(job, cancellationToken).ConfigureAwait(false);
        activity?.SetTag("millrace.job.id", answer.Id);
        instance.Telemetry.Submitted(job.Type, job.Queue, answer.State is SubmitState.Created or SubmitState.Replaced ? 1 : 0);
        if (answer.Claimed is null)
            WakeUp([job]);
        return ToResult(answer);
    }

    private async Task<IReadOnlyList<SubmitResult>> SubmitBulkAsync(List<NewJob> jobs, CancellationToken cancellationToken)
    {
        if (jobs.Count == 0)
            return [];
        await PrepareAsync(cancellationToken).ConfigureAwait(false);
        var answers = await instance.Submitter.SubmitBulkAsync(jobs, JoinedTransaction(), cancellationToken).ConfigureAwait(false);
        var results = new SubmitResult[answers.Count];
        for (var i = 0; i < results.Length; i++)
            results[i] = ToResult(answers[i]);
        // Neighbours of one kind are counted together: mostly that is all of them.
        for (var (first, i) = (0, 1); i <= jobs.Count; i++)
        {
            if (i < jobs.Count && jobs[i].Type == jobs[first].Type && jobs[i].Queue == jobs[first].Queue)
                continue;
            instance.Telemetry.Submitted(jobs[first].Type, jobs[first].Queue, Created(results.Take(first..i)));
            first = i;
        }
        WakeUp(jobs);
        return results;
    }

    private async Task<SubmitResult> SubmitScheduleAsync(NewJob template, JobOptions options, CancellationToken cancellationToken)
    {
        if (options.Due is not null || options.Delay != TimeSpan.Zero)
            throw new ArgumentException($"A recurring submission of \"{template.Type}\" cannot have a Due or a Delay: its cron expression says when. Nothing was stored.");
        // Parsed before the database is asked for the time, so that a wrong expression is refused at once.
        Tending.CronTimes.Parse(options.CronSchedule!, options.TimeZone);
        // A child's submission belongs to its server: replacing the child must not drop it.
        Guid? owner = options.Persistent ? null : instance.Child is { } child ? child.Server : await instance.Node.EnsureAliveAsync(cancellationToken).ConfigureAwait(false);
        var now = await instance.Patiently.RunAsync(Store.ReadClockAsync, cancellationToken).ConfigureAwait(false);
        var schedule = instance.Writer.WriteSchedule(template, options, now);
        var joined = JoinedTransaction();
        var changed = joined is null
            ? await instance.Patiently.RunAsync(token => Store.PutScheduleAsync(schedule, owner, null, token), cancellationToken).ConfigureAwait(false)
            : await Store.PutScheduleAsync(schedule, owner, joined, cancellationToken).ConfigureAwait(false);
        AfterCommit(instance.WakeUps.Schedules.Set);
        return new SubmitResult(0, changed ? Submitted.Created : Submitted.Kept);
    }

    private DbTransaction? JoinedTransaction()
    {
        if (transaction is not null)
        {
            if (transaction.Connection is null)
                throw new InvalidOperationException("The transaction this client was made for has ended. Submit while it is open, or use a client without a transaction.");
            return transaction;
        }
        return AmbientTransaction.Current is { } ambient && Store.Owns(ambient.Connection) ? ambient.Transaction : null;
    }

    /// <summary>Tells who waits in this process; other processes are told by the store, or by us once a transaction we know of has committed.</summary>
    private void WakeUp(IReadOnlyList<NewJob> jobs)
    {
        var isInTransaction = transaction is not null || AmbientTransaction.Current is not null;
        AfterCommit(() =>
        {
            instance.WakeUps.Submitted(jobs);
            if (isInTransaction)
                _ = instance.RingQuietlyAsync(jobs.Select(job => job.Queue).ToHashSet(StringComparer.Ordinal));
        });
    }

    private void AfterCommit(Action action)
    {
        // A transaction that the caller began by himself gives no sign when it commits: then idle nodes find the job when they next look, within their PollInterval.
        if (transaction is null && AmbientTransaction.Current is { } ambient)
            ambient.WhenCommitted(action);
        else if (transaction is null)
            action();
    }

    private Task RingAsync(IReadOnlyCollection<string> queues, CancellationToken cancellationToken)
    {
        instance.WakeUps.Ready(queues);
        return Store.RingAsync(queues, cancellationToken);
    }

    private static void RefuseCron(JobOptions options)
    {
        if (options.CronSchedule is not null)
            throw new ArgumentException("SubmitManyAsync cannot make schedules. Submit each recurring job by SubmitAsync, with a tag of its own. Nothing was stored.");
    }

    private static long Created(IEnumerable<SubmitResult> results) => results.Count(result => result.Outcome is Submitted.Created or Submitted.Replaced);

    private static SubmitResult ToResult(SubmitAnswer answer) => new(answer.Id, answer.State switch
    {
        SubmitState.Created => Submitted.Created,
        SubmitState.Kept => Submitted.Kept,
        SubmitState.Replaced => Submitted.Replaced,
        _ => Submitted.Postponed,
    });
}
