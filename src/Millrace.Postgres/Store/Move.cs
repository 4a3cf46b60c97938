using Millrace.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Millrace.Postgres;

// A database is moved to here, when an application has outgrown its SQLite file. The table move stands while a move has begun and not ended:
// whoever finds it knows that the jobs beside it have no places yet.
internal sealed partial class PostgresStore : IMoveTarget
{
    private const string HasMove = "select to_regclass(@table) is not null";

    private const string ReadMove = "select source from millrace.move";

    // Tables that nothing else fills before the first node comes. A node writes the catalogue of types, and that is no obstacle.
    private const string IsTaken = """
        select exists (select from millrace.job) or exists (select from millrace.schedule where type <> 'removeOldWorkerJobs')
        """;

    private const string MakeMove = """
        create table millrace.move (source text not null)
        """;

    private const string MarkMove = "insert into millrace.move (source) values (@source)";

    private const string DropMove = "drop table if exists millrace.move";

    // setval may only go on: blocks of ids that this database has given already stay given.
    private const string AdvanceCounters = """
        select setval('millrace.job_id', greatest(@next_job, (select last_value from millrace.job_id) + 1), false),
               setval('millrace.operation_id', greatest(@next_operation, (select last_value from millrace.operation_id) + 1), false)
        """;

    public Task<string?> ReadMoveAsync(CancellationToken cancellationToken) =>
        WorkAsync("look for an unfinished move", session => ReadMoveAsync(session.Connection, cancellationToken), cancellationToken);

    public Task<bool> BeginMoveAsync(string source, CancellationToken cancellationToken) => WorkAsync("begin the move", async session =>
    {
        if (await ReadMoveAsync(session.Connection, cancellationToken).ConfigureAwait(false) is { } begun)
            return begun == source;
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        await using (var taken = Command(session.Connection, IsTaken))
        {
            if (await taken.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true)
            {
                await ExecuteAsync(session.Connection, "rollback", [], cancellationToken).ConfigureAwait(false);
                return false;
            }
        }

        await ExecuteAsync(session.Connection, MakeMove, [], cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(session.Connection, MarkMove, [Text("source", source)], cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }, cancellationToken);

    public Task AbandonMoveAsync(CancellationToken cancellationToken) => WorkAsync("take the move back", async session =>
    {
        if (await ReadMoveAsync(session.Connection, cancellationToken).ConfigureAwait(false) is null)
            return false;
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        // The catalogue of types is everybody's: a node may have written it meanwhile.
        foreach (var table in MovedTable.All.Where(table => table is { IsPlace: false, Name: not "job_type" }))
            await ExecuteAsync(session.Connection, $"delete from {NameOf(table)}", [], cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(session.Connection, DropMove, [], cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }, cancellationToken);

    public Task<long> CountRowsAsync(MovedTable table, CancellationToken cancellationToken) => WorkAsync("count what was moved", async session =>
        await OneAsync<long>(session.Connection, $"select count(*) from {NameOf(table)}", [], cancellationToken).ConfigureAwait(false) ?? 0, cancellationToken);

    public Task<IReadOnlyList<object?>?> FindLastKeyAsync(MovedTable table, CancellationToken cancellationToken)
    {
        // Texts have another order in each database; numbers have one.
        if (table.Key.Any(column => column.Kind != MovedKind.Number))
            return Task.FromResult<IReadOnlyList<object?>?>(null);
        var key = table.Key.Select(column => $"\"{column.Name}\"").ToList();
        var text = $"select {string.Join(", ", key)} from {NameOf(table)} order by {string.Join(", ", key.Select(name => name + " desc"))} limit 1";
        return WorkAsync<IReadOnlyList<object?>?>("look how far the move is", async session =>
            (await ReadAsync(session.Connection, text, [], reader => (IReadOnlyList<object?>)[.. key.Select((_, i) => (object?)Convert.ToInt64(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))], cancellationToken).ConfigureAwait(false)).FirstOrDefault(),
            cancellationToken);
    }

    public Task ImportAsync(MovedTable table, IReadOnlyList<object?[]> rows, CancellationToken cancellationToken) => WorkAsync("store moved rows", async session =>
    {
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        var stored = await ImportAsync(session.Connection, table, rows, cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return stored;
    }, cancellationToken);

    public Task<long> FinishMoveAsync(IAsyncEnumerable<MovedRows> places, MoveCounters counters, CancellationToken cancellationToken) => WorkAsync("end the move", async session =>
    {
        var stored = 0L;
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var some in places.WithCancellation(cancellationToken).ConfigureAwait(false))
            stored += await ImportAsync(session.Connection, some.Table, some.Rows, cancellationToken).ConfigureAwait(false);
        await ReadAsync(session.Connection, AdvanceCounters, [Long("next_job", counters.NextJob), Long("next_operation", counters.NextOperation)], static _ => 0, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(session.Connection, DropMove, [], cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return stored;
    }, cancellationToken);

    private async Task<string?> ReadMoveAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var isThere = await OneAsync<bool>(connection, HasMove, [Text("table", schema + ".move")], cancellationToken).ConfigureAwait(false);
        return isThere == true ? (await ReadAsync(connection, ReadMove, [], static reader => reader.GetString(0), cancellationToken).ConfigureAwait(false)).FirstOrDefault() : null;
    }

    // One array for each column: the text of the statement does not depend on how many rows there are.
    private async Task<int> ImportAsync(NpgsqlConnection connection, MovedTable table, IReadOnlyList<object?[]> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
            return 0;
        var columns = table.Columns;
        var text = $"""
            insert into {NameOf(table)} ({string.Join(", ", columns.Select(column => $"\"{column.Name}\""))})
            select {string.Join(", ", columns.Select((column, i) => column.Kind == MovedKind.List ? ListOf($"m.c{i}", column) : $"m.c{i}"))}
            from unnest({string.Join(", ", columns.Select((_, i) => $"@c{i}"))}) as m ({string.Join(", ", columns.Select((_, i) => $"c{i}"))})
            on conflict do nothing
            """;
        return await ExecuteAsync(connection, text, [.. columns.Select((column, i) => ToArray($"c{i}", column.Kind, [.. rows.Select(row => row[i])]))], cancellationToken).ConfigureAwait(false);
    }

    private string NameOf(MovedTable table) => $"{schema}.\"{table.Name}\"";

    private static string ListOf(string value, MovedColumn column)
    {
        var type = column.Name switch { "aliases" => "text", "job_ids" or "passes" => "bigint", _ => "integer" };
        return $"array(select e.item::{type} from json_array_elements_text({value}::json) with ordinality e (item, place) order by e.place)";
    }

    private static NpgsqlParameter ToArray(string name, MovedKind kind, object?[] values) => kind switch
    {
        MovedKind.Number => new NpgsqlParameter(name, NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = values.Cast<long?>().ToArray() },
        MovedKind.Real => new NpgsqlParameter(name, NpgsqlDbType.Array | NpgsqlDbType.Double) { Value = values.Cast<double?>().ToArray() },
        MovedKind.Truth => new NpgsqlParameter(name, NpgsqlDbType.Array | NpgsqlDbType.Boolean) { Value = values.Cast<bool?>().ToArray() },
        MovedKind.Time => new NpgsqlParameter(name, NpgsqlDbType.Array | NpgsqlDbType.TimestampTz) { Value = values.Select(value => ((DateTimeOffset?)value)?.UtcDateTime).ToArray() },
        MovedKind.Span => new NpgsqlParameter(name, NpgsqlDbType.Array | NpgsqlDbType.Interval) { Value = values.Cast<TimeSpan?>().ToArray() },
        MovedKind.Id => new NpgsqlParameter(name, NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = values.Cast<Guid?>().ToArray() },
        MovedKind.Bytes => new NpgsqlParameter(name, NpgsqlDbType.Array | NpgsqlDbType.Bytea) { Value = values.Cast<byte[]?>().ToArray() },
        _ => Texts(name, [.. values.Cast<string?>()]),
    };
}
