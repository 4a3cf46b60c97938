using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>R08, G1, G3: somebody ends every session of the server, again and again.</summary>
public sealed class StormTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private const int Storms = 60;

    // S9: two of the engine, and the handlers' pool.
    private const int Budget = 2 + 10;

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task A_storm_that_ends_all_sessions_loses_nothing_and_leaks_nothing()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        var port = new NpgsqlConnectionStringBuilder(database.ConnectionString).Port;
        await using var client = await TestClient.StartAsync(database, m => m.Configure(options => options.SubmitTimeout = TimeSpan.FromSeconds(1)));
        var starting = (First: WorkerProcess.StartAsync(database, expiry: 10), Second: WorkerProcess.StartAsync(database, expiry: 10));
        await using var first = await starting.First;
        await using var second = await starting.Second;
        WorkerProcess[] workers = [first, second];
        var load = new Load(client.Jobs);
        await Eventually.IsAsync(() => workers.All(worker => worker.Count("returned") > 50), Long, "both work", () => first.Log + second.Log);
        var before = workers.Select(worker => (worker.Threads, Handles: worker.Handles().Count)).ToArray();

        var (storms, ended, most) = (0, 0L, new int[2]);
        var watch = Stopwatch.StartNew();
        while (storms < Storms)
        {
            ended += await database.NumberAsync("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name like 'millrace%'");
            storms++;
            var next = storms * TimeSpan.FromMilliseconds(200);
            do
            {
                for (var i = 0; i < workers.Length; i++)
                    most[i] = Math.Max(most[i], workers[i].Connections(port));
                await Eventually.PauseAsync(TimeSpan.FromMilliseconds(20));
            }
            while (watch.Elapsed < next);
        }

        var done = await database.EndedAsync("succeeded");
        await load.StopAsync();
        var drained = await Eventually.IsAsync(
            async () => await database.NumberAsync("select (select count(*) from millrace.job) - (select count(*) from millrace.attempt where outcome = 'succeeded')") == 0,
            Long, "every stored job has succeeded", () => first.Log + second.Log);
        var after = workers.Select(worker => (worker.Threads, Handles: worker.Handles().Count)).ToArray();
        output.WriteLine($"{storms} storms ended {ended} sessions in {watch.Elapsed.TotalSeconds:0} s, while {done} jobs succeeded; the rest {drained.TotalSeconds:0.0} s later; "
            + $"{load.Acknowledged.Count} acknowledged, {load.Unknown.Count} unknown, {load.Refused.Count} refused");
        for (var i = 0; i < workers.Length; i++)
        {
            output.WriteLine($"worker {i + 1}: at most {most[i]} connections, {workers[i].Connections(port)} in the end; threads {before[i].Threads} before and {after[i].Threads} after, handles {before[i].Handles} and {after[i].Handles}; "
                + $"{workers[i].Count("threw")} attempts failed");
        }

        var stored = await database.IdsAsync("select id from millrace.job");
        load.Acknowledged.Where(id => !stored.Contains(id)).ShouldBeEmpty("what was acknowledged is stored");
        load.Refused.Where(stored.Contains).ShouldBeEmpty("what was refused is not");
        stored.Except(load.Acknowledged).Except(load.Unknown).ShouldBeEmpty("anything else that is stored was said to be unknown, by its id");
        load.Unexpected.ShouldBeEmpty();
        var sums = (await database.RowsAsync("""
            select coalesce(sum((data::jsonb->>'amount')::bigint), 0), (select sum(balance) from account), (select sum(amount) from effect),
                   count(*), (select count(*) from effect), (select count(distinct job_id) from effect),
                   (select count(*) from millrace.attempt where outcome = 'succeeded')
            from millrace.job
            """)).Single().Split('|').Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        sums[1].ShouldBe(sums[0], "the accounts hold what the jobs carried");
        sums[2].ShouldBe(sums[0]);
        sums[4].ShouldBe(sums[3], "one effect per job");
        sums[5].ShouldBe(sums[3]);
        sums[6].ShouldBe(sums[3], "each succeeded once");
        for (var i = 0; i < workers.Length; i++)
        {
            most[i].ShouldBeLessThanOrEqualTo(Budget);
            // Threads, and the handles that each has, come and go by a few; one left behind at each storm would be as many as there were storms.
            (after[i].Threads - before[i].Threads).ShouldBeLessThan(storms / 2);
            (after[i].Handles - before[i].Handles).ShouldBeLessThan(storms / 2);
        }
        NpgsqlConnection.ClearAllPools();
    }
}
