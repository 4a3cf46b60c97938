using System.Globalization;

namespace Millrace.Inspecting;

/// <summary>A cron expression in words, for people. Pure.</summary>
internal static class CronWords
{
    private static readonly string[] days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    private static readonly string[] ordinals = ["first", "second", "third", "fourth", "fifth"];

    private static readonly Dictionary<string, string> macros = new(StringComparer.OrdinalIgnoreCase)
    {
        ["@every_second"] = "* * * * * *",
        ["@every_minute"] = "* * * * *",
        ["@hourly"] = "0 * * * *",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@weekly"] = "0 0 * * 0",
        ["@monthly"] = "0 0 1 * *",
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
    };

    /// <summary>Such as "every 15 minutes" or "at 02:00 on weekdays"; the expression itself when it is too special for words.</summary>
    public static string Say(string cron)
    {
        var fields = macros.GetValueOrDefault(cron.Trim(), cron).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length == 5)
            fields = ["0", .. fields];
        if (fields.Length != 6)
            return cron;
        var second = CronField.Read(fields[0], 0, 59);
        var minute = CronField.Read(fields[1], 0, 59);
        var hour = CronField.Read(fields[2], 0, 23);
        if (second is null || minute is null || hour is null || SayTime(second, minute, hour) is not { } time || SayDays(fields[3], fields[4], fields[5]) is not { } day)
            return cron;
        // What comes many times a day need not say that it comes every day.
        return day.Length > 0 ? $"{time} {day}" : time.StartsWith("at ", StringComparison.Ordinal) && !time.Contains("past") ? $"{time} every day" : time;
    }

    private static string? SayTime(CronField second, CronField minute, CronField hour)
    {
        if (second.IsAny || second.Step > 0)
            return minute.IsAny && Window(hour) is { } window ? Every(second, "second", "minute") + window : null;
        if (second.Single is not { } at)
            return null;
        if (minute.IsAny)
            return Window(hour) is { } window ? (at == 0 ? "every minute" : $"at {at} seconds past every minute") + window : null;
        if (minute.Step > 0)
            return at == 0 && Window(hour) is { } window ? Every(minute, "minute", "full hour") + window : null;
        if (minute.Values is not { } minutes)
            return null;
        if (hour.Values is { } hours && hours.Count * minutes.Count <= 6 && hour.Range is null)
            return "at " + List([.. hours.SelectMany(_ => minutes, (h, m) => at == 0 ? Text($"{h:00}:{m:00}") : Text($"{h:00}:{m:00}:{at:00}"))]);
        if (at != 0)
            return null;
        if (minute.Single is { } past && hour.Range is { } range)
            return Text($"every hour from {range.From:00}:{past:00} to {range.To:00}:{past:00}");
        var often = hour.IsAny ? "every hour" : hour.Step > 0 ? Every(hour, "hour", "midnight") : null;
        return often is null || minute.Single == 0 ? often : $"at {List([.. minutes.Select(m => Text($"{m}"))])} minutes past {(hour.IsAny ? often : $"the hour, {often}")}";
    }

    private static string Every(CronField field, string unit, string start) => field.Step switch
    {
        <= 1 => $"every {unit}",
        var step when (unit == "hour" ? 24 : 60) % step == 0 => $"every {step} {unit}s",
        // It starts again: */7 is not every seven minutes.
        var step => $"every {step} {unit}s from each {start}",
    };

    /// <summary>For what comes often: between which hours; null when there is no such phrase.</summary>
    private static string? Window(CronField hour) =>
        hour.IsAny ? "" : hour.Range is { } range ? Text($" from {range.From:00}:00 to {range.To:00}:59") : hour.Single is { } one ? Text($" from {one:00}:00 to {one:00}:59") : null;

    private static string? SayDays(string dayOfMonth, string month, string dayOfWeek)
    {
        if (CronField.Read(month, 1, 12) is not { } months || (!months.IsAny && months.Values is null))
            return null;
        var inMonths = months.Values is { } values ? List([.. values.Select(CultureInfo.InvariantCulture.DateTimeFormat.GetMonthName)]) : null;
        if (dayOfWeek is "*" or "?")
            return dayOfMonth is "*" or "?" ? (inMonths is null ? "" : $"every day in {inMonths}") : SayDates(dayOfMonth, inMonths);
        // Both must hold then, for which there is no plain phrase.
        if (dayOfMonth is not ("*" or "?") || SayWeekdays(dayOfWeek, inMonths) is not { } weekdays)
            return null;
        return weekdays;
    }

    private static string? SayDates(string dayOfMonth, string? inMonths)
    {
        var date = dayOfMonth.ToUpperInvariant() switch
        {
            "L" => "the last day",
            "LW" => "the last weekday",
            [.. var day, 'W'] when Number(day, 31) is { } nearest => $"the weekday nearest the {Ordinal(nearest)}",
            _ => CronField.Read(dayOfMonth, 1, 31) is { Values: { } values } ? $"the {List([.. values.Select(Ordinal)])}" : null,
        };
        return date is null ? null : $"on {date} of {inMonths ?? "every month"}";
    }

    private static string? SayWeekdays(string dayOfWeek, string? inMonths)
    {
        var suffix = inMonths is null ? "" : $" in {inMonths}";
        if (dayOfWeek is [.. var last, 'L' or 'l'] && CronField.Read(last, 0, 7)?.Single is { } lastDay)
            return $"on the last {days[lastDay % 7]} of {inMonths ?? "every month"}";
        if (dayOfWeek.Split('#') is [var name, var place] && CronField.Read(name, 0, 7)?.Single is { } day && Number(place, 5) is { } nth)
            return $"on the {ordinals[nth - 1]} {days[day % 7]} of {inMonths ?? "every month"}";
        if (CronField.Read(dayOfWeek, 0, 7)?.Values is not { } values)
            return null;
        // From Monday on, as weeks are read.
        List<int> week = [.. values.Select(value => value % 7).Distinct().OrderBy(value => (value + 6) % 7)];
        return week switch
        {
            [1, 2, 3, 4, 5] => "on weekdays" + suffix,
            [6, 0] => "at weekends" + suffix,
            { Count: 7 } => inMonths is null ? "" : "every day" + suffix,
            _ => $"on {List([.. week.Select(value => days[value] + "s")])}{suffix}",
        };
    }

    private static int? Number(string text, int greatest) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= greatest ? number : null;

    private static string Ordinal(int number) => number + ((number % 10, number / 10) switch
    {
        (1, not 1) => "st",
        (2, not 1) => "nd",
        (3, not 1) => "rd",
        _ => "th",
    });

    private static string List(List<string> items) => items.Count == 1 ? items[0] : $"{string.Join(", ", items.SkipLast(1))} and {items[^1]}";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}

/// <summary>One field of a cron expression, in the shapes for which there are words.</summary>
/// <param name="Step">For <c>*/n</c>; 0 for others.</param>
/// <param name="Values">For values, lists and ranges, in order; null for <c>*</c> and steps.</param>
internal sealed record CronField(int Step, IReadOnlyList<int>? Values)
{
    private static readonly string[] names = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    public bool IsAny => Step == 1;

    public int? Single => Values is [var only] ? only : null;

    /// <summary>Three neighbours or more.</summary>
    public (int From, int To)? Range => Values is { Count: > 2 } && Values[^1] - Values[0] == Values.Count - 1 ? (Values[0], Values[^1]) : null;

    /// <summary>Reads a field; null when it has another shape, or values out of bounds.</summary>
    public static CronField? Read(string text, int least, int greatest)
    {
        if (text is "*" or "?")
            return new CronField(1, null);
        if (text.StartsWith("*/", StringComparison.Ordinal))
            return int.TryParse(text.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var step) && step >= 1 && step <= greatest ? new CronField(step, null) : null;
        var values = new SortedSet<int>();
        foreach (var item in text.Split(','))
        {
            var ends = item.Split('-');
            if (ends.Length > 2 || Value(ends[0], least, greatest) is not { } from || Value(ends[^1], least, greatest) is not { } to || from > to)
                return null;
            values.UnionWith(Enumerable.Range(from, to - from + 1));
        }

        return new CronField(0, [.. values]);
    }

    private static int? Value(string text, int least, int greatest)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            value = greatest == 12 ? Array.IndexOf(names, text.ToUpperInvariant()) + 1 : greatest == 7 ? Array.IndexOf(weekdays, text.ToUpperInvariant()) : -1;
        return value >= least && value <= greatest ? value : null;
    }
}
