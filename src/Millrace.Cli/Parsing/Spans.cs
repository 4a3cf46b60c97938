using System.Globalization;

namespace Millrace.Cli.Parsing;

/// <summary>Spans and times as people type them. Pure.</summary>
internal static class Spans
{
    private const string Expected = "a span such as 90s, 10m, 1h30m, 2d or 00:10:00";

    /// <summary><c>500ms</c>, <c>90s</c>, <c>10m</c>, <c>1h30m</c>, <c>2d</c>, <c>1w</c>, or <c>00:10:00</c>.</summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static TimeSpan Parse(string text)
    {
        if (text.Contains(':', StringComparison.Ordinal))
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var exact) && exact >= TimeSpan.Zero ? exact : throw Fault(text);
        var sum = TimeSpan.Zero;
        var rest = text.AsSpan();
        if (rest.Length == 0)
            throw Fault(text);
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || digits > 9)
                throw Fault(text);
            var number = int.Parse(rest[..digits], CultureInfo.InvariantCulture);
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9') is var next and >= 0 ? next : rest.Length;
            sum += number * UnitOf(rest[..letters], text);
            rest = rest[letters..];
        }

        return sum;
    }

    /// <summary>A point in time: ISO 8601 (local unless it says otherwise), or a span before (<paramref name="back"/>) or after now.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static DateTimeOffset ParseTime(string text, DateTimeOffset now, bool back)
    {
        if (text.Length > 0 && char.IsAsciiDigit(text[^1]) is false && char.IsAsciiDigit(text[0]) && text[^1] != 'Z')
            return back ? now - Parse(text) : now + Parse(text);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time)
            ? time.ToUniversalTime()
            : throw new FormatException($"\"{text}\" is neither a time such as 2026-11-25T13:00:00Z nor {Expected}.");
    }

    private static TimeSpan UnitOf(ReadOnlySpan<char> unit, string text) => unit switch
    {
        "ms" => TimeSpan.FromMilliseconds(1),
        "s" => TimeSpan.FromSeconds(1),
        "m" => TimeSpan.FromMinutes(1),
        "h" => TimeSpan.FromHours(1),
        "d" => TimeSpan.FromDays(1),
        "w" => TimeSpan.FromDays(7),
        _ => throw Fault(text),
    };

    private static FormatException Fault(string text) => new($"\"{text}\" is not {Expected}.");
}
