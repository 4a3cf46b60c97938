using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Millrace.System.Tests;

/// <summary>S6, G4: <c>WithTransactionAsync</c> and submissions inside it.</summary>
public sealed class TransactionTests(ITestOutputHelper output)
{
    private const int Accounts = 8;

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task Sixteen_concurrent_transfers_end_with_exact_sums(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        await database.ExecuteAsync("update account set balance = 1000");
        var tries = 0;

        await Task.WhenAll(Enumerable.Range(0, 16).Select(number => Task.Run(async () =>
        {
            for (var i = 0; i < 5; i++)
            {
                var (from, to) = (number % Accounts, (number + i + 1) % Accounts);
                await client.Database.WithTransactionAsync(async (transaction, token) =>
                {
                    Interlocked.Increment(ref tries);
                    // Read both, then write both: what serializable is for.
                    var giver = await RunAsync(transaction, $"select balance from account where id = {from}", token);
                    var taker = await RunAsync(transaction, $"select balance from account where id = {to}", token);
                    if (from == to)
                        return;
                    await RunAsync(transaction, $"update account set balance = {giver - 10} where id = {from}", token);
                    await RunAsync(transaction, $"update account set balance = {taker + 10} where id = {to}", token);
                });
            }
        })));

        output.WriteLine($"{kind}: 80 transfers in {tries} tries");
        var expected = new long[Accounts];
        Array.Fill(expected, 1000);
        for (var number = 0; number < 16; number++)
        {
            for (var i = 0; i < 5; i++)
            {
                expected[number % Accounts] -= 10;
                expected[(number + i + 1) % Accounts] += 10;
            }
        }
        (await database.RowsAsync("select balance from account where id < 8 order by id")).ShouldBe(expected.Select(balance => balance.ToString(CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task A_deadlock_is_retried()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        var options = new TransactionOptions { IsolationLevel = IsolationLevel.ReadCommitted };
        TaskCompletionSource[] hasFirst = [new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously)];
        var tries = 0;

        await Task.WhenAll(Enumerable.Range(0, 2).Select(me => client.Database.WithTransactionAsync(
            async (transaction, token) =>
            {
                Interlocked.Increment(ref tries);
                await RunAsync(transaction, $"update account set balance = balance + 1 where id = {me}", token);
                hasFirst[me].TrySetResult();
                await hasFirst[1 - me].Task;
                await RunAsync(transaction, $"update account set balance = balance + 1 where id = {1 - me}", token);
            },
            options)));

        tries.ShouldBeGreaterThan(2);
        (await database.RowsAsync("select balance from account where id < 2")).ShouldBe(["2", "2"]);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_nested_call_joins(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);

        await client.Database.WithTransactionAsync(async (outer, _) =>
        {
            await client.Database.WithTransactionAsync(async (inner, token) =>
            {
                inner.ShouldBeSameAs(outer);
                await RunAsync(inner, "update account set balance = 7 where id = 0", token);
            });
            await outer.Connection!.WithTransactionAsync((inner, _) =>
            {
                inner.ShouldBeSameAs(outer);
                return Task.CompletedTask;
            });
            (await database.NumberAsync("select balance from account where id = 0")).ShouldBe(0, "the inner call must not have committed");
        });

        (await database.NumberAsync("select balance from account where id = 0")).ShouldBe(7);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task Any_other_error_is_not_retried(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        var tries = 0;

        // Of the database's own.
        await Should.ThrowAsync<DbException>(() => client.Database.WithTransactionAsync(async (transaction, token) =>
        {
            tries++;
            await RunAsync(transaction, "update account set balance = 7 where id = 0", token);
            await RunAsync(transaction, "insert into account values (0, 0)", token);
        }));
        // And of the application's.
        await Should.ThrowAsync<InvalidDataException>(() => client.Database.WithTransactionAsync(async (transaction, token) =>
        {
            tries++;
            await RunAsync(transaction, "update account set balance = 7 where id = 0", token);
            throw new InvalidDataException("No.");
        }));

        tries.ShouldBe(2);
        (await database.NumberAsync("select balance from account where id = 0")).ShouldBe(0);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_submission_inside_joins_and_is_rolled_back_with_it(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        var before = (await client.Jobs.SubmitAsync(new Count(0))).Id;

        long lost = 0;
        await Should.ThrowAsync<InvalidDataException>(() => client.Database.WithTransactionAsync(async (_, _) =>
        {
            lost = (await client.Jobs.SubmitAsync(new Count(1))).Id;
            throw new InvalidDataException("No.");
        }));
        long kept = 0;
        await client.Database.WithTransactionAsync(async (_, _) =>
        {
            kept = (await client.Jobs.SubmitAsync(new Count(2))).Id;
            (await database.IdsAsync($"select id from {database.Table("job")}")).ShouldBe([before], "not visible before the commit");
        });

        (await database.IdsAsync($"select id from {database.Table("job")}")).ShouldBe([before, kept], ignoreOrder: true);
        (await database.IdsAsync($"select id from {database.Table("ready")}")).ShouldBe([before, kept], ignoreOrder: true);
        (await client.Jobs.FindAsync(lost)).ShouldBeNull();
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task The_first_submissions_of_a_process_may_be_inside_a_transaction(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        var inside = new List<long>();

        // The ids for them are taken from the database while the transaction is open: more than a block of them, and a bulk.
        await client.Database.WithTransactionAsync(async (transaction, _) =>
        {
            inside.Clear();
            for (var i = 0; i < 70; i++)
                inside.Add((await client.Jobs.SubmitAsync(new Count(i))).Id);
            inside.AddRange((await client.Jobs.Using(transaction).SubmitManyAsync(Enumerable.Range(0, 100).Select(i => new Count(i)))).Select(result => result.Id));
        });
        var outside = (await client.Jobs.SubmitAsync(new Count(0))).Id;

        (await database.IdsAsync($"select id from {database.Table("job")} where type = 'count'")).ShouldBe([.. inside, outside], ignoreOrder: true);
    }

    [Theory]
    // A connection of the application's own, and one of the handlers' pool on which a transaction was begun by hand.
    [InlineData("own")]
    [InlineData("pool")]
    public async Task A_foreign_open_transaction_on_SQLite_is_answered_with_the_right_call(string whose)
    {
        await using var database = await TestDatabase.CreateAsync("sqlite");
        await using var client = await TestClient.StartAsync(database, m => m
            .UseSqlite(database.ConnectionString, sqlite => sqlite.BusyTimeout = TimeSpan.FromSeconds(1))
            .Configure(options => options.SubmitTimeout = TimeSpan.FromSeconds(2)));
        await client.Jobs.SubmitAsync(new Count(0));
        await using var connection = whose == "own"
            ? new SqliteConnection($"Data Source={database.ConnectionString};Pooling=False")
            : await client.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        if (connection.State != ConnectionState.Open)
            await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.Serializable, TestContext.Current.CancellationToken);

        var refused = await Should.ThrowAsync<SubmitException>(() => client.Jobs.SubmitAsync(new Count(1)));
        refused.Message.ShouldContain("jobs.Using(transaction)");

        var stored = await client.Jobs.Using(transaction).SubmitAsync(new Count(2));
        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        (await client.Jobs.FindAsync(stored.Id)).ShouldNotBeNull();
    }

    private static async Task<long> RunAsync(DbTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
    }
}
