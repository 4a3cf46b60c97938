using Microsoft.Data.Sqlite;
using Millrace.Postgres;
using Millrace.Sqlite;
using Npgsql;

namespace Millrace.Storage.Tests;

public sealed class FaultsOfPostgres() : Contract(new PostgresDatabase())
{
    private readonly StoreClock clock = new(TimeProvider.System);

    private new PostgresDatabase Database => (PostgresDatabase)base.Database;

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable_and_the_message_keeps_the_password()
    {
        await using var store = new PostgresStore(new NpgsqlConnectionStringBuilder("Host=127.0.0.1;Port=1;Username=app;Password=hunter2;Database=x;Timeout=5"), new PostgresOptions(), clock);
        foreach (var operation in new Func<Task>[]
        {
            () => store.SubmitAsync([Some.Job()], null, Stop), () => store.MigrateAsync(true, Stop), () => store.FindAsync(1, Stop), () => store.TakeIdsAsync(5, Stop), () => store.LookOutAsync(Stop),
        })
        {
            var e = await Should.ThrowAsync<StoreException>(operation);
            e.Fault.ShouldBe(StoreFault.Unavailable);
            e.IsTransient.ShouldBeTrue();
            e.ToString().ShouldNotContain("hunter2");
        }
    }

    [Fact]
    public async Task A_database_that_is_not_there_will_not_come_by_waiting()
    {
        var settings = new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Database = "no_such_database" };
        await using var store = new PostgresStore(settings, new PostgresOptions(), clock);
        var e = await Should.ThrowAsync<StoreException>(() => store.MigrateAsync(true, Stop));
        e.Message.ShouldContain("no_such_database");
    }

    // B7, B16, D20: the sessions are gone; what comes next works again.
    [Fact]
    public async Task After_all_sessions_were_ended_the_next_tries_succeed()
    {
        var node = await NodeAsync();
        await RunningAsync(node);
        await Database.QueryAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
        var job = Some.Job();
        async Task TryAsync(Func<Task> operation)
        {
            for (var tries = 1; ; tries++)
            {
                try
                {
                    await operation();
                    return;
                }
                catch (StoreException e) when (e.Fault is StoreFault.Unavailable or StoreFault.Unknown && tries < 10)
                {
                    await Task.Yield();
                }
            }
        }
        await TryAsync(() => Store.SubmitAsync([job], null, Stop));
        await TryAsync(() => node.ClaimAsync(5));
        await TryAsync(() => Task.Run(() => node.Beat(), Stop));
        (await CountAsync("job", $"id = {job.Id}")).ShouldBe(1);
    }

    // As a standby does, and a primary that was made one: somebody will take writes again, so it is tried again, and the outcome is certain.
    [Fact]
    public async Task A_database_that_refuses_writes_says_so_and_is_tried_again()
    {
        await Database.QueryAsync($"alter database {Database.Name} set default_transaction_read_only = on");
        try
        {
            await using var store = Database.Open(clock);
            foreach (var count in new[] { 1, 500 })
            {
                var refused = await Should.ThrowAsync<StoreException>(() => store.SubmitAsync(Some.Jobs(count), null, Stop));
                refused.Fault.ShouldBe(StoreFault.Unavailable);
                refused.IsTransient.ShouldBeTrue();
                refused.Message.ShouldContain("takes no writes");
                refused.Message.ShouldContain("25006");
            }
        }
        finally
        {
            await using var connection = await Database.ConnectAsync();
            await TestDatabase.QueryAsync(connection, null, "set default_transaction_read_only = off");
            await TestDatabase.QueryAsync(connection, null, $"alter database {Database.Name} reset default_transaction_read_only");
        }
    }

    // D6: an answer that came before the disk had it would be no answer. What is stricter than the default is left alone.
    [Theory]
    [InlineData("off", "on")]
    [InlineData("remote_apply", "remote_apply")]
    public async Task A_commit_of_the_store_waits_for_the_disk_whatever_the_database_was_told(string told, string used)
    {
        await Database.QueryAsync($"alter database {Database.Name} set synchronous_commit = {told}");
        try
        {
            await Database.QueryAsync("""
                create table seen (setting text not null);
                create function see() returns trigger language plpgsql as 'begin insert into seen values (current_setting(''synchronous_commit'')); return null; end';
                create trigger see after insert on millrace.job execute function see();
                create trigger see after insert on millrace.attempt execute function see();
                """);
            var store = OpenStore();
            await store.SubmitAsync([Some.Job()], null, Stop);
            await store.SubmitAsync(Some.Jobs(500), null, Stop);
            await store.SubmitAsync([Some.Job(key: Some.Key())], null, Stop);
            var node = await NodeAsync();
            await node.EndAsync(await node.ClaimOneAsync(), Outcome.Succeeded);
            (await Database.QueryAsync("select distinct setting from seen")).ShouldHaveSingleItem()[0].ShouldBe(used);
        }
        finally
        {
            await Database.QueryAsync($"alter database {Database.Name} reset synchronous_commit");
        }
    }

    [Theory]
    [InlineData("40001", StoreFault.Conflict)]
    [InlineData("40P01", StoreFault.Conflict)]
    [InlineData("55P03", StoreFault.Conflict)]
    [InlineData("23505", StoreFault.Rejected)]
    [InlineData("22P02", StoreFault.Rejected)]
    [InlineData("25006", StoreFault.Unavailable)]
    [InlineData("53100", StoreFault.ReadOnly)]
    [InlineData("57P01", StoreFault.Unavailable)]
    [InlineData("57P03", StoreFault.Unavailable)]
    [InlineData("53300", StoreFault.Unavailable)]
    public void Exceptions_of_the_users_statements_are_classified(string state, StoreFault fault) =>
        Store.Classify(new PostgresException("message", "ERROR", "ERROR", state)).ShouldBe(fault);

    [Fact]
    public void Exceptions_of_others_are_not()
    {
        Store.Classify(new InvalidOperationException()).ShouldBeNull();
        Store.Classify(new SqliteException("busy", 5)).ShouldBeNull();
    }

    [Fact]
    public async Task Another_connection_to_the_same_database_is_the_stores_own_and_one_to_another_is_not()
    {
        await using var same = new NpgsqlConnection(Database.ConnectionString);
        Store.Owns(same).ShouldBeTrue();
        await using var other = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Database = "postgres" }.ConnectionString);
        Store.Owns(other).ShouldBeFalse();
    }

    // After a failover a transaction may be on either of them.
    [Fact]
    public async Task Connections_to_any_of_several_hosts_are_the_stores_own()
    {
        await using var store = new PostgresStore(new NpgsqlConnectionStringBuilder("Host=one:5433, Two;Port=6000;Database=app"), new PostgresOptions(), clock);
        store.Name.ShouldBe("PostgreSQL one:5433,two:6000/app, schema millrace");
        foreach (var text in new[] { "Host=one;Port=5433;Database=app", "Host=two:6000;Database=app", "Host=two:6000,one:5433;Database=app", "Host=three,ONE:5433;Database=app" })
            store.Owns(new NpgsqlConnection(text)).ShouldBeTrue(text);
        foreach (var text in new[] { "Host=one;Database=app", "Host=three,four;Database=app", "Host=one:5433;Database=other" })
            store.Owns(new NpgsqlConnection(text)).ShouldBeFalse(text);
    }

    [Theory]
    [InlineData("Host=one,two", "primary", 1)]
    [InlineData("Host=one,two;Target Session Attributes=prefer-primary;Host Recheck Seconds=10", "prefer-primary", 10)]
    [InlineData("Host=one", null, 10)]
    public async Task Of_several_hosts_the_primary_is_asked_for_and_looked_for_every_second(string text, string? session, int seconds)
    {
        await using var store = new PostgresStore(new NpgsqlConnectionStringBuilder(text), new PostgresOptions(), clock);
        var settings = new NpgsqlConnectionStringBuilder(store.Handlers.ConnectionString);
        (settings.TargetSessionAttributes, settings.HostRecheckSeconds).ShouldBe((session, seconds));
    }
}

public sealed class FaultsOfSqlite() : Contract(new SqliteDatabase())
{
    private new SqliteDatabase Database => (SqliteDatabase)base.Database;

    private SqliteStore Impatient() => new(new SqliteFile(Database.File, new SqliteOptions { BusyTimeout = TimeSpan.FromSeconds(1) }), new StoreClock(Clock));

    [Fact]
    public async Task A_writer_that_stays_too_long_makes_others_fail_as_a_conflict()
    {
        await using var store = Impatient();
        await using var writer = (SqliteConnection)await Database.ConnectAsync();
        await using var transaction = writer.BeginTransaction(deferred: false);
        (await Should.ThrowAsync<StoreException>(() => store.SubmitAsync([Some.Job()], null, Stop))).Fault.ShouldBe(StoreFault.Conflict);
        await transaction.RollbackAsync(Stop);
        (await store.SubmitAsync([Some.Job()], null, Stop)).ShouldHaveSingleItem().State.ShouldBe(SubmitState.Created);
    }

    // D16: a transaction that begins by reading and goes on to write fails at once, whatever the busy timeout.
    [Fact]
    public async Task Two_transactions_of_handlers_that_read_and_then_write_wait_for_each_other()
    {
        await using var one = await Store.Handlers.OpenConnectionAsync(Stop);
        await using var other = await Store.Handlers.OpenConnectionAsync(Stop);
        await TestDatabase.QueryAsync(one, null, "create table counter (n integer); insert into counter values (0)");

        async Task IncrementAsync(System.Data.Common.DbConnection connection)
        {
            await using var transaction = await connection.BeginTransactionAsync(Stop);
            var n = (long)(await TestDatabase.QueryAsync(connection, transaction, "select n from counter"))[0][0]!;
            await TestDatabase.QueryAsync(connection, transaction, "update counter set n = @n", ("n", n + 1));
            await transaction.CommitAsync(Stop);
        }
        async Task ManyAsync(System.Data.Common.DbConnection connection)
        {
            for (var i = 0; i < 50; i++)
                await IncrementAsync(connection);
        }
        await Task.WhenAll(Task.Run(() => ManyAsync(one), Stop), Task.Run(() => ManyAsync(other), Stop));
        (await TestDatabase.QueryAsync(one, null, "select n from counter"))[0][0].ShouldBe(100L);
    }

    [Fact]
    public async Task The_file_is_in_wal_mode() => (await Database.QueryAsync("pragma journal_mode"))[0][0].ShouldBe("wal");

    [Fact]
    public async Task Readers_are_not_kept_out_by_a_writer()
    {
        var job = Some.Job();
        await SubmitAsync(job);
        await using var writer = (SqliteConnection)await Database.ConnectAsync();
        await using var transaction = writer.BeginTransaction(deferred: false);
        (await Store.FindAsync(job.Id, Stop)).ShouldNotBeNull();
        (await Store.LookOutAsync(Stop)).ReadyQueues.ShouldBe(["default"]);
    }

    [Fact]
    public async Task A_file_in_a_directory_that_cannot_be_made_is_told_with_its_path()
    {
        // A file stands where the directory should be.
        await using var store = new SqliteStore(new SqliteFile(Path.Combine(Database.File, "below", "jobs.db"), new SqliteOptions()), new StoreClock(Clock));
        (await Should.ThrowAsync<StoreException>(() => store.MigrateAsync(true, Stop))).Message.ShouldContain("jobs.db");
    }

    [Theory]
    [InlineData(5, StoreFault.Conflict)]
    [InlineData(6, StoreFault.Conflict)]
    [InlineData(8, StoreFault.ReadOnly)]
    [InlineData(13, StoreFault.ReadOnly)]
    [InlineData(19, StoreFault.Rejected)]
    [InlineData(1, StoreFault.Rejected)]
    public void Exceptions_of_the_users_statements_are_classified(int code, StoreFault fault) =>
        Store.Classify(new SqliteException("message", code)).ShouldBe(fault);

    [Fact]
    public void Exceptions_of_others_are_not() => Store.Classify(new InvalidOperationException()).ShouldBeNull();
}
