using Npgsql;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Workloads;

/// <summary>How much of their time the sessions of worker processes wait for a lock, by looking now and then.</summary>
internal sealed class LockSampler : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly NpgsqlConnection connection;
    private readonly string name;
    private readonly int processes;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task sampling;
    private int looks;
    private int waits;

    private LockSampler(NpgsqlConnection connection, string name, int processes)
    {
        (this.connection, this.name, this.processes) = (connection, name, processes);
        sampling = SampleAsync();
    }

    // From another database, whose statements and commits are not those that are counted.
    public static async Task<LockSampler> StartAsync(string database, int processes)
    {
        var settings = new NpgsqlConnectionStringBuilder(database);
        var name = settings.Database ?? "";
        settings.Database = "postgres";
        return new LockSampler(await Server.OpenAsync(settings.ConnectionString), name, processes);
    }

    /// <summary>Of the time of all processes together.</summary>
    public async Task<double> ShareAsync()
    {
        await stopping.CancelAsync();
        await sampling;
        return (double)waits / Math.Max(1, looks) / processes;
    }

    public async ValueTask DisposeAsync()
    {
        await ShareAsync();
        await connection.DisposeAsync();
        stopping.Dispose();
    }

    private async Task SampleAsync()
    {
        await using var command = new NpgsqlCommand(
            "select count(*) from pg_stat_activity where datname = @name and backend_type = 'client backend' and wait_event_type = 'Lock'", connection);
        command.Parameters.AddWithValue("name", name);
        await command.PrepareAsync();
        while (!stopping.IsCancellationRequested)
        {
            waits += (int)(await command.ExecuteScalarAsync() as long? ?? 0);
            looks++;
            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
