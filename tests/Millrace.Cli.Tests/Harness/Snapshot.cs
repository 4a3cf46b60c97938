using System.Text.RegularExpressions;
using Millrace.Tests.HouseRules;

namespace Millrace.Cli.Tests;

/// <summary>
/// Output that must stay as it is: scripts read it. What differs from run to run is scrubbed, and both stores are held to one text. When a test fails here, look at the difference; if it is meant, copy <c>….received.txt</c>
/// over <c>….approved.txt</c>, or run the tests with <c>MILLRACE_ACCEPT_SNAPSHOTS=1</c>.
/// </summary>
internal static partial class Snapshot
{
    public static void Match(string output, string name)
    {
        var folder = Repository.PathOf("tests/Millrace.Cli.Tests/Snapshots");
        var (approved, received) = (Path.Combine(folder, $"{name}.approved.txt"), Path.Combine(folder, $"{name}.received.txt"));
        var text = Scrub(output).ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (File.Exists(approved) && File.ReadAllText(approved).ReplaceLineEndings("\n") == text)
        {
            File.Delete(received);
            return;
        }

        if (Environment.GetEnvironmentVariable("MILLRACE_ACCEPT_SNAPSHOTS") == "1")
        {
            File.WriteAllText(approved, text);
            return;
        }

        File.WriteAllText(received, text);
        text.ShouldBe(File.Exists(approved) ? File.ReadAllText(approved) : "", $"Compare {name}.received.txt with {name}.approved.txt in tests/Millrace.Cli.Tests/Snapshots, and copy it over if the change is meant.");
    }

    private static string Scrub(string text)
    {
        text = Figures().Replace(text, "$1{ … }");
        // What a store notes of a change, for itself and for people.
        text = Noted().Replace(text, "$1{ … }");
        // Where liveness is a lock, nothing expires.
        text = Expiry().Replace(text, "");
        // Said with each beat, and not before the first.
        text = Load().Replace(text, "");
        text = Time().Replace(text, "<time>");
        text = Identity().Replace(text, "<guid>");
        text = Span().Replace(text, "$1<ms>");
        text = Node().Replace(text, "<node>");
        text = Author().Replace(text, "\"by\": \"<author>\"");
        text = Idle().Replace(text, "$1<varies>");
        text = Varying().Replace(text, "$1<varies>");
        var ids = new Dictionary<string, string>();
        return Number().Replace(text, match => match.Value == "\"0\"" ? match.Value : ids.TryGetValue(match.Value, out var known) ? known : ids[match.Value] = $"\"<id {ids.Count + 1}>\"");
    }

    [GeneratedRegex("""("figures": ?)\{[^}]*\}""")]
    private static partial Regex Figures();

    [GeneratedRegex("""("(?:before|after)": ?)(?:\{[^{}]*\})""")]
    private static partial Regex Noted();

    [GeneratedRegex("""
        \n *"expires": [^\n]*
        """)]
    private static partial Regex Expiry();

    [GeneratedRegex("""\s*"load": ?\{[^}]*\},""")]
    private static partial Regex Load();

    [GeneratedRegex("""\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z""")]
    private static partial Regex Time();

    [GeneratedRegex("""[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}""")]
    private static partial Regex Identity();

    [GeneratedRegex("""("\w+Ms": ?)[0-9.E+-]+""")]
    private static partial Regex Span();

    [GeneratedRegex("""[\w.-]+:\d+(?=")""")]
    private static partial Regex Node();

    [GeneratedRegex("""
        "by": ?"[^"]+@[^"]+"
        """)]
    private static partial Regex Author();

    [GeneratedRegex("""("isIdle": ?)(?:true|false)""")]
    private static partial Regex Idle();

    [GeneratedRegex("""("(?:server|headline|text|command|database|file|version|endsPerMinute|arrivalsPerMinute|fingerprint|trend|error|sample|trace)": ?)("(?:[^"\\]|\\.)*"|[0-9.]+|\[[^\]]*\])""")]
    private static partial Regex Varying();

    [GeneratedRegex("\"[0-9]+\"")]
    private static partial Regex Number();
}
