using System.Data.Common;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>A primary, a standby that streams from it, and the two as one database for whoever names both hosts.</summary>
public sealed class Pair : IAsyncDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private readonly Cluster first;
    private readonly Cluster second;

    private Pair(Cluster first, Cluster second)
    {
        this.first = first;
        this.second = second;
        Old = new ServerDatabase(first.Server, first.Server);
        New = new ServerDatabase(second.Server, second.Server);
        var (one, other) = (new NpgsqlConnectionStringBuilder(first.Server), new NpgsqlConnectionStringBuilder(second.Server));
        var both = new NpgsqlConnectionStringBuilder(first.Server) { Host = $"{one.Host}:{one.Port},{other.Host}:{other.Port}" };
        both.Remove("Port");
        Both = new ServerDatabase(both.ConnectionString, first.Server);
    }

    /// <summary>Both hosts. The test itself looks at the old primary until the standby is promoted.</summary>
    public ServerDatabase Both { get; }

    /// <summary>The first primary alone.</summary>
    public ServerDatabase Old { get; }

    /// <summary>The standby alone.</summary>
    public ServerDatabase New { get; }

    /// <param name="isSynchronous">Whether a commit waits until the standby has it on its disk.</param>
    public static async Task<Pair> StartAsync(bool isSynchronous)
    {
        var primary = await Cluster.StartAsync();
        var pair = new Pair(primary, await primary.FollowAsync());
        if (isSynchronous)
        {
            await pair.Old.ExecuteAsync("alter system set synchronous_standby_names = '*'");
            await pair.Old.ExecuteAsync("select pg_reload_conf()");
        }
        await Eventually.IsAsync(
            async () => await pair.Old.NumberAsync($"select count(*) from pg_stat_replication where state = 'streaming' and sync_state = '{(isSynchronous ? "sync" : "async")}'") == 1,
            Long, "the standby streams");
        return pair;
    }

    /// <summary>The standby stops receiving, and has everything that was committed before this was called.</summary>
    public async Task DetachAsync()
    {
        var place = (await Old.RowsAsync("select pg_current_wal_flush_lsn()::text")).Single();
        await Eventually.IsAsync(async () => await New.NumberAsync($"select (pg_last_wal_receive_lsn() >= '{place}')::int") == 1, Long, "the standby has received what was committed");
        await New.ExecuteAsync("alter system set primary_conninfo = ''");
        await New.ExecuteAsync("select pg_reload_conf()");
        await Eventually.IsAsync(async () => await New.NumberAsync("select count(*) from pg_stat_wal_receiver") == 0, Long, "the standby receives no more");
    }

    /// <summary>How many bytes of the log the standby has not received.</summary>
    public async Task<long> LagAsync()
    {
        var received = (await New.RowsAsync("select pg_last_wal_receive_lsn()::text")).Single();
        return await Old.NumberAsync($"select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '{received}')");
    }

    public Task CrashOldAsync() => first.CrashAsync();

    public async Task PromoteNewAsync()
    {
        await second.PromoteAsync();
        Both.LookAt(New.ConnectionString);
    }

    /// <summary>The first primary comes back as it was: as a primary, without knowing of the other.</summary>
    public Task ResumeOldAsync() => first.ResumeAsync();

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await second.DisposeAsync();
        await first.DisposeAsync();
    }
}

/// <summary>A database of PostgreSQL that is named by a connection string, and goes with its server.</summary>
public sealed class ServerDatabase(string connectionString, string seen) : TestDatabase
{
    private string seen = seen;

    public override string Kind => "postgres";

    public override string ConnectionString => connectionString;

    /// <summary>Where the test itself looks from now on.</summary>
    public void LookAt(string server) => seen = server;

    public override void Use(MillraceBuilder builder) => builder.UsePostgres(ConnectionString);

    public override string Table(string name) => $"millrace.{name}";

    public override async Task<DbConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(seen) { Pooling = false, ApplicationName = "test" }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
