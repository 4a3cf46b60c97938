using CsCheck;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class PrefetchTests
{
    private static readonly TimeSpan window = TimeSpan.FromMilliseconds(100);

    [Theory]
    // nothing is known yet
    [InlineData(10, 0, 0)]
    // jobs of a millisecond: a hundred for each slot, up to the limit
    [InlineData(1, 1, 100)]
    [InlineData(10, 1, 1000)]
    [InlineData(100, 1, 2000)]
    // jobs of a second: one for ten slots
    [InlineData(10, 1000, 1)]
    [InlineData(1, 1000, 0)]
    public void As_many_are_held_as_start_within_the_window(int concurrency, int milliseconds, int expected) =>
        Prefetch.Target(concurrency, TimeSpan.FromMilliseconds(milliseconds), window, 100).ShouldBe(expected);

    [Fact]
    public void Large_data_is_fetched_when_it_is_needed() =>
        Prefetch.Target(10, TimeSpan.FromMilliseconds(1), window, 1024 * 1024).ShouldBe(16);

    [Fact]
    public void Without_a_window_nothing_is_held() => Prefetch.Target(10, TimeSpan.FromMilliseconds(1), TimeSpan.Zero, 100).ShouldBe(0);

    [Fact]
    public void It_is_never_negative_never_above_the_limits_and_more_for_quicker_jobs() =>
        Gen.Select(Gen.Int[1, 1000], Gen.Long[1, TimeSpan.TicksPerDay], Gen.Long[0, 10 * TimeSpan.TicksPerSecond], Gen.Double[0, 2e6]).SampleSeeded((concurrency, run, wide, size) =>
        {
            var target = Prefetch.Target(concurrency, new TimeSpan(run), new TimeSpan(wide), size);
            return target >= 0 && target <= Prefetch.Most && target * size <= Prefetch.MostData
                && Prefetch.Target(concurrency, new TimeSpan(run * 2), new TimeSpan(wide), size) <= target;
        });
}
