using Millrace.Inspecting;
using Millrace.Storage;
using Millrace.Tending;

namespace Millrace.Cli.Output;

/// <summary>Schedules in lists. The names are those of the dashboard's API.</summary>
internal static class ScheduleSheet
{
    private const int Ahead = 5;

    /// <param name="when">A time as a table shows it.</param>
    /// <param name="now">What the next times count from.</param>
    public static Sheet<ScheduleRecord> Make(Func<DateTimeOffset?, string?> when, DateTimeOffset now) => new(
        "millrace.schedules.v1",
        "schedules",
        record => record.Schedule.Name,
        [
            new("name", "SCHEDULE", record => record.Schedule.Name),
            new("type", "TYPE", record => record.Schedule.Template.Type),
            new("cron", "CRON", record => record.Schedule.Cron),
            new("words", "IN WORDS", record => CronWords.Say(record.Schedule.Cron)) { IsElastic = true },
            new("zone", "ZONE", record => record.Schedule.Zone),
            new("isPersistent", "PERSISTENT", record => record.Schedule.IsPersistent),
            new("missedTicks", null, record => record.Schedule.MissedTicks.ToString().ToLowerInvariant()),
            new("queue", "QUEUE", record => record.Schedule.Template.Queue),
            new("tag", null, record => record.Schedule.Template.Tag),
            new("nextDue", "NEXT", record => record.Schedule.NextDue) { Text = record => record.Schedule.Pause is null ? when(record.Schedule.NextDue) : null },
            new("next", null, record => Next(record.Schedule.Cron, record.Schedule.Zone, now, Ahead).Select(time => (object)time)),
            new("lastTick", "LAST", record => record.Schedule.LastTick) { Text = record => when(record.Schedule.LastTick) },
            new("pause", "PAUSED", record => PauseOf(record, now) is { } pause ? Pauses.Of(pause) : null) { Text = record => PauseOf(record, now) is { } pause ? Pauses.Say(pause, when) : null, Ink = _ => Ink.Yellow, IsElastic = true },
            new("created", null, record => record.Created),
            new("owners", "OWNERS", record => record.Owners) { IsRight = true, Text = record => record.Schedule.IsPersistent ? "" : record.Owners.ToString(System.Globalization.CultureInfo.InvariantCulture) },
        ]);

    /// <summary>The next times of an expression. Of one that this process cannot read (its zone is not known here), none.</summary>
    public static IReadOnlyList<DateTimeOffset> Next(string cron, string? zone, DateTimeOffset now, int count)
    {
        CronTimes times;
        try
        {
            times = CronTimes.Parse(cron, zone);
        }
        catch (InvalidScheduleException)
        {
            return [];
        }

        var next = new List<DateTimeOffset>(count);
        for (var time = times.Next(now); time is { } known && next.Count < count; time = times.Next(known))
            next.Add(known);
        return next;
    }

    private static Pause? PauseOf(ScheduleRecord record, DateTimeOffset now) => record.Schedule.Pause is { } pause && !(pause.Until <= now) ? pause : null;
}
