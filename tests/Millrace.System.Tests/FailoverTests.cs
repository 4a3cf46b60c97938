using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>G1, G2, G3 when the primary is lost under load and its standby takes over. Every process names both hosts.</summary>
public sealed class FailoverTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    // The longest pauses between two tries: a second between two looks at a host, two seconds between two turns. The rest is the machine's.
    private static readonly double LongestWayBack = 1 + 2 + Scale.Slack;

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task With_a_synchronous_standby_nothing_that_was_acknowledged_is_lost()
    {
        await using var pair = await Pair.StartAsync(isSynchronous: true);
        var database = pair.Both;
        await database.ExecuteAsync(Jobs.Tables);
        await using var client = await TestClient.StartAsync(database);
        var gate = TestDatabase.Place;
        // A node that sleeps through all of it with ten jobs in hand.
        await using var sleeper = await WorkerProcess.StartAsync(database, expiry: 3);
        var held = await HoldAsync(client, sleeper, gate);
        await using var first = await WorkerProcess.StartAsync(database, concurrency: 20, expiry: 3);
        await using var second = await WorkerProcess.StartAsync(database, concurrency: 20, expiry: 3);
        var sleeping = (await pair.Old.RowsAsync($"select id from millrace.node where name = '{sleeper.NodeName}'")).ShouldHaveSingleItem();
        await using var load = new Load(client.Jobs);
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") >= 200, Long, "the load is on", () => first.Log + second.Log);
        sleeper.Freeze();

        await FailOverAsync(pair, load, first, second);
        await load.StopAsync();
        await Eventually.IsAsync(
            async () => await pair.New.NumberAsync($"select count(*) from millrace.attempt where node = '{sleeping}' and rescued_by is not null") == held.Count,
            Long, "the sleeper's jobs were taken back", () => first.Log + second.Log);
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await DrainAsync(pair.New, first, second);
        foreach (var node in new[] { first, second })
        {
            node.Release();
            await node.ExitAsync(Long);
        }
        var before = await ImageAsync(pair.New);

        sleeper.Thaw();
        await Eventually.IsAsync(() => sleeper.Count("returned") + sleeper.Count("threw") >= 10, Long, "the sleeper's handlers have ended", () => sleeper.Log);
        await Eventually.IsAsync(
            async () => await pair.New.NumberAsync($"select count(*) from millrace.node where name = '{sleeper.NodeName}' and id <> '{sleeping}' and dead_at is null") == 1,
            Long, "the sleeper has a new name at the new primary", () => sleeper.Log);
        sleeper.Release();
        await sleeper.ExitAsync(Long);
        (await ImageAsync(pair.New)).ShouldBe(before, "what the sleeper brought was refused");

        var fate = await CheckAsync(pair.New, load, first, second);
        output.WriteLine($"synchronous: {load.Acknowledged.Count} submissions acknowledged, {fate.Lost.Count} lost; {fate.Returned} completions acknowledged, {fate.Undone} lost; {load.Unknown.Count} unknown, {load.Refused.Count} refused; results of the old primary's node refused: {held.Count}");
        fate.Lost.ShouldBeEmpty();
        fate.Undone.ShouldBe(0);
        File.Delete(gate);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task With_an_asynchronous_standby_no_more_is_lost_than_was_not_replicated()
    {
        await using var pair = await Pair.StartAsync(isSynchronous: false);
        var database = pair.Both;
        await database.ExecuteAsync(Jobs.Tables);
        await using var client = await TestClient.StartAsync(database);
        var gate = TestDatabase.Place;
        // A node that knows the old primary alone.
        await using var lonely = await WorkerProcess.StartAsync(pair.Old, expiry: 3);
        var held = await HoldAsync(client, lonely, gate);
        await using var first = await WorkerProcess.StartAsync(database, concurrency: 20, expiry: 3);
        await using var second = await WorkerProcess.StartAsync(database, concurrency: 20, expiry: 3);
        var alone = (await pair.Old.RowsAsync($"select id from millrace.node where name = '{lonely.NodeName}'")).ShouldHaveSingleItem();
        await using var load = new Load(client.Jobs);
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") >= 200, Long, "the load is on", () => first.Log + second.Log);

        var safe = load.Acknowledged.ToArray();
        var safelyReturned = Returned(first, second).ToArray();
        await pair.DetachAsync();
        var known = load.Acknowledged.Count;
        var done = Returned(first, second).Count();
        // A process that takes its ids from the part that will be lost.
        await using var gambler = await TestClient.StartAsync(database);
        var gambled = (await gambler.Jobs.SubmitAsync(new Count(1), new JobOptions { Tag = "gambled" })).Id;
        await Eventually.IsAsync(
            () => load.Acknowledged.Count >= known + 50 && Returned(first, second).Count() >= done + 50, Long, "something is acknowledged that is not replicated", () => first.Log + second.Log);
        var lag = await pair.LagAsync();

        var promoted = await FailOverAsync(pair, load, first, second);

        await load.StopAsync();
        // Rule 20: the sequence of the new primary gives out again what the gambler still holds.
        await using var fresh = await TestClient.StartAsync(database);
        for (var tries = 0; await pair.New.NumberAsync($"select count(*) from millrace.job where id = {gambled + 1}") == 0; tries++)
        {
            tries.ShouldBeLessThan(100, "an id was lost, and is not given out again");
            await Task.WhenAll(new[] { client, fresh }.SelectMany(one => Enumerable.Range(0, 10).Select(_ => one.Jobs.SubmitAsync(new Count(1)))));
        }
        var ids = new List<long>();
        for (var i = 0; i < 20; i++)
            ids.Add((await gambler.Jobs.SubmitAsync(new Count(1), new JobOptions { Tag = $"gambler-{i}" })).Id);
        ids.ShouldNotContain(gambled + 1);
        (await pair.New.IdsAsync("select id from millrace.job where tag like 'gambler-%'")).ShouldBe(ids, ignoreOrder: true);

        await Eventually.IsAsync(
            async () => await pair.New.NumberAsync($"select count(*) from millrace.attempt where node = '{alone}' and rescued_by is not null") == held.Count,
            Long, "the lonely node's jobs were taken back", () => first.Log + second.Log);
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await DrainAsync(pair.New, first, second);
        foreach (var node in new[] { first, second })
        {
            node.Release();
            await node.ExitAsync(Long);
        }

        var fate = await CheckAsync(pair.New, load, first, second);
        output.WriteLine($"asynchronous: {lag:N0} bytes not replicated at the crash; {load.Acknowledged.Count} submissions acknowledged, {fate.Lost.Count} lost, of {load.Acknowledged.Count(one => one.At < promoted) - safe.Length} acknowledged after the standby was cut off; "
            + $"{fate.Returned} completions acknowledged, {fate.Undone} undone and run again or lost with their jobs; {load.Unknown.Count} unknown, {load.Refused.Count} refused");
        lag.ShouldBeGreaterThan(0);
        fate.Lost.ShouldNotBeEmpty("something was not replicated, so this test would not notice a loss");
        fate.Lost.Intersect(safe.Select(one => one.Tag)).ShouldBeEmpty("what was acknowledged before the standby was cut off is there");
        fate.Lost.Intersect(load.Acknowledged.Where(one => one.At > promoted).Select(one => one.Tag)).ShouldBeEmpty("and so is what the new primary acknowledged");
        var effects = (await pair.New.RowsAsync("select job_id || ' ' || run from effect")).ToHashSet(StringComparer.Ordinal);
        safelyReturned.Where(run => !effects.Contains(run)).ShouldBeEmpty("results acknowledged before the standby was cut off are there");

        // Split brain: the old primary comes back as one, and its node with it.
        var before = await ImageAsync(pair.New);
        await pair.ResumeOldAsync();
        await Eventually.IsAsync(
            async () => await pair.Old.NumberAsync("select count(*) from millrace.attempt where type = 'hold' and outcome = 'succeeded'") >= held.Count,
            Long, "the lonely node ends its jobs at the old primary", () => lonely.Log);
        lonely.Release();
        await lonely.ExitAsync(Long);
        (await ImageAsync(pair.New)).ShouldBe(before, "nothing of it reaches the new primary");
        (await pair.New.NumberAsync($"select count(*) from millrace.attempt where node = '{alone}' and rescued_by is null and outcome = 'succeeded' and type = 'hold'")).ShouldBe(0);
        File.Delete(gate);
    }

    // 25006: whoever takes any host gets to a standby before it is promoted, and is told that it takes no writes.
    [Fact]
    [Trait("Speed", "Slow")]
    public async Task A_standby_that_is_met_before_its_promotion_is_asked_again()
    {
        await using var pair = await Pair.StartAsync(isSynchronous: true);
        await pair.Both.ExecuteAsync(Jobs.Tables);
        var any = new ServerDatabase(new NpgsqlConnectionStringBuilder(pair.Both.ConnectionString) { TargetSessionAttributes = "any" }.ConnectionString, pair.New.ConnectionString);
        await using var client = await TestClient.StartAsync(any, m => m.Configure(options => options.SubmitTimeout = TimeSpan.FromSeconds(60)));
        await using var worker = await WorkerProcess.StartAsync(any, expiry: 3);
        await client.Jobs.SubmitAsync(new Transfer(1, 1));
        await Eventually.IsAsync(() => worker.Count("returned") == 1, Long, "the worker works", () => worker.Log);

        await pair.CrashOldAsync();
        var submitting = client.Jobs.SubmitAsync(new Transfer(2, 2));
        await Eventually.IsAsync(() => worker.Log.Contains("25006", StringComparison.Ordinal), Long, "the worker meets the standby", () => worker.Log);
        submitting.IsCompleted.ShouldBeFalse();
        await pair.PromoteNewAsync();
        var watch = Stopwatch.StartNew();
        await submitting.WaitAsync(Long, TestContext.Current.CancellationToken);
        var submitted = watch.Elapsed;
        await Eventually.IsAsync(() => worker.Count("returned") == 2, Long, "the worker goes on", () => worker.Log);

        output.WriteLine($"after the promotion: submitted {submitted.TotalSeconds:0.00} s, done {watch.Elapsed.TotalSeconds:0.00} s");
        (await any.RowsAsync("select balance from account where id in (1, 2) order by id")).ShouldBe(["1", "2"]);
    }

    private static async Task<IReadOnlyList<long>> HoldAsync(TestClient client, WorkerProcess worker, string gate)
    {
        var jobs = await client.SubmitAsync(Enumerable.Range(0, 10).Select(number => new Hold(gate, number % 2 == 0 ? Manner.Deaf : Manner.DeafInTransaction)));
        await Eventually.IsAsync(() => worker.Count("started") == 10, Long, "10 jobs run", () => worker.Log);
        return jobs;
    }

    /// <returns>When the standby had become the primary, by the clock of <see cref="Stopwatch"/>.</returns>
    private async Task<long> FailOverAsync(Pair pair, Load load, WorkerProcess first, WorkerProcess second)
    {
        var watch = Stopwatch.StartNew();
        await pair.CrashOldAsync();
        var crashed = watch.Elapsed;
        await pair.PromoteNewAsync();
        var promoted = watch.Elapsed;
        var since = Stopwatch.GetTimestamp();
        var time = (await pair.New.RowsAsync("select clock_timestamp()::text")).Single();
        var tag = load.Acknowledged.Count;
        await Eventually.IsAsync(async () => await pair.New.NumberAsync($"select count(*) from millrace.lease where claimed_at > '{time}'") > 0, Long, "a claim at the new primary", () => first.Log + second.Log);
        var claimed = watch.Elapsed;
        await Eventually.IsAsync(() => load.Acknowledged.Count > tag, Long, "a submission at the new primary");
        var submitted = watch.Elapsed;
        await Eventually.IsAsync(
            async () => await pair.New.NumberAsync($"select count(*) from millrace.attempt where outcome = 'succeeded' and started > '{time}'") >= 100,
            Long, "100 jobs succeed at the new primary", () => first.Log + second.Log);
        output.WriteLine($"crashed after {crashed.TotalSeconds:0.00} s, promoted after {promoted.TotalSeconds:0.00} s; since then: first claim {(claimed - promoted).TotalSeconds:0.00} s, first submission {(submitted - promoted).TotalSeconds:0.00} s, 100 jobs done {(watch.Elapsed - promoted).TotalSeconds:0.00} s");
        (claimed - promoted).TotalSeconds.ShouldBeLessThan(LongestWayBack);
        return since;
    }

    private static async Task DrainAsync(TestDatabase database, WorkerProcess first, WorkerProcess second) => await Eventually.IsAsync(
        async () => await database.NumberAsync("select (select count(*) from millrace.job) - (select count(*) from millrace.attempt where outcome = 'succeeded')") == 0,
        Long, "every stored job has succeeded", () => first.Log + second.Log);

    /// <summary>The runs of transfers whose handlers were told that they are complete: "job run".</summary>
    private static IEnumerable<string> Returned(params WorkerProcess[] workers) =>
        workers.SelectMany(worker => worker.Events).Where(line => line.StartsWith("returned ", StringComparison.Ordinal)).Select(line => line["returned ".Length..]);

    /// <summary>What became of everything that somebody was told about, and that the rest is consistent.</summary>
    private static async Task<(IReadOnlyList<string> Lost, int Returned, int Undone)> CheckAsync(TestDatabase database, Load load, params WorkerProcess[] workers)
    {
        load.Unexpected.ShouldBeEmpty();
        var tags = await database.RowsAsync("select tag from millrace.job where type = 'transfer'");
        tags.Count.ShouldBe(tags.Distinct().Count(), "no submission is stored twice");
        var stored = tags.ToHashSet(StringComparer.Ordinal);
        load.Refused.Where(stored.Contains).ShouldBeEmpty("what was refused is not stored");
        stored.Except(load.Acknowledged.Select(one => one.Tag)).Except(load.Unknown).ShouldBeEmpty("anything else that is stored was said to be unknown");

        var figures = (await database.RowsAsync("""
            select coalesce(sum((data::jsonb->>'amount')::bigint), 0), (select sum(balance) from account), (select sum(e.amount) from effect e join millrace.job j on j.id = e.job_id where j.type = 'transfer'),
                   count(*), (select count(*) from effect e join millrace.job j on j.id = e.job_id where j.type = 'transfer'),
                   (select count(*) from millrace.attempt where outcome = 'succeeded' and type = 'transfer')
            from millrace.job where type = 'transfer'
            """)).Single().Split('|').Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        figures[1].ShouldBe(figures[0], "the accounts hold what the jobs carried");
        figures[2].ShouldBe(figures[0]);
        figures[4].ShouldBe(figures[3], "one effect per job");
        figures[5].ShouldBe(figures[3], "each succeeded once");

        var effects = (await database.RowsAsync("select job_id || ' ' || run from effect")).ToHashSet(StringComparer.Ordinal);
        var holds = (await database.RowsAsync("select id from millrace.job where type <> 'transfer'")).ToHashSet(StringComparer.Ordinal);
        var returned = Returned(workers).Where(run => !holds.Contains(run.Split(' ')[0])).ToArray();
        return ([.. load.Acknowledged.Select(one => one.Tag).Where(tag => !stored.Contains(tag))], returned.Length, returned.Count(run => !effects.Contains(run)));
    }

    /// <summary>Everything in the database that says something about a job. Nodes come and go beside it.</summary>
    private static Task<IReadOnlyList<string>> ImageAsync(TestDatabase database) => database.RowsAsync("""
        select 'job', id, 0, to_jsonb(j)::text from millrace.job j
        union all select 'attempt', job_id, run, to_jsonb(a)::text || a.xmin::text from millrace.attempt a
        union all select 'ready', id, run, to_jsonb(r)::text from millrace.ready r
        union all select 'scheduled', id, run, to_jsonb(s)::text from millrace.scheduled s
        union all select 'waiting', id, run, to_jsonb(w)::text from millrace.waiting w
        union all select 'effect', job_id, run, amount::text from effect
        union all select 'account', id, 0, balance::text from account
        order by 1, 2, 3, 4
        """);

    /// <summary>Four loops that submit one transfer after the other, each with a tag that tells it from all others whatever becomes of its id.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task loops;

        public Load(IJobClient jobs) => loops = Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(() => SubmitAsync(jobs, number))));

        public ConcurrentQueue<(string Tag, long Id, long At)> Acknowledged { get; } = [];

        public ConcurrentBag<Exception> Unexpected { get; } = [];

        public ConcurrentBag<string> Unknown { get; } = [];

        public ConcurrentBag<string> Refused { get; } = [];

        public async Task StopAsync()
        {
            await stop.CancelAsync();
            await loops;
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            stop.Dispose();
        }

        private async Task SubmitAsync(IJobClient jobs, int seed)
        {
            var random = new Random(seed);
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var tag = $"{seed}-{i}";
                try
                {
                    var result = await jobs.SubmitAsync(new Transfer(random.Next(Jobs.Accounts), random.Next(1, 100)), new JobOptions { Tag = tag });
                    Acknowledged.Enqueue((tag, result.Id, Stopwatch.GetTimestamp()));
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                }
                catch (SubmitException exception)
                {
                    (exception.Fault == SubmitFault.Unknown ? Unknown : Refused).Add(tag);
                }
                catch (Exception exception)
                {
                    Unexpected.Add(exception);
                }
            }
        }
    }
}
