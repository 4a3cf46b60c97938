using System.Diagnostics;

namespace Millrace.System.Tests;

/// <summary>S14, G8, G10: child processes, and what becomes of their jobs whatever dies.</summary>
public sealed class ProcessTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task Jobs_run_in_children_that_end_with_their_server(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        await using var server = await WorkerProcess.StartAsync(database, workers: 2);
        await server.HasReadyAsync(3);
        await client.SubmitAsync(Enumerable.Range(0, 200).Select(number => new Count(number)));
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == 200, Long, "200 jobs are done", () => server.Log);

        (await database.NumberAsync($"select count(*) from {database.Table("node")} where kind = 'worker' and server = (select id from {database.Table("node")} where name = '{server.NodeName}')")).ShouldBe(3, "two that run jobs, and one that runs them alone");
        (await database.NumberAsync($"select count(distinct a.node) from {database.Table("attempt")} a join {database.Table("node")} n on n.id = a.node where n.kind <> 'worker'")).ShouldBe(0);
        var children = server.Children;
        children.Count.ShouldBe(3);
        server.Terminate();
        (await server.ExitAsync(Long)).ShouldBe(0, server.Log);
        children.ShouldAllBe(child => !WorkerProcess.IsAlive(child));
    }

    /// <summary>R05: its children see the end of the control pipe, and others take the jobs over.</summary>
    [Fact]
    public async Task Children_of_a_killed_server_are_gone_and_their_jobs_are_taken_over()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        var gate = TestDatabase.Place;
        await using var first = await WorkerProcess.StartAsync(database, concurrency: 5, expiry: 3, workers: 2);
        await first.HasReadyAsync(3);
        // Deaf: they would hold their process for ever.
        await client.SubmitAsync(Enumerable.Range(0, 10).Select(_ => new Hold(gate, Manner.Deaf)));
        await Eventually.IsAsync(async () => await database.NumberAsync("select coalesce(sum(cardinality(job_ids)), 0) from millrace.lease") == 10, Long, "10 jobs run", () => first.Log);
        await using var second = await WorkerProcess.StartAsync(database, concurrency: 5, expiry: 3, workers: 2);
        await second.HasReadyAsync(3);

        var children = first.Children;
        var watch = Stopwatch.StartNew();
        await first.KillAsync();
        await Eventually.IsAsync(() => !children.Any(WorkerProcess.IsAlive), Long, "the children are gone");
        var gone = watch.Elapsed;
        await Eventually.IsAsync(
            async () => await database.NumberAsync("select count(*) from millrace.attempt where outcome in ('interrupted', 'released')") == 10, Long, "the jobs are taken back", () => second.Log);
        var taken = watch.Elapsed;
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == 10, Long, "the jobs are done", () => second.Log);
        output.WriteLine($"children gone after {gone.TotalSeconds:0.00} s, jobs taken over after {taken.TotalSeconds:0.00} s");
        File.Delete(gate);

        gone.TotalSeconds.ShouldBeLessThan(2 + Scale.Slack);
        taken.TotalSeconds.ShouldBeLessThan(6 + Scale.Slack);
    }

    /// <summary>R04: the storm.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Nothing_is_lost_when_a_child_is_killed_every_second()
    {
        const int jobs = 20_000;
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        await using var server = await WorkerProcess.StartAsync(database, concurrency: 10, workers: 3, more: ["--quiet", "1"]);
        await server.HasReadyAsync(4);
        var random = new Random(20_000);
        var ids = await client.SubmitAsync(Enumerable.Range(0, jobs).Select(_ => new Nap(random.Next(15))));

        var kills = new List<DateTimeOffset>();
        var watch = Stopwatch.StartNew();
        while (await database.EndedAsync("succeeded") < jobs && watch.Elapsed < TimeSpan.FromMinutes(3))
        {
            await Eventually.PauseAsync(TimeSpan.FromSeconds(1));
            // One of those that run many jobs. The one that runs suspects has its own test: hit every few seconds as well, on two cores it would do nothing but start.
            var alone = server.ProcessOf("isolated-1");
            var children = server.Children.Where(child => child != alone).ToArray();
            if (children.Length == 0)
                continue;
            kills.Add(await NowAsync(database));
            WorkerProcess.Kill(children[random.Next(children.Length)]);
        }
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == jobs, Long, "all jobs are done", () => server.Log);

        var interrupted = await database.EndedAsync("interrupted");
        // From the kill to the next start of what the killed child was running. What it had claimed and not started is given back at once too, to the end of the line.
        var restarts = (await database.RowsAsync(
            $"""
            select extract(epoch from i.finished), extract(epoch from n.started)
            from millrace.attempt i
            join millrace.attempt n on n.job_id = i.job_id and n.run = i.run + 1
            join millrace.node alone on alone.id = n.node and alone.name = '{Environment.MachineName}:{server.ProcessOf("isolated-1")}'
            where i.outcome = 'interrupted'
            """)).Select(row => row.Split('|')).Select(row => Number(row[1]) - kills.Select(Seconds).Where(kill => kill <= Number(row[0])).Max()).Order().ToArray();
        output.WriteLine($"{jobs} jobs, {kills.Count} kills, {watch.Elapsed.TotalSeconds:0} s; {interrupted} runs interrupted, {restarts.Length} of them had begun; next start of those after p50 {restarts[restarts.Length / 2]:0.00} s, p99 {restarts[restarts.Length * 99 / 100]:0.00} s, longest {restarts[^1]:0.00} s");

        (await database.NumberAsync("select count(distinct job_id) from effect")).ShouldBe(jobs, "lost");
        (await database.NumberAsync("select count(*) from effect e where not exists (select from millrace.job j where j.id = e.job_id)")).ShouldBe(0, "unexpected");
        // A second effect is explained by a run that was interrupted after its effect and before its end was stored.
        (await database.NumberAsync(
            """
            select count(*) from effect e
            where not exists (select from millrace.attempt a where a.job_id = e.job_id and a.run = e.run and a.outcome in ('succeeded', 'interrupted'))
            """)).ShouldBe(0, "unexplained");
        (await database.NumberAsync("select count(*) from (select job_id from millrace.attempt where outcome = 'succeeded' group by 1 having count(*) > 1) twice")).ShouldBe(0, "ended twice");
        (await database.NumberAsync("select count(*) from millrace.ready")).ShouldBe(0, "stuck");
        (await database.NumberAsync("select count(*) from millrace.waiting")).ShouldBe(0, "stuck");
        ids.Count.ShouldBe(jobs);
        // 1 s on a machine that has the time to start processes.
        restarts[restarts.Length / 2].ShouldBeLessThan(1 + Scale.Slack);
    }

    /// <summary>R13: five times with handlers that heed their token, five times with one that does not.</summary>
    [Theory]
    [InlineData(Manner.Plain)]
    [InlineData(Manner.Deaf)]
    [Trait("Speed", "Slow")]
    public async Task Stops_of_a_server_with_children_end_no_job_and_lose_no_result(Manner manner)
    {
        const int grace = 1;
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        var never = TestDatabase.Place;
        var exits = new List<double>();
        await client.SubmitAsync(Enumerable.Range(0, 20_000).Select(_ => new Nap(20)));
        for (var i = 0; i < 5; i++)
        {
            await using var server = await WorkerProcess.StartAsync(database, grace: grace, workers: 2);
            await server.HasReadyAsync(3);
            var held = await client.Jobs.SubmitAsync(new Hold(never, manner), new JobOptions { Priority = -1 });
            var before = await database.EndedAsync("succeeded");
            await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") > before + 50, Long, "jobs run", () => server.Log);
            var watch = Stopwatch.StartNew();
            server.Terminate();
            (await server.ExitAsync(Long)).ShouldBe(0, server.Log);
            exits.Add(watch.Elapsed.TotalSeconds);
            (await database.NumberAsync("select count(*) from millrace.lease")).ShouldBe(0, server.Log);
            await client.Jobs.CancelAsync(held.Id);
        }
        output.WriteLine($"{manner}: exits after {string.Join(", ", exits.Select(seconds => $"{seconds:0.00}"))} s with a grace time of {grace} s");

        // A busy machine may take its time now and then.
        exits.Order().ElementAt(exits.Count / 2).ShouldBeLessThan(grace + 3 + Scale.Slack);
        exits.ShouldAllBe(seconds => seconds < grace + 3 + (2 * Scale.Slack));
        (await database.RowsAsync("select distinct outcome from millrace.attempt where outcome <> 'cancelled' order by 1")).ShouldBe(["released", "succeeded"]);
        (await database.NumberAsync("select count(*) from millrace.attempt where outcome = 'released' and (charged or success is not null)")).ShouldBe(0);
        (await database.NumberAsync("select count(*) from effect e where not exists (select from millrace.attempt a where a.job_id = e.job_id and a.run = e.run and a.outcome = 'succeeded')")).ShouldBe(0, "lost results");
    }

    /// <summary>S9.</summary>
    [Fact]
    public async Task A_child_uses_two_connections_and_a_pool_of_two()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        await using var server = await WorkerProcess.StartAsync(database, concurrency: 20, workers: 2);
        await server.HasReadyAsync(3);
        await client.SubmitAsync(Enumerable.Range(0, 2000).Select(number => new Count(number)));
        var most = new Dictionary<string, int>();
        await Eventually.IsAsync(
            async () =>
            {
                foreach (var row in await database.RowsAsync("select application_name, count(*) from pg_stat_activity where datname = current_database() and application_name like 'millrace%' group by 1"))
                    most[row.Split('|')[0]] = Math.Max(most.GetValueOrDefault(row.Split('|')[0]), int.Parse(row.Split('|')[1], provider: null));
                return await database.EndedAsync("succeeded") == 2000;
            },
            Long,
            "2,000 jobs are done",
            () => server.Log);
        output.WriteLine(string.Join(", ", most.Select(pair => $"{pair.Key}: {pair.Value}")));

        // The two, the one that runs jobs alone, and the server; and a submitter in this test.
        most["millrace"].ShouldBeLessThanOrEqualTo(5);
        most["millrace beat"].ShouldBe(4);
        most["millrace handlers"].ShouldBeInRange(2, 4);
    }

    [Fact]
    public async Task A_child_is_replaced_after_its_number_of_jobs_and_all_of_them_on_request()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        await using var server = await WorkerProcess.StartAsync(database, workers: 2, more: ["--recycle", "300"]);
        await server.HasReadyAsync(3);
        var first = server.Children;
        await client.SubmitAsync(Enumerable.Range(0, 3000).Select(_ => new Nap(10)));

        (await server.AskAsync("restart", "restarted", Long)).ShouldBe("3");
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == 3000, Long, "3,000 jobs are done", () => server.Log);
        await Eventually.IsAsync(() => !first.Any(WorkerProcess.IsAlive), Long, "the first children are gone", () => server.Log);

        output.WriteLine($"{server.Lines.Count(line => line.Contains("is replaced", StringComparison.Ordinal))} replaced by themselves");
        server.Lines.ShouldContain(line => line.Contains("RecycleAfterJobs is 300", StringComparison.Ordinal));
        (await database.NumberAsync("select count(*) from millrace.attempt where outcome not in ('succeeded', 'released')")).ShouldBe(0);
        (await database.NumberAsync("select count(*) from effect")).ShouldBe(3000);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task Children_drain_with_their_server_and_so_do_those_that_take_their_places(string kind)
    {
        const string Heard = "was asked to claim no more";
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        await using var server = await WorkerProcess.StartAsync(database, expiry: 3, workers: 2);
        await server.HasReadyAsync(3);
        var node = (await client.Store.Inspection.ReadWorkersAsync(default)).Single(worker => worker.Name == server.NodeName).Id;
        var ann = new Storage.Author("ann", "code", "an update");

        (await client.Store.Operations.DrainAsync(node, true, ann, default)).ShouldBe(true);
        await Eventually.IsAsync(() => server.Lines.Count(line => line.Contains(Heard, StringComparison.Ordinal)) == 4, Long, "the server and its three children know", () => server.Log);
        await client.SubmitAsync(Enumerable.Range(0, 20).Select(number => new Count(number)));
        (await server.AskAsync("restart", "restarted", Long)).ShouldBe("3");
        await Eventually.IsAsync(() => server.Lines.Count(line => line.Contains(Heard, StringComparison.Ordinal)) == 7, Long, "those in their places know", () => server.Log);
        (await database.NumberAsync($"select count(*) from {database.Table("ready")}")).ShouldBe(20);

        (await client.Store.Operations.DrainAsync(node, false, ann, default)).ShouldBe(true);
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == 20, Long, "20 jobs are done", () => server.Log);
    }

    private static async Task<DateTimeOffset> NowAsync(TestDatabase database) =>
        DateTimeOffset.FromUnixTimeMilliseconds(await database.NumberAsync("select (extract(epoch from clock_timestamp()) * 1000)::bigint"));

    private static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    private static double Number(string text) => double.Parse(text, global::System.Globalization.CultureInfo.InvariantCulture);
}
