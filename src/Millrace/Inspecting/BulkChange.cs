using Millrace.Storage;

namespace Millrace.Inspecting;

/// <summary>A change of all jobs that match a filter, page by page, recorded as one operation. Dashboard and command line both run it.</summary>
internal sealed class BulkChange(IJobStore store)
{
    /// <summary>How many jobs share a transaction.</summary>
    public const int BatchSize = 500;

    // A page may take two seconds, and a search through millions many pages: said in between, the change is not taken for abandoned.
    private const int MostSilentPages = 10;

    /// <summary>Runs it to its end. When <paramref name="cancellationToken"/> says so it stops after the batch at hand, and the operation says how far it came.</summary>
    /// <param name="operation">From <see cref="IJobOperations.BeginAsync"/>.</param>
    /// <param name="filter">Which jobs.</param>
    /// <param name="change">What to do to each.</param>
    /// <param name="upToId">Later jobs are left alone.</param>
    /// <param name="most">How many at most are changed: what the preview counted.</param>
    /// <param name="progress">Told after each batch how many are done and skipped; null for nobody.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<OperationRecord> RunAsync(
        long operation, JobFilter filter, JobChange change, long upToId, long most, IProgress<(long Done, long Skipped)>? progress, CancellationToken cancellationToken)
    {
        string? error = null;
        try
        {
            await ApplyAsync(operation, filter, change, upToId, most, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            error = "It was stopped.";
        }
        catch (StoreException exception)
        {
            error = exception.Message;
        }

        return await store.Operations.EndAsync(operation, error, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task ApplyAsync(
        long operation, JobFilter filter, JobChange change, long upToId, long most, IProgress<(long Done, long Skipped)>? progress, CancellationToken cancellationToken)
    {
        var (done, skipped, after, silent) = (0L, 0L, 0L, 0);
        while (done < most)
        {
            var page = await store.Inspection.ReadMatchesAsync(filter, after, upToId, BatchSize, cancellationToken).ConfigureAwait(false);
            var ids = page.Ids.Take((int)Math.Min(BatchSize, most - done)).ToList();
            silent = ids.Count > 0 ? 0 : silent + 1;
            if (silent == MostSilentPages)
            {
                await store.Operations.ApplyAsync(operation, change, [], cancellationToken).ConfigureAwait(false);
                silent = 0;
            }

            if (ids.Count > 0)
            {
                var answer = await store.Operations.ApplyAsync(operation, change, ids, cancellationToken).ConfigureAwait(false);
                done += answer.Done;
                skipped += answer.Skipped;
                if (answer.Queues.Count > 0)
                    await store.RingAsync(answer.Queues, cancellationToken).ConfigureAwait(false);
                progress?.Report((done, skipped));
                // Somebody ended it from elsewhere, or took it for abandoned while this process stood still.
                if (answer.Done == 0 && await store.Inspection.FindOperationAsync(operation, cancellationToken).ConfigureAwait(false) is { Ended: not null })
                    return;
            }

            // Some of the page were left, in case all before them could be changed.
            if (ids.Count < page.Ids.Count)
                after = ids[^1];
            else if (page.Next is { } next)
                after = next;
            else
                return;
        }
    }
}
