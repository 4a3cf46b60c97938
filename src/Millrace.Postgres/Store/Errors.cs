using System.Net.Sockets;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// What an exception of the provider says about the outcome.
internal sealed partial class PostgresStore
{
    public StoreFault? Classify(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case StoreException ours:
                    return ours.Fault;
                case PostgresException postgres:
                    return FaultOf(postgres.SqlState);
                case NpgsqlException:
                    return StoreFault.Unknown;
            }
        }

        return null;
    }

    private const string ReadOnlyState = PostgresErrorCodes.ReadOnlySqlTransaction;

    private static StoreFault FaultOf(string sqlState) => sqlState switch
    {
        // Serialization failure, deadlock, lock timeout, statement cancelled.
        "40001" or "40P01" or "55P03" or "57014" => StoreFault.Conflict,
        // "Completion unknown" of the server's own.
        "40003" or "08007" => StoreFault.Unknown,
        // Shut down, crashed, cannot connect now, too many connections, idle session or transaction ended.
        "57P01" or "57P02" or "57P03" or "57P05" or "25P03" or "53300" => StoreFault.Unavailable,
        // Read-only: a standby, most often, and after a failover this host or another one takes writes again.
        ReadOnlyState => StoreFault.Unavailable,
        // Out of disk space, out of memory.
        "53100" or "53200" => StoreFault.ReadOnly,
        _ when sqlState.StartsWith("08", StringComparison.Ordinal) => StoreFault.Unavailable,
        _ => StoreFault.Rejected,
    };

    /// <summary>The store's exception for one of the provider; null for one that is not the database's doing.</summary>
    internal StoreException? Translate(Exception exception, string task, bool commitIsInFlight)
    {
        switch (exception)
        {
            case StoreException ours:
                return ours;
            case PostgresException postgres:
                var fault = FaultOf(postgres.SqlState);
                // Here the server said it was going away after the commit was sent. The words may have crossed on the wire.
                if (fault == StoreFault.Unavailable && commitIsInFlight && postgres.SqlState != ReadOnlyState)
                    fault = StoreFault.Unknown;
                return Fault(fault, task, $"{postgres.MessageText} ({postgres.SqlState}{(postgres.ConstraintName is { } name ? $", {name}" : "")})", exception);
            case NpgsqlException or IOException or SocketException or TimeoutException or OperationCanceledException { InnerException: TimeoutException }:
                return Fault(commitIsInFlight ? StoreFault.Unknown : StoreFault.Unavailable, task, exception.Message, exception);
            default:
                return null;
        }
    }

    private StoreException Fault(StoreFault fault, string task, string cause, Exception exception) => new(
        fault,
        $"{Name}: could not {task}. {cause.TrimEnd('.')}. " + fault switch
        {
            StoreFault.Unavailable when exception is PostgresException { SqlState: ReadOnlyState } =>
                "Nothing was changed. This server takes no writes: it is a standby, or was made read-only. It is tried again; give the connection string all hosts, and the one that is the primary is found.",
            StoreFault.Unavailable => "Nothing was changed. Try again when the database can be reached.",
            StoreFault.Unknown => "The connection broke during the commit, so it may have happened or not. Repeat it with the same ids: it is not done twice.",
            StoreFault.Conflict => "Another transaction was in the way and nothing was changed. Try again.",
            StoreFault.ReadOnly => "Nothing was changed. The database takes no writes: look at its disk space and its memory.",
            _ => "Nothing was changed, and the same statement would fail again.",
        },
        exception);

    internal StoreException CannotConnect(Exception exception)
    {
        if (exception is StoreException ours)
            return ours;
        var (fault, advice) = exception is PostgresException postgres
            ? postgres.SqlState switch
            {
                "28P01" or "28000" => (StoreFault.Rejected, "Check Username and Password in the connection string given to UsePostgres, and pg_hba.conf on the server."),
                "3D000" => (StoreFault.Rejected, "Create the database, or correct Database in the connection string given to UsePostgres."),
                "42501" => (StoreFault.Rejected, "Grant the user CONNECT on the database."),
                "53300" => (StoreFault.Unavailable, "The server has no connection left. Raise max_connections, or lower the pools of its clients."),
                _ => (FaultOf(postgres.SqlState) is StoreFault.Rejected ? StoreFault.Rejected : StoreFault.Unavailable, "Look at the server's log."),
            }
            : exception is NpgsqlException or SocketException or IOException or TimeoutException or OperationCanceledException
                ? (StoreFault.Unavailable, "Check Host and Port in the connection string given to UsePostgres, and that the server runs.")
                : (StoreFault.Rejected, "Check the connection string given to UsePostgres.");
        var cause = exception is PostgresException { MessageText: var text, SqlState: var state } ? $"{text} ({state})" : exception.Message;
        return new StoreException(fault, $"Could not connect to {Name}: {cause.TrimEnd('.')}. {advice}", exception);
    }

    // Statements on the caller's transaction: never caught for another try, only put into our words.
    private async Task<T> OnCallersAsync<T>(string task, Func<Task<T>> operation)
    {
        try
        {
            return await operation().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not StoreException && Translate(exception, task, commitIsInFlight: false) is { } fault)
        {
            throw fault;
        }
    }
}
