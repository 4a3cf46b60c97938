using System.Globalization;

namespace Millrace.Inspecting;

/// <summary>Times, counts and texts as they stand in a sentence. Pure.</summary>
internal static class Spoken
{
    /// <summary>A duration, roughly: 3 s, 12 min, 2 h 5 min, 4 days.</summary>
    public static string Span(TimeSpan span)
    {
        var length = span.Duration();
        if (length < TimeSpan.FromSeconds(1))
            return Text($"{(long)length.TotalMilliseconds} ms");
        if (length < TimeSpan.FromMinutes(2))
            return Text($"{(long)length.TotalSeconds} s");
        if (length < TimeSpan.FromHours(2))
            return Text($"{(long)length.TotalMinutes} min");
        if (length < TimeSpan.FromDays(2))
            return length.Minutes == 0 || length > TimeSpan.FromHours(10) ? Text($"{(long)length.TotalHours} h") : Text($"{(long)length.TotalHours} h {length.Minutes} min");
        return Text($"{(long)length.TotalDays} days");
    }

    /// <summary>A time, with its day unless it is the day of <paramref name="now"/>.</summary>
    public static string At(DateTimeOffset time, DateTimeOffset now) =>
        time.UtcDateTime.ToString(time.UtcDateTime.Date == now.UtcDateTime.Date ? "HH:mm:ss" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";

    /// <summary>A time and how far it is: <c>12:30:00 UTC, in 5 min</c>.</summary>
    public static string AtAndAway(DateTimeOffset time, DateTimeOffset now) => $"{At(time, now)}, {(time > now ? $"in {Span(time - now)}" : $"{Span(now - time)} ago")}";

    /// <summary>A count with its noun: <c>1 job</c>, <c>1,204 jobs</c>.</summary>
    public static string Count(long count, string noun) => Text($"{count:N0} {noun}{(count == 1 ? "" : "s")}");

    /// <summary>The beginning of a text, at most so many characters, without half of a surrogate pair at its end.</summary>
    public static string Cut(string text, int longest) => text.Length <= longest ? text : text[..(char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest)];

    /// <summary>The first line of an error without secrets, cut; null when there is none.</summary>
    public static string? FirstLine(string? error)
    {
        const int longest = 200;
        var line = (error ?? "").AsSpan().TrimStart();
        var end = line.IndexOfAny('\n', '\r');
        var text = Redactor.Text((end < 0 ? line : line[..end]).TrimEnd().ToString());
        if (text.Length > longest)
            text = Cut(text, longest) + "…";
        return text.Length == 0 ? null : text;
    }

    /// <summary>An argument of a command line, in quotes if it needs them.</summary>
    public static string Argument(string text) =>
        text.Length > 0 && text.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/' or '@') && text[0] != '-' ? text : $"'{text.Replace("'", "'\\''")}'";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
