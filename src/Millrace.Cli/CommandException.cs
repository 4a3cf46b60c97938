namespace Millrace.Cli;

/// <summary>A command cannot go on, and says why in a sentence a person can act on.</summary>
internal sealed class CommandException(ExitCode exitCode, string message) : Exception(message)
{
    public ExitCode ExitCode => exitCode;

    public static CommandException Usage(string message) => new(ExitCode.Usage, message);

    public static CommandException NotFound(string message) => new(ExitCode.NotFound, message);

    public static CommandException Refused(string message) => new(ExitCode.Refused, message);

    public static CommandException Conflict(string message) => new(ExitCode.Conflict, message);
}
