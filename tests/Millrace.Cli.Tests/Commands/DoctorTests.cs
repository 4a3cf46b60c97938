namespace Millrace.Cli.Tests.Commands;

public sealed class DoctorTests
{
    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task A_missing_index_is_found_and_mended(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        await using (var store = scene.Open())
        await using (var connection = await store.Handlers.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = kind == "sqlite" ? "drop index millrace_job_tag" : "drop index millrace.job_tag";
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var found = await scene.RunAsync("doctor");
        found.Code.ShouldBe(1, found.ToString());
        found.Out.ShouldContain("job_tag");
        (await scene.RunAsync("doctor", "--fix")).Code.ShouldBe(5, "nobody is here to confirm it");
        var mended = await scene.RunAsync("doctor", "--fix", "--yes");

        mended.Error.ShouldContain("create index", Case.Insensitive, "the statement is shown before it is run");
        mended.Code.ShouldBe(0, mended.ToString());
        mended.Out.ShouldContain("All is well.");
    }

    [Fact]
    public async Task Settings_of_the_application_in_the_folder_are_checked()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await File.WriteAllTextAsync(Path.Combine(scene.Tool.Folder, "appsettings.json"), """{ "Millrace": { "MaxAttempts": 0, "Workers": { "NodeExpiry": "00:00:10", "PollInterval": "00:00:08" } } }""", TestContext.Current.CancellationToken);

        var run = await scene.RunAsync("doctor", "--json");

        run.Code.ShouldBe(1, run.ToString());
        run.Out.ShouldContain("MillraceOptions.MaxAttempts must be 1 to 1,000; it is 0.");
        run.Out.ShouldContain("settings_poll_interval");
    }

    [Fact]
    public async Task Jobs_that_nobody_works_on_are_a_finding()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await scene.SubmitAsync(new Welcome("Ada"));

        (await scene.RunAsync("doctor")).ShouldSatisfyAllConditions(
            run => run.Code.ShouldBe(1, run.ToString()),
            run => run.Out.ShouldContain("queue_without_worker"));
    }
}
