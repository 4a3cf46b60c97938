namespace Millrace.Cli.Tests.Commands;

public sealed class ChangeTests
{
    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task A_job_is_cancelled_and_that_is_undone(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        var job = await scene.SubmitAsync(new Welcome("Ada"));

        Snapshot.Match(await scene.OkAsync("cancel", $"{job}", "--json"), "change");
        (await scene.OkAsync("list", "state:cancelled", "-o", "id")).Trim().ShouldBe($"{job}");
        var undo = await scene.RunAsync("undo", "--yes", "--json");
        undo.Code.ShouldBe(0, undo.ToString());
        Snapshot.Match(undo.Out, "undo");
        (await scene.OkAsync("list", "state:ready", "-o", "id")).Trim().ShouldBe($"{job}");
        (await scene.RunAsync("undo", "--yes")).Code.ShouldBe(4, "nothing is left to undo");
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Many_jobs_are_changed_as_one_operation(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        for (var i = 0; i < 5; i++)
            await scene.SubmitAsync(new Welcome("Ada"), new JobOptions { Tag = $"many-{i}", Delay = TimeSpan.FromHours(1) });

        var run = await scene.RunAsync("run-now", "--where", "tag:many-*", "--limit", "3", "--yes", "--json", "--reason", "they are wanted");
        run.Code.ShouldBe(0, run.ToString());
        Snapshot.Match(run.Out, "operation");
        run.Error.ShouldContain("millrace undo");
        (await scene.OkAsync("list", "state:ready", "-o", "id")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(3);

        (await scene.OkAsync("reprioritise", "--where", "tag:many-*", "--priority", "-7", "--yes")).ShouldContain("5 jobs are at priority -7");
        (await scene.OkAsync("list", "priority:-7", "-o", "id")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(5);
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Several_ids_are_deleted_and_come_back(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        var (first, second) = (await scene.SubmitAsync(new Welcome("Ada")), await scene.SubmitAsync(new Welcome("Bo")));

        (await scene.OkAsync("delete", $"{first}", $"{second}", "--yes")).ShouldContain("2 jobs are deleted");
        (await scene.OkAsync("list", "-o", "id")).ShouldBe("");
        await scene.OkAsync("undo", "--yes");
        (await scene.OkAsync("list", "-o", "id")).ShouldBe($"{second}\n{first}\n");
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task A_finished_job_runs_again_and_its_end_is_waited_for(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        using var host = await scene.StartAsync();

        var good = await scene.RunAsync("submit", "welcome", "--data", """{"name":"Ada"}""", "--wait", "--json");
        good.Code.ShouldBe(0, good.ToString());
        Snapshot.Match(good.Out, "submission");
        var bad = await scene.RunAsync("submit", "welcome", "--data", """{"name":"nobody"}""", "--wait", "-o", "id");
        bad.Code.ShouldBe(1, "the job that was waited for failed");
        (await scene.OkAsync("retry", bad.Out.Trim())).ShouldContain("is ready again");
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Workers_are_shown_and_drained(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        using var host = await scene.StartAsync();
        var job = await scene.SubmitAsync(new Welcome("turtle"));
        await Eventually.IsAsync(async () => (await scene.OkAsync("list", "state:running", "-o", "id")).Trim() == $"{job}", "the running job");

        var id = (await scene.OkAsync("workers", "-o", "id")).Trim();
        Snapshot.Match(await scene.OkAsync("workers", "show", id, "--json"), "worker");
        (await scene.OkAsync("workers", "drain", id[..8])).ShouldContain("claims no more");
        (await scene.OkAsync("workers")).ShouldContain("draining");
        (await scene.OkAsync("workers", "resume", id)).ShouldContain("claims again");
        (await scene.OkAsync("cancel", $"{job}")).ShouldContain("was asked to stop");
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Schedules_are_run_paused_and_resumed(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        await scene.OkAsync("submit", "welcome", "--force-unknown", "--cron", "0 0 3 * * *", "--zone", "Europe/Berlin", "--persistent", "--tag", "nightly");

        var job = (await scene.OkAsync("schedules", "run", "nightly", "-o", "id")).Trim();
        (await scene.OkAsync("schedules", "show", "nightly")).ShouldContain(job);
        (await scene.OkAsync("schedules", "pause", "nightly", "--until", "2099-01-01T00:00:00Z")).ShouldContain("is paused until");
        await scene.OkAsync("schedules", "pause", "nightly");
        (await scene.OkAsync("schedules", "pause", "nightly")).ShouldContain("was paused before");
        (await scene.OkAsync("schedules", "resume", "nightly")).ShouldContain("goes on");
        (await scene.RunAsync("schedules", "run", "nihgtly")).ShouldSatisfyAllConditions(
            run => run.Code.ShouldBe(4),
            run => run.Error.ShouldContain("Did you mean \"nightly\"?"));
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        var job = await scene.SubmitAsync(new Welcome("Ada"));

        foreach (var command in (string[][])[["cancel", $"{job}"], ["delete", $"{job}", "9"], ["queues", "pause", "default"], ["submit", "welcome", "--force-unknown"]])
            (await scene.OkAsync([.. command, "--dry-run"])).ShouldContain("?");
        (await scene.OkAsync("list", "-o", "id")).ShouldBe($"{job}\n");
        (await scene.OkAsync("audit", "-o", "id")).ShouldBe("");
    }

    [Fact]
    public async Task A_production_database_is_asked_about_first()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        var job = await scene.SubmitAsync(new Welcome("Ada"));
        await scene.OkAsync("profile", "add", "shop", scene.Connection, "--production");

        var run = await scene.RunAsync("cancel", $"{job}", "--profile", "shop");
        run.Code.ShouldBe(5, run.ToString());
        await scene.OkAsync("cancel", $"{job}", "--profile", "shop", "--yes");
    }
}
