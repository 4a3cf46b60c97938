using System.Diagnostics;
using Millrace.Storage;

namespace Millrace.Cli.Tests.Commands;

/// <summary>The numbers that <c>docs/cli.md</c> promises to scripts.</summary>
public sealed class ExitCodeTests
{
    [Theory]
    [InlineData("lst", "Unknown command \"lst\". Did you mean \"list\"?")]
    [InlineData("queues puase mail", "Unknown command \"puase\" of millrace queues. Did you mean \"pause\"?")]
    [InlineData("list --jsn", "Unknown option --jsn of millrace list. Did you mean \"--json\"?")]
    [InlineData("list state:rady", "state:rady\n      ^^^^")]
    [InlineData("show abc", "\"abc\" is not the id of a job")]
    [InlineData("show", "Required argument \"id\" missing")]
    [InlineData("retry", "Which jobs?")]
    [InlineData("retry 1 --where state:failed", "cannot go together")]
    [InlineData("retry --where ", "that would be every job")]
    [InlineData("list --limit 0", "--limit must be 1 or more")]
    [InlineData("list --timeout soon", "\"soon\" is not a span")]
    [InlineData("submit x --cron @hourly", "lives as long as the process that submitted it, and this one ends at once")]
    [InlineData("submit x --data {", "The data is not JSON")]
    [InlineData("submit x --due 2030-01-01 --in 5m", "both say when it runs")]
    [InlineData("tail --json", "Use --ndjson")]
    [InlineData("show 1 -o csv", "")]
    [InlineData("schedules next never", "never")]
    [InlineData("list --connection Password=hunter2", "names neither a Host")]
    [InlineData("list --profile none", "There is no profile \"none\"")]
    public async Task Two_is_a_command_line_that_makes_no_sense(string line, string says)
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await scene.SubmitAsync(new Welcome("Ada"));

        var run = await scene.RunAsync(line.Split(' '));

        run.Code.ShouldBe(2, run.ToString());
        run.Out.ShouldBe("");
        run.Error.Replace("\n  ", "\n", StringComparison.Ordinal).ShouldContain(says);
        run.Error.ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task Three_is_a_database_that_cannot_be_reached()
    {
        using var tool = new Tool(null);
        var nothing = await tool.RunAsync("list");
        nothing.Code.ShouldBe(3, nothing.ToString());
        nothing.Error.ShouldContain("1. --connection: not given\n  2. MILLRACE_CONNECTION: not given");
        nothing.Error.ShouldContain("5. ./millrace.db: not there");

        var file = await tool.RunAsync("list", "-c", "mistyped.db");
        file.Code.ShouldBe(3, file.ToString());
        File.Exists(Path.Combine(tool.Folder, "mistyped.db")).ShouldBeFalse("a mistyped name must not look like an empty database");

        var server = await tool.RunAsync("list", "-c", "postgres://u:hunter2@127.0.0.1:1/db");
        server.Code.ShouldBe(3, server.ToString());
        server.Error.ShouldNotContain("hunter2");
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Four_is_something_that_is_not_there(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);

        foreach (var command in (string[][])[["show", "999"], ["explain", "999"], ["cancel", "999"], ["undo", "999"], ["undo"], ["schedules", "run", "x"], ["workers", "drain", "x"], ["types", "schema", "x"], ["submit", "x"], ["queues", "pause", "x"], ["profile", "remove", "x"]])
            (await scene.RunAsync(command)).Code.ShouldBe(4, string.Join(' ', command));
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Five_is_a_confirmation_that_is_missing_and_says_the_count(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        await scene.SubmitAsync(new Welcome("Ada"));
        await scene.SubmitAsync(new Welcome("Bo"));

        var run = await scene.RunAsync("cancel", "--where", "state:ready");

        run.Code.ShouldBe(5, run.ToString());
        run.Error.ShouldContain("Cancel 2 jobs in ");
        run.Error.ShouldContain("Nothing was changed");
        (await scene.OkAsync("list", "state:ready", "-o", "id")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Six_is_a_job_that_cannot_be_changed_like_that(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        var job = await scene.SubmitAsync(new Welcome("Ada"));
        await scene.OkAsync("cancel", $"{job}");

        (await scene.RunAsync("cancel", $"{job}")).Code.ShouldBe(6);
        (await scene.RunAsync("run-now", $"{job}")).Code.ShouldBe(6);
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Seven_is_the_end_of_the_time_that_was_given(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);

        var run = await scene.RunAsync("submit", "welcome", "--force-unknown", "--wait", "--timeout", "2s");

        run.Code.ShouldBe(7, run.ToString());
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Eight_is_a_schema_that_is_too_old_or_too_new_and_says_what_to_do(string kind)
    {
        await using var scene = await Scene.MakeEmptyAsync(kind);
        if (kind == "sqlite")
            await File.WriteAllBytesAsync(scene.Connection, [], TestContext.Current.CancellationToken);

        var old = await scene.RunAsync("list");
        old.Code.ShouldBe(8, old.ToString());
        old.Error.ShouldContain("millrace db migrate");
        (await scene.RunAsync("db", "status")).Code.ShouldBe(8);
        await scene.OkAsync("db", "migrate");
        await scene.OkAsync("db", "status");

        await using (var store = scene.Open())
        await using (var connection = await store.Handlers.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = kind == "sqlite"
                ? "insert into millrace_migration (number, name, applied_at) values (98, 'a', 1), (99, 'b', 1)"
                : "insert into millrace.migration (version, name, applied) values (98, 'a', now()), (99, 'b', now())";
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var young = await scene.RunAsync("list");
        young.Code.ShouldBe(8, young.ToString());
        young.Error.ShouldContain("dotnet tool update");
    }

    [Fact]
    public async Task One_is_what_a_probe_finds()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await scene.SubmitAsync(new Welcome("Ada"));

        (await scene.RunAsync("health", "--max-oldest", "0s")).ShouldSatisfyAllConditions(
            run => run.Code.ShouldBe(1, run.ToString()),
            run => run.Out.ShouldStartWith("unhealthy: 1 ready"));
    }

    [Theory]
    [InlineData("tail")]
    [InlineData("top")]
    [InlineData("list --watch")]
    public async Task A_hundred_and_thirty_is_an_interruption(string command)
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        using var process = scene.Tool.StartInForeground(command.Split(' '));
        // The line that names the database: from here on signals are heard.
        (await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldNotBeNull();

        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"]))
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        process.ExitCode.ShouldBe(130);
    }

    [Fact]
    public void A_fault_of_the_store_has_a_code()
    {
        foreach (var fault in Enum.GetValues<StoreFault>())
            Ending.OfFault(fault).ShouldBeOneOf(ExitCode.CannotConnect, ExitCode.Conflict, ExitCode.Refused);
    }
}
