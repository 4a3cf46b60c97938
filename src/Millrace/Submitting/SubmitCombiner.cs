using Millrace.Storage;

namespace Millrace.Submitting;

/// <summary>
/// Merges submissions that are made at the same time into one statement and one commit. A submission that finds nobody on the way goes at once; while it is away, others gather
/// and go together. Each caller waits for its own durable answer.
/// </summary>
internal sealed class SubmitCombiner(IJobStore store)
{
    private const int LargestBatch = 1000;

    private readonly Lock gate = new();
    private readonly Queue<Waiting> waiting = new();
    private bool isSending;

    public Task<SubmitAnswer> SubmitAsync(NewJob job)
    {
        var mine = new Waiting(job);
        lock (gate)
        {
            waiting.Enqueue(mine);
            if (isSending)
                return mine.Answer.Task;
            isSending = true;
        }
        _ = SendAllAsync();
        return mine.Answer.Task;
    }

    private async Task SendAllAsync()
    {
        var batch = new List<Waiting>();
        while (true)
        {
            batch.Clear();
            lock (gate)
            {
                while (batch.Count < LargestBatch && waiting.TryDequeue(out var next))
                    batch.Add(next);
                if (batch.Count == 0)
                {
                    isSending = false;
                    return;
                }
            }
            await SendAsync(batch).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(List<Waiting> batch)
    {
        try
        {
            var answers = await store.SubmitAsync([.. batch.Select(each => each.Job)], null, CancellationToken.None).ConfigureAwait(false);
            for (var i = 0; i < batch.Count; i++)
                batch[i].Answer.SetResult(answers[i]);
        }
        catch (StoreException exception) when (exception.Fault == StoreFault.Rejected && batch.Count > 1)
        {
            // One job that the database rejects must not take its neighbours with it (G11): each goes alone.
            foreach (var each in batch)
                await SendAsync([each]).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            foreach (var each in batch)
                each.Answer.SetException(exception);
        }
    }

    private sealed record Waiting(NewJob Job)
    {
        public TaskCompletionSource<SubmitAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
