using System.Data.Common;
using Millrace.Working;

namespace Millrace;

/// <summary>
/// Several writes as one transaction that takes effect exactly as if it had run alone. When the database reports a conflict with another transaction
/// (serialization failure 40001, deadlock 40P01, SQLite busy) the work is run again after a short pause with jitter, in a new transaction; any other
/// exception rolls back and comes out. A call inside another <c>WithTransactionAsync</c> on the same database joins that transaction, and it is
/// the outer one that is repeated. Submissions through <see cref="IJobClient"/> in the same flow join too.
/// </summary>
/// <remarks>The work may run several times: keep effects that the database cannot roll back out of it. A connection that breaks during the commit is not repeated, because the commit may have happened.</remarks>
public static class TransactionExtensions
{
    /// <summary>Runs the work in a transaction on a connection of its own.</summary>
    /// <param name="database">Where connections come from.</param>
    /// <param name="work">Writes through the transaction it is given.</param>
    /// <param name="options">Isolation level and number of tries; null for the defaults.</param>
    /// <param name="cancellationToken">Given to the work.</param>
    public static Task WithTransactionAsync(
        this DbDataSource database, Func<DbTransaction, CancellationToken, Task> work, TransactionOptions? options = null, CancellationToken cancellationToken = default) =>
        TransactionRunner.RunAsync(database, WithoutValue(work), options ?? TransactionOptions.Default, cancellationToken);

    /// <inheritdoc cref="WithTransactionAsync(DbDataSource, Func{DbTransaction, CancellationToken, Task}, TransactionOptions?, CancellationToken)"/>
    public static Task<TValue> WithTransactionAsync<TValue>(
        this DbDataSource database, Func<DbTransaction, CancellationToken, Task<TValue>> work, TransactionOptions? options = null, CancellationToken cancellationToken = default) =>
        TransactionRunner.RunAsync(database, work, options ?? TransactionOptions.Default, cancellationToken);

    /// <summary>Runs the work in a transaction on this connection, which is opened if it is closed.</summary>
    /// <param name="connection">Without an open transaction, unless it was begun by an outer <c>WithTransactionAsync</c>.</param>
    /// <param name="work">Writes through the transaction it is given.</param>
    /// <param name="options">Isolation level and number of tries; null for the defaults.</param>
    /// <param name="cancellationToken">Given to the work.</param>
    public static Task WithTransactionAsync(
        this DbConnection connection, Func<DbTransaction, CancellationToken, Task> work, TransactionOptions? options = null, CancellationToken cancellationToken = default) =>
        TransactionRunner.RunAsync(connection, WithoutValue(work), options ?? TransactionOptions.Default, cancellationToken);

    /// <inheritdoc cref="WithTransactionAsync(DbConnection, Func{DbTransaction, CancellationToken, Task}, TransactionOptions?, CancellationToken)"/>
    public static Task<TValue> WithTransactionAsync<TValue>(
        this DbConnection connection, Func<DbTransaction, CancellationToken, Task<TValue>> work, TransactionOptions? options = null, CancellationToken cancellationToken = default) =>
        TransactionRunner.RunAsync(connection, work, options ?? TransactionOptions.Default, cancellationToken);

    private static Func<DbTransaction, CancellationToken, Task<bool>> WithoutValue(Func<DbTransaction, CancellationToken, Task> work) =>
        async (transaction, cancellationToken) =>
        {
            await work(transaction, cancellationToken).ConfigureAwait(false);
            return true;
        };
}
