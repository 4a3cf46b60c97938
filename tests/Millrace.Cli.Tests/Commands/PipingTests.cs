using System.Diagnostics;
using System.Text.Json;

namespace Millrace.Cli.Tests.Commands;

public sealed class PipingTests
{
    public static readonly IReadOnlyList<string> Looking =
        ["list", "show 1", "show 1 --attempts --logs", "explain 1", "queues", "schedules", "workers", "types", "failures", "stats", "audit", "health", "doctor", "db status", "config show", "profile", "schedules next @hourly"];

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Nothing_that_a_terminal_obeys_goes_into_a_pipe(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        var job = await scene.SubmitAsync(new Welcome("Ada"));

        foreach (var line in Looking)
        {
            var arguments = line.Replace(" 1", $" {job}", StringComparison.Ordinal).Split(' ');
            var table = await scene.RunAsync(arguments);
            table.Out.ShouldNotContain('\e', $"{line}\n{table}");
            table.Error.ShouldNotContain('\e', line);
            table.Out.ShouldNotBeEmpty(line);
            var json = await scene.RunAsync([.. arguments, "--json", "--quiet"]);
            using var document = JsonDocument.Parse(json.Out);
            document.RootElement.GetProperty("schema").GetString()!.ShouldMatch(@"^millrace\.[a-z]+\.v1$", line);
            json.Error.ShouldBe("", line);
        }
    }

    [Fact]
    public async Task Streams_are_lines_and_end_when_nobody_reads_them_any_more()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        using var process = scene.Tool.Start(["tail", "--ndjson", "--quiet"]);
        var first = process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
        await Eventually.IsAsync(
            async () =>
            {
                // It tells of what comes after it has begun.
                await scene.SubmitAsync(new Welcome("Ada"));
                return first.IsCompleted;
            },
            "a line of the stream");
        using (var line = JsonDocument.Parse((await first)!))
        {
            line.RootElement.GetProperty("event").GetString().ShouldBe("state");
            line.RootElement.GetProperty("job").GetProperty("type").GetString().ShouldBe("welcome");
        }

        process.StandardOutput.Close();
        await scene.SubmitAsync(new Welcome("Bo"));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task Tail_tells_of_states_and_of_log_lines(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        using var host = await scene.StartAsync();
        using var process = scene.Tool.Start(["tail", "--quiet"]);
        var lines = new System.Collections.Concurrent.ConcurrentQueue<string>();
        process.OutputDataReceived += (_, line) => lines.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();

        await Eventually.IsAsync(
            async () =>
            {
                await scene.SubmitAsync(new Welcome("Ada"));
                return lines.Any(line => line.Contains("succeeded", StringComparison.Ordinal)) && lines.Any(line => line.Contains("Greeting Ada", StringComparison.Ordinal));
            },
            "the end of a job and its log line",
            () => string.Join('\n', lines));
        process.Kill();
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_target_is_told_once_on_standard_error()
    {
        await using var scene = await Scene.MakeAsync("sqlite");

        var run = await scene.RunAsync("list");

        run.Error.ShouldBe($"SQLite {scene.Connection} (MILLRACE_CONNECTION)\n");
        (await scene.RunAsync("list", "--quiet")).Error.ShouldBe("");
    }

    [Fact]
    public async Task Data_comes_from_standard_input_or_a_file()
    {
        await using var scene = await Scene.MakeAsync("sqlite");
        await File.WriteAllTextAsync(Path.Combine(scene.Tool.Folder, "data.json"), """{"from":"file"}""", TestContext.Current.CancellationToken);

        await scene.OkAsync("submit", "x", "--force-unknown", "--data", "@data.json");
        (await scene.Tool.RunAsync("""{"from":"input"}""", ["submit", "x", "--force-unknown", "--data", "-"])).Code.ShouldBe(0);

        (await scene.OkAsync("list", "data.from:file", "-o", "id")).Trim().ShouldNotBeEmpty();
        (await scene.OkAsync("list", "data.from:input", "-o", "id")).Trim().ShouldNotBeEmpty();
    }
}
