using System.CommandLine;

namespace Millrace.Cli.Commands;

internal static class BenchCommand
{
    public static Command Make(Leaves leaves) => new("bench");
}
