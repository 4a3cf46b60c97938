namespace Millrace.Testing;

/// <summary>
/// The clock of a <see cref="JobTestServer"/>: it stands still until somebody moves it. Timers fire when the clock passes them, in the order of their times, on the thread that
/// moves it. Safe to use from any thread.
/// </summary>
public sealed class TestClock : TimeProvider
{
    /// <summary>Where a clock starts unless it is told otherwise: 5 January 2026, 08:00 UTC, a Monday.</summary>
    public static readonly DateTimeOffset DefaultStart = new(2026, 1, 5, 8, 0, 0, TimeSpan.Zero);

    private readonly Lock gate = new();
    private readonly List<Timer> timers = [];
    private readonly DateTimeOffset start;
    private DateTimeOffset now;
    private TaskCompletionSource newTimer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes a clock that stands at <see cref="DefaultStart"/>.</summary>
    public TestClock()
        : this(DefaultStart)
    {
    }

    /// <summary>Makes a clock that stands at this time.</summary>
    public TestClock(DateTimeOffset start) => this.start = now = start.ToUniversalTime();

    /// <summary>The time it shows.</summary>
    public DateTimeOffset Now => GetUtcNow();

    /// <summary>UTC, so that a test gives the same answer on every machine.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>10,000,000: a tick is 100 nanoseconds.</summary>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    /// <inheritdoc />
    public override long GetTimestamp() => (GetUtcNow() - start).Ticks;

    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>
    /// Moves the clock and fires the timers it passes. It starts no job: for that there is <see cref="JobTestServer.AdvanceAsync"/>. Use it while a handler runs that waits for
    /// something the clock does to it, such as its timeout.
    /// </summary>
    /// <param name="time">Zero or more.</param>
    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        AdvanceTo(GetUtcNow() + time);
    }

    /// <summary>Moves the clock to this time and fires the timers it passes. A time before now changes nothing.</summary>
    public void AdvanceTo(DateTimeOffset time)
    {
        while (TakeDue(time) is { } timer)
            timer.Fire();
    }

    /// <summary>When the next timer of any kind fires; null when none is set.</summary>
    internal DateTimeOffset? NextTimer() => Earliest(static _ => true);

    /// <summary>When the next <c>Task.Delay</c> on this clock ends. Timers of other kinds are deadlines as a rule, for which nobody waits: they pass only because something else does.</summary>
    internal DateTimeOffset? NextDelay() => Earliest(static timer => timer.IsDelay);

    /// <summary>Completes when a timer is set.</summary>
    internal Task TimerSet()
    {
        lock (gate)
            return newTimer.Task;
    }

    private DateTimeOffset? Earliest(Func<Timer, bool> which)
    {
        lock (gate)
            return timers.Where(which).Min(timer => timer.Due);
    }

    private Timer? TakeDue(DateTimeOffset limit)
    {
        lock (gate)
        {
            var next = timers.Where(timer => timer.Due <= limit).MinBy(timer => timer.Due);
            if (next is null)
            {
                now = limit > now ? limit : now;
                return null;
            }
            now = next.Due > now ? next.Due.Value : now;
            next.Passed(now);
            return next;
        }
    }

    private sealed class Timer(TestClock clock, TimerCallback callback, object? state) : ITimer
    {
        private readonly ExecutionContext? context = ExecutionContext.Capture();
        private TimeSpan period;

        public DateTimeOffset? Due { get; private set; }

        // Task.Delay hands itself over as a plain task; WaitAsync is a task of some result, and a token's deadline is no task.
        public bool IsDelay { get; } = state is Task && !state.GetType().IsGenericType;

        public bool Change(TimeSpan dueTime, TimeSpan every)
        {
            lock (clock.gate)
            {
                clock.timers.Remove(this);
                period = every;
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : clock.now + dueTime;
                if (Due is null)
                    return true;
                clock.timers.Add(this);
                var set = clock.newTimer;
                clock.newTimer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                set.SetResult();
            }
            return true;
        }

        /// <summary>Called with the clock's gate held.</summary>
        public void Passed(DateTimeOffset now)
        {
            if (period > TimeSpan.Zero)
            {
                Due = now + period;
                return;
            }
            Due = null;
            clock.timers.Remove(this);
        }

        public void Fire()
        {
            if (context is null)
                callback(state);
            else
                ExecutionContext.Run(context, static timer => ((Timer)timer!).Call(), this);
        }

        public void Dispose()
        {
            lock (clock.gate)
            {
                clock.timers.Remove(this);
                Due = null;
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Call() => callback(state);
    }
}
