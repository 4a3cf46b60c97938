using Millrace.Storage;
using Millrace.Tending;

namespace Millrace.Dashboard.Watching;

/// <summary>A piece of the day to come in which something is due.</summary>
/// <param name="At">Its beginning.</param>
/// <param name="Ticks">How many jobs the schedules make in it.</param>
/// <param name="Schedules">Which, those with the most ticks first.</param>
internal sealed record AheadSlot(DateTimeOffset At, int Ticks, IReadOnlyList<string> Schedules);

/// <summary>What the schedules make in the day to come: where they pile up. Pure.</summary>
internal sealed record Ahead(DateTimeOffset From, DateTimeOffset To, IReadOnlyList<AheadSlot> Slots, bool IsPartial)
{
    public static readonly TimeSpan Step = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan day = TimeSpan.FromHours(24);

    // Tenths of a second for all schedules together. Those that tick every second would take more, and say nothing.
    private const int MostTicks = 300_000;

    public static Ahead Of(IEnumerable<Schedule> schedules, DateTimeOffset now)
    {
        // Slots begin at round times, so that they stay the same from one look to the next.
        var from = new DateTimeOffset(now.UtcTicks - now.UtcTicks % Step.Ticks, TimeSpan.Zero);
        var counts = new SortedDictionary<long, Dictionary<string, int>>();
        var left = MostTicks;
        foreach (var schedule in schedules)
        {
            foreach (var tick in TicksOf(schedule, now, from + day))
            {
                if (left-- <= 0)
                    return new Ahead(from, from + day, Collect(counts, from), IsPartial: true);
                var slot = (tick - from).Ticks / Step.Ticks;
                if (!counts.TryGetValue(slot, out var bySchedule))
                    counts[slot] = bySchedule = new Dictionary<string, int>(StringComparer.Ordinal);
                bySchedule[schedule.Name] = bySchedule.GetValueOrDefault(schedule.Name) + 1;
            }
        }

        return new Ahead(from, from + day, Collect(counts, from), IsPartial: false);
    }

    private static List<AheadSlot> Collect(SortedDictionary<long, Dictionary<string, int>> counts, DateTimeOffset from) =>
    [
        .. counts.Select(slot => new AheadSlot(
            from + slot.Key * Step, slot.Value.Values.Sum(), [.. slot.Value.OrderByDescending(one => one.Value).ThenBy(one => one.Key, StringComparer.Ordinal).Select(one => one.Key)])),
    ];

    private static IEnumerable<DateTimeOffset> TicksOf(Schedule schedule, DateTimeOffset now, DateTimeOffset end)
    {
        if (schedule.NextDue is not { } due || schedule.Pause is { Until: null } || Times(schedule) is not { } times)
            yield break;
        // Ticks that fall into a pause make nothing.
        var begin = schedule.Pause?.Until is { } until && until > now ? until : now;
        for (DateTimeOffset? tick = due > begin ? due : times.Next(begin); tick < end; tick = times.Next(tick.Value))
            yield return tick.Value;
    }

    private static CronTimes? Times(Schedule schedule)
    {
        try
        {
            return CronTimes.Parse(schedule.Cron, schedule.Zone);
        }
        catch (InvalidScheduleException)
        {
            return null;
        }
    }
}
