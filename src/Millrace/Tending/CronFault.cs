using Millrace.Submitting;

namespace Millrace.Tending;

/// <summary>What is wrong with a schedule, in sentences.</summary>
internal static class CronFault
{
    private static readonly (string Name, string Allowed)[] fields =
    [
        ("second", "0-59"),
        ("minute", "0-59"),
        ("hour", "0-23"),
        ("day of month", "1-31, L for the last day, W for the nearest weekday"),
        ("month", "1-12 or JAN-DEC"),
        ("day of week", "0-7 or SUN-SAT (0 and 7 are Sunday), 5L for the last Friday, 5#2 for the second"),
    ];

    public static InvalidScheduleException Field(string text, string[] given, int index, string zone, Exception fault)
    {
        if (index < 0)
            return Of(text, zone, null, $"is not valid: {fault.Message}");
        var (name, allowed) = fields[index + fields.Length - given.Length];
        return Of(text, zone, name, $"is not valid: its {name} is \"{given[index]}\"; allowed are {allowed}, also as *, lists (1,2), ranges (1-5) and steps (*/10)");
    }

    public static InvalidScheduleException Count(string text, int count, string zone) =>
        Of(text, zone, null, $"has {count} fields; it must have six (second minute hour day-of-month month day-of-week) or five (without the second)");

    public static InvalidScheduleException Macro(string text, string zone) =>
        Of(text, zone, null, "is not known; known are @every_second, @every_minute, @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually");

    public static InvalidScheduleException NeverComes(string text, string zone) =>
        Of(text, zone, "day of month", "never comes: no month it names has that day");

    public static InvalidScheduleException Zone(string expression, string zone)
    {
        var question = NearestName.Question(zone, TimeZoneInfo.GetSystemTimeZones().Select(known => known.Id));
        return new InvalidScheduleException(
            expression, zone, "time zone",
            $"Time zone \"{zone}\" of the schedule \"{expression}\" is not known on this machine. Give an IANA name such as \"Europe/Berlin\", or \"UTC\".{question} The schedule was not stored.");
    }

    private static InvalidScheduleException Of(string text, string zone, string? field, string fault) =>
        new(text, zone, field, $"Cron expression \"{text}\" {fault}. The schedule was not stored.");
}
