using System.Diagnostics;
using System.Globalization;
using Millrace.Postgres;
using Millrace.Storage;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>G12: versions of a program, and of the schema, beside each other. MILLRACE_TEST_SCALE makes the runs longer.</summary>
public sealed class UpgradeTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static int Times => int.TryParse(Environment.GetEnvironmentVariable("MILLRACE_TEST_SCALE"), out var scale) ? scale : 1;

    // Version 1 has a type that version 2 lacks, and the other way round. Two nodes go from 1 to 2, and one goes back.
    [Theory]
    [Trait("Speed", "Slow")]
    [InlineData("postgres", 5000)]
    [InlineData("sqlite", 1000)]
    public async Task While_nodes_of_two_versions_come_and_go_jobs_of_types_nobody_has_wait_and_none_is_lost(string kind, int count)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        var workers = new List<WorkerProcess>();
        var submitted = new List<long>();
        var quick = count * Times;
        var rare = quick / 50;
        var (waitingAdded, waitingRetired) = (0L, 0L);
        try
        {
            var one = await StartAsync(1);
            var other = await StartAsync(1);
            await FlowAsync();
            waitingAdded = await WaitForWaitingAsync("added");
            one = await UpgradeAsync(one, 2);
            await FlowAsync();
            other = await UpgradeAsync(other, 2);
            await FlowAsync();
            waitingRetired = await WaitForWaitingAsync("retired");
            one = await UpgradeAsync(one, 1);
            await FlowAsync();
            await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == submitted.Count, Long, "every job has succeeded", Logs);
        }
        finally
        {
            foreach (var worker in workers)
                await worker.DisposeAsync();
        }

        var outcomes = await database.RowsAsync($"select outcome, count(*) from {database.Table("attempt")} group by outcome order by outcome");
        output.WriteLine($"{kind}: {submitted.Count} jobs over four changes of version; waited for a node of their type: {waitingAdded} added, {waitingRetired} retired; ends: {string.Join(", ", outcomes)}");
        (await database.IdsAsync($"select job_id from {database.Table("attempt")} where outcome = 'succeeded'")).ShouldBe(submitted, ignoreOrder: true);
        // A drained node hands back what it had not started; nothing else may have happened to any of them.
        outcomes.Select(row => row.Split('|')[0]).Except(["succeeded", "released"]).ShouldBeEmpty("no type died");
        (await database.NumberAsync("select count(*) - count(distinct job_id) from effect")).ShouldBe(0);
        (await database.NumberAsync("select count(*) from effect")).ShouldBe(submitted.Count);
        (await database.NumberAsync($"select count(*) from {database.Table("attempt")} where attempt > 1")).ShouldBe(0, "no attempt was charged");

        async Task<WorkerProcess> StartAsync(int version)
        {
            // Long enough that a busy machine makes no node look dead: no run may be interrupted here.
            var worker = await WorkerProcess.StartAsync(database, expiry: 10, version: version);
            workers.Add(worker);
            return worker;
        }

        async Task<WorkerProcess> UpgradeAsync(WorkerProcess old, int version)
        {
            var next = await StartAsync(version);
            old.Terminate();
            (await old.ExitAsync(Long)).ShouldBe(0, old.Log);
            return next;
        }

        // A quarter of the load, and the nodes are in the middle of it when the next thing happens.
        async Task FlowAsync()
        {
            var done = await database.EndedAsync("succeeded");
            submitted.AddRange(await client.SubmitAsync(Enumerable.Range(0, quick / 4).Select(number => new Count(number))));
            submitted.AddRange(await client.SubmitAsync(Enumerable.Range(0, rare / 4).Select(number => new Added(number))));
            submitted.AddRange(await client.SubmitAsync(Enumerable.Range(0, rare / 4).Select(number => new Retired(number))));
            await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") >= done + quick / 16, Long, "jobs flow", Logs);
        }

        async Task<long> WaitForWaitingAsync(string type)
        {
            var waiting = 0L;
            await Eventually.IsAsync(
                async () => (waiting = await database.NumberAsync($"select count(*) from {database.Table("waiting")} where type = '{type}' and reason = 'type'")) >= rare / 4,
                Long, $"jobs of type {type} wait for a node that has it", Logs);
            (await database.NumberAsync($"select count(*) from {database.Table("job")} j where type = '{type}' and not exists (select 1 from {database.Table("waiting")} w where w.id = j.id) and not exists (select 1 from {database.Table("ready")} r where r.id = j.id) and not exists (select 1 from {database.Table("attempt")} a where a.job_id = j.id and a.outcome = 'succeeded')"))
                .ShouldBe(0, "what nobody can run waits or stands in line");
            return waiting;
        }

        string Logs() => string.Concat(workers.Select(worker => worker.Log));
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_schema_that_is_one_ahead_is_worked_on_and_one_that_is_two_ahead_is_refused(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using (await TestClient.StartAsync(database))
        {
        }
        var (table, number, time) = kind == "postgres" ? ("millrace.migration", "version", "applied") : ("millrace_migration", "number", "applied_at");
        // What the next version would bring: columns that this one does not know, with defaults.
        foreach (var name in new[] { "job", "ready", "scheduled", "lease", "attempt", "node" })
            await database.ExecuteAsync($"alter table {database.Table(name)} add column of_the_future integer not null default 1");
        await AheadAsync();

        await using var client = await TestClient.StartAsync(database);
        await using var worker = await WorkerProcess.StartAsync(database, expiry: 3);
        var jobs = await client.SubmitAsync(Enumerable.Range(0, 500).Select(number => new Count(number)));
        await client.Jobs.SubmitAsync(new Count(1), new JobOptions { Delay = TimeSpan.FromMilliseconds(200), Tag = "key", WhenPending = WhenPending.Keep });
        await client.Jobs.SubmitAsync(new Transfer(1, 1));
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == jobs.Count + 2, Long, "jobs succeed", () => worker.Log);
        worker.Release();
        (await worker.ExitAsync(Long)).ShouldBe(0, worker.Log);

        await AheadAsync();
        var refused = await Should.ThrowAsync<SetupException>(async () => await TestClient.StartAsync(database));
        output.WriteLine(refused.Message);
        refused.Message.ShouldContain("pgrade");

        async Task AheadAsync()
        {
            var next = await database.NumberAsync($"select max({number}) + 1 from {table}");
            var now = kind == "postgres" ? "clock_timestamp()" : "0";
            await database.ExecuteAsync($"insert into {table} ({number}, name, {time}) values ({next}, 'of_the_future', {now})");
        }
    }

    // D8. A migration that waits for its lock stands before everybody who comes after it: it waits for LockTimeout, lets them go on, and comes again.
    [Fact]
    [Trait("Speed", "Slow")]
    public async Task A_migration_that_meets_a_long_reader_never_holds_up_the_claims_for_longer_than_its_lock_timeout()
    {
        const double patience = 2;
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        var rows = 100_000 * Times;
        await client.SubmitAsync(Enumerable.Range(0, rows).Select(_ => new Nap(20)));
        await using var worker = await WorkerProcess.StartAsync(database, concurrency: 10);
        await Eventually.IsAsync(() => worker.Count("returned") >= 200, Long, "the worker works", () => worker.Log);

        await using var reading = await database.ConnectAsync();
        await using var reader = await reading.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var read = reading.CreateCommand())
        {
            read.Transaction = reader;
            read.CommandText = "select (select count(*) from millrace.job) + (select count(*) from millrace.ready)";
            await read.ExecuteScalarAsync(TestContext.Current.CancellationToken);
        }

        await using var next = new PostgresStore(new NpgsqlConnectionStringBuilder(database.ConnectionString), new PostgresOptions(), new StoreClock(TimeProvider.System))
        {
            Known = () => [.. PostgresStore.Migrations(), ("of_the_future.sql", "alter table ready add column of_the_future integer not null default 1; alter table job add column of_the_future integer not null default 1")],
        };
        using var end = new CancellationTokenSource();
        var pauses = Task.Run(() => LongestPauseAsync(worker, end.Token));
        var migrating = next.MigrateAsync(apply: true, TestContext.Current.CancellationToken);
        var (waits, longestWait) = (new HashSet<string>(StringComparer.Ordinal), 0.0);
        await Eventually.IsAsync(
            async () =>
            {
                foreach (var row in await database.RowsAsync("select waitstart, extract(epoch from clock_timestamp() - waitstart) from pg_locks where not granted and mode = 'AccessExclusiveLock' and waitstart is not null"))
                {
                    waits.Add(row.Split('|')[0]);
                    longestWait = Math.Max(longestWait, double.Parse(row.Split('|')[1], CultureInfo.InvariantCulture));
                }
                return waits.Count >= 3;
            },
            Long, "the migration came again", () => worker.Log);
        migrating.IsCompleted.ShouldBeFalse("the reader is still there");
        await reader.RollbackAsync(TestContext.Current.CancellationToken);
        var watch = Stopwatch.StartNew();
        await migrating.WaitAsync(Long, TestContext.Current.CancellationToken);
        var applied = watch.Elapsed;
        var before = worker.Count("returned");
        await Eventually.IsAsync(() => worker.Count("returned") >= before + 200, Long, "the worker works on the newer schema", () => worker.Log);
        await end.CancelAsync();
        var pause = await pauses;

        output.WriteLine($"{rows:N0} rows, a reader open: {waits.Count} waits for the lock, the longest {longestWait:0.00} s; the longest time without a start {pause.TotalSeconds:0.00} s; applied {applied.TotalSeconds:0.00} s after the reader had gone");
        // Three waits in a row would be more than three times as long.
        longestWait.ShouldBeLessThan(2 * patience);
        // Beyond the lock: a turn that was in the way of it is tried again.
        pause.TotalSeconds.ShouldBeLessThan((2 * patience) + 1);
        applied.TotalSeconds.ShouldBeLessThan(patience + Scale.Slack);
        worker.Release();
        (await worker.ExitAsync(Long)).ShouldBe(0, worker.Log);
        (await database.NumberAsync("select max(version) from millrace.migration")).ShouldBe(PostgresStore.Migrations().Count + 1);
        (await database.NumberAsync("select (select count(*) from millrace.ready) + (select count(*) from millrace.scheduled) + (select count(*) from millrace.attempt where outcome = 'succeeded')"))
            .ShouldBe(rows, "nothing is lost");
        (await database.RowsAsync("select distinct outcome from millrace.attempt where outcome not in ('succeeded', 'released')")).ShouldBeEmpty();
    }

    /// <summary>The longest time in which this worker started nothing.</summary>
    private static async Task<TimeSpan> LongestPauseAsync(WorkerProcess worker, CancellationToken end)
    {
        var (longest, since, seen) = (TimeSpan.Zero, Stopwatch.GetTimestamp(), worker.Events.Count);
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
            var now = worker.Events.Count;
            var pause = Stopwatch.GetElapsedTime(since);
            longest = pause > longest ? pause : longest;
            if (now != seen)
                (since, seen) = (Stopwatch.GetTimestamp(), now);
        }
        return longest;
    }
}
