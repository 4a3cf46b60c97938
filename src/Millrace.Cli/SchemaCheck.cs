using Millrace.Storage;

namespace Millrace.Cli;

/// <summary>Whether this tool and the database's schema go together.</summary>
internal static class SchemaCheck
{
    /// <exception cref="CommandException">They do not, or the database cannot be reached.</exception>
    public static async Task CheckAsync(IJobStore store, CancellationToken cancellationToken)
    {
        try
        {
            await store.MigrateAsync(apply: false, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException exception) when (exception.Fault == StoreFault.Rejected)
        {
            throw await FaultOfAsync(store, exception, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException exception)
        {
            throw new CommandException(ExitCode.CannotConnect, exception.Message);
        }
    }

    // A wrong password is rejected just as an old schema is: only a database that answers has a schema.
    private static async Task<CommandException> FaultOfAsync(IJobStore store, StoreException fault, CancellationToken cancellationToken)
    {
        StoreReport report;
        try
        {
            report = await store.Inspection.ReportAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            return new CommandException(ExitCode.CannotConnect, fault.Message);
        }

        if (report.SchemaVersion > report.KnownVersion + 1)
            return new CommandException(ExitCode.Schema, $"{store.Name} has schema {report.SchemaVersion}, and this tool knows {report.KnownVersion}. Nothing was changed. Upgrade the tool: dotnet tool update -g Millrace.Cli");
        if (report.SchemaVersion < report.KnownVersion)
        {
            var found = report.SchemaVersion == 0 ? "has no tables of Millrace" : $"has schema {report.SchemaVersion}, and this tool needs {report.KnownVersion}";
            return new CommandException(ExitCode.Schema, $"{store.Name} {found}. Nothing was changed. To bring it up to date: millrace db migrate\nTo see the statements first: millrace db sql --from {report.SchemaVersion}");
        }

        return new CommandException(ExitCode.Refused, fault.Message);
    }
}
