using CsCheck;
using Millrace.Storage;
using Millrace.Tending;

namespace Millrace.Tests.Tending;

public sealed class TickPlannerTests
{
    private static readonly DateTimeOffset noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_tick_that_is_due_makes_one_job_with_its_own_time()
    {
        var plan = Plan(Hourly(), noon.AddSeconds(1));

        var job = plan.Jobs.ShouldHaveSingleItem();
        job.Due.ShouldBe(noon);
        job.Schedule.ShouldBe("nightly");
        job.Tag.ShouldBe("tag");
        job.Type.ShouldBe("report");
        job.Id.ShouldBe(1001);
        job.Nonce.ShouldBe(7001);
        plan.LastTick.ShouldBe(noon);
        plan.NextDue.ShouldBe(noon.AddHours(1));
        plan.Skipped.ShouldBe(0);
    }

    [Fact]
    public void Nothing_is_fired_before_its_time()
    {
        var plan = Plan(Hourly(), noon.AddSeconds(-1));

        plan.Jobs.ShouldBeEmpty();
        plan.NextDue.ShouldBe(noon);
    }

    [Theory]
    [InlineData(MissedTicks.Last)]
    [InlineData(MissedTicks.Skip)]
    [InlineData(MissedTicks.All)]
    public void A_loop_that_comes_seconds_late_loses_no_tick(MissedTicks policy)
    {
        var plan = Plan(Hourly(policy) with { Cron = "* * * * * *" }, noon.AddSeconds(3.5));

        plan.Jobs.Select(job => job.Due).ShouldBe([noon, noon.AddSeconds(1), noon.AddSeconds(2), noon.AddSeconds(3)]);
        plan.NextDue.ShouldBe(noon.AddSeconds(4));
    }

    [Theory]
    [InlineData(MissedTicks.Last, 1, 0)]
    [InlineData(MissedTicks.Skip, 0, 1)]
    [InlineData(MissedTicks.All, 1, 0)]
    public void One_tick_that_is_half_an_hour_late(MissedTicks policy, int fired, int skipped)
    {
        var plan = Plan(Hourly(policy), noon.AddMinutes(30));

        plan.Jobs.Count.ShouldBe(fired);
        plan.Skipped.ShouldBe(skipped);
        plan.LastTick.ShouldBe(noon);
        plan.NextDue.ShouldBe(noon.AddHours(1));
    }

    [Theory]
    [InlineData(MissedTicks.Last, 1, 5)]
    [InlineData(MissedTicks.Skip, 0, 6)]
    [InlineData(MissedTicks.All, 6, 0)]
    public void Six_ticks_that_passed_in_an_outage(MissedTicks policy, int fired, int skipped)
    {
        var plan = Plan(Hourly(policy), noon.AddHours(5.5));

        plan.Jobs.Count.ShouldBe(fired);
        plan.Skipped.ShouldBe(skipped);
        plan.LastTick.ShouldBe(noon.AddHours(5));
        plan.NextDue.ShouldBe(noon.AddHours(6));
    }

    [Fact]
    public void Skip_fires_a_tick_that_is_at_most_a_minute_late()
    {
        Plan(Hourly(MissedTicks.Skip), noon.AddSeconds(60)).Jobs.Count.ShouldBe(1);
        Plan(Hourly(MissedTicks.Skip), noon.AddSeconds(61)).Jobs.Count.ShouldBe(0);
    }

    [Fact]
    public void All_goes_back_24_hours_and_100_jobs_at_most()
    {
        var days = Plan(Hourly(MissedTicks.All), noon.AddDays(3));
        days.Jobs.Count.ShouldBe(25);
        days.Jobs[0].Due.ShouldBe(noon.AddDays(2));
        days.Skipped.ShouldBe(48);

        var minutes = Plan(Hourly(MissedTicks.All) with { Cron = "* * * * *" }, noon.AddDays(3));
        minutes.Jobs.Count.ShouldBe(100);
        minutes.Jobs[^1].Due.ShouldBe(noon.AddDays(3));
        minutes.Skipped.ShouldBe(3 * 1440 + 1 - 100);
    }

    [Fact]
    public void A_long_absence_of_a_schedule_of_seconds_is_decided_at_once()
    {
        var plan = Plan(Hourly() with { Cron = "* * * * * *" }, noon.AddDays(365));

        plan.Jobs.ShouldHaveSingleItem().Due.ShouldBe(noon.AddDays(365));
        plan.Skipped.ShouldBe(TickPlanner.MostCounted);
    }

    [Fact]
    public void A_cursor_that_is_no_tick_is_not_fired()
    {
        var plan = Plan(Hourly() with { NextDue = noon.AddMinutes(5) }, noon.AddMinutes(10));

        plan.Jobs.ShouldBeEmpty();
        plan.NextDue.ShouldBe(noon.AddHours(1));
    }

    [Fact]
    public void A_schedule_that_cannot_be_read_here_is_put_off_and_loses_no_tick()
    {
        var broken = Hourly() with { Zone = "Mars/Olympus_Mons" };
        Should.Throw<InvalidScheduleException>(() => Plan(broken, noon.AddSeconds(1)));

        var plan = TickPlanner.Postpone(broken, noon.AddSeconds(1));

        plan.Jobs.ShouldBeEmpty();
        plan.NextDue.ShouldBe(noon.AddSeconds(61));
    }

    [Fact]
    public void However_often_and_late_the_loop_comes_every_tick_is_fired_or_skipped_once()
    {
        var crons = Gen.OneOf("*/5 * * * * *", "0 * * * * *", "0 */15 * * * *", "0 0 * * * *", "0 30 2 * * *");
        var zones = Gen.OneOf("UTC", "Europe/Berlin", "Australia/Lord_Howe");
        var steps = Gen.Frequency((5, Gen.Double[0.1, 20]), (1, Gen.Double[20, 4_000]), (1, Gen.Double[4_000, 100_000])).Array[1, 20];
        Gen.Select(crons, zones, Gen.Enum<MissedTicks>(), Gen.Int[0, 300], steps).SampleSeeded((cron, zone, policy, day, waits) =>
        {
            var times = CronTimes.Parse(cron, zone);
            var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays(day);
            var schedule = Hourly(policy) with { Cron = cron, Zone = zone, NextDue = times.Next(start) };
            var now = start;
            var fired = new List<DateTimeOffset>();
            var skipped = 0;
            foreach (var wait in waits)
            {
                now = now.AddSeconds(wait);
                var plan = Plan(schedule, now);
                plan.Jobs.Count.ShouldBeLessThanOrEqualTo(TickPlanner.MostJobs);
                plan.NextDue!.Value.ShouldBeGreaterThan(now);
                fired.AddRange(plan.Jobs.Select(job => job.Due!.Value));
                skipped += plan.Skipped;
                schedule = schedule with { NextDue = plan.NextDue, LastTick = plan.LastTick };
            }

            var expected = 0;
            for (var tick = times.Next(start)!.Value; tick <= now; tick = times.Next(tick)!.Value)
                expected++;
            if (skipped < TickPlanner.MostCounted)
                (fired.Count + skipped).ShouldBe(expected);
            fired.ShouldBe(fired.Distinct().Order());
        }, iter: 300);
    }

    [Theory]
    [InlineData(MissedTicks.Last)]
    [InlineData(MissedTicks.Skip)]
    [InlineData(MissedTicks.All)]
    public void Ticks_that_fell_into_a_pause_are_skipped(MissedTicks policy)
    {
        var plan = Plan(Hourly(policy) with { Pause = new Pause(noon, "ann", null, noon.AddHours(3)) }, noon.AddHours(3).AddSeconds(1));

        plan.Jobs.Select(job => job.Due).ShouldBe([noon.AddHours(3)], "the tick at its end is not in the pause");
        plan.Skipped.ShouldBe(3);
        plan.LastTick.ShouldBe(noon.AddHours(3));
        plan.NextDue.ShouldBe(noon.AddHours(4));
    }

    [Fact]
    public void A_pause_that_ended_between_two_ticks_fires_none()
    {
        var plan = Plan(Hourly(MissedTicks.All) with { Pause = new Pause(noon, "ann", null, noon.AddHours(2.5)) }, noon.AddHours(2.5));

        (plan.Jobs.Count, plan.Skipped, plan.LastTick, plan.NextDue).ShouldBe((0, 3, noon.AddHours(2), noon.AddHours(3)));
    }

    [Fact]
    public void Missed_ticks_before_and_after_a_pause_are_the_policys()
    {
        var schedule = Hourly(MissedTicks.All) with { Pause = new Pause(noon.AddHours(2), "ann", null, noon.AddHours(4)) };

        var plan = Plan(schedule, noon.AddHours(5.5));

        plan.Jobs.Select(job => job.Due).ShouldBe([noon, noon.AddHours(1), noon.AddHours(4), noon.AddHours(5)]);
        plan.Skipped.ShouldBe(2);
        Plan(schedule with { MissedTicks = MissedTicks.Last }, noon.AddHours(3.5)).Jobs.Single().Due.ShouldBe(noon.AddHours(1));
    }

    [Fact]
    public void A_pause_without_an_end_fires_nothing()
    {
        var plan = Plan(Hourly() with { Pause = new Pause(noon, null, null, null) }, noon.AddHours(1.5));

        (plan.Jobs.Count, plan.Skipped, plan.NextDue).ShouldBe((0, 2, noon.AddHours(2)));
    }

    [Fact]
    public void A_pause_that_was_over_before_the_cursor_changes_nothing()
    {
        var plan = Plan(Hourly() with { Pause = new Pause(noon.AddHours(-3), null, null, noon.AddHours(-1)) }, noon.AddSeconds(1));

        (plan.Jobs.Single().Due, plan.Skipped).ShouldBe((noon, 0));
    }

    [Fact]
    public void With_a_pause_too_every_tick_is_fired_once_or_counted() =>
        Gen.Select(Gen.Int[0, 40_000], Gen.Int[0, 40_000], Gen.Int[0, 60_000], Gen.Enum<MissedTicks>()).SampleSeeded((since, length, late, policy) =>
        {
            var schedule = Hourly(policy) with { Cron = "*/7 * * * *", Pause = new Pause(noon.AddSeconds(since), null, null, noon.AddSeconds(since + length)) };
            var now = noon.AddSeconds(late);

            var plan = Plan(schedule, now);

            plan.Jobs.ShouldAllBe(job => job.Due < schedule.Pause.Since || job.Due >= schedule.Pause.Until);
            var times = CronTimes.Parse("*/7 * * * *", "UTC");
            var expected = 0;
            for (var tick = noon; tick <= now; tick = times.Next(tick)!.Value)
                expected++;
            (plan.Jobs.Count + plan.Skipped).ShouldBe(expected);
        });

    private static TickPlan Plan(Schedule schedule, DateTimeOffset now)
    {
        long id = 1000, nonce = 7000;
        return TickPlanner.Plan(schedule, now, () => ++id, () => ++nonce);
    }

    private static Schedule Hourly(MissedTicks policy = MissedTicks.Last) => new()
    {
        Name = "nightly",
        Cron = "0 * * * *",
        Zone = "UTC",
        MissedTicks = policy,
        NextDue = noon,
        Template = new NewJob { Id = 0, Nonce = 0, Type = "report", Tag = "tag", Delay = TimeSpan.FromHours(1) },
    };
}
