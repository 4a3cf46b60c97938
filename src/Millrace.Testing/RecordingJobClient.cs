using System.Data.Common;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Working;

namespace Millrace.Testing;

/// <summary>
/// An <see cref="IJobClient"/> without a store, for unit tests of code that submits. It writes down what it is given and answers that it was created; names, options and data are
/// checked like those of the real one, but tags are not compared and nothing ever runs. Safe to use from any thread.
/// </summary>
public sealed class RecordingJobClient : IJobClient
{
    private readonly Lock gate = new();
    private readonly List<(RecordedJob Job, NewJob Written)> recorded = [];
    private readonly List<long> cancelled = [];
    private readonly JobJson json;
    private readonly JobWriter writer;
    private readonly TimeProvider time;
    private readonly long? parent;

    /// <summary>Makes a client that has recorded nothing.</summary>
    /// <param name="time">Its clock; null for the system's.</param>
    public RecordingJobClient(TimeProvider? time = null)
        : this(time, null)
    {
    }

    internal RecordingJobClient(TimeProvider? time, long? parent)
    {
        this.time = time ?? TimeProvider.System;
        this.parent = parent;
        var options = new MillraceOptions();
        var types = new TypeRegistry([]);
        json = new JobJson(options.Json);
        writer = new JobWriter(options, types, new JobPolicies(options, types, new Dictionary<string, JobPolicy>()), json);
    }

    /// <summary>What was submitted, in order; schedules too.</summary>
    public IReadOnlyList<RecordedJob> Recorded
    {
        get
        {
            lock (gate)
                return [.. recorded.Select(each => each.Job)];
        }
    }

    /// <summary>The ids that were cancelled, in order.</summary>
    public IReadOnlyList<long> Cancelled
    {
        get
        {
            lock (gate)
                return [.. cancelled];
        }
    }

    internal IReadOnlyList<SeenJob> Seen
    {
        get
        {
            lock (gate)
                return [.. recorded.Select(each => SeenJob.Of(each.Written, each.Job.Created))];
        }
    }

    /// <inheritdoc />
    public Task<SubmitResult> SubmitAsync<TData>(TData data, JobOptions? options = null, CancellationToken cancellationToken = default)
        where TData : notnull => Task.FromResult(Record(data, options, null));

    /// <inheritdoc />
    public Task<SubmitResult> SubmitNamedAsync(string type, string? json = null, JobOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= JobOptions.None;
        return Task.FromResult(Record(null, writer.Write(type, json ?? "null", options, parent), options, null));
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<SubmitResult>> SubmitManyAsync<TData>(IEnumerable<TData> data, JobOptions? options = null, CancellationToken cancellationToken = default)
        where TData : notnull
    {
        ArgumentNullException.ThrowIfNull(data);
        return Task.FromResult<IReadOnlyList<SubmitResult>>([.. data.Select(each => Record(each, options, null))]);
    }

    /// <inheritdoc />
    public async Task<long> SubmitManyAsync<TData>(IAsyncEnumerable<TData> data, JobOptions? options = null, int batchSize = 10_000, CancellationToken cancellationToken = default)
        where TData : notnull
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var count = 0L;
        await foreach (var each in data.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            Record(each, options, null);
            count++;
        }
        return count;
    }

    /// <summary>A client whose submissions are recorded here with the transaction.</summary>
    public IJobClient Using(DbTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return new InTransaction(this, transaction);
    }

    /// <summary>Writes the id down.</summary>
    /// <returns><see cref="CancelResult.Cancelled"/> for a job that was recorded and not cancelled before.</returns>
    public Task<CancelResult> CancelAsync(long jobId, string? reason = null, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            var result = !Knows(jobId) ? CancelResult.Unknown : cancelled.Contains(jobId) ? CancelResult.Finished : CancelResult.Cancelled;
            cancelled.Add(jobId);
            return Task.FromResult(result);
        }
    }

    /// <summary>Makes a cancelled job pending again.</summary>
    public Task<RetryResult> RetryAsync(long jobId, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            cancelled.RemoveAll(id => id == jobId);
            return Task.FromResult(Knows(jobId) ? RetryResult.Ready : RetryResult.Unknown);
        }
    }

    /// <summary>Forgets recorded schedules of this name.</summary>
    public Task<bool> CancelScheduleAsync(string name, CancellationToken cancellationToken = default)
    {
        lock (gate)
            return Task.FromResult(recorded.RemoveAll(each => each.Job.Options.CronSchedule is not null && (each.Job.Tag ?? each.Job.Type) == name) > 0);
    }

    /// <summary>A recorded job: ready, scheduled or cancelled, never run.</summary>
    public Task<JobRecord?> FindAsync(long jobId, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            var (job, written) = recorded.FirstOrDefault(each => each.Job.Id == jobId && each.Job.Options.CronSchedule is null);
            if (job is null)
                return Task.FromResult<JobRecord?>(null);
            var due = written.Due ?? job.Created + written.Delay;
            return Task.FromResult<JobRecord?>(new JobRecord
            {
                Id = job.Id,
                Type = job.Type,
                Tag = job.Tag,
                UserId = written.UserId,
                Queue = job.Queue,
                Priority = written.Priority,
                Data = job.Json,
                Due = due,
                Created = job.Created,
                State = cancelled.Contains(jobId) ? JobState.Cancelled : due > time.GetUtcNow() ? JobState.Scheduled : JobState.Ready,
                Attempt = 1,
                Headers = written.Headers,
                Parent = parent,
            });
        }
    }

    /// <summary>Refused: nothing runs here.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public Task<JobRecord> WaitAsync(long jobId, TimeSpan timeout, CancellationToken cancellationToken = default) => throw NothingRuns(jobId);

    /// <summary>Refused: nothing runs here.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public Task<TResult?> WaitAsync<TResult>(long jobId, TimeSpan timeout, CancellationToken cancellationToken = default) => throw NothingRuns(jobId);

    internal Expectation<TData> Expect<TData>(Func<TData, bool>? predicate, string? text, string? tag, string? queue) =>
        new(predicate, text, tag, queue, null, null, null, TimeSpan.Zero, json.Read<TData>);

    internal SubmitResult Record<TData>(TData data, JobOptions? options, DbTransaction? transaction)
        where TData : notnull
    {
        ArgumentNullException.ThrowIfNull(data);
        options ??= JobOptions.None;
        return Record(data, writer.Write(data, options, parent), options, transaction);
    }

    private SubmitResult Record(object? data, NewJob written, JobOptions options, DbTransaction? transaction)
    {
        var now = time.GetUtcNow();
        if (options.CronSchedule is not null)
            writer.WriteSchedule(written, options, now);
        lock (gate)
        {
            written = written with { Id = recorded.Count + 1 };
            recorded.Add((new RecordedJob(written.Id, written.Type, data, written.Data, options, written.Queue, now, transaction), written));
            return new SubmitResult(options.CronSchedule is null ? written.Id : 0, Submitted.Created);
        }
    }

    private bool Knows(long jobId) => recorded.Any(each => each.Job.Id == jobId && each.Job.Options.CronSchedule is null);

    private static InvalidOperationException NothingRuns(long jobId) =>
        new($"Job {jobId} was only recorded: RecordingJobClient runs nothing, so there is nothing to wait for. Use JobTestServer to run jobs.");

    /// <summary>The same client with a transaction.</summary>
    private sealed class InTransaction(RecordingJobClient jobs, DbTransaction transaction) : IJobClient
    {
        public Task<SubmitResult> SubmitAsync<TData>(TData data, JobOptions? options = null, CancellationToken cancellationToken = default)
            where TData : notnull => Task.FromResult(jobs.Record(data, options, transaction));

        public Task<SubmitResult> SubmitNamedAsync(string type, string? json = null, JobOptions? options = null, CancellationToken cancellationToken = default)
        {
            options ??= JobOptions.None;
            return Task.FromResult(jobs.Record(null, jobs.writer.Write(type, json ?? "null", options, jobs.parent), options, transaction));
        }

        public Task<IReadOnlyList<SubmitResult>> SubmitManyAsync<TData>(IEnumerable<TData> data, JobOptions? options = null, CancellationToken cancellationToken = default)
            where TData : notnull => Task.FromResult<IReadOnlyList<SubmitResult>>([.. data.Select(each => jobs.Record(each, options, transaction))]);

        public async Task<long> SubmitManyAsync<TData>(IAsyncEnumerable<TData> data, JobOptions? options = null, int batchSize = 10_000, CancellationToken cancellationToken = default)
            where TData : notnull
        {
            var count = 0L;
            await foreach (var each in data.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                jobs.Record(each, options, transaction);
                count++;
            }
            return count;
        }

        public IJobClient Using(DbTransaction other) => jobs.Using(other);

        public Task<CancelResult> CancelAsync(long jobId, string? reason = null, CancellationToken cancellationToken = default) => jobs.CancelAsync(jobId, reason, cancellationToken);

        public Task<RetryResult> RetryAsync(long jobId, CancellationToken cancellationToken = default) => jobs.RetryAsync(jobId, cancellationToken);

        public Task<bool> CancelScheduleAsync(string name, CancellationToken cancellationToken = default) => jobs.CancelScheduleAsync(name, cancellationToken);

        public Task<JobRecord?> FindAsync(long jobId, CancellationToken cancellationToken = default) => jobs.FindAsync(jobId, cancellationToken);

        public Task<JobRecord> WaitAsync(long jobId, TimeSpan timeout, CancellationToken cancellationToken = default) => jobs.WaitAsync(jobId, timeout, cancellationToken);

        public Task<TResult?> WaitAsync<TResult>(long jobId, TimeSpan timeout, CancellationToken cancellationToken = default) => jobs.WaitAsync<TResult>(jobId, timeout, cancellationToken);
    }
}

/// <summary>One submission to a <see cref="RecordingJobClient"/>.</summary>
/// <param name="Id">Its number, from 1; the id that the submission was answered with.</param>
/// <param name="Type">The stored name of its type.</param>
/// <param name="Data">The data itself; null when it was submitted by name.</param>
/// <param name="Json">The data as it would be stored.</param>
/// <param name="Options">As they were given; empty ones when none were.</param>
/// <param name="Queue">The queue it would go to.</param>
/// <param name="Created">When it was submitted.</param>
/// <param name="Transaction">The transaction it was submitted in; null for none.</param>
public sealed record RecordedJob(long Id, string Type, object? Data, string Json, JobOptions Options, string Queue, DateTimeOffset Created, DbTransaction? Transaction)
{
    /// <summary>Its tag; null for none.</summary>
    public string? Tag => Options.Tag;
}
