using System.CommandLine;

namespace Millrace.Cli.Commands;

internal static class MoveCommand
{
    public static Command Make(Leaves leaves) => new("move");
}
