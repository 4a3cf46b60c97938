using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Millrace.Bench.Contenders;

/// <summary>The database is a file in a folder of its own.</summary>
internal sealed class MillraceSqlite : IContender
{
    public string Name => "sqlite";

    public string Title => "Millrace, SQLite";

    public string Settings => "none: all defaults (synchronous=full)";

    public string IsFinished => "select not exists (select 1 from millrace_lease) and not exists (select 1 from millrace_ready)";

    public string CountSucceeded => "select count(*) from millrace_attempt where outcome = 'succeeded' and type in ('noop', 'ping')";

    public string CountStored => "select count(*) from millrace_job where type in ('noop', 'ping')";

    public Task<string> NewDatabaseAsync(string server) => Task.FromResult(Path.Combine(Directory.CreateTempSubdirectory("millrace-bench-").FullName, "jobs.db"));

    public async Task PrepareAsync(string database)
    {
        await using (await OpenSubmitterAsync(database))
        {
            // Its start has made the tables.
        }
    }

    public Task SettleAsync(string database) => Task.CompletedTask;

    public async Task<ISubmitter> OpenSubmitterAsync(string database)
    {
        var engine = new MillraceEngine(millrace => millrace.UseSqlite(database), hasWorkers: false);
        await engine.StartAsync();
        return engine;
    }

    public Task<IWorker> BuildWorkerAsync(string database) => Task.FromResult<IWorker>(new MillraceEngine(millrace => millrace.UseSqlite(database), hasWorkers: true));

    public void Drop(string database)
    {
        if (Path.GetDirectoryName(database) is { } folder)
            Directory.Delete(folder, recursive: true);
    }

    public async Task<DbConnection> ConnectAsync(string database)
    {
        var connection = new SqliteConnection($"Data Source={database};Pooling=false");
        await connection.OpenAsync();
        return connection;
    }
}
