using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Millrace.System.Tests;

/// <summary>S6, G4 through a <see cref="DbContext"/>.</summary>
public sealed class EntityFrameworkTests
{
    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_job_submitted_with_a_context_shares_its_transactions_fate(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        await using var bank = new Bank(database);

        long kept;
        await using (await bank.Database.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            bank.Accounts.Add(new Account { Id = 5000 });
            await bank.SaveChangesAsync(TestContext.Current.CancellationToken);
            await client.Jobs.Using(bank).SubmitAsync(new Count(1));
        }
        bank.ChangeTracker.Clear();
        await using (var transaction = await bank.Database.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            bank.Accounts.Add(new Account { Id = 5001 });
            await bank.SaveChangesAsync(TestContext.Current.CancellationToken);
            kept = (await client.Jobs.Using(bank).SubmitAsync(new Count(2))).Id;
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }

        (await database.IdsAsync($"select id from {database.Table("job")}")).ShouldBe([kept]);
        (await client.Jobs.FindAsync(kept))!.Data.ShouldBe("""{"amount":2}""");
        (await database.IdsAsync("select id from account where id >= 5000")).ShouldBe([5001]);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_context_without_a_transaction_is_refused_with_the_right_call(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        await using var bank = new Bank(database);

        var refused = Should.Throw<InvalidOperationException>(() => client.Jobs.Using(bank));

        refused.Message.ShouldContain(nameof(Bank));
        refused.Message.ShouldContain("context.WithTransactionAsync");
        refused.Message.ShouldContain("context.Database.BeginTransactionAsync()");
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_conflict_is_repeated_with_a_cleared_tracker(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database);
        await using var bank = new Bank(database);
        await client.Jobs.SubmitAsync(new Count(0));
        var tries = 0;

        var value = await bank.WithTransactionAsync(async (same, token) =>
        {
            tries++;
            same.ChangeTracker.Entries().ShouldBeEmpty();
            var account = await same.Accounts.SingleAsync(account => account.Id == 0, token);
            account.Balance += 5;
            // Joins, by the flow alone and by the context.
            await client.Jobs.SubmitAsync(new Count(1), cancellationToken: token);
            await client.Jobs.Using(same).SubmitAsync(new Count(2), cancellationToken: token);
            if (tries == 1)
            {
                same.Accounts.Add(new Account { Id = 5000 });
                await MeetRivalAsync(database);
            }
            return account.Balance;
        });

        tries.ShouldBe(2);
        value.ShouldBe(kind == "postgres" ? 8 : 5);
        (await database.NumberAsync("select balance from account where id = 0")).ShouldBe(value);
        (await database.NumberAsync("select count(*) from account where id = 5000")).ShouldBe(0);
        (await database.NumberAsync($"select count(*) from {database.Table("job")}")).ShouldBe(3);
        bank.Database.CurrentTransaction.ShouldBeNull();
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task Unsaved_changes_from_before_are_refused_and_a_nested_call_joins(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var bank = new Bank(database);

        await bank.WithTransactionAsync(async (same, _) =>
        {
            var outer = same.Database.CurrentTransaction;
            await same.WithTransactionAsync((inner, _) =>
            {
                inner.Database.CurrentTransaction.ShouldBeSameAs(outer);
                inner.Accounts.Add(new Account { Id = 5000 });
                return Task.CompletedTask;
            });
        });
        (await database.NumberAsync("select count(*) from account where id = 5000")).ShouldBe(1);

        bank.Accounts.Add(new Account { Id = 5001 });
        var refused = await Should.ThrowAsync<InvalidOperationException>(() => bank.WithTransactionAsync((_, _) => Task.CompletedTask));
        refused.Message.ShouldContain("unsaved changes");
    }

    // PostgreSQL: somebody else's commit that makes our save fail with 40001. On SQLite nobody else can commit inside our transaction; what a
    // provider says when the file is busy is thrown instead.
    private static async Task MeetRivalAsync(TestDatabase database)
    {
        if (database.Kind == "sqlite")
            throw new SqliteException("SQLite Error 5: 'database is locked'.", 5);
        await database.ExecuteAsync("update account set balance = balance + 3 where id = 0");
    }

    public sealed class Account
    {
        public int Id { get; set; }

        public long Balance { get; set; }
    }

    private sealed class Bank(TestDatabase database) : DbContext
    {
        public DbSet<Account> Accounts => Set<Account>();

        protected override void OnConfiguring(DbContextOptionsBuilder options) =>
            _ = database.Kind == "postgres"
                ? options.UseNpgsql($"{database.ConnectionString};Pooling=false")
                : options.UseSqlite($"Data Source={database.ConnectionString};Pooling=False");

        protected override void OnModelCreating(ModelBuilder model) =>
            model.Entity<Account>(account =>
            {
                account.ToTable("account").HasKey(row => row.Id);
                account.Property(row => row.Id).HasColumnName("id").ValueGeneratedNever();
                account.Property(row => row.Balance).HasColumnName("balance");
            });
    }
}
