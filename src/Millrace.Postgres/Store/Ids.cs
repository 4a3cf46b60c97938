using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Postgres;

internal sealed partial class PostgresStore
{
    // nextval and setval are two steps: the advisory lock lets nobody in between, or two blocks would overlap.
    private const string TakeLock = "select pg_advisory_xact_lock('millrace.job_id'::regclass::oid::integer, 1)";

    private const string TakeIds = "select setval('millrace.job_id', nextval('millrace.job_id') + @count - 1)";

    private const int BlockInTransaction = 512;

    public async Task<IdBlock> TakeIdsAsync(int count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return await WorkAsync("take a block of ids", async session =>
        {
            await using var batch = session.Begin();
            session.Add(batch, TakeLock);
            session.Add(batch, TakeIds, Long("count", count));
            await using var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false);
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var last = reader.GetInt64(0);
            await session.FinishAsync(reader, cancellationToken).ConfigureAwait(false);
            return new IdBlock(last - count + 1, count);
        }, cancellationToken).ConfigureAwait(false);
    }

    // A sequence knows no transactions, and nobody waits for one: the ids need not come from the caller's connection. Each block costs a
    // commit, so a process that submits only in transactions gets more than it asked for.
    public Task<IdBlock> TakeIdsAsync(int count, DbTransaction transaction, CancellationToken cancellationToken) =>
        TakeIdsAsync(count == 1 ? BlockInTransaction : count, cancellationToken);
}
