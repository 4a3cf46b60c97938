using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>G1, G3, G4, G9: the database is cut off under load, again and again.</summary>
public sealed class OutageTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Five_crashes_of_the_server_lose_nothing_and_double_nothing()
    {
        await using var cluster = await Cluster.StartAsync();
        await using var database = await TestDatabase.CreateAsync("postgres", cluster.Server);
        await using var client = await TestClient.StartAsync(database, m => m.Configure(options => options.SubmitTimeout = TimeSpan.FromSeconds(1)));
        await using var patient = await TestClient.StartAsync(database);
        await using var first = await WorkerProcess.StartAsync(database, expiry: 10);
        await using var second = await WorkerProcess.StartAsync(database, expiry: 10);
        var load = new Load(client.Jobs);
        var bulk = new List<long>();

        for (var crash = 0; crash < 5; crash++)
        {
            bulk.AddRange(await patient.SubmitAsync(Enumerable.Range(0, 500).Select(number => new Transfer(number % Jobs.Accounts, 1))));
            var done = await database.EndedAsync("succeeded");
            await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") >= done + 200, Long, "200 more jobs are done", () => first.Log + second.Log);
            await cluster.CrashAsync();
            // How long it is away is what varies here: from nothing to a second.
            await Eventually.PauseAsync(TimeSpan.FromMilliseconds(250 * crash));
            await cluster.ResumeAsync();
            // Since the end of the recovery, which is when the server takes connections again: the script's way back to us is not counted, and no claim is missed.
            var watch = Stopwatch.StartNew();
            var returned = (await database.RowsAsync("select clock_timestamp()::text")).Single();
            await Eventually.IsAsync(
                async () => await database.NumberAsync($"select count(*) from millrace.lease where claimed_at > '{returned}'") > 0,
                Long, "claiming goes on", () => first.Log + second.Log);
            var claimed = watch.Elapsed;
            await Eventually.IsAsync(
                async () => await database.NumberAsync($"select count(*) from millrace.attempt where outcome = 'succeeded' and started > '{returned}'") > 0,
                Long, "jobs succeed", () => first.Log + second.Log);
            output.WriteLine($"crash {crash + 1}: claimed after {claimed.TotalSeconds:0.00} s, succeeded after {watch.Elapsed.TotalSeconds:0.00} s; acknowledged so far {load.Acknowledged.Count}, unknown {load.Unknown.Count}, refused {load.Refused.Count}");
            claimed.TotalSeconds.ShouldBeLessThan(3 + Scale.Slack);
        }

        await load.StopAsync();
        const string open = """
            select (select count(*) from millrace.job) - (select count(*) from millrace.attempt where outcome = 'succeeded')
            """;
        var drained = await Eventually.IsAsync(async () => await database.NumberAsync(open) == 0, TimeSpan.FromSeconds(60), "every stored job has succeeded", () => Places(database) + first.Log + second.Log);
        output.WriteLine($"drained {drained.TotalSeconds:0.0} s after the last crash");

        var stored = await database.IdsAsync("select id from millrace.job");
        load.Acknowledged.Concat(bulk).Where(id => !stored.Contains(id)).ShouldBeEmpty("what was acknowledged is stored");
        load.Refused.Where(stored.Contains).ShouldBeEmpty("what was refused is not");
        stored.Except(load.Acknowledged).Except(bulk).Except(load.Unknown).ShouldBeEmpty("anything else that is stored was said to be unknown, by its id");
        var sums = await database.RowsAsync("""
            select coalesce(sum((data::jsonb->>'amount')::bigint), 0),
                   (select sum(balance) from account),
                   (select sum(amount) from effect),
                   count(*),
                   (select count(*) from effect),
                   (select count(distinct job_id) from effect),
                   (select count(*) from millrace.attempt where outcome = 'succeeded')
            from millrace.job
            """);
        var figures = sums.Single().Split('|').Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        output.WriteLine($"{figures[3]} jobs, sum {figures[0]}, {load.Acknowledged.Count} acknowledged one by one, {load.Unknown.Count} unknown");
        figures[1].ShouldBe(figures[0], "the accounts hold what the jobs carried");
        figures[2].ShouldBe(figures[0]);
        figures[4].ShouldBe(figures[3], "one effect per job");
        figures[5].ShouldBe(figures[3]);
        figures[6].ShouldBe(figures[3], "each succeeded once");
        load.Unexpected.ShouldBeEmpty();
        NpgsqlConnection.ClearAllPools();
    }

    private static string Places(TestDatabase database) => string.Join('\n', database.RowsAsync("""
        select 'ready', count(*) from millrace.ready union all select 'scheduled', count(*) from millrace.scheduled union all select 'waiting', count(*) from millrace.waiting
        union all select 'lease of ' || node || ' claimed ' || claimed_at || array_to_string(job_ids, ','), cardinality(job_ids) from millrace.lease
        union all select outcome, count(*) from millrace.attempt group by outcome
        union all select 'node ' || name || id || ' dead ' || coalesce(dead_at::text, 'no'), 0 from millrace.node
        union all select 'job ' || j.id || ' ' || type, 0 from millrace.job j where not exists (select 1 from millrace.attempt a where a.job_id = j.id and outcome = 'succeeded')
        """).GetAwaiter().GetResult().Take(60)) + "\n";
}
