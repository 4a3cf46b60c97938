using CsCheck;
using Millrace.Processes;

namespace Millrace.Tests.Processes;

public sealed class RestartPauseTests
{
    [Fact]
    public void The_first_death_is_followed_at_once() => RestartPause.AfterDeath(1, 0.5).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void While_a_poison_is_found_out_nobody_waits_for_long() =>
        Gen.Select(Gen.Int[2, 10], Gen.Double.Unit).SampleSeeded((deaths, random) => RestartPause.AfterDeath(deaths, random) < TimeSpan.FromSeconds(0.7));

    [Fact]
    public void Pauses_stay_bounded_however_often_it_fails() => Gen.Select(Gen.Int[1, int.MaxValue], Gen.Double.Unit).SampleSeeded((count, random) =>
        RestartPause.AfterDeath(count, random) < TimeSpan.FromSeconds(4) && RestartPause.AfterFailedStart(count, random) is { TotalSeconds: > 0.05 and < 38 });
}
