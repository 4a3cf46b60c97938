using System.Text.RegularExpressions;

namespace Millrace.Tests.HouseRules;

/// <summary>A library does not come back to its caller's context. CA2007 says so too, but it also rejects a plain <c>await using var command = …</c>.</summary>
public sealed partial class AwaitTests
{
    [Fact]
    public void Every_await_in_src_is_configured()
    {
        var faults = Repository.Files("src", "*.cs").SelectMany(file => FaultsOf(Repository.Read(file)).Select(line => $"{file}:{line}"));

        faults.ShouldBeEmpty("ConfigureAwait(false) is missing");
    }

    [Theory]
    [InlineData("await x.RunAsync();", false)]
    [InlineData("await x.RunAsync().ConfigureAwait(false);", true)]
    [InlineData("await x.RunAsync().ConfigureAwait(true);", false)]
    [InlineData("await x\n    .RunAsync(a, b)\n    .ConfigureAwait(false);", true)]
    [InlineData("await x.RunAsync(() => y.ConfigureAwait(false));", false)]
    [InlineData("await x.RunAsync(async () => await y.ConfigureAwait(false)).ConfigureAwait(false);", true)]
    [InlineData("await x.RunAsync(async () => { await y; }).ConfigureAwait(false);", false)]
    [InlineData("f(await a.ConfigureAwait(false), await b);", false)]
    [InlineData("var z = (await a.ConfigureAwait(false)).Count;", true)]
    [InlineData("await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);", true)]
    [InlineData("await using var command = connection.CreateCommand();", true)]
    [InlineData("await using var connection = await source.OpenAsync(t);", false)]
    [InlineData("await foreach (var x in xs.WithCancellation(t).ConfigureAwait(false))", true)]
    [InlineData("await foreach (var x in xs)", false)]
    [InlineData("await Task.Yield();", true)]
    [InlineData("// await x;\nvar text = \"await y;\";", true)]
    public void The_rule_itself(string code, bool isRight) => (FaultsOf(code).Count == 0).ShouldBe(isRight);

    private static List<int> FaultsOf(string source)
    {
        var code = Repository.CodeOf(source);
        return [.. Awaits().Matches(code).Where(match => !IsConfigured(code, match)).Select(match => Repository.LineOf(code, match.Index))];
    }

    private static bool IsConfigured(string code, Match match)
    {
        if (match.Groups["kind"].Value == "using")
            return true;
        if (match.Groups["kind"].Value == "foreach")
        {
            var open = code.IndexOf('(', match.Index);
            return IsTail(Outermost(code, open + 1));
        }

        var expression = Outermost(code, match.Index + match.Length);
        return expression.Contains("Task.Yield(") || IsTail(expression);
    }

    private static bool IsTail(string expression) =>
        expression.Contains(".ConfigureAwait(false)") || expression.Contains(".ConfigureAwait(ConfigureAwaitOptions.");

    /// <summary>The expression from here to its end, without what stands inside its brackets, except the argument of ConfigureAwait.</summary>
    private static string Outermost(string code, int start)
    {
        var text = new System.Text.StringBuilder();
        var depth = 0;
        var isArgument = false;
        for (var i = start; i < code.Length; i++)
        {
            var c = code[i];
            if (depth == 0 && ";,)]}".Contains(c))
                break;
            if (c is '(' or '[' or '{')
            {
                isArgument = depth == 0 && text.ToString().EndsWith(".ConfigureAwait", StringComparison.Ordinal);
                if (depth++ == 0)
                    text.Append(c);
            }
            else if (c is ')' or ']' or '}')
            {
                if (--depth == 0)
                    text.Append(c);
            }
            else if ((depth == 0 || isArgument) && !char.IsWhiteSpace(c))
                text.Append(c);
        }

        return text.ToString();
    }

    [GeneratedRegex("""\bawait\s+(?<kind>using\b|foreach\b)?""")]
    private static partial Regex Awaits();
}
