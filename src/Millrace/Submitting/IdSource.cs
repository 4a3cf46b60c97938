using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Submitting;

/// <summary>Hands out job ids from blocks of the database's sequence. Blocks grow with demand, so that a busy process asks rarely and a quiet one wastes few.</summary>
internal sealed class IdSource(IJobStore store)
{
    private const int SmallestBlock = 64;
    private const int LargestBlock = 8192;

    private readonly SemaphoreSlim refill = new(1, 1);
    private readonly Lock gate = new();
    private long next;
    private long end;
    private int blockSize = SmallestBlock;

    /// <param name="transaction">The caller's transaction that the job is for; null for none.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async ValueTask<long> NextAsync(DbTransaction? transaction, CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (gate)
            {
                if (next < end)
                    return next++;
            }
            // A refill would wait for the caller's transaction, and its ids are nobody else's before the commit: one, and none to keep.
            if (transaction is not null && store.HasOneWriter)
                return (await store.TakeIdsAsync(1, transaction, cancellationToken).ConfigureAwait(false)).First;
            await RefillAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ids for a bulk, consecutive.</summary>
    public Task<IdBlock> TakeAsync(int count, DbTransaction? transaction, CancellationToken cancellationToken) =>
        store.TakeIdsAsync(count, store.HasOneWriter ? transaction : null, cancellationToken);

    /// <summary>The ids turned out to be somebody else's (after a restore or a failover): forget the rest of the block (rule 20).</summary>
    public void ThrowAway()
    {
        lock (gate)
            next = end = 0;
    }

    private async Task RefillAsync(CancellationToken cancellationToken)
    {
        await refill.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (gate)
            {
                if (next < end)
                    return;
            }
            var block = await store.TakeIdsAsync(blockSize, null, cancellationToken).ConfigureAwait(false);
            blockSize = Math.Min(blockSize * 2, LargestBlock);
            lock (gate)
                (next, end) = (block.First, block.First + block.Count);
        }
        finally
        {
            refill.Release();
        }
    }
}
