using System.Diagnostics;

namespace Millrace.System.Tests;

/// <summary>G1, G2: what becomes of the jobs of a process that was killed.</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    // PostgreSQL: the expiry of 3 s, a third of it of watching an unchanged beat, two sweeps of at most 1.15 sixths, and their work. SQLite: the
    // lock is free at once, so it is two sweeps, and what is promised is 2 s and a sweep.
    [Theory]
    [InlineData("postgres", 6.0)]
    [InlineData("sqlite", 2.6)]
    public async Task Another_node_finishes_the_jobs_of_a_killed_one(string kind, double bound)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        var gate = TestDatabase.Place;
        await using var first = await WorkerProcess.StartAsync(database, concurrency: 50, expiry: 3);
        var jobs = await client.SubmitAsync(Enumerable.Range(0, 50).Select(_ => new Hold(gate)));
        await Eventually.IsAsync(() => first.Count("started") == 50, TimeSpan.FromSeconds(60), "50 jobs run", () => first.Log);
        await using var second = await WorkerProcess.StartAsync(database, concurrency: 50, expiry: 3);

        var watch = Stopwatch.StartNew();
        await first.KillAsync();
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await Eventually.IsAsync(async () => await database.EndedAsync("interrupted") == 50, TimeSpan.FromSeconds(60), "50 runs are interrupted", () => second.Log);
        var rescued = watch.Elapsed;
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == 50, TimeSpan.FromSeconds(60), "50 jobs are done", () => second.Log);
        var done = watch.Elapsed;
        output.WriteLine($"{kind}: taken back after {rescued.TotalSeconds:0.00} s, done after {done.TotalSeconds:0.00} s");
        File.Delete(gate);

        // What follows is half a hundred suspects, each leased alone, and takes as long as the machine is busy.
        rescued.TotalSeconds.ShouldBeLessThan(bound + Scale.Slack);
        var attempts = await database.RowsAsync(
            $"select job_id, run, outcome, rescued_by is not null from {database.Table("attempt")} order by job_id, run");
        var yes = kind == "postgres" ? "True" : "1";
        var no = kind == "postgres" ? "False" : "0";
        attempts.ShouldBe(jobs.Order().SelectMany(id => new[] { $"{id}|1|interrupted|{yes}", $"{id}|2|succeeded|{no}" }));
        (await database.RowsAsync("select job_id, run from effect order by job_id")).ShouldBe(jobs.Order().Select(id => $"{id}|2"));
    }
}
