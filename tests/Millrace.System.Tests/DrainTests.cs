using System.Diagnostics;

namespace Millrace.System.Tests;

/// <summary>G8: what a stop does to the jobs that wait and run.</summary>
public sealed class DrainTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    // The grace time, and 2 s after the token when a handler ignores it.
    [Theory]
    [InlineData("postgres", Manner.Plain, 2)]
    [InlineData("postgres", Manner.Deaf, 2 + 2)]
    [InlineData("sqlite", Manner.Plain, 2)]
    [InlineData("sqlite", Manner.Deaf, 2 + 2)]
    public async Task A_stop_under_load_ends_no_job_and_loses_no_result(string kind, Manner manner, int bound)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        await using var worker = await WorkerProcess.StartAsync(database, grace: 2);
        var never = TestDatabase.Place;
        var held = await client.SubmitAsync(Enumerable.Range(0, 3).Select(_ => new Hold(never, manner)));
        await Eventually.IsAsync(() => worker.Count("started") == 3, Long, "the long jobs run", () => worker.Log);
        await client.SubmitAsync(Enumerable.Range(0, 1000).Select(_ => new Nap(50)));
        await Eventually.IsAsync(() => worker.Count("returned") >= 30, Long, "short jobs run beside them", () => worker.Log);

        var watch = Stopwatch.StartNew();
        worker.Terminate();
        var code = await worker.ExitAsync(Long);
        output.WriteLine($"{kind}, {manner}: exit after {watch.Elapsed.TotalSeconds:0.00} s, {worker.Count("returned")} short jobs had returned");

        code.ShouldBe(0, worker.Log);
        watch.Elapsed.TotalSeconds.ShouldBeLessThan(bound + Scale.Slack);
        (await database.RowsAsync($"select distinct outcome from {database.Table("attempt")} order by outcome")).ShouldBe(["released", "succeeded"]);
        (await database.NumberAsync($"select count(*) from {database.Table("attempt")} where outcome = 'released' and (charged or success is not null)")).ShouldBe(0);
        // Every handler that returned has its result stored, and every stored success is one that returned.
        var returned = worker.Events.Where(line => line.StartsWith("returned ", StringComparison.Ordinal)).Select(line => line["returned ".Length..].Replace(' ', '|'));
        (await database.RowsAsync($"select job_id, run from {database.Table("attempt")} where outcome = 'succeeded'")).ShouldBe(returned, ignoreOrder: true);
        (await database.NumberAsync("select count(*) from effect")).ShouldBe(worker.Count("returned"));
        // All others are ready for somebody else, in their first attempt still; the long ones in their second run.
        var succeeded = await database.EndedAsync("succeeded");
        (await database.NumberAsync($"select count(*) from {database.Table("ready")} where attempt = 1")).ShouldBe(1003 - succeeded);
        (await database.RowsAsync($"select id, run from {database.Table("ready")} where type = 'hold' order by id")).ShouldBe(held.Order().Select(id => $"{id}|2"));
        (await database.NumberAsync($"select count(*) from {database.Table("lease")}")).ShouldBe(0);
    }
}
