using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

/// <summary>How .NET's values stand in SQLite's columns.</summary>
internal static class Values
{
    /// <summary>Microseconds since 1970 in UTC.</summary>
    public static long ToMicros(this DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static long ToMicros(this TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset ToTime(this long micros) => DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    public static TimeSpan ToSpan(this long micros) => TimeSpan.FromTicks(micros * TimeSpan.TicksPerMicrosecond);

    public static string ToText(this Guid id) => id.ToString("D");

    public static Guid Guid(this SqliteDataReader row, int column) => System.Guid.ParseExact(row.GetString(column), "D");

    public static Guid? MaybeGuid(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.Guid(column);

    public static string? MaybeText(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static long? MaybeNumber(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    public static DateTimeOffset Time(this SqliteDataReader row, int column) => row.GetInt64(column).ToTime();

    public static DateTimeOffset? MaybeTime(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.Time(column);

    /// <summary>Since when, by whom, why and until when, in four columns.</summary>
    public static Pause? MaybePause(this SqliteDataReader row, int column) => row.IsDBNull(column)
        ? null
        : new Pause(row.Time(column), row.MaybeText(column + 1), row.MaybeText(column + 2), row.MaybeTime(column + 3));

    /// <summary>A JSON list of numbers.</summary>
    public static string ToList(IEnumerable<long> numbers)
    {
        var text = new StringBuilder("[");
        foreach (var number in numbers)
        {
            if (text.Length > 1)
                text.Append(',');
            text.Append(CultureInfo.InvariantCulture, $"{number}");
        }

        return text.Append(']').ToString();
    }

    public static string ToList(IEnumerable<int> numbers) => ToList(numbers.Select(number => (long)number));

    public static long[] FromList(string list)
    {
        var inside = list.AsSpan(1, list.Length - 2);
        if (inside.IsEmpty)
            return [];
        var numbers = new long[inside.Count(',') + 1];
        var i = 0;
        foreach (var part in inside.Split(','))
            numbers[i++] = long.Parse(inside[part], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return numbers;
    }

    public static int[] FromIntList(string list) => Array.ConvertAll(FromList(list), checked(number => (int)number));

    /// <summary>A JSON list of texts.</summary>
    public static string ToTextList(IReadOnlyList<string> texts)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartArray();
            foreach (var text in texts)
                json.WriteStringValue(text);
            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    public static string[] FromTextList(string list)
    {
        using var document = JsonDocument.Parse(list);
        return [.. document.RootElement.EnumerateArray().Select(text => text.GetString() ?? "")];
    }
}
