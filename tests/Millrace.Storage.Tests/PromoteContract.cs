namespace Millrace.Storage.Tests;

public sealed class PromoteOnSqlite() : PromoteContract(new SqliteDatabase());

public sealed class PromoteOnPostgres() : PromoteContract(new PostgresDatabase());

public sealed class PromoteOnPgBouncer() : PromoteContract(new PgBouncerDatabase());

/// <summary>Jobs whose time comes, and what an idle node sees of it.</summary>
public abstract class PromoteContract(TestDatabase database) : Contract(database)
{
    [Fact]
    public async Task Jobs_become_ready_when_their_time_has_come_and_not_before()
    {
        var job = Some.Job(delay: Some.Minute);
        await SubmitAsync(job);
        Clock.Advance(Some.Minute - TimeSpan.FromMicroseconds(1));
        (await Store.PromoteAsync(10, Stop)).Moved.ShouldBe(0);
        Clock.Advance(TimeSpan.FromMicroseconds(1));

        var answer = await Store.PromoteAsync(10, Stop);

        (answer.Moved, answer.NextDue, answer.Now).ShouldBe((1, null, Some.Noon + Some.Minute));
        answer.Queues.ShouldBe(["default"]);
        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task Those_that_are_due_first_go_first_and_no_more_than_the_limit()
    {
        var jobs = Enumerable.Range(1, 5).Select(i => Some.Job(delay: i * Some.Second)).ToArray();
        await SubmitAllAsync(jobs);
        Clock.Advance(4 * Some.Second);

        var answer = await Store.PromoteAsync(3, Stop);

        (answer.Moved, answer.NextDue).ShouldBe((3, Some.Noon + 4 * Some.Second));
        (await StateAsync(jobs[2].Id)).ShouldBe(JobState.Ready);
        (await StateAsync(jobs[3].Id)).ShouldBe(JobState.Scheduled);
        var node = await NodeAsync();
        (await node.ClaimAsync(5)).Select(claim => claim.JobId).ShouldBe(jobs.Take(3).Select(job => job.Id));
    }

    // A6: a job of the future stays in the database, however far away it is, and is given to one node once.
    [Fact]
    public async Task A_job_of_next_year_is_run_once_next_year()
    {
        var nodes = new[] { await NodeAsync(), await NodeAsync() };
        await SubmitAsync(Some.Job(delay: TimeSpan.FromDays(365)));
        for (var month = 0; month < 12; month++)
        {
            Clock.Advance(TimeSpan.FromDays(30));
            (await Store.PromoteAsync(10, Stop)).Moved.ShouldBe(0);
        }
        Clock.Advance(TimeSpan.FromDays(10));
        nodes = [await NodeAsync(), await NodeAsync()];
        await Store.PromoteAsync(10, Stop);
        (await Task.WhenAll(nodes.Select(node => node.ClaimAsync(10)))).SelectMany(claims => claims).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Several_promoters_move_each_job_once()
    {
        await SubmitAllAsync([.. Enumerable.Range(1, 400).Select(i => Some.Job(delay: TimeSpan.FromMilliseconds(i)))]);
        Clock.Advance(Some.Minute);
        var stores = Enumerable.Range(0, 4).Select(_ => OpenStore()).ToArray();
        var moved = await Task.WhenAll(stores.Select(async store =>
        {
            var sum = 0;
            for (var i = 0; i < 10; i++)
                sum += (await RepeatAsync(() => store.PromoteAsync(20, Stop))).Moved;
            return sum;
        }));
        var rest = (await Store.PromoteAsync(1_000, Stop)).Moved;
        (moved.Sum() + rest).ShouldBe(400);
        (await CountAsync("ready")).ShouldBe(400);
        (await CountAsync("scheduled")).ShouldBe(0);
    }

    [Fact]
    public async Task An_outlook_on_nothing_is_empty()
    {
        var outlook = await Store.LookOutAsync(Stop);
        outlook.ReadyQueues.ShouldBeEmpty();
        outlook.SuspectQueues.ShouldBeEmpty();
        (outlook.NextDue, outlook.NextTick, outlook.HasCancelRequests, outlook.Now).ShouldBe((null, null, false, Some.Noon));
    }

    [Fact]
    public async Task An_outlook_names_the_queues_with_work_and_the_next_times()
    {
        await SubmitAllAsync(Some.Job(), Some.Job(), Some.Job(queue: "mail"), Some.Job(queue: "later", delay: 2 * Some.Minute), Some.Job(delay: Some.Minute));
        await Store.PutScheduleAsync(Some.Schedule(nextDue: Some.Noon + 3 * Some.Minute), null, null, Stop);

        var outlook = await Store.LookOutAsync(Stop);

        outlook.ReadyQueues.ShouldBe(["default", "mail"], ignoreOrder: true);
        (outlook.NextDue, outlook.NextTick).ShouldBe((Some.Noon + Some.Minute, Some.Noon + 3 * Some.Minute));
    }

    [Fact]
    public async Task An_outlook_names_the_queues_with_suspects()
    {
        var dead = await NodeAsync();
        await RunningAsync(dead, Some.Job(queue: "mail"));
        await dead.DieAsync();
        await (await NodeAsync()).SweepAsync();
        (await Store.LookOutAsync(Stop)).SuspectQueues.ShouldBe(["mail"]);
    }

    [Fact]
    public async Task The_stores_clock_is_the_tests_clock()
    {
        (await Store.ReadClockAsync(Stop)).ShouldBe(Some.Noon);
        Clock.Advance(Some.Minute);
        (await Store.ReadClockAsync(Stop)).ShouldBe(Some.Noon + Some.Minute);
    }

    // C11: in production the database's clock decides, not the node's.
    [Fact]
    public async Task With_the_systems_clock_the_database_says_what_time_it_is()
    {
        var store = OpenStore(TimeProvider.System);
        var before = TimeProvider.System.GetUtcNow();
        var now = await store.ReadClockAsync(Stop);
        now.ShouldBeInRange(before - Some.Minute, TimeProvider.System.GetUtcNow() + Some.Minute);

        var job = Some.Job();
        await store.SubmitAsync([job], null, Stop);
        (await FindAsync(job.Id)).Created.ShouldBeInRange(now - Some.Second, now + Some.Minute);
    }
}
