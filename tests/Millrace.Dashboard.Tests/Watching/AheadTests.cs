using Millrace.Dashboard.Watching;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Watching;

public sealed class AheadTests
{
    private static readonly DateTimeOffset now = new(2026, 11, 25, 13, 2, 30, TimeSpan.Zero);

    [Fact]
    public void Schedules_that_are_due_together_stand_in_one_slot()
    {
        var ahead = Ahead.Of([Schedule("nightly", "0 0 2 * * *"), Schedule("report", "0 4 2 * * *"), Schedule("late", "0 5 2 * * *")], now);

        (ahead.From, ahead.To, ahead.IsPartial).ShouldBe((now.AddSeconds(-150), now.AddSeconds(-150).AddDays(1), false));
        ahead.Slots.Select(slot => (slot.At.TimeOfDay, slot.Ticks, string.Join(' ', slot.Schedules))).ShouldBe([(new TimeSpan(2, 0, 0), 2, "nightly report"), (new TimeSpan(2, 5, 0), 1, "late")]);
    }

    [Fact]
    public void The_one_with_the_most_ticks_comes_first() =>
        Ahead.Of([Schedule("a", "0 */5 * * * *"), Schedule("b", "0 * * * * *")], now).Slots[1].ShouldSatisfyAllConditions(slot => slot.Ticks.ShouldBe(6), slot => slot.Schedules.ShouldBe(["b", "a"]));

    [Fact]
    public void A_pause_makes_nothing_until_it_is_over()
    {
        Ahead.Of([Schedule("paused", "0 0 * * * *") with { Pause = new Pause(now, "ann", null, null) }], now).Slots.ShouldBeEmpty();
        Ahead.Of([Schedule("paused", "0 0 * * * *") with { Pause = new Pause(now, "ann", null, now.AddHours(20)) }], now).Slots.Count.ShouldBe(3);
    }

    [Fact]
    public void What_cannot_be_read_or_comes_no_more_is_left_out() =>
        Ahead.Of([Schedule("x", "no cron"), Schedule("zone", "0 0 2 * * *") with { Zone = "Nowhere/Here" }, Schedule("over", "0 0 2 * * *") with { NextDue = null }], now).Slots.ShouldBeEmpty();

    [Fact]
    public void There_is_an_end_to_it() =>
        Ahead.Of(Enumerable.Range(0, 10).Select(i => Schedule($"s{i}", "* * * * * *")), now).IsPartial.ShouldBeTrue();

    private static Schedule Schedule(string name, string cron) =>
        new() { Name = name, Cron = cron, Zone = "UTC", Template = new NewJob { Id = 1, Nonce = 1, Type = "t" }, NextDue = now.AddSeconds(-1) };
}
