using System.Data.Common;
using Microsoft.Data.Sqlite;

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

    public override Task DropAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(directory, recursive: true);
        return Task.CompletedTask;
    }

    public override IJobStore Open(StoreClock clock) => throw new NotImplementedException();

    public override async Task<DbConnection> ConnectAsync()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = File, Pooling = false, DefaultTimeout = 30 }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public override string Table(string name) => name;

    protected override string LeasedSql => throw new NotImplementedException();

    public override Task<bool> SomebodyWaitsAsync() => Task.FromResult(false);
}
