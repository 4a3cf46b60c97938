using System.CommandLine;
using System.Reflection;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;

namespace Millrace.Cli.Commands;

/// <summary>All commands there are.</summary>
internal static class CommandTree
{
    public static RootCommand Build(GlobalOptions globals, Terminal terminal)
    {
        var leaves = new Leaves(globals, terminal);
        var root = new RootCommand("Looks at background jobs and mends them, with nothing but a connection string.");
        foreach (var option in globals.All)
            root.Add(option);
        // In the order in which somebody new to it would ask.
        Command[] commands =
        [
            ListCommand.Make(leaves), ShowCommand.Make(leaves), ExplainCommand.Make(leaves), SubmitCommand.Make(leaves),
            .. ChangeCommands.Make(leaves), UndoCommand.Make(leaves),
            QueueCommands.Make(leaves), ScheduleCommands.Make(leaves), WorkerCommands.Make(leaves), TypeCommands.Make(leaves),
            FailuresCommand.Make(leaves), StatsCommand.Make(leaves), AuditCommand.Make(leaves), TailCommand.Make(leaves), TopCommand.Make(leaves),
            DoctorCommand.Make(leaves), HealthCommand.Make(leaves), DbCommands.Make(leaves), MoveCommand.Make(leaves), BenchCommand.Make(leaves),
            ProfileCommands.Make(leaves), ConfigCommand.Make(leaves), CompletionsCommand.Make(leaves),
        ];
        foreach (var command in commands)
            root.Add(command);
        foreach (var option in root.Options.OfType<VersionOption>())
            option.Action = new VersionAction(terminal);
        return root;
    }

    private sealed class VersionAction(Terminal terminal) : System.CommandLine.Invocation.SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var version = typeof(CommandTree).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
            // Without the commit, which the build puts behind a plus.
            terminal.Out.WriteLine(version.Split('+')[0]);
            return (int)ExitCode.Ok;
        }
    }
}
