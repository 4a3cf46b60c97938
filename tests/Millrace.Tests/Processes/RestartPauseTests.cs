using CsCheck;
using Millrace.Processes;

namespace Millrace.Tests.Processes;

public sealed class RestartPauseTests
{
    [Fact]
    public void The_first_death_at_work_is_followed_at_once() => RestartPause.Next(1, wasReady: true, 0.5).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void Pauses_grow_and_stay_bounded() => Gen.Select(Gen.Int[2, 1_000_000], Gen.Bool, Gen.Double.Unit).Sample((count, wasReady, random) =>
    {
        var pause = RestartPause.Next(count, wasReady, random);
        return pause >= TimeSpan.FromMilliseconds(75) && pause <= (wasReady ? TimeSpan.FromSeconds(2.5) : TimeSpan.FromSeconds(37.5));
    });

    [Fact]
    public void A_child_that_lived_for_long_is_the_first_again()
    {
        RestartPause.CountAfter(20, TimeSpan.FromMinutes(2)).ShouldBe(1);
        RestartPause.CountAfter(20, TimeSpan.FromSeconds(2)).ShouldBe(21);
        RestartPause.CountAfter(20, null).ShouldBe(21);
    }
}
