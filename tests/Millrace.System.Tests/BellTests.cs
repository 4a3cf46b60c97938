using System.Globalization;

namespace Millrace.System.Tests;

/// <summary>R10: the connection that listens for the bell dies without a word. Polling is the truth, the bell is a hint.</summary>
public sealed class BellTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task A_dead_listening_connection_costs_at_most_a_poll_and_is_replaced()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        await using var proxy = TcpProxy.Start(database.ConnectionString);
        await using var worker = await WorkerProcess.StartAsync(database, connection: proxy.ConnectionString);

        // An idle node looks often at first: long enough for that to be over.
        await SubmitForAsync(client, TimeSpan.FromSeconds(4));
        var before = await WaitsAsync(database, worker, "-infinity");
        var frozen = (await database.RowsAsync("select clock_timestamp()::text")).Single();
        proxy.FreezeOpen("millrace beat").ShouldBe(1);
        // When the node listens again, by a connection of its own that is younger.
        var replaced = $"select (extract(epoch from backend_start - '{frozen}') * 1000)::bigint from pg_stat_activity where application_name = 'millrace beat' and backend_start > '{frozen}' order by 1";
        await Eventually.IsAsync(
            async () =>
            {
                await SubmitForAsync(client, TimeSpan.FromSeconds(0.2));
                return (await database.RowsAsync(replaced)).Count > 0;
            },
            Long, "the connection is replaced", () => worker.Log);
        var back = TimeSpan.FromMilliseconds(await database.NumberAsync(replaced));
        await SubmitForAsync(client, TimeSpan.FromSeconds(3));

        var after = await WaitsAsync(database, worker, frozen);
        var waits = after.Where(job => job.Submitted < back).Select(job => job.Wait).Order().ToList();
        var rung = after.Where(job => job.Submitted > back + TimeSpan.FromSeconds(0.5)).Select(job => job.Wait).Order().ToList();
        var p99 = waits[(int)Math.Ceiling(waits.Count * 0.99) - 1];
        output.WriteLine($"before: {before.Count} jobs, longest wait {before.Max(job => job.Wait).TotalMilliseconds:0} ms; "
            + $"deaf: {waits.Count} jobs, median {waits[waits.Count / 2].TotalMilliseconds:0} ms, p99 {p99.TotalMilliseconds:0} ms; the bell was back after {back.TotalSeconds:0.0} s, "
            + $"and then: {rung.Count} jobs, median {rung[rung.Count / 2].TotalMilliseconds:0} ms");

        // The poll interval of 1 s, give or take a sixth, and what a busy machine needs to start a job.
        p99.TotalSeconds.ShouldBeLessThan(2);
        back.TotalSeconds.ShouldBeLessThan(12);
        waits.Count.ShouldBeGreaterThan(10, "it was deaf for a while");
        rung[rung.Count / 2].TotalSeconds.ShouldBeLessThan(0.25, "polling cannot do that");
    }

    // Here: a node with one slot was taken for busy with every job, and after a backlog nobody rang until it had looked by itself.
    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public async Task Nodes_are_rung_for_again_as_soon_as_they_have_worked_a_backlog_off(int concurrency)
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        await using var worker = await TestClient.StartAsync(database, m => m.AddSystemJobs(null).AddWorkers(options =>
        {
            options.Concurrency = concurrency;
            // Longer than the test waits: only the bell is left.
            options.PollInterval = TimeSpan.FromMinutes(1);
        }));

        await client.SubmitAsync(Enumerable.Range(0, 200).Select(_ => new Count(1)));
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == 200, Long, "the backlog is done", () => "");
        for (var i = 0; i < 10; i++)
        {
            var job = await client.Jobs.SubmitAsync(new Count(1));
            (await client.Jobs.WaitAsync(job.Id, Long)).State.ShouldBe(JobState.Succeeded);
        }
    }

    // Here: a look-out that saw something in line took the node for busy, and did so again a second later where jobs kept coming. Nobody rang for those in between.
    [Fact]
    public async Task Nodes_are_rung_for_whatever_stands_in_line_that_they_cannot_take()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        await client.Jobs.SubmitAsync(new Count(1));
        await using var connection = await database.ConnectAsync();
        await using var holding = await connection.BeginTransactionAsync();
        await using (var hold = connection.CreateCommand())
        {
            hold.CommandText = "select id from millrace.ready for update";
            (await hold.ExecuteScalarAsync()).ShouldNotBeNull();
        }
        await using var worker = await TestClient.StartAsync(database, m => m.AddSystemJobs(null).AddWorkers(options => options.PollInterval = TimeSpan.FromMinutes(1)));

        for (var i = 0; i < 10; i++)
        {
            var job = await client.Jobs.SubmitAsync(new Count(1));
            (await client.Jobs.WaitAsync(job.Id, Long)).State.ShouldBe(JobState.Succeeded);
        }
    }

    private static async Task SubmitForAsync(TestClient client, TimeSpan time)
    {
        var end = TimeProvider.System.GetUtcNow() + time;
        while (TimeProvider.System.GetUtcNow() < end)
        {
            await client.Jobs.SubmitAsync(new Count(1));
            await Eventually.PauseAsync(TimeSpan.FromMilliseconds(70));
        }
    }

    /// <summary>When each job was submitted, counted from then on, and how long it waited for its start. By the database's clock.</summary>
    private static async Task<List<(TimeSpan Submitted, TimeSpan Wait)>> WaitsAsync(TestDatabase database, WorkerProcess worker, string since)
    {
        await Eventually.IsAsync(
            async () => await database.NumberAsync("select (select count(*) from millrace.job) - (select count(*) from millrace.attempt where outcome = 'succeeded')") == 0,
            Long, "every job has succeeded", () => worker.Log);
        var rows = await database.RowsAsync($"""
            select (extract(epoch from j.created - case '{since}' when '-infinity' then j.created else '{since}'::timestamptz end) * 1000)::bigint,
                   (extract(epoch from a.started - j.created) * 1000)::bigint
            from millrace.job j join millrace.attempt a on a.job_id = j.id
            where j.created > '{since}'
            order by j.id
            """);
        return [.. rows.Select(row => row.Split('|')).Select(cells => (Milliseconds(cells[0]), Milliseconds(cells[1])))];

        static TimeSpan Milliseconds(string text) => TimeSpan.FromMilliseconds(long.Parse(text, CultureInfo.InvariantCulture));
    }
}
