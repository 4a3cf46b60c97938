using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Submitting;

/// <summary>
/// Merges submissions that are made at the same time into one statement and one commit. A submission that finds nobody on the way goes at once; while it is away, others gather
/// and go together. Each caller waits for its own durable answer.
/// </summary>
internal sealed class SubmitCombiner(IJobStore store, Births births)
{
    private const int LargestBatch = 1000;

    private readonly Lock gate = new();
    private readonly Queue<Waiting> waiting = new();
    private bool isSending;
    private int lastBatch;

    /// <param name="job">The job, with its id.</param>
    /// <param name="cancellationToken">Stops waiting. What is on its way then may be stored still; what was not sent yet never will be, and that is a fault of its own.</param>
    public async Task<SubmitAnswer> SubmitAsync(NewJob job, CancellationToken cancellationToken)
    {
        var mine = new Waiting(job);
        bool isFirst;
        lock (gate)
        {
            waiting.Enqueue(mine);
            isFirst = !isSending;
            isSending = true;
        }
        if (isFirst)
            Start();
        try
        {
            return await mine.Answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested && mine.TryTake())
        {
            // Left in line it would be stored long after its caller was told otherwise, looked for it in vain and submitted it again.
            throw new StoreException(StoreFault.Unavailable, $"{store.Name} has not answered an earlier submission of this process yet, so this one was not sent.", exception);
        }
    }

    /// <summary>
    /// When several callers were answered together a moment ago, the others are about to submit as well: they wait on this thread's own list of work, which comes before the list of all threads. So
    /// the next batch has them all, without a timer, and nobody waits who has nobody to wait for. Without it the callers of every other batch go together, and each commit has half of them.
    /// </summary>
    private void Start()
    {
        if (Volatile.Read(ref lastBatch) > 1)
            ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.SendAllAsync(), this, preferLocal: false);
        else
            _ = SendAllAsync();
    }

    private async Task SendAllAsync()
    {
        while (TakeBatch() is { Count: > 0 } batch)
        {
            lastBatch = batch.Count;
            await SendAsync(batch).ConfigureAwait(false);
            if (batch.Count == 1)
                continue;
            Start();
            return;
        }
    }

    /// <summary>Who is in line. Empty: the next to submit starts the sending.</summary>
    private List<Waiting> TakeBatch()
    {
        var batch = new List<Waiting>();
        lock (gate)
        {
            while (batch.Count < LargestBatch && waiting.TryDequeue(out var next))
            {
                if (next.TryTake())
                    batch.Add(next);
            }
            isSending = batch.Count > 0;
        }
        return batch;
    }

    private async Task SendAsync(List<Waiting> batch)
    {
        NewJob[] jobs = [.. batch.Select(each => each.Job)];
        var birth = births.Reserve(jobs);
        try
        {
            var answers = birth is null
                ? await store.SubmitAsync(jobs, transaction: null, CancellationToken.None).ConfigureAwait(false)
                : await store.SubmitAndClaimAsync(jobs, birth.Claim, CancellationToken.None).ConfigureAwait(false);
            birth?.Answered(jobs, answers);
            birth = null;
            for (var i = 0; i < batch.Count; i++)
                batch[i].Answer.SetResult(answers[i]);
        }
        catch (StoreException exception) when (exception.Fault == StoreFault.Rejected && batch.Count > 1)
        {
            birth?.Failed();
            // One job that the database rejects must not take its neighbours with it (G11): each goes alone.
            foreach (var each in batch)
                await SendAsync([each]).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            birth?.Failed();
            foreach (var each in batch)
                each.Answer.SetException(exception);
        }
    }

    private sealed record Waiting(NewJob Job)
    {
        private int isTaken;

        public TaskCompletionSource<SubmitAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Takes it out of the line: to send it, or to give it up. One of the two.</summary>
        public bool TryTake() => Interlocked.Exchange(ref isTaken, 1) == 0;
    }
}
