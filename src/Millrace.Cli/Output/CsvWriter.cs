using System.Globalization;
using System.Text;

namespace Millrace.Cli.Output;

/// <summary>Comma-separated values as RFC 4180 has them, for spreadsheets. Pure but for the writer.</summary>
internal static class CsvWriter
{
    public static void Write<T>(TextWriter output, Sheet<T> sheet, IReadOnlyList<T> rows)
    {
        var columns = sheet.Columns.Where(column => column.Name is not null).ToList();
        output.WriteLine(string.Join(',', columns.Select(column => column.Name)));
        foreach (var row in rows)
            output.WriteLine(string.Join(',', columns.Select(column => Cell(column.Value(row)))));
    }

    public static string Cell(object? value) => value switch
    {
        null => "",
        bool isTrue => isTrue ? "true" : "false",
        short or int or long => Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
        double number => number.ToString("0.###", CultureInfo.InvariantCulture),
        TimeSpan span => span.TotalMilliseconds.ToString("0.###", CultureInfo.InvariantCulture),
        DateTimeOffset time => Words.Iso(time),
        Guid id => id.ToString(),
        string text => Text(text),
        JsonText json => Text(json.Text),
        Members members => Text(JsonDocumentWriter.Write(members, indented: false)),
        IEnumerable<string> texts => Text(string.Join(' ', texts)),
        _ => "",
    };

    // A spreadsheet takes a cell that begins like this for a formula, and would run what somebody put into a job.
    // It may also end up on a terminal, so what one would obey is made visible.
    private static string Text(string text)
    {
        var isFormula = text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r';
        var harmless = (isFormula ? "'" : "") + string.Join('\n', Neutral.Lines(text));
        return harmless.AsSpan().IndexOfAny(",\"\r\n") < 0 ? harmless : new StringBuilder("\"").Append(harmless.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"').ToString();
    }
}
