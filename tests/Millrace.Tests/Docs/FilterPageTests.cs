using System.Text.RegularExpressions;
using Millrace.Inspecting;
using Millrace.Tests.HouseRules;

namespace Millrace.Tests.Docs;

public sealed partial class FilterPageTests
{
    private static readonly string page = Repository.Read("docs/filter.md");

    [Fact]
    public void Every_example_of_the_page_is_read()
    {
        var examples = Example().Matches(page).Select(match => match.Groups[1].Value).Where(example => FilterWords.FindField(example.TrimEnd('.', '…')) is null).ToList();

        examples.Count.ShouldBeGreaterThan(25);
        foreach (var example in examples)
            FilterParser.Parse(example, DateTimeOffset.UnixEpoch.AddYears(56)).Terms.ShouldNotBeEmpty(example);
    }

    [Fact]
    public void Every_field_and_every_state_is_on_the_page()
    {
        foreach (var field in FilterWords.Fields)
            page.ShouldContain($"`{field.Name}");
        foreach (var state in FilterWords.States)
            page.ShouldContain(state.Word);
    }

    // The first cell of a row.
    [GeneratedRegex("^\\| `([^`]+)` \\|", RegexOptions.Multiline)]
    private static partial Regex Example();
}
