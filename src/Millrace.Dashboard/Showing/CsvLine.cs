using System.Globalization;
using System.Text;

namespace Millrace.Dashboard.Showing;

/// <summary>Jobs as lines of CSV (RFC 4180) for a spreadsheet. Pure.</summary>
internal static class CsvLine
{
    public const string Head = "id,type,tag,user,queue,priority,state,waits_for,attempt,run,due,created,started,finished,outcome,schedule,parent,node,progress,data,error";

    /// <summary>One job, with the end of the line.</summary>
    public static void Write(StringBuilder into, JobRowAnswer job)
    {
        into.Append(job.Id);
        Text(into, job.Type);
        Text(into, job.Tag);
        Plain(into, job.UserId);
        Text(into, job.Queue);
        Plain(into, job.Priority.ToString(CultureInfo.InvariantCulture));
        Plain(into, job.State);
        Cell(into, job.WaitsFor);
        Plain(into, job.Attempt.ToString(CultureInfo.InvariantCulture));
        Plain(into, job.Run.ToString(CultureInfo.InvariantCulture));
        Time(into, job.Due);
        Time(into, job.Created);
        Time(into, job.Started);
        Time(into, job.Finished);
        Plain(into, job.Outcome);
        Text(into, job.Schedule);
        Plain(into, job.Parent);
        Plain(into, job.Node);
        Plain(into, job.Progress?.ToString(CultureInfo.InvariantCulture));
        Text(into, job.Data);
        Text(into, job.Error);
        into.Append("\r\n");
    }

    /// <summary>A line that is no job: it says in its first cell why there are no more.</summary>
    public static string End(string why) => $"\"{why.Replace("\"", "\"\"", StringComparison.Ordinal)}\"\r\n";

    private static void Text(StringBuilder into, Shown? text) => Cell(into, text?.ToString());

    private static void Time(StringBuilder into, DateTimeOffset? time) => Plain(into, time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture));

    // What we have written ourselves: a number, a time, a word.
    private static void Plain(StringBuilder into, string? text) => into.Append(',').Append(text);

    /// <summary>A text that others wrote: always in quotes, and never taken for a formula.</summary>
    private static void Cell(StringBuilder into, string? text)
    {
        into.Append(',');
        if (text is null)
            return;
        into.Append('"');
        // A spreadsheet runs what begins like this, also behind spaces; the apostrophe makes it text.
        if (text.AsSpan().TrimStart(" \u00a0") is [var first, ..] && "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20".Contains(first, StringComparison.Ordinal))
            into.Append('\'');
        foreach (var letter in text)
        {
            if (letter == '"')
                into.Append('"');
            // A control character is nothing that a cell can hold.
            into.Append(letter is '\n' or '\r' or '\t' || !char.IsControl(letter) ? letter : '\ufffd');
        }

        into.Append('"');
    }
}
