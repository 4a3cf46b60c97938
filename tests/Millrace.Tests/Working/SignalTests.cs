using Millrace.Testing;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class SignalTests
{
    private readonly Signal signal = new();
    private readonly TestClock clock = new();

    [Fact]
    public async Task A_set_before_the_wait_lets_it_through_once_for_all()
    {
        signal.Set();
        signal.Set();

        (await signal.WaitAsync(TimeSpan.Zero, clock, default)).ShouldBeTrue();
        (await signal.WaitAsync(TimeSpan.Zero, clock, default)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_set_during_the_wait_ends_it()
    {
        var wait = signal.WaitAsync(TimeSpan.MaxValue, clock, default);
        wait.IsCompleted.ShouldBeFalse();

        signal.Set();

        (await wait).ShouldBeTrue();
    }

    [Fact]
    public async Task The_wait_ends_with_its_time()
    {
        var wait = signal.WaitAsync(TimeSpan.FromSeconds(5), clock, default);

        clock.Advance(TimeSpan.FromSeconds(5));

        (await wait).ShouldBeFalse();
    }

    [Fact]
    public async Task The_wait_can_be_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var wait = signal.WaitAsync(TimeSpan.MaxValue, clock, stop.Token).AsTask();

        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(wait);
    }

    // What is told just before the waiter looks must not be lost: each round waits for the other side's answer.
    [Fact]
    public async Task No_set_is_lost_between_two_waits()
    {
        var answer = new Signal();
        var other = Task.Run(async () =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                (await signal.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, default)).ShouldBeTrue();
                answer.Set();
            }
        });
        for (var i = 0; i < 10_000; i++)
        {
            signal.Set();
            (await answer.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, default)).ShouldBeTrue();
        }

        await other;
    }
}
