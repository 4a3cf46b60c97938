using Millrace.Cli.Output;

namespace Millrace.Cli.Changing;

/// <summary>Asks before something is changed.</summary>
internal static class Confirmation
{
    /// <summary>Returns when the answer is yes, or none is needed.</summary>
    /// <param name="invocation">The command.</param>
    /// <param name="question">What would be done, to what, where.</param>
    /// <param name="count">How many there are. On a production database a person has to type it.</param>
    /// <exception cref="CommandException">The answer is no, or nobody is there to give one.</exception>
    public static async Task AskAsync(Invocation invocation, string question, long count)
    {
        if (invocation.IsYes)
            return;
        var terminal = invocation.Terminal;
        if (!terminal.CanAsk)
            throw CommandException.Refused($"{question}? This needs a confirmation, and nobody is here to give it. Nothing was changed. To do it: --yes. To see what it would touch: --dry-run");
        terminal.Flush();
        var expected = invocation.Target.IsProduction && count > 1 ? count.ToString(System.Globalization.CultureInfo.InvariantCulture) : "y";
        terminal.Error.Write($"{Neutral.Line(question)}? {(expected == "y" ? "[y/N]" : $"This looks like production: type {expected} to go on")} ");
        var answer = await terminal.In.ReadLineAsync(invocation.Token).ConfigureAwait(false);
        if (!string.Equals(answer?.Trim(), expected, StringComparison.OrdinalIgnoreCase) && !(expected == "y" && string.Equals(answer?.Trim(), "yes", StringComparison.OrdinalIgnoreCase)))
            throw CommandException.Refused("Nothing was changed.");
    }

    /// <summary>Asks on a production database alone: for changes of one thing.</summary>
    public static Task AskInProductionAsync(Invocation invocation, string question) =>
        invocation.Target.IsProduction ? AskAsync(invocation, question, 1) : Task.CompletedTask;
}
