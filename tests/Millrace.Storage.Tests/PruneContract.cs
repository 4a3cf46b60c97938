namespace Millrace.Storage.Tests;

public sealed class PruneOnSqlite() : PruneContract(new SqliteDatabase());

public sealed class PruneOnPostgres() : PruneContract(new PostgresDatabase());

public sealed class PruneOnPgBouncer() : PruneContract(new PgBouncerDatabase());

public abstract class PruneContract(TestDatabase database) : Contract(database)
{
    private async Task<Claim> FinishedAsync(TestNode node, TimeSpan? removeAfter, NewJob? job = null)
    {
        var claim = await RunningAsync(node, job);
        await node.EndAsync(node.End(claim, Outcome.Succeeded) with { RemoveAfter = removeAfter });
        return claim;
    }

    [Fact]
    public async Task A_finished_job_goes_when_its_time_has_come_with_everything_of_its()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(tag: "t"));
        await Store.SaveLogAsync([Some.Line(claim, 1)], Stop);
        await Store.SaveProgressAsync(claim.JobId, 1, 50, "half", Stop);
        await node.Store.SaveOnceAsync(node.Id, claim, "step", "1", null, Stop);
        await node.EndAsync(node.End(claim, Outcome.Failed));
        await node.EndAsync(node.End(await node.ClaimOneAsync(), Outcome.Succeeded) with { RemoveAfter = Some.Minute });

        Clock.Advance(59 * Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(0);
        Clock.Advance(2 * Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);

        (await Store.FindAsync(claim.JobId, Stop)).ShouldBeNull();
        foreach (var table in new[] { "job", "attempt", "job_log", "progress", "once" })
            (await CountAsync(table)).ShouldBe(0, table);
    }

    [Fact]
    public async Task A_job_without_a_time_to_be_removed_is_kept()
    {
        var node = await NodeAsync();
        await FinishedAsync(node, removeAfter: null);
        Clock.Advance(TimeSpan.FromDays(10_000));
        (await Store.PruneAsync(10, Stop)).ShouldBe(0);
    }

    [Fact]
    public async Task No_more_than_the_limit_is_deleted_at_a_time()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(25));
        await node.EndAllAsync([.. (await node.ClaimAsync(25)).Select(claim => node.End(claim, Outcome.Succeeded))]);
        Clock.Advance(2 * Some.Minute);
        (await Store.PruneAsync(10, Stop)).ShouldBe(10);
        (await Store.PruneAsync(10, Stop)).ShouldBe(10);
        (await Store.PruneAsync(10, Stop)).ShouldBe(5);
        (await Store.PruneAsync(10, Stop)).ShouldBe(0);
    }

    [Fact]
    public async Task Attempts_of_an_unfinished_job_are_never_pruned()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(node.End(claim, Outcome.Failed, TimeSpan.FromDays(1_000)) with { RemoveAfter = TimeSpan.Zero });
        Clock.Advance(TimeSpan.FromDays(900));
        (await Store.PruneAsync(10, Stop)).ShouldBe(0);
        (await AttemptsAsync(claim.JobId)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_pruned_job_that_held_a_window_gives_its_key_back_when_the_window_is_over()
    {
        var node = await NodeAsync();
        var key = Some.Key(until: Unique.Within(TimeSpan.FromHours(1)));
        await FinishedAsync(node, TimeSpan.Zero, Some.Job(key: key));
        Clock.Advance(Some.Minute);
        await Store.PruneAsync(10, Stop);
        (await SubmitAsync(Some.Job(key: key))).State.ShouldBe(SubmitState.Kept);
        Clock.Advance(TimeSpan.FromHours(1));
        (await SubmitAsync(Some.Job(key: key))).State.ShouldBe(SubmitState.Created);
    }

    [Fact]
    public async Task Pruning_does_not_stop_at_jobs_that_it_may_not_delete()
    {
        var node = await NodeAsync();
        // Twenty whose old end is due but which run again, in front of one that may go.
        await SubmitAllAsync(Some.Jobs(20));
        var claims = await node.ClaimAsync(20);
        await node.EndAllAsync([.. claims.Select(claim => node.End(claim, Outcome.Succeeded) with { RemoveAfter = TimeSpan.Zero })]);
        foreach (var claim in claims)
            await Store.RetryAsync(claim.JobId, Stop);
        var behind = Some.Job(queue: "mail");
        await FinishedAsync(node, Some.Second, behind);
        Clock.Advance(Some.Minute);

        (await Store.PruneAsync(5, Stop)).ShouldBe(1);
        (await Store.FindAsync(behind.Id, Stop)).ShouldBeNull();
        (await CountAsync("ready")).ShouldBe(20);
    }

    // D7: two upkeeps at a time.
    [Fact]
    public async Task Several_pruners_delete_each_job_once()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(200));
        await node.EndAllAsync([.. (await node.ClaimAsync(200)).Select(claim => node.End(claim, Outcome.Succeeded))]);
        Clock.Advance(2 * Some.Minute);
        var stores = Enumerable.Range(0, 4).Select(_ => OpenStore()).ToArray();
        var deleted = await Task.WhenAll(stores.Select(async store =>
        {
            var sum = 0;
            for (var i = 0; i < 10; i++)
                sum += await RepeatAsync(() => store.PruneAsync(10, Stop));
            return sum;
        }));
        (deleted.Sum() + await Store.PruneAsync(1_000, Stop)).ShouldBe(200);
        (await CountAsync("job")).ShouldBe(0);
    }
}
