namespace Millrace.Tending;

/// <summary>When a sleeping tender means to look again, by our own monotonic clock, so that news of a due time wakes it only if that time comes sooner.</summary>
internal sealed class Alarm(TimeProvider time)
{
    private long plannedAt = long.MaxValue;

    /// <summary>The tender is about to sleep this long.</summary>
    public TimeSpan Plan(TimeSpan pause)
    {
        Volatile.Write(ref plannedAt, pause > TimeSpan.FromDays(1) ? long.MaxValue : time.GetTimestamp() + TicksOf(pause));
        return pause;
    }

    /// <summary>Whether something due then, by the database's clock, is due before the tender will look. A millisecond is what two readings of two clocks differ by.</summary>
    public bool IsSooner(DateTimeOffset due, DateTimeOffset now) =>
        time.GetTimestamp() + TicksOf(due - now) < Volatile.Read(ref plannedAt) - time.TimestampFrequency / 1000;

    private long TicksOf(TimeSpan span) => (long)(Math.Max(0, span.TotalSeconds) * time.TimestampFrequency);
}
