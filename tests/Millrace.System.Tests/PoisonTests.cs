using System.Diagnostics;

namespace Millrace.System.Tests;

/// <summary>G10: handlers that take their process with them, or never end; and children that cannot start.</summary>
public sealed class PoisonTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(120);

    /// <summary>R14: the seven kinds, among jobs that do no harm.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Seven_kinds_of_poison_end_themselves_and_nobody_else()
    {
        const int good = 5000;
        // 80 ms each: a process that dies costs about half a second of processor time to start again, which is what is lost here.
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        await using var server = await WorkerProcess.StartAsync(database, concurrency: 10, workers: 2, more: ["--timeout-grace", "1"]);
        await server.HasReadyAsync(2);

        var calm = await TimeAsync(() => client.SubmitAsync(Enumerable.Range(0, good).Select(_ => new Nap(80))), good);
        var before = await database.EndedAsync("succeeded");
        before.ShouldBe(good);
        var poison = new List<long>();
        var stuck = new List<long>();
        var poisoned = await TimeAsync(
            async () =>
            {
                var naps = Enumerable.Range(0, good).Select(_ => new Nap(80)).Chunk(good / 7 + 1).ToArray();
                for (var i = 0; i < 7; i++)
                {
                    await client.SubmitAsync(naps[i]);
                    if (i < 5)
                        poison.Add((await client.Jobs.SubmitAsync(new Poison((PoisonKind)i), new JobOptions { Priority = -1 })).Id);
                    else
                        stuck.Add((await client.Jobs.SubmitAsync(new Stuck(IsLoop: i == 5), new JobOptions { Priority = -1 })).Id);
                }
            },
            2 * good);
        await Eventually.IsAsync(async () => await database.NumberAsync("select count(*) from millrace.waiting where reason = 'quarantine'") == poison.Count, Long, "the poison is quarantined", () => Places(database) + server.Log);
        await Eventually.IsAsync(async () => await database.NumberAsync("select count(*) from millrace.attempt where type = 'stuck' and outcome = 'discarded'") == stuck.Count, Long, "what is stuck is given up", () => server.Log);

        var loss = 1 - calm / poisoned;
        output.WriteLine($"{good} good jobs: {calm:0.0} s alone, {poisoned:0.0} s with poison, {loss:P0} of the throughput lost; {server.Lines.Count(line => line.Contains("Another takes its place", StringComparison.Ordinal))} processes died");
        foreach (var row in await database.RowsAsync("select job_id, run, left(error, 160) from millrace.attempt where type = 'poison' and run >= 3 order by 1, 2"))
            output.WriteLine(row);

        (await database.RowsAsync("select id, crashes from millrace.waiting order by id")).ShouldBe(poison.Order().Select(id => $"{id}|3"));
        (await database.RowsAsync("select job_id, count(*) from millrace.attempt where type = 'poison' and charged group by 1 order by 1")).ShouldBe(poison.Order().Select(id => $"{id}|3"));
        (await database.NumberAsync("select count(*) from millrace.attempt where type = 'poison' and charged and error not like '%Worker process%'")).ShouldBe(0, "each charged crash has its evidence");
        (await database.NumberAsync("select count(*) from millrace.attempt where type = 'nap' and charged and outcome <> 'succeeded'")).ShouldBe(0, "no neighbour is charged");
        (await database.NumberAsync("select count(distinct job_id) from effect")).ShouldBe(2 * good);
        (await database.NumberAsync("select count(*) from millrace.attempt where type = 'stuck' and charged")).ShouldBe(2 * stuck.Count);

        async Task<double> TimeAsync(Func<Task> submit, long total)
        {
            var watch = Stopwatch.StartNew();
            await submit();
            await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == total, Long, $"{total} jobs are done", () => server.Log);
            return watch.Elapsed.TotalSeconds;
        }
    }

    private static string Places(TestDatabase database) => string.Join('\n', database.RowsAsync(
        """
        select 'waiting', w.id, w.reason, w.type, w.crashes, w.run from millrace.waiting w
        union all select 'ready', r.id, r.is_suspect::text, r.type, r.crashes, r.run from millrace.ready r
        union all select 'lease', unnest(job_ids), is_alone::text || n.name, '', 0, 0 from millrace.lease l left join millrace.node n on n.id = l.node
        union all select 'run', a.job_id, a.outcome, a.type, a.charged::integer, a.run from millrace.attempt a where a.type <> 'nap'
        """).GetAwaiter().GetResult()) + "\n";

    [Fact]
    public async Task A_quarantined_job_runs_again_when_a_person_says_so()
    {
        await using var database = await TestDatabase.CreateAsync("sqlite");
        await using var client = await TestClient.StartAsync(database);
        await using var server = await WorkerProcess.StartAsync(database, workers: 1);
        await server.HasReadyAsync(1);
        var job = await client.Jobs.SubmitAsync(new Poison(PoisonKind.FailFast));
        await Eventually.IsAsync(async () => (await client.Jobs.FindAsync(job.Id))?.State == JobState.Waiting, Long, "the job is quarantined", () => server.Log);

        var attempts = await database.RowsAsync("select charged, error from millrace_attempt order by run");
        attempts.Count(row => row.StartsWith("1|", StringComparison.Ordinal)).ShouldBe(3);
        attempts[^1].ShouldContain("SIGABRT");
        attempts[^1].ShouldContain("A handler called FailFast", Case.Sensitive, "the last lines are part of the evidence");
        (await client.Jobs.RetryAsync(job.Id)).ShouldBe(RetryResult.Ready);
        await Eventually.IsAsync(async () => await database.NumberAsync("select count(*) from millrace_attempt where charged = 1") == 6, Long, "it has killed three more", () => server.Log);
    }

    [Fact]
    public async Task An_isolated_job_is_killed_at_its_deadline_and_its_neighbours_go_on()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        await using var server = await WorkerProcess.StartAsync(database, more: ["--isolated", "1"]);
        await server.HasReadyAsync(2);
        var quick = await client.Jobs.SubmitAsync(new Lonely(10));
        (await client.Jobs.WaitAsync(quick.Id, Long)).State.ShouldBe(JobState.Succeeded);

        var endless = await client.Jobs.SubmitAsync(new Lonely(600_000));
        await client.SubmitAsync(Enumerable.Range(0, 100).Select(_ => new Nap(20)));
        (await client.Jobs.WaitAsync(endless.Id, Long)).State.ShouldBe(JobState.Discarded);
        var took = (await database.RowsAsync($"select extract(epoch from finished - started) from millrace.attempt where job_id = {endless.Id} order by run"))
            .Select(row => double.Parse(row, global::System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        output.WriteLine($"killed after {string.Join(" and ", took.Select(seconds => $"{seconds:0.00}"))} s, with a timeout of 1 s");

        // The timeout, and a second for those who heed their token. From the claim: the start of a killed run is not known.
        took.ShouldAllBe(seconds => seconds > 1.9 && seconds < 2 + Scale.Slack);
        (await database.RowsAsync($"select outcome, charged from millrace.attempt where job_id = {endless.Id} order by run")).ShouldBe(["interrupted|True", "discarded|True"]);
        (await database.NumberAsync("select count(*) from millrace.attempt where type = 'nap' and outcome = 'succeeded'")).ShouldBe(100);
        (await database.NumberAsync("select count(*) from millrace.attempt where type = 'nap' and outcome <> 'succeeded'")).ShouldBe(0);
        (await database.NumberAsync("select count(*) from millrace.attempt a join millrace.node n on n.id = a.node where a.type = 'lonely' and n.kind <> 'worker'")).ShouldBe(0);
    }

    [Fact]
    public async Task A_handler_that_floods_its_output_and_leaves_a_process_behind_is_survived()
    {
        await using var database = await TestDatabase.CreateAsync("sqlite");
        await using var client = await TestClient.StartAsync(database);
        await using var server = await WorkerProcess.StartAsync(database, workers: 1);
        await server.HasReadyAsync(1);
        var job = await client.Jobs.SubmitAsync(new Noisy(5_000_000, ChildSeconds: 30));
        (await client.Jobs.WaitAsync(job.Id, Long)).State.ShouldBe(JobState.Succeeded);

        // The process it left holds the child's output: that must not hold anybody else.
        var poison = await client.Jobs.SubmitAsync(new Poison(PoisonKind.Exit));
        await Eventually.IsAsync(async () => (await client.Jobs.FindAsync(poison.Id))?.State == JobState.Waiting, Long, "Environment.Exit(0) is a crash like others", () => server.Log);
        (await database.RowsAsync($"select error from millrace_attempt where job_id = {poison.Id} order by run desc limit 1"))[0].ShouldContain("ended with exit code 0 although nobody had asked it to");
        var watch = Stopwatch.StartNew();
        server.Terminate();
        (await server.ExitAsync(Long)).ShouldBe(0, server.Log);
        watch.Elapsed.TotalSeconds.ShouldBeLessThan(20, "not for as long as the process it left lives");
    }

    [Fact]
    public async Task A_child_that_cannot_start_says_why_and_the_server_stays_up()
    {
        await using var database = await TestDatabase.CreateAsync("sqlite");
        await using var server = await WorkerProcess.StartAsync(database, workers: 1, more: ["--broken", "1"]);
        await Eventually.IsAsync(() => server.Lines.Count(line => line.Contains("cannot start", StringComparison.Ordinal)) >= 3, Long, "three tries", () => server.Log);

        server.Lines.ShouldContain(line => line.Contains("The file settings.json is missing.", StringComparison.Ordinal));
        var health = await server.AskAsync("health", "health", Long);
        health.ShouldStartWith("Unhealthy: Worker process 1 cannot start.");
        health.ShouldContain("The file settings.json is missing.");
        server.Terminate();
        (await server.ExitAsync(Long)).ShouldBe(0, server.Log);
    }

    [Fact]
    public async Task A_number_of_workers_that_is_none_is_refused_with_its_value()
    {
        await using var database = await TestDatabase.CreateAsync("sqlite");
        var start = WorkerProcess.Command(database, []);
        start.Environment["MILLRACE_WORKERS"] = "many";
        using var process = Process.Start(start) ?? throw new InvalidOperationException("No process.");
        var said = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        process.ExitCode.ShouldNotBe(0);
        (await said).ShouldContain("The environment variable MILLRACE_WORKERS is \"many\"; it must be \"cpus\" or a number from 0 to 256.");
    }
}
