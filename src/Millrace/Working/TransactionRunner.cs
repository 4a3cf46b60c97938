using System.Data;
using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Working;

/// <summary>Runs a user's work in a transaction, again after a conflict.</summary>
internal static class TransactionRunner
{
    public static async Task<TValue> RunAsync<TValue>(
        DbDataSource database, Func<DbTransaction, CancellationToken, Task<TValue>> work, TransactionOptions options, CancellationToken cancellationToken)
    {
        if (AmbientTransaction.Current is { } ambient && ReferenceEquals(ambient.Source, database))
            return await work(ambient.Transaction, cancellationToken).ConfigureAwait(false);

        return await RepeatAsync(
            async () =>
            {
                var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                    return await RunOnceAsync(connection, database, work, options, cancellationToken).ConfigureAwait(false);
            },
            options,
            cancellationToken).ConfigureAwait(false);
    }

    public static async Task<TValue> RunAsync<TValue>(
        DbConnection connection, Func<DbTransaction, CancellationToken, Task<TValue>> work, TransactionOptions options, CancellationToken cancellationToken)
    {
        if (AmbientTransaction.Current is { } ambient && ReferenceEquals(ambient.Connection, connection))
            return await work(ambient.Transaction, cancellationToken).ConfigureAwait(false);

        return await RepeatAsync(
            async () =>
            {
                if (connection.State == ConnectionState.Broken)
                    await connection.CloseAsync().ConfigureAwait(false);
                var wasClosed = connection.State == ConnectionState.Closed;
                if (wasClosed)
                    await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    return await RunOnceAsync(connection, connection, work, options, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    if (wasClosed)
                        await connection.CloseAsync().ConfigureAwait(false);
                }
            },
            options,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The pause before the next try: doubles from 5 ms up to 500 ms, and any part of it, so that rivals part ways.</summary>
    public static TimeSpan Pause(int tries, double random) =>
        TimeSpan.FromMilliseconds(Math.Min(500, 5 * Math.Pow(2, Math.Min(tries - 1, 10))) * (0.1 + 0.9 * random));

    private static async Task<TValue> RepeatAsync<TValue>(Func<Task<TValue>> tryOnce, TransactionOptions options, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await tryOnce().ConfigureAwait(false);
            }
            catch (Exception exception) when (tries < options.MaxTries && Conflicts.IsConflict(exception))
            {
                await Task.Delay(Pause(tries, Random.Shared.NextDouble()), options.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task<TValue> RunOnceAsync<TValue>(
        DbConnection connection, object source, Func<DbTransaction, CancellationToken, Task<TValue>> work, TransactionOptions options, CancellationToken cancellationToken)
    {
        // For SQLite, Serializable makes the provider begin immediately: the write lock is taken here, not at the first write, where waiting would be of no use.
        var transaction = await connection.BeginTransactionAsync(options.IsolationLevel, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            var ambient = new AmbientTransaction(transaction, connection, source);
            ambient.Enter();
            var committed = false;
            try
            {
                var value = await work(transaction, cancellationToken).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                committed = true;
                return value;
            }
            finally
            {
                ambient.Leave(committed);
            }
        }
    }
}

/// <summary>Which failures mean that another transaction was in the way, and that the whole transaction may be run again.</summary>
internal static class Conflicts
{
    public static bool IsConflict(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is StoreException { Fault: StoreFault.Conflict } or DbException { SqlState: "40001" or "40P01" })
                return true;
            // The core does not depend on the SQLite provider, whose exceptions carry their code only in a type of its own and at the head of the text.
            if (exception is DbException && (exception.Message.StartsWith("SQLite Error 5:", StringComparison.Ordinal) || exception.Message.StartsWith("SQLite Error 6:", StringComparison.Ordinal)))
                return true;
        }
        return false;
    }
}
