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

        await SubmitForAsync(client, TimeSpan.FromSeconds(2));
        var before = await WaitsAsync(database, worker, "-infinity");
        var frozen = (await database.RowsAsync("select clock_timestamp()::text")).Single();
        proxy.FreezeOpen("millrace beat").ShouldBe(1);
        var after = new List<(TimeSpan Submitted, TimeSpan Wait)>();
        var deaf = -1;
        while (deaf < 0 && after.LastOrDefault().Submitted < TimeSpan.FromSeconds(14))
        {
            await SubmitForAsync(client, TimeSpan.FromSeconds(1));
            after = await WaitsAsync(database, worker, frozen);
            // Back when five jobs in a row were started by it: polling cannot do that.
            deaf = after.FindIndex(job => after.SkipWhile(other => other != job).Take(5).Count(other => other.Wait < TimeSpan.FromMilliseconds(150)) == 5);
        }

        deaf.ShouldBePositive("the bell came back, and was away");
        var back = after[deaf].Submitted;
        var waits = after.Take(deaf).Select(job => job.Wait).Order().ToList();
        var p99 = waits[(int)Math.Ceiling(waits.Count * 0.99) - 1];
        output.WriteLine($"before: {before.Count} jobs, longest wait {before.Max(job => job.Wait).TotalMilliseconds:0} ms; "
            + $"deaf: {waits.Count} jobs, median {waits[waits.Count / 2].TotalMilliseconds:0} ms, p99 {p99.TotalMilliseconds:0} ms; the bell was back after {back.TotalSeconds:0.0} s");

        // The poll interval of 1 s, and half a second.
        p99.TotalSeconds.ShouldBeLessThan(1.5);
        back.TotalSeconds.ShouldBeLessThan(12);
        waits.Count.ShouldBeGreaterThan(10, "it was deaf for a while");
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
