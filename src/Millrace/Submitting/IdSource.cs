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

    /// <param name="transaction">The caller's open transaction, in which the job is to be stored; null for none.</param>
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
            // A block taken in a transaction would be gone with its rollback: only what is needed. What comes with it in spite of that is durable, and saves the next ones the way.
            if (transaction is not null)
                return Keep(await store.TakeIdsAsync(1, transaction, cancellationToken).ConfigureAwait(false));
            await RefillAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ids for a bulk, consecutive.</summary>
    public Task<IdBlock> TakeAsync(int count, DbTransaction? transaction, CancellationToken cancellationToken) =>
        transaction is null ? store.TakeIdsAsync(count, cancellationToken) : store.TakeIdsAsync(count, transaction, cancellationToken);

    /// <summary>The ids turned out to be somebody else's (after a restore or a failover): forget the rest of the block (rule 20).</summary>
    public void ThrowAway()
    {
        lock (gate)
            next = end = 0;
    }

    private long Keep(IdBlock block)
    {
        lock (gate)
        {
            if (block.Count > 1 && next >= end)
                (next, end) = (block.First + 1, block.First + block.Count);
        }
        return block.First;
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
            var block = await store.TakeIdsAsync(blockSize, cancellationToken).ConfigureAwait(false);
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
