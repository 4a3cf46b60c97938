using System.CommandLine.Invocation;
using System.Text.RegularExpressions;
using Millrace.Cli.Commands;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Inspecting;
using Millrace.Tests.HouseRules;

namespace Millrace.Cli.Tests.Commands;

/// <summary>The page <c>docs/cli.md</c> says what is true.</summary>
public sealed partial class DocsTests
{
    [Fact]
    public void Every_example_is_a_command_line_that_parses()
    {
        var root = CommandTree.Build(new GlobalOptions(), Terminal.OfProcess());
        var examples = Examples().ToList();

        examples.Count.ShouldBeGreaterThan(40);
        foreach (var example in examples)
        {
            var parsed = root.Parse(Words(example), new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
            ParseFaults.Any(parsed).ShouldBeFalse($"{example}: {string.Join(' ', parsed.Errors.Select(error => error.Message))}");
        }
    }

    [Fact]
    public void Every_filter_in_an_example_parses()
    {
        foreach (var filter in Examples().SelectMany(example => Filter().Matches(example).Select(match => match.Groups[1].Value)))
            Should.NotThrow(() => FilterParser.Parse(filter, DateTimeOffset.UnixEpoch), filter);
    }

    [Fact]
    public void Every_command_and_every_exit_code_is_in_the_page()
    {
        var page = Repository.Read("docs/cli.md");
        var root = CommandTree.Build(new GlobalOptions(), Terminal.OfProcess());

        foreach (var command in root.Subcommands)
        {
            page.ShouldContain($"millrace {command.Name}");
            foreach (var below in command.Subcommands)
                page.ShouldContain(below.Name);
        }

        foreach (var option in new GlobalOptions().All)
            page.ShouldContain($"`{option.Name}");
        foreach (var code in Enum.GetValues<ExitCode>())
            page.ShouldContain($"| {(int)code} |");
    }

    private static IEnumerable<string> Examples() =>
        from Match block in Block().Matches(Repository.Read("docs/cli.md"))
        from line in block.Groups[1].Value.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
        where line.StartsWith("millrace ", StringComparison.Ordinal)
        select line["millrace ".Length..].Split(" #", 2)[0].Split(" | ", 2)[0].Split(" > ", 2)[0].Trim();

    // As a shell would.
    private static string[] Words(string line) => [.. Word().Matches(line).Select(word => word.Value.Trim('\'', '"'))];

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("""(?:--where |^list |^tail )'([^']*)'""")]
    private static partial Regex Filter();

    [GeneratedRegex("""'[^']*'|"[^"]*"|\S+""")]
    private static partial Regex Word();
}
