namespace Millrace.Storage.Tests;

public sealed class PauseOnSqlite() : PauseContract(new SqliteDatabase());

public sealed class PauseOnPostgres() : PauseContract(new PostgresDatabase());

public sealed class PauseOnPgBouncer() : PauseContract(new PgBouncerDatabase());

/// <summary>What stands still because a person said so: queues, schedules, nodes.</summary>
public abstract class PauseContract(TestDatabase database) : Changing(database)
{
    private Task<bool> PauseAsync(string queue = "default", DateTimeOffset? until = null, bool isPaused = true) => Operations.PauseQueueAsync(queue, isPaused, until, Alice, Stop);

    private async Task<OperationRecord> LastOperationAsync() => (await Look.ReadOperationsAsync(long.MaxValue, null, 1, Stop)).ShouldHaveSingleItem();

    // ---- queues

    [Fact]
    public async Task Nothing_is_claimed_from_a_paused_queue_until_somebody_resumes_it()
    {
        var node = await NodeAsync();
        await SubmitAsync(Some.Job());

        (await PauseAsync()).ShouldBeTrue();

        (await node.ClaimAsync()).ShouldBeEmpty();
        (await Store.LookOutAsync(Stop)).ReadyQueues.ShouldBeEmpty();
        (await Look.ReadQueuesAsync(Stop)).First(queue => queue.Name == "default").Pause.ShouldBe(new Pause(Some.Noon, "alice", "because", null));
        (await PauseAsync(isPaused: false)).ShouldBeTrue();
        (await Store.LookOutAsync(Stop)).ReadyQueues.ShouldBe(["default"]);
        await node.ClaimOneAsync();
    }

    [Fact]
    public async Task A_pause_with_an_end_is_none_from_then_on()
    {
        var node = await NodeAsync();
        await SubmitAsync(Some.Job());
        var until = Some.Noon + Some.Minute;
        await PauseAsync(until: until);
        (await node.ClaimAsync()).ShouldBeEmpty();
        (await Store.LookOutAsync(Stop)).ReadyQueues.ShouldBeEmpty();
        (await Look.ReadQueuesAsync(Stop)).First(queue => queue.Name == "default").Pause.ShouldBe(new Pause(Some.Noon, "alice", "because", until));

        node.LiveFor(Some.Minute);

        (await Store.LookOutAsync(Stop)).ReadyQueues.ShouldBe(["default"]);
        (await Look.ReadQueuesAsync(Stop)).First(queue => queue.Name == "default").Pause.ShouldBeNull();
        await node.ClaimOneAsync();
        (await PauseAsync(isPaused: false)).ShouldBeFalse("it is not paused any more");
    }

    [Fact]
    public async Task A_job_is_not_leased_at_birth_while_its_queue_is_paused()
    {
        var node = await NodeAsync();
        await PauseAsync(until: Some.Noon + Some.Minute);
        (await BirthAsync(node)).Claimed.ShouldBeNull();
        node.LiveFor(Some.Minute);
        (await BirthAsync(node)).Claimed.ShouldNotBeNull();
    }

    private async Task<SubmitAnswer> BirthAsync(TestNode node)
    {
        var job = Some.Job();
        return (await node.Store.SubmitAndClaimAsync([job], new BirthClaim(node.Id, Guid.NewGuid(), "default", new HashSet<long> { job.Id }), Stop))[0];
    }

    [Fact]
    public async Task A_suspect_waits_for_the_end_of_a_pause_too()
    {
        var dead = await NodeAsync();
        await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync();
        await PauseAsync(until: Clock.GetUtcNow() + Some.Minute);
        (await Store.LookOutAsync(Stop)).SuspectQueues.ShouldBeEmpty();
        (await node.ClaimAsync(suspects: true)).ShouldBeEmpty();
        node.LiveFor(Some.Minute);
        (await Store.LookOutAsync(Stop)).SuspectQueues.ShouldBe(["default"]);
        (await node.ClaimAsync(suspects: true)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_pause_is_recorded_once_and_another_end_is_another_pause()
    {
        (await PauseAsync(isPaused: false)).ShouldBeFalse("it was never paused");
        (await Look.ReadOperationsAsync(long.MaxValue, null, 10, Stop)).ShouldBeEmpty();

        (await PauseAsync()).ShouldBeTrue();
        (await PauseAsync()).ShouldBeFalse();
        (await LastOperationAsync()).ShouldSatisfyAllConditions(
            one => one.Kind.ShouldBe(OperationKind.PauseQueue), one => one.Target.ShouldBe("queue default"), one => one.Author.ShouldBe(Alice), one => one.Ended.ShouldBe(Some.Noon),
            one => one.UndoUntil.ShouldBeNull());
        (await PauseAsync(until: Some.Noon + Some.Minute)).ShouldBeTrue();
        (await PauseAsync(until: Some.Noon + Some.Minute)).ShouldBeFalse();
        (await PauseAsync(isPaused: false)).ShouldBeTrue();
        (await PauseAsync(isPaused: false)).ShouldBeFalse();
        (await LastOperationAsync()).Kind.ShouldBe(OperationKind.ResumeQueue);
        (await Look.ReadOperationsAsync(long.MaxValue, null, 10, Stop)).Count.ShouldBe(3);
        (await UndoAsync((await LastOperationAsync()).Id)).Result.ShouldBe(UndoResult.Never);
    }

    [Fact]
    public async Task Code_that_pauses_or_resumes_meets_what_people_did()
    {
        var node = await NodeAsync();
        await SubmitAsync(Some.Job());
        await PauseAsync(until: Some.Noon + Hour);
        await Store.PauseQueueAsync("default", false, Stop);
        await Store.PauseQueueAsync("default", true, Stop);
        node.LiveFor(Hour);
        (await node.ClaimAsync()).ShouldBeEmpty("this pause has no end");
        (await PauseAsync(isPaused: false)).ShouldBeTrue();
        await node.ClaimOneAsync();
    }

    [Fact]
    public async Task Upkeep_forgets_pauses_that_are_over()
    {
        await PauseAsync("a", Some.Noon + Some.Minute);
        await PauseAsync("b");
        Clock.Advance(Some.Minute);
        (await Store.SurveyAsync(Guid.NewGuid(), Stop)).NeedsTidying.ShouldBeTrue();
        await Store.TidyAsync(Stop);
        (await CountAsync("queue", "paused_at is not null")).ShouldBe(1);
        (await Store.SurveyAsync(Guid.NewGuid(), Stop)).NeedsTidying.ShouldBeFalse();
    }

    // ---- schedules

    private static TickPlan FireOnce(Schedule schedule, DateTimeOffset now) =>
        new([schedule.Template with { Id = Some.Id(), Nonce = 1, Schedule = schedule.Name, Due = schedule.NextDue }], schedule.NextDue ?? now, now + Some.Minute, 0);

    private Task<bool?> PauseScheduleAsync(DateTimeOffset? until = null, bool isPaused = true) => Operations.PauseScheduleAsync("report", isPaused, until, Alice, Stop);

    private async Task<Schedule> ScheduleAsync() => (await Store.ReadSchedulesAsync(Stop)).ShouldHaveSingleItem();

    [Fact]
    public async Task A_paused_schedule_has_no_ticks()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        (await PauseScheduleAsync()).ShouldBe(true);
        Clock.Advance(Hour);

        (await Store.TickAsync(FireOnce, Stop)).ShouldBeNull();
        (await Store.LookOutAsync(Stop)).NextTick.ShouldBeNull();
        (await ScheduleAsync()).Pause.ShouldBe(new Pause(Some.Noon, "alice", "because", null));
    }

    [Fact]
    public async Task The_first_tick_after_a_pause_is_planned_with_the_pause_and_then_it_is_forgotten()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        var until = Some.Noon + Hour;
        await PauseScheduleAsync(until);
        (await Store.LookOutAsync(Stop)).NextTick.ShouldBe(until);
        Clock.Advance(Hour - Some.Second);
        (await Store.TickAsync(FireOnce, Stop)).ShouldBeNull();
        Clock.Advance(Some.Second);

        var seen = default(Schedule);
        (await Store.TickAsync((schedule, now) => FireOnce(seen = schedule, now), Stop)).ShouldNotBeNull().Fired.ShouldBe(1);

        seen.ShouldNotBeNull().Pause.ShouldBe(new Pause(Some.Noon, "alice", "because", until));
        (await ScheduleAsync()).Pause.ShouldBeNull();
        (await Store.LookOutAsync(Stop)).NextTick.ShouldBe(Clock.GetUtcNow() + Some.Minute);
    }

    [Fact]
    public async Task A_person_who_resumes_a_schedule_ends_its_pause_now()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        await PauseScheduleAsync();
        Clock.Advance(Hour);
        (await PauseScheduleAsync(isPaused: false)).ShouldBe(true);
        (await PauseScheduleAsync(isPaused: false)).ShouldBe(false);
        (await LastOperationAsync()).ShouldSatisfyAllConditions(one => one.Kind.ShouldBe(OperationKind.ResumeSchedule), one => one.Target.ShouldBe("schedule report"));
        var seen = default(Schedule);
        await Store.TickAsync((schedule, now) => FireOnce(seen = schedule, now), Stop);
        seen.ShouldNotBeNull().Pause.ShouldNotBeNull().ShouldSatisfyAllConditions(pause => pause.Since.ShouldBe(Some.Noon), pause => pause.Until.ShouldBe(Some.Noon + Hour));
    }

    [Fact]
    public async Task A_schedule_that_is_submitted_again_stays_paused()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        await PauseScheduleAsync();
        (await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop)).ShouldBeFalse();
        (await Store.PutScheduleAsync(Some.Schedule() with { Cron = "0 30 * * * *" }, null, null, Stop)).ShouldBeTrue();
        (await ScheduleAsync()).Pause.ShouldNotBeNull();
        (await PauseScheduleAsync()).ShouldBe(false);
    }

    [Fact]
    public async Task A_schedules_pause_into_which_no_tick_fell_is_forgotten_by_upkeep()
    {
        await Store.PutScheduleAsync(Some.Schedule(nextDue: Some.Noon + Hour), null, null, Stop);
        await PauseScheduleAsync(Some.Noon + Some.Minute);
        Clock.Advance(2 * Some.Minute);
        (await ScheduleAsync()).Pause.ShouldNotBeNull();
        (await Store.LookOutAsync(Stop)).NextTick.ShouldBe(Some.Noon + Hour);
        await Store.TidyAsync(Stop);
        (await ScheduleAsync()).Pause.ShouldBeNull();
    }

    [Fact]
    public async Task A_schedule_that_is_not_there_cannot_be_paused_or_run()
    {
        (await PauseScheduleAsync()).ShouldBeNull();
        (await Operations.RunScheduleAsync("report", Some.Job("report"), Alice, Stop)).ShouldBeNull();
        (await CountAsync("job")).ShouldBe(0);
        (await Look.ReadOperationsAsync(long.MaxValue, null, 10, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_schedules_job_runs_out_of_turn_and_its_ticks_stay_as_they_are()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        var job = Some.Schedule().Template with { Id = Some.Id(), Nonce = 7, Schedule = "report" };

        (await Operations.RunScheduleAsync("report", job, Alice, Stop)).ShouldNotBeNull().State.ShouldBe(SubmitState.Created);
        (await Operations.RunScheduleAsync("report", job, Alice, Stop)).ShouldNotBeNull().Id.ShouldBe(job.Id, "a call whose answer was lost is repeated");

        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
        (await Look.ReadScheduleRunsAsync("report", 10, Stop)).ShouldHaveSingleItem().Id.ShouldBe(job.Id);
        (await ScheduleAsync()).NextDue.ShouldBe(Some.Noon + Some.Minute);
        (await Look.ReadOperationsAsync(long.MaxValue, job.Id, 10, Stop)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            one => one.Kind.ShouldBe(OperationKind.RunSchedule), one => one.Target.ShouldBe("schedule report"), one => one.JobId.ShouldBe(job.Id));
    }

    // ---- nodes

    [Fact]
    public async Task A_node_is_told_to_drain_at_its_next_look()
    {
        var (node, other) = (await NodeAsync(), await NodeAsync());
        (await Store.SurveyAsync(node.Id, Stop)).IsDraining.ShouldBeFalse();

        (await Operations.DrainAsync(node.Id, true, Alice, Stop)).ShouldBe(true);
        (await Operations.DrainAsync(node.Id, true, Alice, Stop)).ShouldBe(false);

        (await Store.SurveyAsync(node.Id, Stop)).IsDraining.ShouldBeTrue();
        (await Store.SurveyAsync(other.Id, Stop)).IsDraining.ShouldBeFalse();
        await node.Store.RegisterAsync(node.Row(), Stop);
        (await Store.SurveyAsync(node.Id, Stop)).IsDraining.ShouldBeTrue("what is known of it was renewed, and it still drains");
        (await LastOperationAsync()).Kind.ShouldBe(OperationKind.Drain);
        (await Operations.DrainAsync(node.Id, false, Alice, Stop)).ShouldBe(true);
        (await Store.SurveyAsync(node.Id, Stop)).IsDraining.ShouldBeFalse();
        (await LastOperationAsync()).Kind.ShouldBe(OperationKind.Undrain);
        (await Look.ReadWorkersAsync(Stop)).ShouldAllBe(worker => worker.Drain == null);
    }

    [Fact]
    public async Task A_server_that_drains_takes_its_worker_processes_along()
    {
        var (server, other) = (await NodeAsync(), await NodeAsync());
        var (worker, gone, stranger) = (await WorkerAsync(server), await WorkerAsync(server), await WorkerAsync(other));
        await gone.Store.LeaveAsync(gone.Id, Stop);

        (await Operations.DrainAsync(server.Id, true, Alice, Stop)).ShouldBe(true);
        var late = await WorkerAsync(server);

        (await DrainingAsync()).ShouldBe([server.Id, worker.Id, late.Id], ignoreOrder: true);
        (await Store.SurveyAsync(worker.Id, Stop)).IsDraining.ShouldBeTrue();
        (await Store.SurveyAsync(late.Id, Stop)).IsDraining.ShouldBeTrue("it was started by a server that drains");
        (await Store.SurveyAsync(stranger.Id, Stop)).IsDraining.ShouldBeFalse();
        (await Operations.DrainAsync(worker.Id, false, Alice, Stop)).ShouldBe(true);
        (await DrainingAsync()).ShouldBe([server.Id, late.Id], ignoreOrder: true);
        (await Operations.DrainAsync(server.Id, false, Alice, Stop)).ShouldBe(true);
        (await DrainingAsync()).ShouldBeEmpty();

        async Task<IEnumerable<Guid>> DrainingAsync() => (await Look.ReadWorkersAsync(Stop)).Where(one => one.Drain is not null).Select(one => one.Id);
    }

    [Fact]
    public async Task A_node_that_is_not_alive_cannot_be_drained()
    {
        (await Operations.DrainAsync(Guid.NewGuid(), true, Alice, Stop)).ShouldBeNull();
        var node = await NodeAsync();
        await node.Store.LeaveAsync(node.Id, Stop);
        (await Operations.DrainAsync(node.Id, true, Alice, Stop)).ShouldBeNull();
    }
}
