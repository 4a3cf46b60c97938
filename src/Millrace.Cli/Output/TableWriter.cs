using System.Globalization;
using System.Text;

namespace Millrace.Cli.Output;

/// <summary>Tables of plain text: what people read, and <c>awk</c> too. Not drawn by a library, because a list has to be there at once.</summary>
internal static class TableWriter
{
    private const string Gap = "  ";

    public static void Write<T>(Terminal terminal, Sheet<T> sheet, IReadOnlyList<T> rows)
    {
        var columns = sheet.Columns.Where(column => column.Header is not null).ToList();
        var cells = rows.Select(row => columns.Select(column => Neutral.Line(TextOf(column, row))).ToList()).ToList();
        // A column in which nobody has anything to say only takes room.
        for (var i = columns.Count - 1; i >= 0; i--)
        {
            if (columns[i].Header is "" or null || rows.Count == 0 || cells.Any(row => row[i].Length > 0))
                continue;
            columns.RemoveAt(i);
            cells.ForEach(row => row.RemoveAt(i));
        }

        var widths = columns.Select((column, i) => Math.Max(TextWidth.Of(column.Header ?? ""), cells.Select(row => TextWidth.Of(row[i])).DefaultIfEmpty().Max())).ToArray();
        Fit(columns, widths, terminal.Width);

        terminal.Out.WriteLine(terminal.Paint(Line(columns, widths, i => columns[i].Header ?? "", (_, text) => text), Ink.Dim));
        for (var r = 0; r < rows.Count; r++)
        {
            var (row, source) = (cells[r], rows[r]);
            terminal.Out.WriteLine(Line(columns, widths, i => row[i], (i, text) => terminal.Paint(text, columns[i].Ink?.Invoke(source) ?? Ink.Plain)));
        }
    }

    private static string Line<T>(List<Column<T>> columns, int[] widths, Func<int, string> text, Func<int, string, string> paint)
    {
        var line = new StringBuilder();
        for (var i = 0; i < columns.Count; i++)
        {
            var cell = TextWidth.Cut(text(i), widths[i]);
            var space = new string(' ', Math.Max(0, widths[i] - TextWidth.Of(cell)));
            var isLast = i == columns.Count - 1;
            if (i > 0)
                line.Append(Gap);
            if (columns[i].IsRight)
                line.Append(space);
            line.Append(cell.Length > 0 ? paint(i, cell) : "");
            if (!columns[i].IsRight && !isLast)
                line.Append(space);
        }

        return line.ToString().TrimEnd();
    }

    private static void Fit<T>(List<Column<T>> columns, int[] widths, int? room)
    {
        const int Least = 8;
        while (room is { } most && widths.Sum() + (widths.Length - 1) * Gap.Length is var sum && sum > most)
        {
            var widest = -1;
            for (var i = 0; i < widths.Length; i++)
            {
                if (widths[i] > Least && (widest < 0 || (columns[i].IsElastic, widths[i]).CompareTo((columns[widest].IsElastic, widths[widest])) > 0))
                    widest = i;
            }

            if (widest < 0)
                return;
            widths[widest] = Math.Max(Least, widths[widest] - (sum - most));
        }
    }

    private static string TextOf<T>(Column<T> column, T row) => column.Text is { } text ? text(row) ?? "" : column.Value(row) switch
    {
        null => "",
        bool isTrue => isTrue ? "yes" : "",
        int or long or short => Convert.ToInt64(column.Value(row), CultureInfo.InvariantCulture).ToString("N0", CultureInfo.InvariantCulture),
        double number => number.ToString("0.#", CultureInfo.InvariantCulture),
        TimeSpan span => Words.Span(span),
        IEnumerable<string> texts => string.Join(", ", texts),
        var other => Convert.ToString(other, CultureInfo.InvariantCulture) ?? "",
    };
}
