using System.Collections.Concurrent;
using System.Data.Common;
using Millrace.Postgres;
using Npgsql;

[assembly: AssemblyFixture(typeof(Millrace.Storage.Tests.PostgresDatabases))]

namespace Millrace.Storage.Tests;

/// <summary>A PostgreSQL database, with the store connected to it directly.</summary>
public class PostgresDatabase : TestDatabase
{
    private string? name;

    public override bool HasOneWriter => false;

    public string Name => name ?? throw new InvalidOperationException("Not created.");

    /// <summary>What the store connects to.</summary>
    protected virtual string Server => PostgresDatabases.Server;

    /// <summary>How the application would connect to this database.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder(Server) { Database = Name }.ConnectionString;

    public override async Task CreateAsync() => name = await PostgresDatabases.TakeAsync();

    public override async Task DropAsync()
    {
        await CloseAsync();
        if (name is not null)
            await PostgresDatabases.ReturnAsync(name);
    }

    public override IJobStore Open(StoreClock clock) => new PostgresStore(new NpgsqlConnectionStringBuilder(ConnectionString), new PostgresOptions(), clock);

    public override TestDatabase Fresh() => new PostgresDatabase();

    public override async Task<DbConnection> ConnectAsync() => await PostgresDatabases.ConnectAsync(Name);

    public override string Table(string name) => $"millrace.{name}";

    public override string LeasedSql =>
        "select listed.run from millrace.lease l cross join lateral unnest(l.job_ids, l.runs) as listed (job_id, run) where listed.job_id = @id";

    public override async Task<bool> SomebodyWaitsAsync() => await WaitersAsync() > 0;

    /// <summary>How many sessions of this database wait for a lock.</summary>
    public async Task<long> WaitersAsync() => (long)(await QueryAsync(
        "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and wait_event_type = 'Lock'"))[0][0]!;
}

/// <summary>The same, with the store behind PgBouncer in transaction mode.</summary>
public sealed class PgBouncerDatabase : PostgresDatabase
{
    protected override string Server
    {
        get
        {
            var server = Environment.GetEnvironmentVariable("MILLRACE_TEST_PGBOUNCER");
            if (string.IsNullOrEmpty(server) || server == "none")
                Assert.Skip("MILLRACE_TEST_PGBOUNCER names no PgBouncer.");
            return server;
        }
    }

    public override TestDatabase Fresh() => new PgBouncerDatabase();

    public override Task CreateAsync()
    {
        _ = Server;
        return base.CreateAsync();
    }
}

/// <summary>The databases on the test server. Making one costs a checkpoint, so a database that was used is emptied and used again.</summary>
public sealed class PostgresDatabases : IAsyncDisposable
{
    private static readonly ConcurrentBag<string> Free = [];
    private static readonly ConcurrentBag<string> Made = [];

    public static string Server => Environment.GetEnvironmentVariable("MILLRACE_TEST_POSTGRES") is { Length: > 0 } server
        ? server
        : throw new InvalidOperationException(
            "MILLRACE_TEST_POSTGRES is not set. Run ./test, which starts a server, or set it to the connection string of a superuser.");

    public static async Task<string> TakeAsync()
    {
        if (!Free.TryTake(out var name))
        {
            name = $"millrace_test_{Guid.NewGuid():N}";
            await using var connection = await ConnectAsync(null);
            await ExecuteAsync(connection, $"create database {name} template template0");
            Made.Add(name);
        }
        return name;
    }

    public static async Task ReturnAsync(string name)
    {
        await using var connection = await ConnectAsync(name);
        await ExecuteAsync(connection, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
        await ExecuteAsync(connection, "drop schema if exists millrace cascade; drop schema if exists public cascade; create schema public");
        Free.Add(name);
    }

    public static async Task<NpgsqlConnection> ConnectAsync(string? database)
    {
        // Not pooled: a pooled connection would be found dead after the next test's ReturnAsync.
        var settings = new NpgsqlConnectionStringBuilder(Server) { Pooling = false };
        if (database is not null)
            settings.Database = database;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        // Dropping a database waits for a checkpoint, which takes its time where many run tests at once.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Made.IsEmpty)
            return;
        await using var connection = await ConnectAsync(null);
        foreach (var name in Made)
            await ExecuteAsync(connection, $"drop database if exists {name} with (force)");
    }
}
