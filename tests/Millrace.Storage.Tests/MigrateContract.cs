namespace Millrace.Storage.Tests;

public sealed class MigrateOnSqlite() : MigrateContract(new SqliteDatabase());

public sealed class MigrateOnPostgres() : MigrateContract(new PostgresDatabase());

public sealed class MigrateOnPgBouncer() : MigrateContract(new PgBouncerDatabase());

public abstract class MigrateContract(TestDatabase database) : Contract(database)
{
    [Fact]
    public async Task Migrating_again_changes_nothing()
    {
        var job = Some.Job();
        await SubmitAsync(job);
        await Store.MigrateAsync(apply: true, Stop);
        await OpenStore().MigrateAsync(apply: true, Stop);
        (await StateAsync(job.Id)).ShouldBe(JobState.Ready);
    }

    [Fact]
    public async Task A_check_of_a_current_schema_passes() => await Store.MigrateAsync(apply: false, Stop);

    [Fact]
    public async Task A_check_of_an_empty_database_fails_and_says_what_to_do()
    {
        var empty = Database.Fresh();
        await empty.CreateAsync();
        try
        {
            await using var store = empty.Open(new StoreClock(Clock));
            var e = await Should.ThrowAsync<StoreException>(() => store.MigrateAsync(apply: false, Stop));
            e.IsTransient.ShouldBeFalse();
            e.Message.ShouldContain("migrat", Case.Insensitive);
            await Should.ThrowAsync<StoreException>(() => store.ReadSchedulesAsync(Stop));
        }
        finally
        {
            await empty.DropAsync();
        }
    }

    [Fact]
    public async Task Processes_that_start_together_migrate_once()
    {
        var empty = Database.Fresh();
        await empty.CreateAsync();
        var stores = Enumerable.Range(0, 4).Select(_ => empty.Open(new StoreClock(Clock))).ToArray();
        try
        {
            await Task.WhenAll(stores.Select(store => store.MigrateAsync(apply: true, Stop)));
            await Task.WhenAll(stores.Select(store => store.SubmitAsync([Some.Job()], null, Stop)));
        }
        finally
        {
            foreach (var store in stores)
                await store.DisposeAsync();
            await empty.DropAsync();
        }
    }
}
