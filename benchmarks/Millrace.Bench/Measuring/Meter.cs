using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Millrace.Bench.Measuring;

/// <summary>What the server has counted so far: WAL, commits and statements of one database, and its processor time.</summary>
internal sealed class Meter
{
    private readonly string database;
    private readonly string name;
    private readonly int postmaster;
    private readonly bool hasStatements;

    private Meter(string database, string name, int postmaster, bool hasStatements) =>
        (this.database, this.name, this.postmaster, this.hasStatements) = (database, name, postmaster, hasStatements);

    public static async Task<Meter> OpenAsync(string database)
    {
        var name = new NpgsqlConnectionStringBuilder(database).Database ?? "";
        var pid = (await Server.AskAsync<string>(database, "select pg_read_file('postmaster.pid')")).Split('\n')[0];
        // Preloaded by ./bench where the server has it.
        var hasStatements = await Server.AskAsync<bool>(database, "select current_setting('shared_preload_libraries') like '%pg_stat_statements%'");
        if (hasStatements)
            await Server.ExecuteAsync(Of(database, "postgres"), "create extension if not exists pg_stat_statements");
        return new Meter(database, name, int.Parse(pid, CultureInfo.InvariantCulture), hasStatements);
    }

    public async Task<long> WalAsync() => await Server.AskAsync<long>(database, "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn");

    public double CpuSeconds() => Cpu.SecondsOfServer(postmaster);

    /// <summary>Only exact once the sessions that are counted have ended: a session hands in its counts when it ends, and now and then before.</summary>
    public async Task<long> CommitsAsync() =>
        // From another database, so that asking does not count.
        await Server.AskAsync<long>(Of(database, "postgres"), $"select xact_commit from pg_stat_database where datname = '{name}'");

    /// <summary>A session hands in what it has counted when it ends, which is a moment after its client has gone.</summary>
    public async Task WaitForSessionsToEndAsync(int stay)
    {
        for (var i = 0; i < 50; i++)
        {
            var open = await Server.AskAsync<long>(
                Of(database, "postgres"), $"select count(*) from pg_stat_activity where datname = '{name}' and backend_type = 'client backend'");
            if (open <= stay)
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    /// <summary>Transactions of the whole server that wrote something. Exact at once, but blind for those that only read.</summary>
    public async Task<long> WritesAsync() => await Server.AskAsync<long>(database, "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint");

    /// <summary>Null where the server does not count them.</summary>
    public async Task<long?> StatementsAsync() => hasStatements
        ? await Server.AskAsync<long>(
            Of(database, "postgres"),
            $"select coalesce(sum(calls), 0)::bigint from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = '{name}'")
        : null;

    private static string Of(string database, string name) => new NpgsqlConnectionStringBuilder(database) { Database = name }.ConnectionString;
}

/// <summary>Processor time and memory of this machine's programs between two moments.</summary>
internal sealed class MachineWatch(Meter? meter, IReadOnlyList<Process> workers)
{
    private readonly double all = Cpu.SecondsOfAll();
    private readonly double server = meter?.CpuSeconds() ?? 0;
    private readonly double own = Environment.CpuUsage.TotalTime.TotalSeconds;
    private readonly double[] before = [.. workers.Select(CpuOf)];
    private readonly long started = Stopwatch.GetTimestamp();

    public (double Workers, double Server, double OthersShare) Read()
    {
        var inWorkers = workers.Select(CpuOf).Zip(before, static (now, then) => now - then).Sum();
        var inServer = (meter?.CpuSeconds() ?? 0) - server;
        var others = Cpu.SecondsOfAll() - all - inWorkers - inServer - (Environment.CpuUsage.TotalTime.TotalSeconds - own);
        return (inWorkers, inServer, Math.Max(0, others) / Stopwatch.GetElapsedTime(started).TotalSeconds / Environment.ProcessorCount);
    }

    private static double CpuOf(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime.TotalSeconds;
    }
}
