using System.Text.RegularExpressions;
using Millrace.Tests.HouseRules;

namespace Millrace.Tests.Docs;

/// <summary>The documentation shows only code that is compiled, links only to what is there, and names only tests that exist.</summary>
public sealed partial class DocsTests
{
    [Fact]
    public void Every_block_of_csharp_says_which_file_it_is_from()
    {
        var faults = Pages().SelectMany(page => BlocksOf(page).Where(block => block.Language == "csharp" && block.Source is null).Select(block => $"{page}:{block.Line}"));

        faults.ShouldBeEmpty("put <!-- source: path/of/the/file.cs --> on the line above it");
    }

    [Fact]
    public void Every_block_with_a_source_stands_in_that_file_line_by_line()
    {
        var faults = Pages().SelectMany(page => BlocksOf(page).Where(block => block.Source is not null && !StandsIn(block)).Select(block => $"{page}:{block.Line} is not in {block.Source}"));

        faults.ShouldBeEmpty("the code has changed: copy the lines again");
    }

    [Fact]
    public void Every_link_to_a_file_leads_somewhere()
    {
        var faults =
            from page in Pages()
            from Match link in Link().Matches(Repository.Read(page))
            let target = Path.Combine(Path.GetDirectoryName(Repository.PathOf(page)) ?? "", link.Groups[1].Value)
            where !File.Exists(target) && !Directory.Exists(target)
            select $"{page}: {link.Groups[1].Value}";

        faults.ShouldBeEmpty();
    }

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        var tests = string.Concat(Repository.Files("tests", "*.cs").Select(Repository.Read));
        var faults =
            from page in Pages()
            from Match name in TestName().Matches(Repository.Read(page))
            where !tests.Contains($" {name.Groups[1].Value}(", StringComparison.Ordinal)
            select $"{page}: {name.Groups[1].Value}";

        faults.ShouldBeEmpty();
    }

    private static IEnumerable<string> Pages() => Repository.Files("docs", "*.md").Concat(new[] { "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md" });

    private static IEnumerable<Block> BlocksOf(string page)
    {
        var lines = Repository.Read(page).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (Fence().Match(lines[i]) is not { Success: true } fence)
                continue;
            var source = i > 0 && Source().Match(lines[i - 1]) is { Success: true } marker ? marker.Groups[1].Value : null;
            var end = Array.IndexOf(lines, "```", i + 1);
            yield return new Block(fence.Groups[1].Value, source, i + 1, lines[(i + 1)..end]);
            i = end;
        }
    }

    private static bool StandsIn(Block block)
    {
        if (block.Source is null || !File.Exists(Repository.PathOf(block.Source)))
            return false;
        var lines = Repository.Read(block.Source).Split('\n');
        return Enumerable.Range(0, Math.Max(0, lines.Length - block.Lines.Length + 1)).Any(start => StandsAt(lines.AsSpan(start, block.Lines.Length), block.Lines));
    }

    // A block may be indented less than the code it was taken from, but all its lines by the same.
    private static bool StandsAt(ReadOnlySpan<string> lines, string[] block)
    {
        if (!lines[0].EndsWith(block[0], StringComparison.Ordinal))
            return false;
        var indent = lines[0][..^block[0].Length];
        if (!string.IsNullOrWhiteSpace(indent) && indent.Length > 0)
            return false;
        for (var i = 0; i < block.Length; i++)
        {
            if (lines[i].TrimEnd() != (block[i].Length == 0 ? "" : indent + block[i]))
                return false;
        }

        return true;
    }

    private sealed record Block(string Language, string? Source, int Line, string[] Lines);

    [GeneratedRegex("^```([a-z]+)$")]
    private static partial Regex Fence();

    [GeneratedRegex("^<!-- source: (\\S+) -->$")]
    private static partial Regex Source();

    [GeneratedRegex("""\]\((?!https?:|#)([^)#\s]+)""")]
    private static partial Regex Link();

    [GeneratedRegex("`([A-Z][a-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+){2,})`")]
    private static partial Regex TestName();
}
