using Millrace.Cli.Output;
using Millrace.Storage;

namespace Millrace.Cli.Live;

/// <summary>Shows something again whenever the database may have changed: in place on a terminal, below each other elsewhere.</summary>
internal static class Watching
{
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static async Task<ExitCode> RunAsync(Invocation invocation, IJobStore store, Func<Task> write)
    {
        var terminal = invocation.Terminal;
        string? seen = null;
        try
        {
            while (true)
            {
                var pulse = await store.Inspection.ReadPulseAsync(invocation.Token).ConfigureAwait(false);
                // On a terminal the ages of what is shown change too.
                if (pulse != seen || terminal.CanDrawLive)
                {
                    if (terminal.CanDrawLive)
                        terminal.Out.Write("\e[H\e[2J");
                    await write().ConfigureAwait(false);
                    terminal.FlushStream();
                    seen = pulse;
                }

                await Task.Delay(Pause, invocation.Time, invocation.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (invocation.Interrupted.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }
}
