using System.CommandLine;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;

namespace Millrace.Cli.Commands;

/// <summary>Makes commands that run something.</summary>
internal sealed class Leaves(GlobalOptions globals, Terminal terminal)
{
    public Command Make(string name, string description, Func<Invocation, Task<ExitCode>> run, params ReadOnlySpan<Symbol> parts)
    {
        var command = new Command(name, description);
        Fill(command, run, parts);
        return command;
    }

    /// <summary>A command with commands below it, which does something by itself too.</summary>
    public Command MakeGroup(string name, string description, Func<Invocation, Task<ExitCode>> run, params ReadOnlySpan<Command> commands)
    {
        var group = MakeGroup(name, description, commands);
        Fill(group, run, []);
        return group;
    }

    public Command MakeGroup(string name, string description, params ReadOnlySpan<Command> commands)
    {
        var group = new Command(name, description);
        foreach (var command in commands)
            group.Add(command);
        return group;
    }

    private void Fill(Command command, Func<Invocation, Task<ExitCode>> run, ReadOnlySpan<Symbol> parts)
    {
        foreach (var part in parts)
        {
            if (part is Argument argument)
                command.Add(argument);
            else if (part is Option option)
                command.Add(option);
        }

        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var invocation = new Invocation(parsed, globals, terminal, cancellationToken);
            invocation.Begin();
            return (int)await run(invocation).ConfigureAwait(false);
        });
    }
}
