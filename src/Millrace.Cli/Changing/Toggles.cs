using Millrace.Cli.Output;

namespace Millrace.Cli.Changing;

/// <summary>The answer to a command that switches something on or off.</summary>
internal static class Toggles
{
    public static ExitCode Say(Invocation invocation, string name, bool changed, string sentence)
    {
        invocation.Write("millrace.change.v1", name, new Members { { "name", name }, { "changed", changed } }, page => page.Line(sentence));
        return ExitCode.Ok;
    }

    public static string Until(DateTimeOffset? until, Invocation invocation) => until is { } time ? $" until {Words.Time(time, invocation.IsUtc)}" : "";
}
