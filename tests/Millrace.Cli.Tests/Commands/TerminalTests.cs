namespace Millrace.Cli.Tests.Commands;

/// <summary>With a person at the terminal.</summary>
public sealed class TerminalTests
{
    private const string OtherScreen = "\e[?1049h";
    private const string BackAgain = "\e[?1049l";

    [Fact]
    public async Task Top_draws_listens_to_keys_and_leaves_the_terminal_as_it_was()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await scene.SubmitAsync(new Welcome("Ada"), new JobOptions { Queue = "letters" });
        using var host = await scene.StartAsync();
        using var terminal = PseudoTerminal.Start(scene.Tool, "top");

        await terminal.SeeAsync(OtherScreen);
        await terminal.SeeAsync("letters");
        await terminal.SeeAsync("done/min");
        await terminal.TypeAsync("p");
        await terminal.SeeAsync("PAUSED");
        await terminal.TypeAsync("\e[C");
        await terminal.TypeAsync("p");
        // What came meanwhile is drawn when it goes on.
        await scene.SubmitAsync(new Welcome("Bo"), new JobOptions { Queue = "parcels" });
        await terminal.SeeAsync("parcels");
        await terminal.TypeAsync("q");

        (await terminal.EndAsync()).ShouldBe(0);
        terminal.Seen.ShouldContain(BackAgain);
        terminal.Seen.IndexOf("\e[?25h", StringComparison.Ordinal).ShouldBeGreaterThan(0, "the cursor is shown again");
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_person_is_asked_and_may_say_no()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await scene.SubmitAsync(new Welcome("Ada"));
        await scene.SubmitAsync(new Welcome("Bo"));

        using (var no = PseudoTerminal.Start(scene.Tool, "cancel", "--where", "state:ready"))
        {
            await no.SeeAsync("by state");
            await no.SeeAsync("Cancel 2 jobs in SQLite");
            await no.SeeAsync("[y/N]");
            await no.TypeAsync("n\n");
            (await no.EndAsync()).ShouldBe(5);
            no.Seen.ShouldContain("Nothing was changed.");
        }

        using var yes = PseudoTerminal.Start(scene.Tool, "cancel", "--where", "state:ready");
        await yes.SeeAsync("[y/N]");
        await yes.TypeAsync("y\n");
        (await yes.EndAsync()).ShouldBe(0, yes.Seen);
        yes.Seen.ShouldContain("2 jobs are cancelled");
        (await scene.OkAsync("list", "state:cancelled", "-o", "id")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_production_database_wants_the_count_typed()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await scene.SubmitAsync(new Welcome("Ada"));
        await scene.SubmitAsync(new Welcome("Bo"));
        await scene.OkAsync("profile", "add", "prod", scene.Connection);

        using var terminal = PseudoTerminal.Start(scene.Tool, "cancel", "--where", "state:ready", "--profile", "prod");
        await terminal.SeeAsync("type 2 to go on");
        await terminal.TypeAsync("y\n");

        (await terminal.EndAsync()).ShouldBe(5, terminal.Seen);
    }

    [Fact]
    public async Task Tables_have_colours_unless_they_are_unwanted()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await scene.OkAsync("cancel", $"{await scene.SubmitAsync(new Welcome("Ada"))}");

        using (var colour = PseudoTerminal.Start(scene.Tool, "list", "--quiet"))
        {
            await colour.EndAsync();
            colour.Seen.ShouldContain("\e[2mcancelled");
        }

        using var plain = PseudoTerminal.Start(scene.Tool, "list", "--quiet", "--no-color");
        await plain.EndAsync();
        plain.Seen.ShouldNotContain("\e[2m");
        plain.Seen.ShouldNotContain("\e[0m");
    }
}
