using Millrace.Testing;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class LoadMeterTests
{
    private readonly TestClock clock = new();
    private TimeSpan used = TimeSpan.FromSeconds(100);

    private void Pass(int seconds, int usedSeconds)
    {
        clock.Advance(TimeSpan.FromSeconds(seconds));
        used += TimeSpan.FromSeconds(usedSeconds);
    }

    [Fact]
    public void The_processor_time_since_the_last_reading_is_a_share_of_one_core()
    {
        var meter = new LoadMeter(clock, () => used);

        meter.Read().ShouldNotBeNull().Cpu.ShouldBeNull("nothing has passed yet");
        Pass(5, 10);
        meter.Read().ShouldNotBeNull().Cpu.ShouldBe(2);
        Pass(20, 5);
        meter.Read().ShouldNotBeNull().Cpu.ShouldBe(0.25);
        meter.Read().ShouldNotBeNull().Cpu.ShouldBeNull("no time has passed");
    }

    [Fact]
    public void A_system_that_does_not_tell_is_no_reason_not_to_beat() =>
        new LoadMeter(clock, static () => throw new PlatformNotSupportedException()).Read().ShouldBeNull();

    [Fact]
    public void A_real_process_takes_memory()
    {
        var load = new LoadMeter(TimeProvider.System).Read().ShouldNotBeNull();
        load.Memory.ShouldBeGreaterThan(1_000_000);
        load.PoolQueue.ShouldBeGreaterThanOrEqualTo(0);
    }
}
