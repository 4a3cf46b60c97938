using Millrace.Storage;

namespace Millrace.Tending;

/// <summary>
/// Decides which ticks of a schedule to fire. Pure: the store calls it with the schedule's row locked, and carries the plan out in the same
/// transaction.
/// <para>
/// A schedule whose cursor is at most <see cref="Late"/> behind was only looked at late, and all its due ticks are fired. Otherwise nobody was
/// there, and the schedule's <see cref="MissedTicks"/> decides: <c>Last</c> fires the newest; <c>Skip</c> fires the newest if it is at most
/// <see cref="Fresh"/> old; <c>All</c> fires those of the last 24 hours, at most the newest 100. The rest is counted as skipped.
/// </para>
/// <para>Ticks that fell into a pause are skipped, whatever the schedule says of missed ones: somebody wanted them not to be.</para>
/// </summary>
internal static class TickPlanner
{
    /// <summary>Longer than a restart of the database or a pause of the process, shorter than what people call an outage.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromSeconds(10);

    /// <summary>The age up to which Quartz, too, calls a trigger late and not misfired.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(60);

    public static readonly TimeSpan Farthest = TimeSpan.FromHours(24);

    public const int MostJobs = 100;

    /// <summary>Skipped ticks are counted up to here: counting a week of seconds would hold the schedule's lock for a second.</summary>
    public const int MostCounted = 10_000;

    /// <summary>Decides about all ticks up to now.</summary>
    /// <param name="schedule">As stored. Its <see cref="Schedule.NextDue"/> is the cursor: the first tick that is neither fired nor skipped, or any time since the tick before it.</param>
    /// <param name="now">The store's clock.</param>
    /// <param name="newId">Called once for each job of the plan, at most <see cref="MostJobs"/> times.</param>
    /// <param name="newNonce">Called once for each job of the plan.</param>
    /// <exception cref="InvalidScheduleException">The stored expression or zone cannot be read on this machine. See <see cref="Postpone"/>.</exception>
    public static TickPlan Plan(Schedule schedule, DateTimeOffset now, Func<long> newId, Func<long> newNonce)
    {
        var times = CronTimes.Parse(schedule.Cron, schedule.Zone);
        // The cursor is looked up again, not believed: the rules of the zone may have changed since it was stored.
        var first = schedule.NextDue is { } cursor ? times.Next(cursor.AddTicks(-1)) : null;
        if (first is not { } from || from > now)
            return new TickPlan([], schedule.LastTick ?? now, first, 0);

        // Here: from <= newest <= now.
        var newest = times.Last(from.AddTicks(-1), now) ?? from;
        var fired = Choose(schedule.MissedTicks, new OpenTimes(times, schedule.Pause), from, now);
        var skipped = CountBefore(times, from, fired.Count > 0 ? fired[0] : newest.AddTicks(1));
        // Those of a pause between the ones that fire, and after them.
        if (schedule.Pause is not null && fired.Count > 0)
            skipped += CountBefore(times, fired[0], newest.AddTicks(1)) - fired.Count;
        NewJob[] jobs = [.. fired.Select(tick => Job(schedule, tick, newId(), newNonce()))];
        return new TickPlan(jobs, newest, times.Next(Later(newest, now)), skipped);
    }

    /// <summary>For a schedule that this machine cannot read: nothing is fired, and it is looked at again in a minute, so that it does not stand in the way of the others.</summary>
    public static TickPlan Postpone(Schedule schedule, DateTimeOffset now) =>
        new([], schedule.LastTick ?? now, now + TimeSpan.FromMinutes(1), 0);

    private static List<DateTimeOffset> Choose(MissedTicks policy, OpenTimes times, DateTimeOffset first, DateTimeOffset now)
    {
        if (times.Next(first.AddTicks(-1)) is not { } from || from > now)
            return [];
        var newest = times.Last(from.AddTicks(-1), now) ?? from;
        if (now - from <= Late)
            return Newest(times, newest, from);
        return policy switch
        {
            MissedTicks.Skip => now - newest <= Fresh ? [newest] : [],
            MissedTicks.All => Newest(times, newest, Later(from, now - Farthest)),
            _ => [newest],
        };
    }

    /// <summary>At most 100 ticks back from the newest, none before the oldest; in the order of time.</summary>
    private static List<DateTimeOffset> Newest(OpenTimes times, DateTimeOffset newest, DateTimeOffset oldest)
    {
        var ticks = new List<DateTimeOffset>();
        for (DateTimeOffset? tick = newest; tick >= oldest && ticks.Count < MostJobs; tick = times.Last(oldest.AddTicks(-1), tick.Value.AddTicks(-1)))
            ticks.Add(tick.Value);
        ticks.Reverse();
        return ticks;
    }

    private static int CountBefore(CronTimes times, DateTimeOffset from, DateTimeOffset end)
    {
        var count = 0;
        for (DateTimeOffset? tick = from; tick < end && count < MostCounted; tick = times.Next(tick.Value))
            count++;
        return count;
    }

    private static NewJob Job(Schedule schedule, DateTimeOffset tick, long id, long nonce) => schedule.Template with
    {
        Id = id,
        Nonce = nonce,
        Due = tick,
        Delay = TimeSpan.Zero,
        Schedule = schedule.Name,
    };

    private static DateTimeOffset Later(DateTimeOffset left, DateTimeOffset right) => left > right ? left : right;
}
