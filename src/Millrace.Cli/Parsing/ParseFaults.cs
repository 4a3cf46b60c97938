using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Millrace.Cli.Output;
using Millrace.Submitting;

namespace Millrace.Cli.Parsing;

/// <summary>Says what is wrong with a command line, and what was probably meant.</summary>
internal static class ParseFaults
{
    /// <summary>Whether there is something wrong. An unknown option may have been taken for an argument, and a filter or an id never begins with two dashes.</summary>
    public static bool Any(ParseResult parsed) => parsed.Action is ParseErrorAction || MistakenOptions(parsed).Any();

    public static void Write(ParseResult parsed, Terminal terminal)
    {
        var path = PathOf(parsed.CommandResult);
        foreach (var option in MistakenOptions(parsed))
            terminal.Fail(Unknown(option, parsed.CommandResult.Command, path) + Nearest(option, parsed.CommandResult));
        var unknown = parsed.UnmatchedTokens.ToHashSet(StringComparer.Ordinal);
        // What follows an unknown command was meant for that one.
        foreach (var token in parsed.CommandResult.Command.Subcommands.Count > 0 ? unknown.Take(1) : unknown)
            terminal.Fail(Unknown(token, parsed.CommandResult.Command, path) + Nearest(token, parsed.CommandResult));
        foreach (var error in parsed.Errors)
        {
            if (!unknown.Any(token => error.Message.Contains($"'{token}'", StringComparison.Ordinal)) && !(unknown.Count > 0 && error.Message.StartsWith("Required command", StringComparison.Ordinal)))
                terminal.Fail(Shown(error, parsed.CommandResult));
        }

        terminal.Say($"  Try: millrace{path} --help");
    }

    private static IEnumerable<string> MistakenOptions(ParseResult parsed) => parsed.Action is HelpAction
        ? []
        : parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value).Where(value => value.StartsWith("--", StringComparison.Ordinal) && !parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash));

    private static string Unknown(string token, Command command, string path) => token.StartsWith('-')
        ? $"Unknown option {token} of millrace{path}."
        : command.Subcommands.Count > 0
            ? $"Unknown command \"{token}\"{(path.Length > 0 ? $" of millrace{path}" : "")}."
            : $"\"{token}\" is one argument too many for millrace{path}.";

    private static string Nearest(string token, CommandResult at)
    {
        if (token.StartsWith('-'))
            return NearestName.Question(token.Split('=', ':')[0], OptionsOf(at));
        return NearestName.Question(token, at.Command.Subcommands.Where(command => !command.Hidden).SelectMany(command => command.Aliases.Prepend(command.Name)));
    }

    private static IEnumerable<string> OptionsOf(CommandResult at)
    {
        for (SymbolResult? result = at; result is CommandResult command; result = result.Parent)
        {
            foreach (var option in command.Command.Options.Where(option => !option.Hidden && (ReferenceEquals(command, at) || option.Recursive)))
                yield return option.Name;
        }
    }

    private static string Shown(ParseError error, CommandResult at) => error.Message.StartsWith("Required command", StringComparison.Ordinal)
        ? $"A command is missing: {string.Join(", ", at.Command.Subcommands.Where(command => !command.Hidden).Select(command => command.Name))}."
        : error.Message.Replace("'", "\"", StringComparison.Ordinal);

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "";
}
