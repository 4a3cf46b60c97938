using System.Globalization;
using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

// A database is moved from here, when an application has outgrown it.
internal sealed partial class SqliteStore : IMoveSource
{
    // A schedule that is not persistent belongs to servers, which submit it again.
    private static string Condition(MovedTable table) => table.Name == "schedule" ? "is_persistent = 1" : "true";

    public Task<MoveCounters> ReadCountersAsync(CancellationToken cancellationToken) => ReadAsync(session =>
    {
        var operation = session.Number("select coalesce(max(seq), 0) + 1 from sqlite_sequence where name = 'millrace_operation'") ?? 1;
        return new MoveCounters(session.Number("select next from millrace_job_id where one = 1") ?? 1, operation);
    }, cancellationToken);

    public Task<long> CountRowsAsync(MovedTable table, CancellationToken cancellationToken) =>
        ReadAsync(session => session.Number($"select count(*) from millrace_{table.Name} where {Condition(table)}") ?? 0, cancellationToken);

    public Task<IReadOnlyList<object?[]>> ExportAsync(MovedTable table, IReadOnlyList<object?>? after, int limit, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<object?[]>>(session => Export(session, table, after, limit), cancellationToken);

    private static List<object?[]> Export(Session session, MovedTable table, IReadOnlyList<object?>? after, int limit)
    {
        var key = string.Join(", ", table.Key.Select(column => $"\"{column.Name}\""));
        var values = after?.Select((value, i) => ($"@key{i}", ToColumn(value))).ToArray() ?? [];
        var from = after is null ? "true" : $"({key}) > ({string.Join(", ", values.Select(value => value.Item1))})";
        var sql = $"""
            select {string.Join(", ", table.Columns.Select(column => $"\"{column.Name}\""))}
            from millrace_{table.Name}
            where {Condition(table)}
              and {from}
            order by {key}
            limit {limit.ToString(CultureInfo.InvariantCulture)}
            """;
        return session.Query(sql, row => table.Columns.Select((column, i) => FromColumn(row, i, column.Kind)).ToArray(), values);
    }

    private static object? FromColumn(SqliteDataReader row, int column, MovedKind kind) => row.IsDBNull(column) ? null : kind switch
    {
        MovedKind.Number => row.GetInt64(column),
        MovedKind.Real => row.GetDouble(column),
        MovedKind.Truth => row.GetBoolean(column),
        MovedKind.Time => row.Time(column),
        MovedKind.Span => TimeSpan.FromMicroseconds(row.GetInt64(column)),
        MovedKind.Id => row.Guid(column),
        MovedKind.Bytes => row.GetFieldValue<byte[]>(column),
        _ => row.GetString(column),
    };

    // Keys are texts, numbers, times and ids.
    private static object? ToColumn(object? value) => value switch
    {
        DateTimeOffset time => time.ToMicros(),
        Guid id => id.ToText(),
        _ => value,
    };
}
