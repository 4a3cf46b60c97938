using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Tests.Inspecting;

public sealed class DrainTests
{
    private static QueueRecord Queue(long ready, double ends, double arrivals) => new() { Name = "mail", Ready = ready, Nodes = 1, EndsPerMinute = ends, ArrivalsPerMinute = arrivals };

    [Fact]
    public void A_queue_from_which_more_goes_than_comes_will_be_empty()
    {
        Drain.Of(Queue(1_400, 150, 50)).ShouldBe(new Drain(TimeSpan.FromMinutes(14), null));
        Drain.Of(Queue(100_000, 1, 0.9)).EmptyIn.ShouldNotBeNull().ShouldBe(TimeSpan.FromMinutes(1_000_000), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void A_queue_to_which_more_comes_grows_but_by_no_more_than_stands_in_it()
    {
        Drain.Of(Queue(5_000, 100, 310)).ShouldBe(new Drain(null, 210));
        Drain.Of(Queue(50, 0, 310)).ShouldBe(new Drain(null, 10));
    }

    [Theory]
    [InlineData(1_000, 100, 101)]
    [InlineData(1_000, 100, 99)]
    [InlineData(1_000, 0, 0)]
    // What passes through is not a line that grows.
    [InlineData(3, 100, 110)]
    [InlineData(0, 0, 5)]
    public void Otherwise_nothing_is_said(long ready, double ends, double arrivals) => Drain.Of(Queue(ready, ends, arrivals)).ShouldBe(default);

    [Fact]
    public void A_queue_that_stands_still_for_another_reason_neither_empties_nor_grows()
    {
        var queue = Queue(1_400, 150, 50);

        Drain.Of(queue with { Nodes = 0 }).ShouldBe(default);
        Drain.Of(queue with { Pause = new Pause(DateTimeOffset.UnixEpoch, null, null, null) }).ShouldBe(default);
    }
}
