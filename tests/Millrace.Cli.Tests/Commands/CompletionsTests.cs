using System.Diagnostics;

namespace Millrace.Cli.Tests.Commands;

public sealed class CompletionsTests
{
    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public async Task Each_shell_has_a_script(string shell)
    {
        using var tool = new Tool(null);

        (await tool.RunAsync("completions", shell)).ShouldSatisfyAllConditions(
            run => run.Code.ShouldBe(0, run.ToString()),
            run => run.Out.ShouldContain("[suggest:"));
    }

    [Fact]
    public async Task Bash_takes_its_script()
    {
        using var tool = new Tool(null);
        var script = (await tool.RunAsync("completions", "bash")).Out;

        using var bash = Process.Start(new ProcessStartInfo("bash", ["-n"]) { RedirectStandardInput = true, RedirectStandardError = true })!;
        await bash.StandardInput.WriteAsync(script);
        bash.StandardInput.Close();
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);

        bash.ExitCode.ShouldBe(0, await bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("millrace que", "queues")]
    [InlineData("millrace queues ", "pause")]
    [InlineData("millrace list --ou", "--output")]
    public async Task The_tool_says_what_may_follow(string line, string expected)
    {
        using var tool = new Tool(null);

        (await tool.RunAsync($"[suggest:{line.Length}]", line)).Out.Split('\n').ShouldContain(expected);
    }
}
