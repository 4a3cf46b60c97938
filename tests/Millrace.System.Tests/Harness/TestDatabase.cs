using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>A database for one test, with the tables that the handlers write to.</summary>
public abstract class TestDatabase : IAsyncDisposable
{
    /// <summary>What the worker program calls it.</summary>
    public abstract string Kind { get; }

    public abstract string ConnectionString { get; }

    /// <summary>A name among the temporary files that nothing uses yet.</summary>
    public static string Place => Path.Combine(Path.GetTempPath(), $"millrace-system-{Guid.NewGuid():N}");

    public static async Task<TestDatabase> CreateAsync(string kind, string? server = null)
    {
        TestDatabase database = kind == "postgres" ? await PostgresTestDatabase.CreateAsync(server) : SqliteTestDatabase.Create();
        await database.ExecuteAsync(Jobs.Tables);
        return database;
    }

    public abstract void Use(MillraceBuilder builder);

    /// <summary>What one of Millrace's tables is called in a statement.</summary>
    public abstract string Table(string name);

    /// <summary>A connection past Millrace.</summary>
    public abstract Task<DbConnection> ConnectAsync();

    public abstract ValueTask DisposeAsync();

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    public async Task<long> NumberAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);
    }

    /// <summary>Each row as one text.</summary>
    public async Task<IReadOnlyList<string>> RowsAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => reader.IsDBNull(column) ? "" : Convert.ToString(reader.GetValue(column), CultureInfo.InvariantCulture))));
        return rows;
    }

    public async Task<HashSet<long>> IdsAsync(string sql) => [.. (await RowsAsync(sql)).Select(row => long.Parse(row, CultureInfo.InvariantCulture))];

    /// <summary>How many attempts ended in this way.</summary>
    public Task<long> EndedAsync(string outcome) => NumberAsync($"select count(*) from {Table("attempt")} where outcome = '{outcome}'");
}

public sealed class PostgresTestDatabase : TestDatabase
{
    private readonly string server;
    private readonly string name;

    private PostgresTestDatabase(string server, string name)
    {
        this.server = server;
        this.name = name;
    }

    public override string Kind => "postgres";

    // A short deadlock timeout: one test waits for it.
    public override string ConnectionString => new NpgsqlConnectionStringBuilder(server) { Database = name, Options = "-c deadlock_timeout=100ms" }.ConnectionString;

    public static async Task<PostgresTestDatabase> CreateAsync(string? server)
    {
        server ??= Environment.GetEnvironmentVariable("MILLRACE_TEST_POSTGRES") is { Length: > 0 } given
            ? given
            : throw new InvalidOperationException(
                "MILLRACE_TEST_POSTGRES is not set. Run ./test, which starts a server, or set it to the connection string of a superuser.");
        var name = $"millrace_system_{Guid.NewGuid():N}";
        await using var connection = await OpenAsync(server, null);
        await using var command = new NpgsqlCommand($"create database {name} template template0", connection);
        await command.ExecuteNonQueryAsync();
        return new PostgresTestDatabase(server, name);
    }

    public override void Use(MillraceBuilder builder) => builder.UsePostgres(ConnectionString);

    public override string Table(string name) => $"millrace.{name}";

    public override async Task<DbConnection> ConnectAsync() => await OpenAsync(server, name);

    public override async ValueTask DisposeAsync()
    {
        await using var connection = await OpenAsync(server, null);
        await using var command = new NpgsqlCommand($"drop database if exists {name} with (force)", connection);
        await command.ExecuteNonQueryAsync();
    }

    // Not pooled: the server is crashed under it. Making and dropping a database costs a checkpoint, which takes its time on a busy disk.
    private static async Task<NpgsqlConnection> OpenAsync(string server, string? database)
    {
        var settings = new NpgsqlConnectionStringBuilder(server) { Pooling = false, ApplicationName = "test", Timeout = 120, CommandTimeout = 600 };
        if (database is not null)
            settings.Database = database;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}

public sealed class SqliteTestDatabase : TestDatabase
{
    private readonly string directory;

    private SqliteTestDatabase(string directory) => this.directory = directory;

    public override string Kind => "sqlite";

    public override string ConnectionString => Path.Combine(directory, "jobs.db");

    /// <param name="directory">Where, when not among the temporary files. It is deleted with the database.</param>
    public static SqliteTestDatabase Create(string? directory = null) => new(Directory.CreateDirectory(directory ?? Place).FullName);

    public override void Use(MillraceBuilder builder) => builder.UseSqlite(ConnectionString);

    public override string Table(string name) => $"millrace_{name}";

    public override async Task<DbConnection> ConnectAsync()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = ConnectionString, Pooling = false, DefaultTimeout = 30 }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public override ValueTask DisposeAsync()
    {
        Directory.Delete(directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
