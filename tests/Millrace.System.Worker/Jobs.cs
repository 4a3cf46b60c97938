using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Millrace.System;

/// <summary>Leaves one row in <c>effect</c>.</summary>
[Job("count", Queue = "default")]
public sealed record Count(long Amount);

/// <summary>Takes its time, and leaves one row in <c>effect</c>.</summary>
[Job("nap", Queue = "default")]
public sealed record Nap(int Milliseconds);

/// <summary>Adds to an account in the transaction that completes the job.</summary>
[Job("transfer", Queue = "default")]
public sealed record Transfer(int Account, long Amount);

/// <summary>Waits until a file exists, and leaves one row in <c>effect</c>.</summary>
/// <param name="Gate">The file.</param>
/// <param name="Manner">What else it does.</param>
[Job("hold", Queue = "default")]
public sealed record Hold(string Gate, Manner Manner = Manner.Plain);

/// <summary>Notifies its user again and again, each time with its number and the time, and says how far it is.</summary>
/// <param name="Times">How often.</param>
/// <param name="Pause">Milliseconds between two.</param>
[Job("tell", Queue = "default")]
public sealed record Tell(int Times, int Pause);

/// <summary>Takes its time, and touches nothing.</summary>
[Job("rest", Queue = "default")]
public sealed record Rest(int Milliseconds);

/// <summary>Takes its time and a thread of the pool with it.</summary>
[Job("block", Queue = "default")]
public sealed record Block(int Milliseconds);

public enum Manner
{
    /// <summary>Stops when its token says so.</summary>
    Plain,

    /// <summary>Does not look at its token.</summary>
    Deaf,

    /// <summary>Does not look at its token, and leaves its row in the transaction that completes the job.</summary>
    DeafInTransaction,
}

/// <summary>The handlers that the worker program and the hosts inside the tests share.</summary>
public static class Jobs
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>The tables that the handlers write to, in words both databases know.</summary>
    public const string Tables = """
        create table effect (job_id bigint not null, run integer not null, amount bigint not null);
        create table account (id integer primary key, balance bigint not null);
        with recursive number (i) as (select 0 union all select i + 1 from number where i < 999) insert into account select i, 0 from number;
        """;

    // So many that PostgreSQL finds one through the index: it would read a small table whole, and under serializable whoever read a table whole is in everybody's way.
    public const int Accounts = 1000;

    public static MillraceBuilder AddSystemJobs(this MillraceBuilder builder, Action<string>? tell = null) => builder
        .AddJob<Count>((job, cancellationToken) => RunAsync(job, tell, () => CountAsync(job, cancellationToken)), RetryPolicy.Every(TimeSpan.FromMilliseconds(200)))
        .AddJob<Nap>((job, cancellationToken) => RunAsync(job, tell, () => NapAsync(job, cancellationToken)), RetryPolicy.Every(TimeSpan.FromMilliseconds(200)))
        .AddJob<Transfer>((job, cancellationToken) => RunAsync(job, tell, () => TransferAsync(job, cancellationToken)), RetryPolicy.Every(TimeSpan.FromMilliseconds(200)))
        .AddJob<Tell>((job, cancellationToken) => RunAsync(job, tell, () => TellAsync(job, cancellationToken)), RetryPolicy.Every(TimeSpan.FromMilliseconds(200)))
        .AddJob<Hold>((job, cancellationToken) => RunAsync(job, tell, () => HoldAsync(job, cancellationToken)), RetryPolicy.Every(TimeSpan.FromMilliseconds(200)))
        .AddJob<Rest>((job, cancellationToken) => RunAsync(job, tell, () => RestAsync(job.Data.Milliseconds, cancellationToken)), RetryPolicy.Every(TimeSpan.FromMilliseconds(200)))
        .AddJob<Block>((job, cancellationToken) => RunAsync(job, tell, () => BlockOn(RestAsync(job.Data.Milliseconds, cancellationToken))), RetryPolicy.Every(TimeSpan.FromMilliseconds(200)));

    private static async Task RunAsync(JobContext job, Action<string>? tell, Func<Task> work)
    {
        tell?.Invoke($"started {job.Id} {job.Fence}");
        try
        {
            await work();
            tell?.Invoke($"returned {job.Id} {job.Fence}");
        }
        catch (Exception exception)
        {
            tell?.Invoke($"threw {job.Id} {job.Fence} {exception.GetType().Name}");
            throw;
        }
    }

    private static async Task CountAsync(JobContext<Count> job, CancellationToken cancellationToken)
    {
        var database = job.Services.GetRequiredKeyedService<DbDataSource>("millrace");
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await WriteAsync(connection, null, Effect, job, job.Data.Amount, cancellationToken);
    }

    private static async Task NapAsync(JobContext<Nap> job, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(job.Data.Milliseconds), TimeProvider.System, cancellationToken);
        var database = job.Services.GetRequiredKeyedService<DbDataSource>("millrace");
        await using var connection = await database.OpenConnectionAsync(CancellationToken.None);
        await WriteAsync(connection, null, Effect, job, 1, CancellationToken.None);
    }

    private static Task RestAsync(int milliseconds, CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, cancellationToken);

    // What one should not write, and what many do.
    private static Task BlockOn(Task task)
    {
        task.GetAwaiter().GetResult();
        return Task.CompletedTask;
    }

    private static Task TransferAsync(JobContext<Transfer> job, CancellationToken cancellationToken) =>
        job.CompleteInTransactionAsync(
            async (transaction, token) =>
            {
                await WriteAsync(transaction.Connection!, transaction, "update account set balance = balance + @amount where id = @account", job, job.Data.Amount, token, job.Data.Account);
                await WriteAsync(transaction.Connection!, transaction, Effect, job, job.Data.Amount, token);
            },
            cancellationToken);

    private static async Task TellAsync(JobContext<Tell> job, CancellationToken cancellationToken)
    {
        for (var i = 0; i < job.Data.Times; i++)
        {
            await job.NotifyUserAsync(job.UserId, $"{i} {TimeProvider.System.GetUtcNow().UtcTicks}", cancellationToken);
            await job.ReportProgressAsync(100.0 * (i + 1) / job.Data.Times, null, cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(job.Data.Pause), TimeProvider.System, cancellationToken);
        }
    }

    private static async Task HoldAsync(JobContext<Hold> job, CancellationToken cancellationToken)
    {
        var heard = job.Data.Manner == Manner.Plain ? cancellationToken : CancellationToken.None;
        while (!File.Exists(job.Data.Gate))
            await Task.Delay(Look, TimeProvider.System, heard);
        if (job.Data.Manner == Manner.DeafInTransaction)
        {
            await job.CompleteInTransactionAsync((transaction, token) => WriteAsync(transaction.Connection!, transaction, Effect, job, 1, token), CancellationToken.None);
            return;
        }
        // A deaf one does no writes of its own: what is not in the completing transaction cannot be taken back.
        if (job.Data.Manner == Manner.Plain)
        {
            var database = job.Services.GetRequiredKeyedService<DbDataSource>("millrace");
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await WriteAsync(connection, null, Effect, job, 1, cancellationToken);
        }
    }

    private const string Effect = "insert into effect (job_id, run, amount) values (@job, @run, @amount)";

    private static async Task WriteAsync(
        DbConnection connection, DbTransaction? transaction, string sql, JobContext job, long amount, CancellationToken cancellationToken, int account = -1)
    {
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        Add("amount", amount);
        if (account >= 0)
        {
            Add("account", account);
        }
        else
        {
            Add("job", job.Id);
            Add("run", (int)job.Fence);
        }
        await command.ExecuteNonQueryAsync(cancellationToken);

        void Add(string name, object value)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value;
            command.Parameters.Add(parameter);
        }
    }
}
