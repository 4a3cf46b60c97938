using Millrace.Storage;

namespace Millrace.Tests.Inspecting;

public sealed class ArrivalsTests
{
    private static readonly DateTimeOffset now = new(2026, 11, 25, 12, 0, 30, TimeSpan.Zero);

    private readonly Arrivals arrivals = new(now);

    private static StatRow Ended(DateTimeOffset bucket, int count, TimeSpan waited, TimeSpan ran = default, Outcome outcome = Outcome.Succeeded)
    {
        var (wait, run) = (new Histogram(), new Histogram());
        for (var i = 0; i < count; i++)
        {
            wait.Add(waited);
            run.Add(ran);
        }

        return new StatRow { Bucket = bucket, Queue = "mail", Type = "", Outcome = outcome, Count = count, Wait = wait, Run = run };
    }

    [Fact]
    public void They_are_counted_from_the_first_whole_minute_of_the_last_five()
    {
        arrivals.Since.ShouldBe(new DateTimeOffset(2026, 11, 25, 11, 56, 0, TimeSpan.Zero));
        new Arrivals(now.AddSeconds(-30)).Since.ShouldBe(new DateTimeOffset(2026, 11, 25, 11, 56, 0, TimeSpan.Zero), "as the roll-ups are");
    }

    [Fact]
    public void What_stands_in_line_and_what_runs_has_come()
    {
        arrivals.AddReady("mail", 100, now.AddMinutes(-2));
        arrivals.AddReady("mail", 20, now.AddMinutes(-1));
        arrivals.AddRunning("mail", 5);

        (arrivals.PerMinute("mail"), arrivals.PerMinute("web")).ShouldBe((25, 0));
    }

    [Fact]
    public void Where_more_have_come_than_are_counted_the_pace_of_the_newest_stands_for_the_rest()
    {
        arrivals.AddReady("mail", Arrivals.Most, now.AddSeconds(-27));

        arrivals.PerMinute("mail").ShouldBe(Arrivals.Most * 10 / 5);
    }

    [Fact]
    public void Of_what_has_ended_only_that_has_come_which_was_not_in_line_before()
    {
        arrivals.AddEnded(Ended(now.AddSeconds(-90), 50, TimeSpan.FromSeconds(1)));
        arrivals.PerMinute("mail").ShouldBe(10, "half way through its minute they were seconds old");
        arrivals.AddEnded(Ended(now.AddSeconds(-90), 50, TimeSpan.FromMinutes(20)));
        arrivals.AddEnded(Ended(now.AddSeconds(-90), 50, TimeSpan.Zero, TimeSpan.FromMinutes(20)));
        arrivals.AddEnded(Ended(now.AddSeconds(-90), 50, TimeSpan.Zero, outcome: Outcome.Released));
        arrivals.AddEnded(Ended(now.AddMinutes(-30), 50, TimeSpan.Zero));
        arrivals.PerMinute("mail").ShouldBe(10);
    }

    [Theory]
    [InlineData(0, 0.0)]
    [InlineData(99, 0.0)]
    [InlineData(120, 0.5)]
    [InlineData(142, 1.0)]
    [InlineData(1_000_000, 1.0)]
    public void A_histogram_tells_which_part_lies_below(int microseconds, double share)
    {
        var histogram = new Histogram();
        histogram.ShareBelow(TimeSpan.FromMicroseconds(microseconds)).ShouldBe(1, "of nothing all does");
        histogram.Add(TimeSpan.FromMicroseconds(110));
        histogram.ShareBelow(TimeSpan.FromMicroseconds(microseconds)).ShouldBe(share, 0.02);
    }
}
