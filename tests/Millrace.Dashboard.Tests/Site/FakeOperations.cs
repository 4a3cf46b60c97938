using System.Collections.Concurrent;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Site;

/// <summary>Does nothing and remembers by whom it was asked.</summary>
internal sealed class FakeOperations(string text = "x") : IJobOperations
{
    private readonly ConcurrentDictionary<Guid, byte> claims = new();

    public ConcurrentQueue<(OperationKind Kind, Author Author, string Target)> Asked { get; } = new();

    public ConcurrentQueue<IReadOnlyList<long>> Batches { get; } = new();

    public ChangeResult Result { get; set; } = ChangeResult.Done;

    /// <summary>What every batch waits for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>What every change of one job waits for.</summary>
    public Task Door { get; set; } = Task.CompletedTask;

    /// <summary>How every change of one job fails, after it was noted.</summary>
    public Exception? Fault { get; set; }

    public TaskCompletionSource<string?> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static OperationRecord Record(string text) => new()
    {
        Id = 7, Kind = OperationKind.Retry, At = FakeInspection.Now, Author = new Author(text, text, text), Target = text, JobId = 5, Expected = 3, Done = 2, Skipped = 1, Ended = FakeInspection.Now, Error = text,
        Before = $$"""{"password":"{{text}}"}""", After = $$"""{"note":"{{text}}"}""", UndoUntil = FakeInspection.Now.AddMinutes(15), UndoneBy = 8,
    };

    public async Task<ChangeAnswer> ChangeAsync(long jobId, JobChange change, Author author, string? expectedVersion, CancellationToken cancellationToken)
    {
        Note(change.Kind, author, $"job {jobId} {expectedVersion}");
        await Door.WaitAsync(cancellationToken);
        return Fault is null ? new ChangeAnswer(Result, JobState.Running, "running.3.0", 7) : throw Fault;
    }

    public Task<long> BeginAsync(JobChange change, Author author, string target, long expected, CancellationToken cancellationToken)
    {
        Note(change.Kind, author, target);
        return Task.FromResult(7L);
    }

    public async Task<BegunOperation> BeginOnceAsync(Guid claim, JobChange change, Author author, string target, long expected, CancellationToken cancellationToken) =>
        claims.TryAdd(claim, 0) ? new BegunOperation(await BeginAsync(change, author, target, expected, cancellationToken), IsNew: true) : new BegunOperation(7, IsNew: false);

    public async Task<BatchAnswer> ApplyAsync(long operation, JobChange change, IReadOnlyList<long> jobIds, CancellationToken cancellationToken)
    {
        Batches.Enqueue(jobIds);
        await Gate.WaitAsync(cancellationToken);
        return new BatchAnswer(jobIds.Count, 0, []);
    }

    public Task<OperationRecord> EndAsync(long operation, string? error, CancellationToken cancellationToken)
    {
        Ended.TrySetResult(error);
        return Task.FromResult(Record(text));
    }

    public Task<UndoAnswer> UndoAsync(long operation, Author author, CancellationToken cancellationToken)
    {
        Note(OperationKind.Undo, author, $"operation {operation}");
        return Task.FromResult(new UndoAnswer(UndoResult.Done, 2, 1, 8));
    }

    public Task<long> RecordAsync(OperationKind kind, Author author, string target, long? jobId, string? after, CancellationToken cancellationToken)
    {
        Note(kind, author, $"{target} {after}");
        return Task.FromResult(9L);
    }

    public Task<bool> PauseQueueAsync(string queue, bool isPaused, DateTimeOffset? until, Author author, CancellationToken cancellationToken)
    {
        Note(isPaused ? OperationKind.PauseQueue : OperationKind.ResumeQueue, author, queue);
        return Task.FromResult(true);
    }

    public Task<bool?> PauseScheduleAsync(string name, bool isPaused, DateTimeOffset? until, Author author, CancellationToken cancellationToken)
    {
        Note(isPaused ? OperationKind.PauseSchedule : OperationKind.ResumeSchedule, author, name);
        return Task.FromResult<bool?>(true);
    }

    public Task<SubmitAnswer?> RunScheduleAsync(string name, NewJob job, Author author, CancellationToken cancellationToken)
    {
        Note(OperationKind.RunSchedule, author, name);
        return Task.FromResult<SubmitAnswer?>(new SubmitAnswer(job.Id, SubmitState.Created));
    }

    public Task<bool?> DrainAsync(Guid node, bool isDraining, Author author, CancellationToken cancellationToken)
    {
        Note(isDraining ? OperationKind.Drain : OperationKind.Undrain, author, node.ToString());
        return Task.FromResult<bool?>(true);
    }

    public Task<int> ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken) => Task.FromResult(0);

    private void Note(OperationKind kind, Author author, string target) => Asked.Enqueue((kind, author, target));
}
