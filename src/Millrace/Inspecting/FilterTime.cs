using System.Globalization;

namespace Millrace.Inspecting;

/// <summary>A time as a filter names it: a moment, or a day, minute or second as a whole. In UTC, in microseconds, as stores keep them. Pure.</summary>
/// <param name="First">Its first microsecond.</param>
/// <param name="Last">Its last one.</param>
internal readonly record struct FilterTime(DateTimeOffset First, DateTimeOffset Last)
{
    public const string Expected = "a date (2026-07-01), a date and time in UTC (2026-07-01T10:00), now, today, yesterday, or a distance from now (-1h, -30m, -7d, -2w, +1h)";

    /// <summary>The step between two times that a store can tell apart.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMicroseconds(1);

    private static readonly DateTimeOffset least = DateTimeOffset.UnixEpoch;
    private static readonly DateTimeOffset greatest = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly (string Format, TimeSpan Span)[] formats =
    [
        ("yyyy-MM-dd", TimeSpan.FromDays(1)),
        ("yyyy-MM-ddTHH:mmK", TimeSpan.FromMinutes(1)),
        ("yyyy-MM-ddTHH:mm:ssK", TimeSpan.FromSeconds(1)),
        ("yyyy-MM-ddTHH:mm:ss.FFFFFFFK", Step),
    ];

    public bool IsMoment => First == Last;

    /// <summary>Reads a time; null when it is none.</summary>
    public static FilterTime? Read(string text, DateTimeOffset now)
    {
        now = Rounded(now);
        switch (text.ToLowerInvariant())
        {
            case "now":
                return new FilterTime(now, now);
            case "today":
                return Of(now - now.TimeOfDay, TimeSpan.FromDays(1));
            case "yesterday":
                return Of(now - now.TimeOfDay - TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        }

        return text is ['-' or '+', ..] ? ReadDistance(text, now) : ReadDate(text);
    }

    /// <summary>A moment as a filter names it.</summary>
    public static string Write(DateTimeOffset moment)
    {
        // Without a fraction it would be a whole second.
        var text = moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture).TrimEnd('0');
        return text.EndsWith('.') ? text + "0Z" : text + "Z";
    }

    private static FilterTime? ReadDistance(string text, DateTimeOffset now)
    {
        if (text.Length < 3 || !int.TryParse(text.AsSpan(1, text.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > 99_999)
            return null;
        TimeSpan? unit = text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            'w' => TimeSpan.FromDays(7),
            _ => null,
        };
        return unit is null ? null : Of(now + unit.Value * (text[0] == '-' ? -count : count), Step);
    }

    private static FilterTime? ReadDate(string text)
    {
        foreach (var (format, span) in formats)
        {
            if (DateTimeOffset.TryParseExact(text, format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var date))
                return date >= least && date < greatest ? Of(Rounded(date), span) : null;
        }

        return null;
    }

    private static FilterTime Of(DateTimeOffset first, TimeSpan span) => new(first, first + span - Step);

    private static DateTimeOffset Rounded(DateTimeOffset time)
    {
        var inside = time < least ? least : time > greatest ? greatest : time.ToUniversalTime();
        return inside.AddTicks(-(inside.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
