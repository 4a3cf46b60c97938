using Millrace.Storage;

namespace Millrace.Cli.Tests.Commands;

/// <summary>Whoever may submit a job chooses its texts, and somebody else reads them in a terminal.</summary>
public sealed class HostileTests
{
    private const string Evil = "=cmd|'/c calc'!A1 \e[2J\e]0;owned\a[red]x[/] \u202Egnp.exe\u2066 \u200b\r\nroot@host:~# ";

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Texts_of_jobs_can_do_nothing_to_who_reads_them(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        var job = await SubmitAsync(scene);

        foreach (var line in (string[])["list", "show 1", "explain 1", "queues", "audit", "cancel 1", "list --utc", "cancel --where id:>0 --dry-run"])
        {
            var run = await scene.RunAsync(line.Replace(" 1", $" {job}", StringComparison.Ordinal).Split(' '));
            IsHarmless(run.Out, line);
            IsHarmless(run.Error, line);
        }

        var json = await scene.OkAsync("list", "--json");
        IsHarmless(json, "list --json");
        json.ShouldContain("\\u001B", Case.Insensitive);
        json.ShouldContain("\\u202E", Case.Insensitive);
        var csv = await scene.OkAsync("list", "-o", "csv");
        csv.ShouldContain("'=cmd");
        IsHarmless(csv, "list -o csv");
    }

    [Fact]
    public async Task A_table_has_one_line_for_each_job()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await SubmitAsync(scene);

        (await scene.OkAsync("list")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
    }

    private static void IsHarmless(string text, string line) =>
        text.Where(character => character != '\n' && !Cli.Output.Neutral.IsVisible(character)).ShouldBeEmpty($"{line}\n{text}");

    // Past the checks of names, as another program could write it.
    private static async Task<long> SubmitAsync(Scene scene)
    {
        await using var store = scene.Open();
        var ids = await store.TakeIdsAsync(1, TestContext.Current.CancellationToken);
        var job = new NewJob { Id = ids.First, Nonce = 1, Type = Evil, Tag = Evil, Queue = Evil, Data = System.Text.Json.JsonSerializer.Serialize(Evil) };
        await store.SubmitAsync([job], null, TestContext.Current.CancellationToken);
        return ids.First;
    }
}
