using Microsoft.Extensions.Hosting;

namespace Millrace.Cli.Tests.Commands;

/// <summary>What each command that only looks says as JSON, on both stores, about one database: a greeting that went well, one that failed, one that waits, a schedule, a paused queue.</summary>
public sealed class SnapshotTests
{
    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Commands_that_look_say_the_same_on_both_stores(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        var (good, bad, late) = await FillAsync(scene);

        Snapshot.Match(await scene.OkAsync("list", "--json"), "list");
        Snapshot.Match(await scene.OkAsync("list", "state:failed", "--ndjson"), "list-ndjson");
        Snapshot.Match(await scene.OkAsync("list", "-o", "csv", "state:scheduled"), "list-csv");
        (await scene.OkAsync("list", "-o", "id")).ShouldBe($"{late}\n{bad}\n{good}\n");
        Snapshot.Match(await scene.OkAsync("show", $"{good}", "--json", "--attempts", "--logs"), "show");
        Snapshot.Match(await scene.OkAsync("explain", $"{late}", "--json"), "explain");
        Snapshot.Match(await scene.OkAsync("queues", "--json"), "queues");
        Snapshot.Match(await scene.OkAsync("schedules", "list", "--json"), "schedules");
        Snapshot.Match(await scene.OkAsync("schedules", "show", "greetings", "--json"), "schedule");
        Snapshot.Match(await scene.OkAsync("workers", "list", "--json"), "workers");
        Snapshot.Match(await scene.OkAsync("types", "list", "--json"), "types");
        Snapshot.Match(await scene.OkAsync("types", "schema", "welcome", "--json"), "schema");
        Snapshot.Match(await scene.OkAsync("failures", "--json"), "failures");
        Snapshot.Match(await scene.OkAsync("stats", "--since", "1h", "--json"), "stats");
        Snapshot.Match(await scene.OkAsync("stats", "--since", "1h", "--by", "queue", "-o", "id"), "stats-ids");
        Snapshot.Match(await scene.OkAsync("audit", "--json"), "audit");
        Snapshot.Match(await scene.OkAsync("health", "--json", "--max-failed-rate", "60%"), "health");
        Snapshot.Match(await scene.OkAsync("db", "status", "--json"), "status");
        Snapshot.Match((await scene.RunAsync("doctor", "--json")).Out, "doctor");
        Snapshot.Match(await scene.OkAsync("cancel", "--where", "state:scheduled", "--dry-run", "--json"), "preview");
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Tables_read_the_same_on_both_stores(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        var (_, bad, late) = await FillAsync(scene);

        (await scene.OkAsync("list")).ShouldMatch(@"^ *ID +TYPE +STATE +QUEUE +TAG +ATTEMPT +WHEN +NOTE\n");
        (await scene.OkAsync("show", $"{bad}", "--attempts", "--logs")).ShouldSatisfyAllConditions(
            text => text.ShouldContain("state             failed"),
            text => text.ShouldContain("System.InvalidOperationException: There is nobody to greet."),
            text => text.ShouldContain("info Greeting nobody"));
        (await scene.OkAsync("explain", $"{late}")).ShouldStartWith("SCHEDULED");
        (await scene.OkAsync("queues")).ShouldContain("pause for the test");
        (await scene.OkAsync("schedules")).ShouldContain("every hour");
        (await scene.OkAsync("schedules", "show", "greetings")).ShouldContain("0 0 * * * *");
        (await scene.OkAsync("types")).ShouldContain("welcome");
        (await scene.OkAsync("failures")).ShouldContain("There is nobody to greet");
        (await scene.OkAsync("stats")).ShouldContain("welcome");
        (await scene.OkAsync("audit")).ShouldContain("pause_queue");
        (await scene.OkAsync("health")).ShouldStartWith("ok: ");
        (await scene.OkAsync("db", "status")).ShouldContain("schema            version");
    }

    private static async Task<(long Good, long Bad, long Late)> FillAsync(Scene scene)
    {
        long good, bad;
        using (var host = await scene.StartAsync(concurrency: 1))
        {
            good = await scene.SubmitAsync(new Welcome("Ada", "12 Some Street"), new JobOptions { Tag = "first", UserId = 42 });
            await FinishAsync(scene, good);
            bad = await scene.SubmitAsync(new Welcome("nobody"));
            await FinishAsync(scene, bad);
            // Roll-ups and log lines are written as it stops, at the latest.
            await host.StopAsync(TestContext.Current.CancellationToken);
        }

        var late = long.Parse((await scene.OkAsync("submit", "welcome", "--data", """{"name":"Bo"}""", "--in", "2h", "-o", "id", "--tag", "late", "--reason", "for the test")).Trim());
        await scene.OkAsync("submit", "welcome", "--data", """{"name":"all"}""", "--cron", "0 0 * * * *", "--persistent", "--tag", "greetings");
        await scene.OkAsync("queues", "pause", "default", "--for", "1h", "--reason", "pause for the test");
        return (good, bad, late);
    }

    private static async Task FinishAsync(Scene scene, long job)
    {
        await using var store = scene.Open();
        await Eventually.IsAsync(async () => (await store.FindAsync(job, TestContext.Current.CancellationToken))?.IsFinished == true, $"the end of job {job}");
    }
}
