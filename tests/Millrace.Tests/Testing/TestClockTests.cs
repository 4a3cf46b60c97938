using Millrace.Testing;

namespace Millrace.Tests.Testing;

public sealed class TestClockTests
{
    private readonly TestClock clock = new();

    [Fact]
    public void It_stands_still()
    {
        clock.Now.ShouldBe(TestClock.DefaultStart);
        clock.GetTimestamp().ShouldBe(clock.GetTimestamp());
    }

    [Fact]
    public void Timers_fire_in_the_order_of_their_times_at_their_times()
    {
        var fired = new List<(string, TimeSpan)>();
        using var late = Timer("late", TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        using var every = Timer("every", TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using var never = Timer("never", Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using var stopped = Timer("stopped", TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        stopped.Dispose();

        clock.Advance(TimeSpan.FromSeconds(6));

        fired.ShouldBe(
        [
            ("every", TimeSpan.FromSeconds(2)), ("every", TimeSpan.FromSeconds(4)), ("late", TimeSpan.FromSeconds(5)), ("every", TimeSpan.FromSeconds(6)),
        ]);
        clock.GetElapsedTime(0).ShouldBe(TimeSpan.FromSeconds(6));

        ITimer Timer(string name, TimeSpan due, TimeSpan period) => clock.CreateTimer(_ => fired.Add((name, clock.Now - TestClock.DefaultStart)), null, due, period);
    }

    [Fact]
    public async Task It_knows_a_wait_from_a_deadline()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(1), clock);
        var never = new TaskCompletionSource();
        var bounded = never.Task.WaitAsync(TimeSpan.FromSeconds(2), clock);
        clock.NextDelay().ShouldBeNull();

        var delay = Task.Delay(TimeSpan.FromSeconds(3), clock);

        clock.NextDelay().ShouldBe(TestClock.DefaultStart.AddSeconds(3));
        clock.NextTimer().ShouldBe(TestClock.DefaultStart.AddSeconds(1));
        clock.AdvanceTo(TestClock.DefaultStart.AddSeconds(3));
        await delay;
        deadline.IsCancellationRequested.ShouldBeTrue();
        await Should.ThrowAsync<TimeoutException>(() => bounded);
    }

    [Fact]
    public void It_does_not_go_back()
    {
        clock.Advance(TimeSpan.FromHours(1));
        clock.AdvanceTo(TestClock.DefaultStart);

        clock.Now.ShouldBe(TestClock.DefaultStart.AddHours(1));
        Should.Throw<ArgumentOutOfRangeException>(() => clock.Advance(TimeSpan.FromSeconds(-1)));
    }
}
