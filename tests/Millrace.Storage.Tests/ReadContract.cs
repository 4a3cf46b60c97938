namespace Millrace.Storage.Tests;

public sealed class ReadOnSqlite() : ReadContract(new SqliteDatabase());

public sealed class ReadOnPostgres() : ReadContract(new PostgresDatabase());

public sealed class ReadOnPgBouncer() : ReadContract(new PgBouncerDatabase());

public abstract class ReadContract(TestDatabase database) : Contract(database)
{
    [Fact]
    public async Task A_job_that_is_not_stored_is_not_found()
    {
        (await Store.FindAsync(4711, Stop)).ShouldBeNull();
        (await Store.ReadAttemptsAsync(4711, Stop)).ShouldBeEmpty();
        (await Store.ReadLogAsync(4711, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Jobs_are_listed_by_id_page_by_page()
    {
        var jobs = Some.Jobs(25);
        await SubmitAllAsync([.. jobs.Reverse()]);
        var pages = new List<long>();
        for (var after = 0L; ;)
        {
            var page = await Store.ListAsync(new JobQuery { AfterId = after, Limit = 10 }, Stop);
            if (page.Count == 0)
                break;
            page.Count.ShouldBeLessThanOrEqualTo(10);
            pages.AddRange(page.Select(job => job.Id));
            after = page[^1].Id;
        }
        pages.ShouldBe(jobs.Select(job => job.Id).Order());
    }

    [Fact]
    public async Task A_list_can_be_narrowed_and_all_conditions_hold()
    {
        var wanted = Some.Job("send", tag: "t", queue: "mail");
        await SubmitAllAsync(
            wanted, Some.Job("report", tag: "t", queue: "mail"), Some.Job("send", tag: "u", queue: "mail"), Some.Job("send", tag: "t"),
            Some.Job("send", tag: "t", queue: "mail", delay: Some.Minute), Some.Job("send", queue: "mail"));
        var query = new JobQuery { Type = "send", Tag = "t", Queue = "mail", State = JobState.Ready };
        (await Store.ListAsync(query, Stop)).ShouldHaveSingleItem().Id.ShouldBe(wanted.Id);
        (await Store.ListAsync(new JobQuery { Tag = "t" }, Stop)).Count.ShouldBe(4);
        (await Store.ListAsync(new JobQuery { Type = "t'; --" }, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_state_can_be_asked_for()
    {
        var expected = await OneJobInEveryStateAsync();
        foreach (var (state, id) in expected)
            (await Store.ListAsync(new JobQuery { State = state }, Stop)).ShouldHaveSingleItem($"{state}").ShouldSatisfyAllConditions(
                job => job.Id.ShouldBe(id), job => job.State.ShouldBe(state));
        (await Store.ListAsync(new JobQuery(), Stop)).Select(job => job.State).ShouldBe(Enum.GetValues<JobState>(), ignoreOrder: true);
        foreach (var (_, id) in expected)
            (await PlacesAsync(id)).ShouldHaveSingleItem();
    }

    private async Task<Dictionary<JobState, long>> OneJobInEveryStateAsync()
    {
        var node = await NodeAsync("send");
        var running = new List<Claim>();
        for (var i = 0; i < 4; i++)
            running.Add(await RunningAsync(node));
        await node.EndAsync(running[0], Outcome.Succeeded);
        await node.EndAsync(running[1], Outcome.Discarded);
        await node.EndAsync(running[2], Outcome.Cancelled);
        var (ready, scheduled, waiting) = (Some.Job(), Some.Job(delay: Some.Minute), Some.Job("rare"));
        await SubmitAllAsync(ready, scheduled, waiting);
        await Store.TidyAsync(Stop);
        return new()
        {
            [JobState.Succeeded] = running[0].JobId, [JobState.Discarded] = running[1].JobId, [JobState.Cancelled] = running[2].JobId,
            [JobState.Running] = running[3].JobId, [JobState.Ready] = ready.Id, [JobState.Scheduled] = scheduled.Id, [JobState.Waiting] = waiting.Id,
        };
    }

    [Fact]
    public async Task A_record_tells_the_attempt_that_runs_or_comes_next_or_was_the_last()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        (await FindAsync(claim.JobId)).Attempt.ShouldBe(1);
        await node.EndAsync(claim, Outcome.Failed);
        (await FindAsync(claim.JobId)).Attempt.ShouldBe(2);
        await node.EndAsync(await node.ClaimOneAsync(), Outcome.Discarded);
        (await FindAsync(claim.JobId)).Attempt.ShouldBe(2);
    }

    [Fact]
    public async Task Attempts_are_read_by_run()
    {
        var node = await NodeAsync();
        await SubmitAsync(Some.Job());
        Claim claim = null!;
        foreach (var outcome in new[] { Outcome.Failed, Outcome.Snoozed, Outcome.Failed, Outcome.Succeeded })
            await node.EndAsync(claim = await node.ClaimOneAsync(), outcome);
        (await AttemptsAsync(claim.JobId)).Select(a => (a.Run, a.Attempt, a.IsCharged, a.Outcome))
            .ShouldBe([(1, 1, true, Outcome.Failed), (2, 2, false, Outcome.Snoozed), (3, 2, true, Outcome.Failed), (4, 3, true, Outcome.Succeeded)]);
    }

    [Fact]
    public async Task Depths_count_what_waits_in_each_queue()
    {
        await SubmitAllAsync(Some.Job(), Some.Job(queue: "mail"), Some.Job(delay: Some.Minute));
        Clock.Advance(Some.Second);
        await SubmitAllAsync(Some.Job(), Some.Job(queue: "later", delay: Some.Minute));

        (await Store.ReadDepthsAsync(Stop)).OrderBy(depth => depth.Queue, StringComparer.Ordinal).ShouldBe([
            new QueueDepth("default", 2, Some.Noon, 1), new QueueDepth("later", 0, null, 1), new QueueDepth("mail", 1, Some.Noon, 0),
        ]);
    }

    [Fact]
    public async Task Running_and_finished_jobs_do_not_deepen_a_queue()
    {
        var node = await NodeAsync();
        await node.EndAsync(await RunningAsync(node), Outcome.Succeeded);
        await RunningAsync(node);
        (await Store.ReadDepthsAsync(Stop)).ShouldAllBe(depth => depth.Ready == 0 && depth.Scheduled == 0);
    }

    [Fact]
    public async Task The_handlers_connections_are_the_stores_own_database_and_others_are_not()
    {
        await using var mine = await Store.Handlers.OpenConnectionAsync(Stop);
        Store.Owns(mine).ShouldBeTrue();
        await using var elsewhere = new Microsoft.Data.Sqlite.SqliteConnection("Data Source=:memory:");
        Store.Owns(elsewhere).ShouldBeFalse();
    }

    [Fact]
    public async Task The_stores_name_is_for_people()
    {
        Store.Name.ShouldNotBeNullOrWhiteSpace();
        Store.Name.ShouldNotContain("assword", Case.Insensitive);
        await Task.CompletedTask;
    }
}
