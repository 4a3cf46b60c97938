using System.Runtime.InteropServices;
using Millrace.Cli.Commands;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;

namespace Millrace.Cli;

/// <summary>The tool: parses, runs one command, and turns whatever happens into an exit code.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        using var interrupted = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

        var terminal = Terminal.OfProcess();
        var globals = new GlobalOptions();
        var root = CommandTree.Build(globals, terminal);
        // "@file" is for --data to read, and "-queue:mail" is a filter and no bundle of options.
        var parsed = root.Parse(args, new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        if (ParseFaults.Any(parsed))
        {
            ParseFaults.Write(parsed, terminal);
            return (int)ExitCode.Usage;
        }

        var code = await Ending.OfAsync(
            () => parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = terminal.Out, Error = terminal.Error }, interrupted.Token),
            terminal,
            interrupted.Token).ConfigureAwait(false);
        terminal.Flush();
        return code;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupted.Cancel();
        }
    }
}
