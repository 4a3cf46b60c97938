using Millrace.Dashboard.Watching;

namespace Millrace.Dashboard.Tests.Watching;

public sealed class DearTests
{
    [Theory]
    // Never asked before.
    [InlineData(0, 500, 0)]
    // Twenty times what it takes, if it takes that each time.
    [InlineData(50, 60, 1_000)]
    [InlineData(60, 50, 1_000)]
    [InlineData(2, 900, 40)]
    // But not for long.
    [InlineData(900, 900, 4_000)]
    public void A_dear_answer_is_kept_over_what_happens(int beforeInMs, int tookInMs, int lifeInMs) =>
        Dear.LifeOf(TimeSpan.FromMilliseconds(beforeInMs), TimeSpan.FromMilliseconds(tookInMs)).ShouldBe(TimeSpan.FromMilliseconds(lifeInMs));

    [Theory]
    [InlineData(0, 900, 600)]
    [InlineData(74, 74, 600)]
    [InlineData(200, 300, 1_600)]
    [InlineData(300, 200, 1_600)]
    [InlineData(900, 900, 3_000)]
    public void The_more_is_asked_after_each_pulse_the_later_comes_the_next(int beforeInMs, int spentInMs, int betweenInMs) =>
        Dear.BetweenPulses(TimeSpan.FromMilliseconds(600), TimeSpan.FromMilliseconds(beforeInMs), TimeSpan.FromMilliseconds(spentInMs)).ShouldBe(TimeSpan.FromMilliseconds(betweenInMs));
}
