using Microsoft.Data.Sqlite;

namespace Millrace.Sqlite;

/// <summary>What a file of a version should have: what its migrations make of an empty database in memory.</summary>
internal static class ExpectedSchema
{
    private const string ObjectsSql = "select type, name, sql from sqlite_master where name like 'millrace\\_%' escape '\\' or name = 'worker_jobs' order by type desc, name";

    private const string ColumnsSql = """
        select m.name || '.' || c.name
        from sqlite_master m
        join pragma_table_info(m.name) c
        where m.type = 'table'
          and m.name like 'millrace\_%' escape '\'
        """;

    /// <summary>What is missing, and the statement that makes it where that is all there is to it.</summary>
    /// <param name="connection">The file.</param>
    /// <param name="version">The version it says it has. A newer one than this program knows is compared with what it knows.</param>
    public static IReadOnlyList<(string Kind, string Name, string? Fix)> Missing(SqliteConnection connection, long version)
    {
        using var expected = new SqliteConnection("Data Source=:memory:;Pooling=False");
        expected.Open();
        foreach (var text in SqliteStore.MigrationTexts(version))
            Execute(expected, text);
        var found = Read(connection, ObjectsSql, row => row.GetString(1)).ToHashSet(StringComparer.Ordinal);
        var columns = Read(connection, ColumnsSql, row => row.GetString(0)).ToHashSet(StringComparer.Ordinal);
        var missing = new List<(string, string, string?)>();
        foreach (var (type, name, sql) in Read(expected, ObjectsSql, row => (row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2))))
            if (!found.Contains(name))
                missing.Add((type, name, type is "index" or "view" ? sql : null));
        foreach (var column in Read(expected, ColumnsSql, row => row.GetString(0)))
            if (found.Contains(column.Split('.')[0]) && !columns.Contains(column))
                missing.Add(("column", column, null));
        return missing;
    }

    private static List<T> Read<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
