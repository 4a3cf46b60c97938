using Millrace.Tending;

namespace Millrace.Tests.Tending;

public sealed class PrunePaceTests
{
    private static readonly TimeSpan batch = TimeSpan.FromMilliseconds(20);

    [Fact]
    public void Nothing_rests_while_nobody_is_in_line() => PrunePace.RestAfter(batch, TimeSpan.Zero, isBusy: false).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void A_backlog_leaves_it_a_fifth_of_the_time() => PrunePace.RestAfter(batch, TimeSpan.Zero, isBusy: true).ShouldBe(4 * batch);

    [Fact]
    public void A_batch_that_was_held_up_does_not_hold_up_the_next() => PrunePace.RestAfter(TimeSpan.FromMinutes(1), TimeSpan.Zero, isBusy: true).ShouldBe(TimeSpan.FromSeconds(2));

    [Fact]
    public void It_gives_way_for_ten_minutes_and_no_longer()
    {
        PrunePace.RestAfter(batch, TimeSpan.FromMinutes(10) - batch, isBusy: true).ShouldBeGreaterThan(TimeSpan.Zero);
        PrunePace.RestAfter(batch, TimeSpan.FromMinutes(10), isBusy: true).ShouldBe(TimeSpan.Zero);
    }
}
