using System.Globalization;

namespace Millrace.System.Tests;

/// <summary>R20: handlers that block the threads of the pool, as many do.</summary>
public sealed class StarvationTests(ITestOutputHelper output)
{
    private const int Blocked = 200;

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(3);

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Two_hundred_blocked_handlers_do_not_delay_the_heartbeat()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        // Has no handlers, and would take the jobs of a node that is silent for too long.
        await using var sweeper = await TestClient.StartAsync(database, m => m.AddWorkers(workers => workers.NodeExpiry = Expiry));
        await using var worker = await WorkerProcess.StartAsync(database, Blocked, Expiry.TotalSeconds, threads: Blocked);
        await client.SubmitAsync(Enumerable.Range(0, Blocked).Select(_ => new Block(6000)));

        var beats = new SortedDictionary<long, double>();
        var most = 0;
        var threads = 0;
        await using var connection = await database.ConnectAsync();
        await using var look = connection.CreateCommand();
        look.CommandText = $"""
            select beat::text || '|' || extract(epoch from expires_at)::text || '|' || (select count(*) from millrace.attempt where outcome = 'succeeded')::text
            from millrace.node where name = '{worker.NodeName}' and types <> array[]::text[] and dead_at is null
            """;
        await Eventually.IsAsync(
            async () =>
            {
                var seen = ((string)(await look.ExecuteScalarAsync(TestContext.Current.CancellationToken))!).Split('|');
                beats[long.Parse(seen[0], CultureInfo.InvariantCulture)] = double.Parse(seen[1], CultureInfo.InvariantCulture);
                most = Math.Max(most, worker.Count("started") - worker.Count("returned"));
                threads = Math.Max(threads, worker.Threads);
                return seen[2] == Blocked.ToString(CultureInfo.InvariantCulture);
            },
            Long, "all are done", () => worker.Log);

        // By the database's clock. A beat that the test did not see is no gap.
        var gaps = beats.Zip(beats.Skip(1), (one, next) => (next.Value - one.Value) / (next.Key - one.Key)).ToList();
        output.WriteLine($"{most} handlers blocked at once, {threads} threads; {beats.Count} beats, the longest gap {gaps.Max():0.00} s, the mean {gaps.Average():0.00} s, at an interval of {Expiry.TotalSeconds / 6:0.00} s");
        most.ShouldBeGreaterThan(Blocked * 9 / 10, "the pool was starved");
        beats.Count.ShouldBeGreaterThan(5);
        gaps.Max().ShouldBeLessThanOrEqualTo(2 * Expiry.TotalSeconds / 6);
        // Released are those that found no thread for a while: others might have been free.
        (await database.RowsAsync("select outcome, count(*), count(distinct job_id) from millrace.attempt where outcome <> 'released' group by 1")).ShouldBe([$"succeeded|{Blocked}|{Blocked}"]);
        (await database.NumberAsync($"select count(*) from millrace.node where name = '{worker.NodeName}'")).ShouldBe(1, "one identity all the time");
    }
}
