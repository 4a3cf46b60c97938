using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Millrace.Working;

namespace Millrace;

/// <summary>Millrace for applications that use Entity Framework Core: submit in a context's transaction, and run a context's work in a transaction that is repeated when it meets a conflict.</summary>
public static class MillraceDbContextExtensions
{
    /// <summary>A client whose submissions are part of the context's open transaction: the jobs are visible if and only if it commits.</summary>
    /// <param name="jobs">The client.</param>
    /// <param name="context">With a transaction begun by <c>Database.BeginTransactionAsync</c> or by <see cref="WithTransactionAsync{TContext}(TContext, Func{TContext, CancellationToken, Task}, TransactionOptions?, CancellationToken)"/>, on the database of this instance.</param>
    /// <exception cref="InvalidOperationException">The context has no open transaction.</exception>
    /// <exception cref="ArgumentException">The transaction belongs to another database.</exception>
    public static IJobClient Using(this IJobClient jobs, DbContext context)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        ArgumentNullException.ThrowIfNull(context);
        var transaction = context.Database.CurrentTransaction ?? throw new InvalidOperationException(
            $"{context.GetType().Name} has no open transaction, so a job could not be part of it. Run the work in context.WithTransactionAsync(…), or begin one by context.Database.BeginTransactionAsync().");
        return jobs.Using(transaction.GetDbTransaction());
    }

    /// <summary>
    /// Runs the work in one serializable transaction of the context, inside its execution strategy, and again when it met a conflict with another transaction. Before each try the
    /// change tracker is cleared, so that nothing of a try that was rolled back is written by the next one. Changes still pending at the end of the work are saved before the commit.
    /// Inside a transaction that is open already the work joins it. Submissions in the same flow join too.
    /// </summary>
    /// <param name="context">Without unsaved changes: they would be lost when the tracker is cleared.</param>
    /// <param name="work">Reads and writes through the context. May run several times.</param>
    /// <param name="options">Isolation level and number of tries; null for the defaults.</param>
    /// <param name="cancellationToken">Given to the work.</param>
    /// <exception cref="InvalidOperationException">The context has unsaved changes.</exception>
    public static Task WithTransactionAsync<TContext>(
        this TContext context, Func<TContext, CancellationToken, Task> work, TransactionOptions? options = null, CancellationToken cancellationToken = default)
        where TContext : DbContext =>
        context.WithTransactionAsync(
            async (same, token) =>
            {
                await work(same, token).ConfigureAwait(false);
                return true;
            },
            options,
            cancellationToken);

    /// <inheritdoc cref="WithTransactionAsync{TContext}(TContext, Func{TContext, CancellationToken, Task}, TransactionOptions?, CancellationToken)"/>
    public static async Task<TValue> WithTransactionAsync<TContext, TValue>(
        this TContext context, Func<TContext, CancellationToken, Task<TValue>> work, TransactionOptions? options = null, CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(work);
        if (context.Database.CurrentTransaction is not null)
            return await work(context, cancellationToken).ConfigureAwait(false);
        if (context.ChangeTracker.HasChanges())
            throw new InvalidOperationException(
                $"{context.GetType().Name} has unsaved changes from before WithTransactionAsync. They would be lost if the transaction had to be repeated: save them first, or make them inside.");

        // The user's strategy (EnableRetryOnFailure and the like) must own the whole transaction; the conflicts it does not repeat are repeated inside it.
        var strategy = context.Database.CreateExecutionStrategy();
        return await strategy.ExecuteAsync(
            token => RunAsync(context, work, options ?? TransactionOptions.Default, token), cancellationToken).ConfigureAwait(false);
    }

    private static Task<TValue> RunAsync<TContext, TValue>(
        TContext context, Func<TContext, CancellationToken, Task<TValue>> work, TransactionOptions options, CancellationToken cancellationToken)
        where TContext : DbContext =>
        TransactionRunner.RunAsync(
            context.Database.GetDbConnection(),
            async (transaction, token) =>
            {
                context.ChangeTracker.Clear();
                await context.Database.UseTransactionAsync(transaction, token).ConfigureAwait(false);
                try
                {
                    var value = await work(context, token).ConfigureAwait(false);
                    await context.SaveChangesAsync(token).ConfigureAwait(false);
                    return value;
                }
                finally
                {
                    // The transaction is committed or rolled back outside; the context must let go of it first.
                    await context.Database.UseTransactionAsync(null, CancellationToken.None).ConfigureAwait(false);
                }
            },
            options,
            cancellationToken);
}
