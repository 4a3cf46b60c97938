using System.Diagnostics;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>G9: the database is away for longer than a node lives without it.</summary>
public sealed class AwayTests(ITestOutputHelper output)
{
    private const int Slots = 1000;

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan SubmitTimeout = TimeSpan.FromSeconds(2);

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Results_that_finish_while_the_database_is_away_are_written_when_it_is_back()
    {
        // 15 s against an expiry of 10 s, or 60 s against the default of 30 s.
        var away = TimeSpan.FromSeconds(Scale.IsLong ? 60 : 15);
        await using var cluster = await Cluster.StartAsync();
        await using var database = await TestDatabase.CreateAsync("postgres", cluster.Server);
        // What nobody waited for is not on the disk when the server crashes.
        await database.ExecuteAsync("alter system set wal_writer_delay = '10s'");
        await database.ExecuteAsync("select pg_reload_conf()");
        await using var submitting = TcpProxy.Start(database.ConnectionString);
        await using var working = TcpProxy.Start(database.ConnectionString);
        await using var patient = await TestClient.StartAsync(database, m => m.Configure(options => options.SubmitTimeout = Long));
        await using var client = await TestClient.StartAsync(database, m => m.UsePostgres(submitting.ConnectionString).Configure(options => options.SubmitTimeout = SubmitTimeout));
        await using var worker = await WorkerProcess.StartAsync(database, Slots, Scale.IsLong ? 30 : 10, connection: working.ConnectionString, queues: "default,other");
        var port = new NpgsqlConnectionStringBuilder(working.ConnectionString).Port;
        foreach (var queue in new[] { "default", "other" })
            await patient.Jobs.SubmitManyAsync(Enumerable.Range(0, Slots).Select(_ => new Rest(8000)), new JobOptions { Queue = queue });
        await Eventually.IsAsync(() => worker.Count("started") == 2 * Slots, Long, "all slots are taken", () => worker.Log);

        worker.Count("returned").ShouldBe(0, "the results come while the database is away");
        await cluster.CrashAsync();
        var (left, watch) = ((Submitting: submitting.Now, Working: working.Now), Stopwatch.StartNew());
        var refusals = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => RefuseAsync(client.Jobs, number)));
        var connections = 0;
        while (watch.Elapsed < away)
        {
            connections = Math.Max(connections, worker.Connections(port));
            await Eventually.PauseAsync(TimeSpan.FromMilliseconds(20));
        }
        worker.Count("returned").ShouldBe(2 * Slots, worker.Log);
        var tries = (Submitting: Since(submitting, left.Submitting), Working: Since(working, left.Working));
        await cluster.ResumeAsync();

        var returned = (await database.RowsAsync("select clock_timestamp()::text")).Single();
        watch.Restart();
        var next = patient.Jobs.SubmitAsync(new Count(1));
        await Eventually.IsAsync(
            async () =>
            {
                connections = Math.Max(connections, worker.Connections(port));
                return await database.NumberAsync("select count(*) from millrace.attempt where outcome = 'succeeded' and type = 'rest'") == 2 * Slots;
            },
            Long, "every result is written", () => Ends(database) + worker.Log);
        var written = watch.Elapsed;
        await Eventually.IsAsync(
            async () => await database.NumberAsync($"select count(*) from millrace.attempt where outcome = 'succeeded' and type = 'count'") == 1, Long, "a job is run", () => worker.Log);
        var claimed = await database.NumberAsync($"select (extract(epoch from min(started) - '{returned}') * 1000)::bigint from millrace.attempt where type = 'count'");
        await next;

        output.WriteLine($"away {away.TotalSeconds:0} s: {2 * Slots} results written {written.TotalSeconds:0.00} s after its return, a new job started after {claimed / 1000.0:0.00} s; at most {connections} connections");
        output.WriteLine($"submissions refused after {refusals.Min(refusal => refusal.After).TotalSeconds:0.00} to {refusals.Max(refusal => refusal.After).TotalSeconds:0.00} s: "
            + string.Join(", ", refusals.GroupBy(refusal => refusal.Fault).Select(group => $"{group.Count()} {group.Key}")));
        Print("the worker", tries.Working);
        Print("the submitter", tries.Submitting);

        refusals.ShouldAllBe(refusal => refusal.After < SubmitTimeout + TimeSpan.FromSeconds(Scale.Slack));
        (await database.RowsAsync("select outcome, run, count(*), count(distinct job_id) from millrace.attempt where type = 'rest' group by 1, 2")).ShouldBe([$"succeeded|1|{2 * Slots}|{2 * Slots}"]);
        worker.Events.Count(line => line.StartsWith("started ", StringComparison.Ordinal)).ShouldBe((2 * Slots) + 1, "none ran again");
        (claimed / 1000.0).ShouldBeLessThan(12);
        connections.ShouldBeInRange(2, 2 + 10);
        // No more than one in 100 ms, taken over each second but the first: there each of the connections finds out that the server went.
        MostWithinASecond([.. tries.Working.Where(time => time.TotalSeconds > 1)]).ShouldBeLessThanOrEqualTo(10);
        MostWithinASecond([.. tries.Submitting.Where(time => time.TotalSeconds > 1)]).ShouldBeLessThanOrEqualTo(10);
        Spread(tries.Working).ShouldBeGreaterThan(0.1, "the pauses are jittered");
        NpgsqlConnection.ClearAllPools();
    }

    private static async Task<(TimeSpan After, SubmitFault Fault)> RefuseAsync(IJobClient jobs, int number)
    {
        var watch = Stopwatch.StartNew();
        var exception = await Should.ThrowAsync<SubmitException>(() => jobs.SubmitAsync(new Count(number)));
        return (watch.Elapsed, exception.Fault);
    }

    private static List<TimeSpan> Since(TcpProxy proxy, TimeSpan time) => [.. proxy.Attempts.Where(attempt => attempt > time).Select(attempt => attempt - time)];

    private void Print(string who, List<TimeSpan> attempts) => output.WriteLine(
        $"{who} tried to connect {attempts.Count} times, at most {MostWithinASecond(attempts)} times in a second; by second: {string.Join(' ', attempts.GroupBy(attempt => (int)attempt.TotalSeconds).Select(second => $"{second.Key}:{second.Count()}"))}");

    private static int MostWithinASecond(List<TimeSpan> attempts) =>
        attempts.Count == 0 ? 0 : attempts.Max(first => attempts.Count(other => other >= first && other < first + TimeSpan.FromSeconds(1)));

    /// <summary>The deviation of the pauses by their mean: 0 for a metronome.</summary>
    private static double Spread(List<TimeSpan> attempts)
    {
        var pauses = attempts.Zip(attempts.Skip(1), (one, next) => (next - one).TotalSeconds).ToList();
        var mean = pauses.Average();
        return Math.Sqrt(pauses.Average(pause => (pause - mean) * (pause - mean))) / mean;
    }

    private static string Ends(TestDatabase database) => string.Join('\n', database.RowsAsync("""
        select outcome, run, count(*) from millrace.attempt group by 1, 2 union all select 'leased', 0, count(*) from millrace.lease
        union all select 'ready', 0, count(*) from millrace.ready union all select 'node ' || id || coalesce(' dead ' || dead_at, ''), 0, 0 from millrace.node
        """).GetAwaiter().GetResult()) + "\n";
}
