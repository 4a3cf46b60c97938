using Microsoft.Data.Sqlite;

namespace Millrace.Sqlite;

/// <summary>A connection with its prepared statements. Used by one thread at a time.</summary>
/// <param name="connection">The open connection.</param>
/// <param name="transaction">The caller's transaction; null on the engine's own connections, which begin and commit by statement.</param>
internal sealed class Session(SqliteConnection connection, SqliteTransaction? transaction) : IDisposable
{
    private static int opened;

    private readonly Dictionary<string, SqliteCommand> commands = [];
    private readonly Dictionary<string, SqliteStatement> statements = [];

    public SqliteConnection Connection => connection;

    /// <summary>Tells this session from all others of the process.</summary>
    public int Id { get; } = Interlocked.Increment(ref opened);

    /// <summary>How long an operation may take; null for as long as it does.</summary>
    public TimeLimit? Limit { get; init; }

    /// <summary>Runs a statement.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        // Those without values begin and end transactions, and one in a caller's transaction may be the first that writes there: both may have to wait,
        // which Microsoft.Data.Sqlite knows how to.
        if (values.IsEmpty || transaction is not null)
            return Bind(sql, values).ExecuteNonQuery();
        if (!statements.TryGetValue(sql, out var statement))
            statements[sql] = statement = new SqliteStatement(connection, sql, values);
        return statement.Run(values);
    }

    /// <summary>Runs a statement and reads all its rows at once: the same statement may be needed again while the caller works on them.</summary>
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var reader = Bind(sql, values).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The same for a text that was put together: it is not kept.</summary>
    public List<T> QueryOnce<T>(string sql, Func<SqliteDataReader, T> read, IEnumerable<(string Name, object? Value)> values)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        foreach (var (name, value) in values)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The first row, or null.</summary>
    public T? First<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> values) where T : class
    {
        var rows = Query(sql, read, values);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>The first column of the first row as a number; null when there is no row, or no value in it.</summary>
    public long? Number(string sql, params ReadOnlySpan<(string Name, object? Value)> values) => Bind(sql, values).ExecuteScalar() as long?;

    /// <summary>Whether there is a row.</summary>
    public bool Any(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var reader = Bind(sql, values).ExecuteReader();
        return reader.Read();
    }

    /// <summary>Runs statements that are used once. No parameters.</summary>
    public void Script(string sql)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        foreach (var command in commands.Values)
            command.Dispose();
        commands.Clear();
        foreach (var statement in statements.Values)
            statement.Dispose();
        statements.Clear();
    }

    private SqliteCommand Bind(string sql, ReadOnlySpan<(string Name, object? Value)> values)
    {
        if (!commands.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = sql;
            foreach (var (name, _) in values)
                command.Parameters.Add(new SqliteParameter { ParameterName = name });
            commands[sql] = command;
        }

        // In the order of the first use, which is the order of every use: each text is run from one place.
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i].Value ?? DBNull.Value;
        return command;
    }
}
