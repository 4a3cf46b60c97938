using CsCheck;
using Millrace.Submitting;
using Millrace.Working;

namespace Millrace.Tests.Submitting;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(1, 1, 10)]
    [InlineData(2, 1, 20)]
    [InlineData(3, 0.5, 22)]
    [InlineData(1, 0, 1)]
    [InlineData(100, 1, 1000)]
    public void The_pause_doubles_up_to_the_longest(int tries, double random, double milliseconds) =>
        Backoff.NextDelay(tries, random, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(1)).TotalMilliseconds.ShouldBe(milliseconds, 0.001);

    [Fact]
    public void The_pause_is_never_zero_and_never_above_the_longest() =>
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Double[0, 1]).SampleSeeded((tries, random) =>
        {
            var pause = Backoff.NextDelay(tries, random, TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(5));
            return pause >= TimeSpan.FromMilliseconds(2) && pause <= TimeSpan.FromSeconds(5);
        });

    [Fact]
    public void Conflicting_transactions_pause_at_least_half_a_millisecond_and_at_most_half_a_second() =>
        Gen.Select(Gen.Int[1, int.MaxValue], Gen.Double[0, 1]).SampleSeeded((tries, random) =>
            TransactionRunner.Pause(tries, random) is var pause && pause >= TimeSpan.FromMilliseconds(0.5) && pause <= TimeSpan.FromMilliseconds(500));
}
