using Millrace.Storage;

namespace Millrace.Cli.Moving;

/// <summary>
/// Moves all that a database holds to another one. What a job is goes first, batch by batch, and can be interrupted; where the jobs stand goes last, in one transaction, and with it the move is over. Nothing can be claimed
/// at the target before.
/// </summary>
internal sealed class Mover(IMoveSource source, IMoveTarget target, IProgress<(long Done, long Skipped)>? progress)
{
    private const int SmallestBatch = 100;
    private const int LargestBatch = 5000;
    private const int BatchSizeInCharacters = 2 * 1024 * 1024;

    private long done;

    /// <summary>How many rows each table holds at the source.</summary>
    public static async Task<IReadOnlyList<MovedCount>> CountAsync(IMoveSource source, CancellationToken cancellationToken)
    {
        var counts = new List<MovedCount>();
        foreach (var table in MovedTable.All)
            counts.Add(new MovedCount(table, await source.CountRowsAsync(table, cancellationToken).ConfigureAwait(false)));
        return counts;
    }

    /// <exception cref="CommandException">The two do not hold the same in the end: the source has changed meanwhile.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var table in MovedTable.All.Where(table => !table.IsPlace))
            await MoveAsync(table, cancellationToken).ConfigureAwait(false);
        var counters = await source.ReadCountersAsync(cancellationToken).ConfigureAwait(false);
        await target.FinishMoveAsync(ReadPlacesAsync(cancellationToken), counters, cancellationToken).ConfigureAwait(false);
    }

    private async Task MoveAsync(MovedTable table, CancellationToken cancellationToken)
    {
        var last = await target.FindLastKeyAsync(table, cancellationToken).ConfigureAwait(false);
        if (last is not null)
            progress?.Report((done += await target.CountRowsAsync(table, cancellationToken).ConfigureAwait(false), 0));
        await CopyAsync(table, last, isCounted: true, cancellationToken).ConfigureAwait(false);
        if (await IsWholeAsync(table, cancellationToken).ConfigureAwait(false))
            return;
        // Rows came before the place where the last run had stopped.
        await CopyAsync(table, null, isCounted: false, cancellationToken).ConfigureAwait(false);
        if (!await IsWholeAsync(table, cancellationToken).ConfigureAwait(false))
            throw CommandException.Conflict($"The table {table.Name} does not hold the same rows here and there: the source has changed since the move began. The jobs have no places at the target yet. Stop what uses the source, and begin again: --restart");
    }

    private async Task<bool> IsWholeAsync(MovedTable table, CancellationToken cancellationToken)
    {
        var (here, there) = (await source.CountRowsAsync(table, cancellationToken).ConfigureAwait(false), await target.CountRowsAsync(table, cancellationToken).ConfigureAwait(false));
        // Processes write the catalogue of types, and that a version is new, whenever they start.
        return table.Name is "job_type" or "deployment" ? there >= here : there == here;
    }

    private async Task CopyAsync(MovedTable table, IReadOnlyList<object?>? after, bool isCounted, CancellationToken cancellationToken)
    {
        await foreach (var rows in ReadAsync(table, after, cancellationToken).ConfigureAwait(false))
        {
            await target.ImportAsync(table, rows, cancellationToken).ConfigureAwait(false);
            if (isCounted)
                progress?.Report((done += rows.Count, 0));
        }
    }

    private async IAsyncEnumerable<MovedRows> ReadPlacesAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var table in MovedTable.All.Where(table => table.IsPlace))
        {
            await foreach (var rows in ReadAsync(table, null, cancellationToken).ConfigureAwait(false))
            {
                yield return new MovedRows(table, rows);
                progress?.Report((done += rows.Count, 0));
            }
        }
    }

    // A row may be a megabyte or a few bytes: batches grow as long as they are light.
    private async IAsyncEnumerable<IReadOnlyList<object?[]>> ReadAsync(MovedTable table, IReadOnlyList<object?>? after, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var limit = SmallestBatch;
        while (true)
        {
            var rows = await source.ExportAsync(table, after, limit, cancellationToken).ConfigureAwait(false);
            if (rows.Count > 0)
                yield return rows;
            if (rows.Count < limit)
                yield break;
            after = [.. rows[^1].Take(table.KeyLength)];
            limit = rows.Sum(SizeOf) < BatchSizeInCharacters ? Math.Min(LargestBatch, limit * 2) : Math.Max(SmallestBatch, limit / 2);
        }
    }

    private static long SizeOf(object?[] row) => row.Sum(value => value is string text ? text.Length : 8L);
}

/// <summary>How many rows a table holds.</summary>
internal sealed record MovedCount(MovedTable Table, long Rows);
