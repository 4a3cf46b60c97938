using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Millrace.Bench;

/// <summary>How fast a backlog of no-op jobs is worked off through real handlers with full history, what it costs the database, and how that compares with the bare statements.</summary>
internal static class PostgresDrain
{
    public static async Task RunAsync(string connectionString, int jobs, int rounds)
    {
        List<Round> all = [];
        for (var i = 0; i < rounds; i++)
            all.Add(await RoundAsync(connectionString, jobs));
        Console.WriteLine();
        Console.WriteLine($"PostgreSQL, {jobs:N0} no-op jobs of 100 bytes, one process, 20 slots");
        Figures.Print("submitted in bulk", Figures.Median(all.Select(round => round.SubmitRate)), "jobs/s", "");
        Figures.Print("drained end to end", Figures.Median(all.Select(round => round.DrainRate)), "jobs/s", "goal: at least 40,000");
        Figures.Print("the bare statements, one connection, in the same round", Figures.Median(all.Select(round => round.RawRate)), "jobs/s", "");
        Figures.Print("engine to bare statements", Figures.Median(all.Select(round => round.DrainRate / round.RawRate)), "", "");
        Figures.Print("commits per job while draining", Figures.Median(all.Select(round => round.Commits)), "", "goal: at most 0.05");
        Figures.Print("WAL per job, submission", Figures.Median(all.Select(round => round.SubmitWal)), "bytes", "");
        Figures.Print("WAL per job, drain", Figures.Median(all.Select(round => round.DrainWal)), "bytes", "");
        Figures.Print("WAL per job, both", Figures.Median(all.Select(round => round.SubmitWal + round.DrainWal)), "bytes", "goal: at most 900");
        Figures.Print("CPU of the database's session per job", Figures.Median(all.Select(round => round.ServerCpu)), "microseconds", "");
        Figures.Print("CPU of this process per job", Figures.Median(all.Select(round => round.Cpu)), "microseconds", "");
    }

    private static async Task<Round> RoundAsync(string server, int jobs)
    {
        var database = await Figures.NewDatabaseAsync(server, "millrace_bench");
        double submitRate;
        double submitWal;
        using (var host = Engine.Build(millrace => millrace.UsePostgres(database), 20, hasWorkers: false))
        {
            await host.StartAsync();
            var client = host.Services.GetRequiredService<IJobClient>();
            var text = new string('x', 70);
            var walBefore = await WalAsync(database);
            var clock = Stopwatch.StartNew();
            for (var first = 0; first < jobs; first += 10_000)
                await client.SubmitManyAsync(Enumerable.Range(first, 10_000).Select(number => new Noop(number, text)));
            submitRate = jobs / clock.Elapsed.TotalSeconds;
            submitWal = (await WalAsync(database) - walBefore) / (double)jobs;
            await host.StopAsync();
        }
        // What autovacuum does within a minute on a live system.
        await Figures.ExecuteAsync(database, "vacuum analyze millrace.ready", "analyze millrace.job");

        using (var host = Engine.Build(millrace => millrace.UsePostgres(database), 20))
        {
            var counter = host.Services.GetRequiredService<Counter>();
            var walBefore = await WalAsync(database);
            var commitsBefore = await CommitsAsync(database);
            var cpuBefore = Process.GetCurrentProcess().TotalProcessorTime;
            var clock = Stopwatch.StartNew();
            await host.StartAsync();
            while (counter.Count < jobs)
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            // The clock stops when the last completion is durable, not when the last handler returned.
            while (await Figures.AskAsync<bool>(database, "select exists (select from millrace.lease) or exists (select from millrace.ready)"))
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            var elapsed = clock.Elapsed;
            var serverCpu = await ServerCpuAsync(database) / jobs;
            var cpu = (Process.GetCurrentProcess().TotalProcessorTime - cpuBefore).TotalMicroseconds / jobs;
            var wal = (await WalAsync(database) - walBefore) / (double)jobs;
            await host.StopAsync();
            var commits = (await CommitsAsync(database) - commitsBefore) / (double)jobs;
            var done = await Figures.AskAsync<long>(database, "select count(*) from millrace.attempt where outcome = 'succeeded' and type = 'noop'");
            if (done != jobs)
                throw new InvalidOperationException($"{done} of {jobs} jobs have succeeded.");
            return new Round(submitRate, jobs / elapsed.TotalSeconds, await RawAsync(database, jobs), commits, submitWal, wal, cpu, serverCpu);
        }
    }

    /// <summary>The least that keeps the same history: delete from the line, append the ended run, in one transaction for 500 jobs. No payload, no leases, no client.</summary>
    private static async Task<double> RawAsync(string database, int jobs)
    {
        await Figures.ExecuteAsync(
            database,
            "create table raw_ready (like millrace.ready including indexes)",
            "create table raw_attempt (like millrace.attempt including indexes)",
            "insert into raw_ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect) select 'default', 0, id, id, 'noop', 1, 1, 0, false from millrace.job where type = 'noop'",
            "vacuum analyze raw_ready",
            "checkpoint");
        await using var connection = new NpgsqlConnection($"{database};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            with claimed as materialized (
                select ctid as place, id from raw_ready where queue = 'default' and (priority, pass, id) > (0, @after, @after) order by priority, pass, id limit 500 for update skip locked
            ),
            taken as (
                delete from raw_ready r using claimed c where r.ctid = c.place returning r.id, r.run, r.attempt, r.type
            ),
            ended as (
                insert into raw_attempt (job_id, run, attempt, charged, type, started, finished, success, outcome, remove_at)
                select id, run, attempt, true, type, now(), now(), true, 'succeeded', now() from taken
                returning job_id
            )
            select max(job_id) from ended
            """,
            connection);
        var after = command.Parameters.AddWithValue("after", 0L);
        var clock = Stopwatch.StartNew();
        while (await command.ExecuteScalarAsync() is long last)
            after.Value = last;
        var rate = jobs / clock.Elapsed.TotalSeconds;
        await Figures.ExecuteAsync(database, "drop table raw_ready", "drop table raw_attempt");
        return rate;
    }

    private static async Task<long> WalAsync(string database) =>
        (long)await Figures.AskAsync<decimal>(database, "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn");

    /// <summary>Microseconds of processor time that the engine's work session has used since it was opened. Zero where the server is not on this Linux machine.</summary>
    private static async Task<double> ServerCpuAsync(string database)
    {
        var pid = await Figures.AskAsync<int>(database, "select pid from pg_stat_activity where application_name = 'millrace' and datname = current_database()");
        var file = $"/proc/{pid}/stat";
        if (!File.Exists(file))
            return 0;
        // After the name in parentheses; user and system time are the 14th and 15th fields of the line, in hundredths of a second.
        var fields = (await File.ReadAllTextAsync(file)).Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (long.Parse(fields[11]) + long.Parse(fields[12])) * 10_000.0;
    }

    private static async Task<long> CommitsAsync(string database)
    {
        // The counters are written when a session ends or has been idle for a moment; the asking session's own commit is part of them.
        await Figures.ExecuteAsync(database, "select pg_stat_clear_snapshot()");
        return await Figures.AskAsync<long>(database, "select xact_commit from pg_stat_database where datname = current_database()");
    }

    private sealed record Round(double SubmitRate, double DrainRate, double RawRate, double Commits, double SubmitWal, double DrainWal, double Cpu, double ServerCpu);
}
