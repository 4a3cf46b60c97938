using Millrace.Cli.Output;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli;

/// <summary>What an exception means to whoever called the tool: a message on standard error and an exit code.</summary>
internal static class Ending
{
    public static async Task<int> OfAsync(Func<Task<int>> command, Terminal terminal, CancellationToken interrupted)
    {
        try
        {
            return await command().ConfigureAwait(false);
        }
        catch (CommandException exception)
        {
            return Say(terminal, exception.ExitCode, exception.Message);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            return Say(terminal, ExitCode.Interrupted, "It was interrupted.");
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            return Say(terminal, ExitCode.Timeout, exception is TimeoutException ? exception.Message : "The time given by --timeout is over.");
        }
        catch (StoreException exception)
        {
            return Say(terminal, OfFault(exception.Fault), exception.Message);
        }
        catch (SubmitException exception)
        {
            return Say(terminal, ExitCode.CannotConnect, exception.Message);
        }
        catch (Exception exception) when (exception is JobDataException or InvalidScheduleException or ArgumentException)
        {
            return Say(terminal, ExitCode.Usage, exception.Message);
        }
        catch (BrokenPipeException)
        {
            // Whoever read our output has seen enough.
            return (int)ExitCode.Ok;
        }
#pragma warning disable CA1031 // The last line of defence: a person gets a report instead of a crash.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Say(terminal, ExitCode.Bug, $"This is a bug in millrace. Please report it with these lines:\n{Redactor.Text(exception.ToString())}");
        }
    }

    public static ExitCode OfFault(StoreFault fault) => fault switch
    {
        StoreFault.Conflict => ExitCode.Conflict,
        StoreFault.ReadOnly or StoreFault.Rejected => ExitCode.Refused,
        _ => ExitCode.CannotConnect,
    };

    private static int Say(Terminal terminal, ExitCode code, string message)
    {
        terminal.Flush();
        terminal.Fail(message);
        return (int)code;
    }
}
