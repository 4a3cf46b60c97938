using Microsoft.Data.Sqlite;

namespace Millrace.Sqlite;

/// <summary>One database file: where it is, how to connect to it, and the line in which the writers of this process stand.</summary>
internal sealed class SqliteFile
{
    public SqliteFile(string fileOrConnectionString, SqliteOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(fileOrConnectionString);
        var builder = fileOrConnectionString.Contains('=', StringComparison.Ordinal)
            ? new SqliteConnectionStringBuilder(fileOrConnectionString)
            : new SqliteConnectionStringBuilder { DataSource = fileOrConnectionString };
        if (builder.DataSource.Length == 0 || builder.Mode == SqliteOpenMode.Memory || builder.Cache == SqliteCacheMode.Shared
            || builder.DataSource.StartsWith(':') || builder.DataSource.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
            throw new ArgumentException(
                $"\"{fileOrConnectionString}\" does not name a SQLite file. Millrace keeps jobs in a file with a private cache, so that several connections and processes can share it. "
                + "Give the path of a file, such as \"app.db\"; for tests, one in a temporary directory.", nameof(fileOrConnectionString));
        if (options.BusyTimeout < TimeSpan.FromSeconds(1) || options.BusyTimeout > TimeSpan.FromMinutes(10))
            throw new ArgumentException($"SqliteOptions.BusyTimeout must be 1 second to 10 minutes; it is {options.BusyTimeout}.", nameof(options));
        Path = System.IO.Path.GetFullPath(builder.DataSource);
        builder.DataSource = Path;
        // SQLite's own busy timeout waits. Microsoft.Data.Sqlite retries on top of that with sleeps of 150 ms until this many seconds have
        // passed since the start: 1 makes it stop after the first wait.
        builder.DefaultTimeout = 1;
        // Handlers open and close connections all the time, and a new one has to read and parse the whole schema first: 1 ms, more than most of their work.
        HandlerConnectionString = builder.ConnectionString;
        // Engine connections are kept open anyway; and a pool would keep the file open after the store is closed.
        builder.Pooling = false;
        ConnectionString = builder.ConnectionString;
        Synchronous = options.Synchronous;
        BusyTimeout = options.BusyTimeout;
        Gate = WriteGate.Of(Path);
    }

    public string Path { get; }

    public string ConnectionString { get; }

    /// <summary>The same, pooled unless the application said otherwise.</summary>
    public string HandlerConnectionString { get; }

    public SqliteSynchronous Synchronous { get; }

    public TimeSpan BusyTimeout { get; }

    public WriteGate Gate { get; }

    /// <summary>The directory of the nodes' lock files (rule 15).</summary>
    public string LockDirectory => Path + "-millrace";

    /// <summary>Makes an open connection as the engine wants it: short of nothing, and in write-ahead mode.</summary>
    public SqliteConnection Open(TimeSpan busyTimeout)
    {
        if (System.IO.Path.GetDirectoryName(Path) is { Length: > 0 } directory)
            Directory.CreateDirectory(directory);
        var connection = new SqliteConnection(ConnectionString);
        try
        {
            connection.Open();
            Prepare(connection, busyTimeout);
            Execute(connection, "pragma temp_store = memory; pragma cache_size = -16000; pragma journal_size_limit = 67108864");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Makes an open connection that changes nothing: not a row, not the journal mode, and no file where there is none.</summary>
    public SqliteConnection OpenToLook()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(ConnectionString) { Mode = SqliteOpenMode.ReadWrite }.ConnectionString);
        try
        {
            connection.Open();
            // Readers of a write-ahead log wait for nobody, except for moments in which the log is recovered.
            Execute(connection, "pragma busy_timeout = 1000; pragma temp_store = memory; pragma cache_size = -16000; pragma query_only = on");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>What every connection needs, the handlers' too. None of it is stored in the file except the journal mode.</summary>
    public void Prepare(SqliteConnection connection, TimeSpan busyTimeout)
    {
        var level = Synchronous == SqliteSynchronous.Normal ? "normal" : "full";
        Execute(connection, $"pragma busy_timeout = {(long)busyTimeout.TotalMilliseconds}; pragma synchronous = {level}; pragma foreign_keys = on");
        using var command = connection.CreateCommand();
        command.CommandText = "pragma journal_mode";
        if (string.Equals(command.ExecuteScalar() as string, "wal", StringComparison.OrdinalIgnoreCase))
            return;
        // Two processes that start on a new file at once: this switch needs the whole file and does not use the busy timeout, so here the
        // provider's own retries are wanted.
        command.CommandText = "pragma journal_mode = wal";
        command.CommandTimeout = 10;
        command.ExecuteNonQuery();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
