using System.Data.Common;
using Microsoft.Data.Sqlite;
using Millrace.Sqlite;

namespace Millrace.Storage.Tests;

/// <summary>A SQLite file in a directory of its own.</summary>
public sealed class SqliteDatabase : TestDatabase
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"millrace-{Guid.NewGuid():N}");

    public override bool HasOneWriter => true;

    public string File => Path.Combine(directory, "jobs.db");

    public override Task CreateAsync()
    {
        Directory.CreateDirectory(directory);
        return Task.CompletedTask;
    }

    public override async Task DropAsync()
    {
        await CloseAsync();
        Directory.Delete(directory, recursive: true);
    }

    // Normal: a test cuts no power, and saves the wait for the disk.
    public override IJobStore Open(StoreClock clock) => new SqliteStore(new SqliteFile(File, new SqliteOptions { Synchronous = SqliteSynchronous.Normal }), clock);

    public override TestDatabase Fresh() => new SqliteDatabase();

    public override async Task<DbConnection> ConnectAsync()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = File, Pooling = false, DefaultTimeout = 30 }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public override string Table(string name) => $"millrace_{name}";

    public override string LeasedSql =>
        "select json_extract(l.runs, '$[' || listed.key || ']') as run from millrace_lease l join json_each(l.job_ids) listed where listed.value = @id";

    public override Task<bool> SomebodyWaitsAsync() => Task.FromResult(false);
}
