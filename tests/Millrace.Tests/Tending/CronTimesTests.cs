using System.Globalization;
using Cronos;
using CsCheck;
using Millrace.Tending;

namespace Millrace.Tests.Tending;

public sealed class CronTimesTests
{
    private static readonly string[] zones = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu"];

    public static TheoryData<string> Zones => [.. zones];

    [Theory]
    [MemberData(nameof(Zones))]
    public void Every_minute_of_two_years_is_followed_by_the_tick_that_Cronos_names(string name)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(name);
        var ticks = new Queue<DateTimeOffset>(CronExpression.Parse("30 1,2 * * *").GetOccurrences(At("2026-01-01T00:00Z"), At("2028-02-01T00:00Z"), zone));
        var times = CronTimes.Parse("30 1,2 * * *", name);
        for (var minute = At("2026-01-01T00:00Z"); minute < At("2028-01-01T00:00Z"); minute = minute.AddMinutes(1))
        {
            while (ticks.Peek() <= minute)
                ticks.Dequeue();
            var next = times.Next(minute);
            if (next != ticks.Peek())
                Assert.Fail($"After {minute:u} in {name}: {next:u}, Cronos names {ticks.Peek():u}.");
        }
    }

    // the gap in spring: half past two does not exist, the job runs when the clock has jumped
    [Theory]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29T01:00Z")]
    // the hour that comes twice in autumn: once, the first time
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-25T00:30Z")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30Z", "2026-10-26T01:30Z")]
    // an interval goes on through both
    [InlineData("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:59Z", "2026-10-25T00:00Z")]
    [InlineData("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00Z", "2026-10-25T00:30Z")]
    [InlineData("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30Z", "2026-10-25T01:00Z")]
    [InlineData("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:00Z", "2026-10-25T01:30Z")]
    // a midnight that did not exist
    [InlineData("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00Z", "2018-11-04T03:00Z")]
    // daylight saving of half an hour
    [InlineData("30 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00Z", "2026-04-04T14:30Z")]
    // a quarter of an hour off the full hour
    [InlineData("0 0 12 * * *", "Asia/Kathmandu", "2026-01-01T00:00Z", "2026-01-01T06:15Z")]
    // a Windows name
    [InlineData("0 12 * * *", "W. Europe Standard Time", "2026-01-01T00:00Z", "2026-01-01T11:00Z")]
    public void Daylight_saving_is_kept(string expression, string zone, string after, string expected) =>
        CronTimes.Parse(expression, zone).Next(At(after)).ShouldBe(At(expected));

    [Fact]
    public void Next_is_strictly_after_and_monotone_and_Last_is_its_inverse()
    {
        var expressions = Gen.OneOf(
            "* * * * * *", "*/7 * * * * *", "0 */20 * * * *", "30 2 * * *", "0 0 * * *", "15 1-3 * * *", "0 30 1,2 * * SUN", "0 0 1 * *", "0 0 L * *", "@hourly");
        var seconds = Gen.Long[At("2018-01-01T00:00Z").ToUnixTimeMilliseconds(), At("2030-01-01T00:00Z").ToUnixTimeMilliseconds()];
        Gen.Select(expressions, Gen.OneOf(zones), seconds, Gen.Long[0, 86_400_000]).SampleSeeded((expression, zone, start, step) =>
        {
            var times = CronTimes.Parse(expression, zone);
            var after = DateTimeOffset.FromUnixTimeMilliseconds(start);
            var next = times.Next(after)!.Value;
            next.ShouldBeGreaterThan(after);
            next.Offset.ShouldBe(TimeSpan.Zero);
            times.Next(after.AddMilliseconds(step))!.Value.ShouldBeGreaterThanOrEqualTo(next);
            times.Next(next.AddTicks(-1)).ShouldBe(next);
            var second = times.Next(next)!.Value;
            times.Last(after, next.AddTicks(-1)).ShouldBeNull();
            times.Last(after, next).ShouldBe(next);
            times.Last(after, second.AddTicks(-1)).ShouldBe(next);
            times.Last(after, second.AddTicks(1)).ShouldBe(second);
            times.Last(after, second.AddDays(50)).ShouldBe(Walk(times, second, second.AddDays(50)));
        }, iter: 5_000);
    }

    [Fact]
    public void The_zone_is_kept_under_its_IANA_name()
    {
        CronTimes.Parse("* * * * *", null).Zone.ShouldBe("UTC");
        CronTimes.Parse("* * * * *", "Europe/Berlin").Zone.ShouldBe("Europe/Berlin");
        CronTimes.Parse("* * * * *", "W. Europe Standard Time").Zone.ShouldBe("Europe/Berlin");
        CronTimes.Parse("  0   *  * *\t* ", "").Expression.ShouldBe("0 * * * *");
    }

    [Theory]
    [InlineData("60 * * * * *", "second")]
    [InlineData("* 61 * * * *", "minute")]
    [InlineData("61 * * * *", "minute")]
    [InlineData("0 0 24 * * *", "hour")]
    [InlineData("0 0 0 32 * *", "day of month")]
    [InlineData("0 0 * FOO *", "month")]
    [InlineData("0 0 * * 8", "day of week")]
    [InlineData("H 0 * * *", "minute")]
    [InlineData("0 0 30 2 *", "day of month")]
    [InlineData("* * * *", null)]
    [InlineData("", null)]
    [InlineData("@sometimes", null)]
    public void A_bad_expression_is_refused_with_its_field(string expression, string? field)
    {
        var fault = Should.Throw<InvalidScheduleException>(() => CronTimes.Parse(expression, "UTC"));

        fault.Field.ShouldBe(field);
        fault.Expression.ShouldBe(expression);
        fault.Message.ShouldStartWith($"Cron expression \"{expression}\"");
        fault.Message.ShouldEndWith(" The schedule was not stored.");
    }

    [Fact]
    public void The_message_says_what_is_allowed() =>
        Should.Throw<InvalidScheduleException>(() => CronTimes.Parse("0 0 25 * * *", "UTC")).Message.ShouldBe(
            "Cron expression \"0 0 25 * * *\" is not valid: its hour is \"25\"; allowed are 0-23, also as *, lists (1,2), ranges (1-5) and steps (*/10). The schedule was not stored.");

    [Theory]
    [InlineData("Europe/Berln", "Did you mean \"Europe/Berlin\"?")]
    [InlineData("../../etc/passwd", "is not known on this machine")]
    [InlineData("Mars/Olympus_Mons", "is not known on this machine")]
    public void A_bad_zone_is_refused_with_the_nearest(string zone, string part)
    {
        var fault = Should.Throw<InvalidScheduleException>(() => CronTimes.Parse("* * * * *", zone));

        fault.Field.ShouldBe("time zone");
        fault.Zone.ShouldBe(zone);
        fault.Message.ShouldContain(part);
    }

    // At most 2,000 ticks on foot; from there on the answer is believed.
    private static DateTimeOffset? Walk(CronTimes times, DateTimeOffset from, DateTimeOffset end)
    {
        var last = from;
        for (var i = 0; i < 2_000; i++)
        {
            if (times.Next(last) is not { } next || next > end)
                return last;
            last = next;
        }

        return times.Last(last, end);
    }

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);
}
