namespace Millrace.Storage.Tests;

public sealed class ScheduleOnSqlite() : ScheduleContract(new SqliteDatabase());

public sealed class ScheduleOnPostgres() : ScheduleContract(new PostgresDatabase());

public sealed class ScheduleOnPgBouncer() : ScheduleContract(new PgBouncerDatabase());

public abstract class ScheduleContract(TestDatabase database) : Contract(database)
{
    private static TickPlan FireOnce(Schedule schedule, DateTimeOffset now) =>
        new([schedule.Template with { Id = Some.Id(), Nonce = 1, Schedule = schedule.Name, Due = schedule.NextDue }], schedule.NextDue ?? now, now + Some.Minute, 0);

    private Task<TickAnswer?> TickAsync(Func<Schedule, DateTimeOffset, TickPlan>? plan = null) => Store.TickAsync(plan ?? FireOnce, Stop);

    [Fact]
    public async Task A_schedule_comes_back_as_it_was_put()
    {
        var schedule = Some.Schedule("nightly", nextDue: Some.Noon + Some.Minute) with
        {
            Cron = "0 30 2 * * *", Zone = "Australia/Lord_Howe", MissedTicks = MissedTicks.All,
            Template = Some.Job("report", tag: "nightly", queue: "mail", priority: 3, data: """{"a":[1]}""") with { UserId = 7, Policy = """{"maxAttempts":2}""", Headers = """{"x":"y"}""" },
        };
        (await Store.PutScheduleAsync(schedule, null, null, Stop)).ShouldBeTrue();

        var stored = (await Store.ReadSchedulesAsync(Stop)).ShouldHaveSingleItem();

        var (wanted, found) = (schedule.Template, stored.Template);
        (found.Type, found.Tag, found.UserId, found.Queue, found.Priority, found.Data, found.Policy, found.Headers)
            .ShouldBe((wanted.Type, wanted.Tag, wanted.UserId, wanted.Queue, wanted.Priority, wanted.Data, wanted.Policy, wanted.Headers));
        (stored with { Template = wanted, Version = 0 }).ShouldBe(schedule with { Version = 0 });
    }

    public static TheoryData<Unique> Uniques => [Unique.WhilePending, Unique.WhilePendingOrRunning, Unique.Within(TimeSpan.FromHours(3))];

    [Theory]
    [MemberData(nameof(Uniques))]
    public async Task The_key_that_a_schedule_asks_for_is_kept_with_it(Unique until)
    {
        var key = new JobKey("nightly", WhenPending.Keep, until);
        var schedule = Some.Schedule("nightly") with { Template = Some.Job("report", tag: "nightly") with { Key = key } };
        await Store.PutScheduleAsync(schedule, null, null, Stop);

        (await Store.ReadSchedulesAsync(Stop))[0].Template.Key.ShouldBe(key);
        (await Store.PutScheduleAsync(schedule, null, null, Stop)).ShouldBeFalse();
        (await Store.PutScheduleAsync(schedule with { Template = schedule.Template with { Key = null } }, null, null, Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_tick_whose_key_is_taken_makes_no_second_job()
    {
        var schedule = Some.Schedule("nightly") with { Template = Some.Job("report", tag: "nightly") with { Key = new JobKey("nightly", WhenPending.Keep, Unique.WhilePending) } };
        await Store.PutScheduleAsync(schedule, null, null, Stop);
        for (var i = 0; i < 3; i++)
        {
            Clock.Advance(Some.Minute);
            await TickAsync();
        }

        (await CountAsync("job")).ShouldBe(1);
    }

    [Fact]
    public async Task Schedules_are_read_by_name()
    {
        foreach (var name in new[] { "b", "c", "a" })
            await Store.PutScheduleAsync(Some.Schedule(name), null, null, Stop);
        (await Store.ReadSchedulesAsync(Stop)).Select(schedule => schedule.Name).ShouldBe(["a", "b", "c"]);
    }

    // C4: a restart does not reset the cursor, so a weekly job runs although its service restarts daily.
    [Fact]
    public async Task The_same_schedule_again_changes_nothing_and_keeps_its_cursor()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        Clock.Advance(Some.Minute);
        await TickAsync();
        var before = (await Store.ReadSchedulesAsync(Stop))[0];
        before.LastTick.ShouldBe(Some.Noon + Some.Minute);

        (await Store.PutScheduleAsync(Some.Schedule(nextDue: Some.Noon + TimeSpan.FromDays(7)), null, null, Stop)).ShouldBeFalse();

        var after = (await Store.ReadSchedulesAsync(Stop))[0];
        (after.Version, after.NextDue, after.LastTick).ShouldBe((before.Version, before.NextDue, before.LastTick));
    }

    [Fact]
    public async Task A_changed_schedule_gets_a_new_version_and_the_new_next_tick()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        var before = (await Store.ReadSchedulesAsync(Stop))[0];

        (await Store.PutScheduleAsync(Some.Schedule(nextDue: Some.Noon + Some.Second) with { Cron = "*/5 * * * * *" }, null, null, Stop)).ShouldBeTrue();

        var after = (await Store.ReadSchedulesAsync(Stop)).ShouldHaveSingleItem();
        after.Version.ShouldBeGreaterThan(before.Version);
        (after.Cron, after.NextDue).ShouldBe(("*/5 * * * * *", Some.Noon + Some.Second));
    }

    [Theory]
    [InlineData("data")]
    [InlineData("type")]
    [InlineData("zone")]
    [InlineData("policy")]
    [InlineData("missed")]
    public async Task Every_part_of_a_schedule_counts_as_a_change(string part)
    {
        var schedule = Some.Schedule();
        await Store.PutScheduleAsync(schedule, null, null, Stop);
        var changed = part switch
        {
            "data" => schedule with { Template = schedule.Template with { Data = "1" } },
            "type" => schedule with { Template = schedule.Template with { Type = "send" } },
            "zone" => schedule with { Zone = "Europe/Berlin" },
            "policy" => schedule with { Template = schedule.Template with { Policy = "{}" } },
            _ => schedule with { MissedTicks = MissedTicks.Skip },
        };
        (await Store.PutScheduleAsync(changed, null, null, Stop)).ShouldBeTrue();
        (await Store.PutScheduleAsync(changed, null, null, Stop)).ShouldBeFalse();
    }

    [Fact]
    public async Task In_the_callers_transaction_a_schedule_is_there_if_and_only_if_it_commits()
    {
        await using (var transaction = await BeginAsync())
        {
            await Store.PutScheduleAsync(Some.Schedule("a"), null, transaction, Stop);
            await transaction.RollbackAsync(Stop);
        }
        await using (var transaction = await BeginAsync())
        {
            await Store.PutScheduleAsync(Some.Schedule("b"), null, transaction, Stop);
            await transaction.CommitAsync(Stop);
        }
        (await Store.ReadSchedulesAsync(Stop)).ShouldHaveSingleItem().Name.ShouldBe("b");
    }

    [Fact]
    public async Task A_removed_schedule_fires_no_more_and_its_jobs_stay()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        Clock.Advance(Some.Minute);
        await TickAsync();
        (await Store.RemoveScheduleAsync("report", Stop)).ShouldBeTrue();
        (await Store.RemoveScheduleAsync("report", Stop)).ShouldBeFalse();
        Clock.Advance(10 * Some.Minute);
        (await TickAsync()).ShouldBeNull();
        (await CountAsync("job")).ShouldBe(1);
    }

    [Fact]
    public async Task No_tick_is_fired_before_its_time()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        Clock.Advance(59 * Some.Second);
        (await TickAsync()).ShouldBeNull();
        (await CountAsync("job")).ShouldBe(0);
    }

    [Fact]
    public async Task A_due_tick_stores_its_jobs_and_moves_the_cursor()
    {
        await Store.PutScheduleAsync(Some.Schedule(template: Some.Job("report", tag: "report", queue: "mail")), null, null, Stop);
        Clock.Advance(90 * Some.Second);
        DateTimeOffset? seen = null;

        var answer = await TickAsync((schedule, now) =>
        {
            seen = now;
            return FireOnce(schedule, now) with { Skipped = 3 };
        });

        seen.ShouldBe(Some.Noon + 90 * Some.Second);
        answer.ShouldNotBeNull().ShouldSatisfyAllConditions(
            a => a.Schedule.ShouldBe("report"), a => a.Fired.ShouldBe(1), a => a.Skipped.ShouldBe(3), a => a.Queues.ShouldBe(["mail"]));
        var stored = (await Store.ReadSchedulesAsync(Stop))[0];
        (stored.LastTick, stored.NextDue).ShouldBe((Some.Noon + Some.Minute, Some.Noon + 150 * Some.Second));
        var node = await NodeAsync();
        (await node.ClaimOneAsync("mail")).Schedule.ShouldBe("report");
        (await TickAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_plan_may_fire_nothing_or_several()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        Clock.Advance(Some.Minute);
        (await TickAsync((s, now) => new TickPlan([], now, now + Some.Minute, 5))).ShouldNotBeNull().Fired.ShouldBe(0);
        Clock.Advance(Some.Minute);
        (await TickAsync((s, now) => FireOnce(s, now) with { Jobs = [Some.Job(), Some.Job(), Some.Job()] })).ShouldNotBeNull().Fired.ShouldBe(3);
        (await CountAsync("job")).ShouldBe(3);
    }

    [Fact]
    public async Task A_schedule_without_a_further_tick_is_never_due_again()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        Clock.Advance(Some.Minute);
        await TickAsync((s, now) => FireOnce(s, now) with { NextDue = null });
        Clock.Advance(TimeSpan.FromDays(1000));
        (await TickAsync()).ShouldBeNull();
        (await Store.LookOutAsync(Stop)).NextTick.ShouldBeNull();
        (await Store.ReadSchedulesAsync(Stop)).ShouldHaveSingleItem().NextDue.ShouldBeNull();
    }

    [Fact]
    public async Task A_plan_that_fails_leaves_the_tick_for_the_next_try()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        Clock.Advance(Some.Minute);
        await Should.ThrowAsync<InvalidOperationException>(() => TickAsync((_, _) => throw new InvalidOperationException("Bad zone.")));
        (await CountAsync("job")).ShouldBe(0);
        (await TickAsync()).ShouldNotBeNull().Fired.ShouldBe(1);
    }

    // A14, C1, C2, C3, C10: whoever fires, each tick makes one job.
    [Fact]
    public async Task Many_nodes_fire_each_tick_once()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        var stores = Enumerable.Range(0, 6).Select(_ => OpenStore()).ToArray();
        for (var tick = 1; tick <= 10; tick++)
        {
            Clock.Advance(Some.Minute);
            var answers = await Task.WhenAll(stores.Select(store => RepeatAsync(() => store.TickAsync(FireOnce, Stop))));
            answers.Count(answer => answer is not null).ShouldBe(1);
        }
        (await CountAsync("job")).ShouldBe(10);
        (await CountAsync("ready")).ShouldBe(10);
    }

    // C7: the tick's memory is the schedule's cursor, not its job.
    [Fact]
    public async Task Pruning_the_job_of_a_tick_does_not_bring_the_tick_back()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        Clock.Advance(Some.Minute);
        await TickAsync((s, now) => FireOnce(s, now) with { NextDue = now + TimeSpan.FromDays(1) });
        var node = await NodeAsync();
        await node.EndAsync(node.End(await node.ClaimOneAsync(), Outcome.Succeeded) with { RemoveAfter = TimeSpan.Zero });
        Clock.Advance(Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);
        (await TickAsync()).ShouldBeNull();
    }

    // C12: an edit between two looks wins.
    [Fact]
    public async Task A_tick_sees_the_schedule_as_it_is_now()
    {
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        await OpenStore().PutScheduleAsync(Some.Schedule() with { Template = Some.Job("send", tag: "report") }, null, null, Stop);
        Clock.Advance(Some.Minute);
        await TickAsync();
        (await Store.ListAsync(new JobQuery(), Stop)).ShouldHaveSingleItem().Type.ShouldBe("send");
    }

    [Fact]
    public async Task Several_due_schedules_are_fired_one_by_one()
    {
        foreach (var name in new[] { "a", "b", "c" })
            await Store.PutScheduleAsync(Some.Schedule(name), null, null, Stop);
        Clock.Advance(Some.Minute);
        var fired = new List<string>();
        while (await TickAsync() is { } answer)
            fired.Add(answer.Schedule);
        fired.ShouldBe(["a", "b", "c"], ignoreOrder: true);
    }

    // ---- owners

    [Fact]
    public async Task A_schedule_that_is_not_persistent_goes_with_the_last_server_that_submitted_it()
    {
        var (one, other) = (await NodeAsync(), await NodeAsync());
        await Store.PutScheduleAsync(Some.Schedule(isPersistent: false), one.Id, null, Stop);
        await Store.PutScheduleAsync(Some.Schedule(isPersistent: false), other.Id, null, Stop);

        await one.Store.LeaveAsync(one.Id, Stop);
        (await Store.ReadSchedulesAsync(Stop)).ShouldHaveSingleItem();
        await other.Store.LeaveAsync(other.Id, Stop);
        (await Store.ReadSchedulesAsync(Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_schedule_that_is_not_persistent_goes_when_its_server_has_died()
    {
        var dead = await NodeAsync();
        await Store.PutScheduleAsync(Some.Schedule(isPersistent: false), dead.Id, null, Stop);
        await dead.DieAsync();
        await (await NodeAsync()).SweepAsync();
        await Store.TidyAsync(Stop);
        (await Store.ReadSchedulesAsync(Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_persistent_schedule_outlives_its_server()
    {
        var node = await NodeAsync();
        await Store.PutScheduleAsync(Some.Schedule(), node.Id, null, Stop);
        await node.Store.LeaveAsync(node.Id, Stop);
        await Store.TidyAsync(Stop);
        (await Store.ReadSchedulesAsync(Stop)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_schedule_that_was_made_persistent_stays()
    {
        var node = await NodeAsync();
        await Store.PutScheduleAsync(Some.Schedule(isPersistent: false), node.Id, null, Stop);
        (await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop)).ShouldBeTrue();
        await node.Store.LeaveAsync(node.Id, Stop);
        (await Store.ReadSchedulesAsync(Stop)).ShouldHaveSingleItem().IsPersistent.ShouldBeTrue();
    }
}
