using Cronos;

namespace Millrace.Tending;

/// <summary>
/// The times of a cron expression in a time zone. Daylight-saving rules are those of Cronos: a time that the clock jumps over comes at the end
/// of the gap; a time that comes twice is taken once, the first time; intervals (<c>*/30</c>) go on through both.
/// </summary>
internal sealed class CronTimes
{
    private readonly CronExpression cron;
    private readonly TimeZoneInfo zone;

    private CronTimes(string expression, CronExpression cron, TimeZoneInfo zone)
    {
        Expression = expression;
        this.cron = cron;
        this.zone = zone;
        Zone = IanaName(zone);
    }

    /// <summary>The expression, with single spaces.</summary>
    public string Expression { get; }

    /// <summary>The IANA name of the zone, also when a Windows name was given: what is stored must be readable by nodes on every system.</summary>
    public string Zone { get; }

    /// <summary>Parses six fields with seconds, five without, or a macro such as <c>@hourly</c>.</summary>
    /// <param name="expression">second (0-59), minute, hour, day of month, month, day of week. Without the first: second 0.</param>
    /// <param name="zoneName">An IANA or Windows name; null or empty for UTC.</param>
    /// <exception cref="InvalidScheduleException">Names the offending field and what is allowed.</exception>
    public static CronTimes Parse(string expression, string? zoneName)
    {
        var name = string.IsNullOrEmpty(zoneName) ? "UTC" : zoneName;
        var zone = FindZone(expression, name);
        var fields = expression.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var text = string.Join(' ', fields);
        var cron = fields is [['@', ..]] ? ParseMacro(text, name) : ParseFields(text, fields, name);
        var times = new CronTimes(text, cron, zone);
        // An expression has no year: what does not come in the 28 years after 2000, which hold every calendar, never comes.
        return times.Next(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero)) is null ? throw CronFault.NeverComes(text, name) : times;
    }

    /// <summary>The first time after this one; null when there is none any more. In UTC.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        var next = cron.GetNextOccurrence(after, zone)?.ToUniversalTime();
        // Strictly after, whatever the library does in an hour that comes twice: a tick that does not move on is fired for ever.
        while (next <= after)
            next = cron.GetNextOccurrence(next.Value.AddSeconds(1), zone, inclusive: true)?.ToUniversalTime();
        return next;
    }

    /// <summary>The last time that is later than <paramref name="after"/> and not later than <paramref name="end"/>; null when there is none. In UTC.</summary>
    public DateTimeOffset? Last(DateTimeOffset after, DateTimeOffset end)
    {
        // Halving over Next, about 30 calls. Not the library's own search backwards: before a gap in spring it finds a time, the last second
        // before the gap, that the search forwards never gives.
        var last = Next(after);
        if (last is null || last > end)
            return null;
        var (low, high) = (last.Value, end);
        while (high - low > TimeSpan.FromSeconds(1))
        {
            var middle = low + (high - low) / 2;
            if (Next(middle) is { } next && next <= end)
                last = low = next;
            else
                high = middle;
        }

        return Next(low) is { } beyond && beyond <= end ? beyond : last;
    }

    private static CronExpression ParseMacro(string text, string zone) =>
        CronExpression.TryParse(text, out var cron) ? cron : throw CronFault.Macro(text, zone);

    private static CronExpression ParseFields(string text, string[] fields, string zone)
    {
        if (fields.Length is not (5 or 6))
            throw CronFault.Count(text, fields.Length, zone);
        var format = fields.Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard;
        try
        {
            return CronExpression.Parse(text, format);
        }
        catch (Exception fault) when (fault is CronFormatException or MissingSeedException)
        {
            throw CronFault.Field(text, fields, OffendingField(fields, format), zone, fault);
        }
    }

    /// <summary>Tries each field alone among stars. -1: each is well, the whole is not.</summary>
    private static int OffendingField(string[] fields, CronFormat format) =>
        Array.FindIndex([.. Enumerable.Range(0, fields.Length)], i =>
        {
            var alone = Enumerable.Repeat("*", fields.Length).ToArray();
            alone[i] = fields[i];
            try
            {
                return !CronExpression.TryParse(string.Join(' ', alone), format, out _);
            }
            catch (MissingSeedException)
            {
                return true;
            }
        });

    private static TimeZoneInfo FindZone(string expression, string name) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : throw CronFault.Zone(expression, name);

    private static string IanaName(TimeZoneInfo zone)
    {
        if (zone.HasIanaId)
            return zone.Id;
        return TimeZoneInfo.TryConvertWindowsIdToIanaId(zone.Id, out var name) ? name : zone.Id;
    }
}
