namespace Millrace.Cli.Output;

/// <summary>Text for people on standard output: pairs of names and values, headings, lines. Everything is made neutral here.</summary>
internal sealed class Page(Terminal terminal)
{
    private const int NameWidth = 16;

    public void Pair(string name, string? value, Ink ink = Ink.Plain)
    {
        if (value is not null)
            terminal.Out.WriteLine($"{terminal.Paint(name.PadRight(NameWidth), Ink.Dim)}  {terminal.Paint(Neutral.Line(value), ink)}");
    }

    public void Heading(string text)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Paint(Neutral.Line(text), Ink.Bold));
    }

    public void Line(string text = "", Ink ink = Ink.Plain) => terminal.Out.WriteLine(terminal.Paint(Neutral.Line(text), ink));

    /// <summary>A text of several lines, set in.</summary>
    public void Block(string text, Ink ink = Ink.Plain)
    {
        foreach (var line in Neutral.Lines(text))
            terminal.Out.WriteLine(line.Length == 0 ? "" : $"  {terminal.Paint(line, ink)}");
    }

    public void Table<T>(Sheet<T> sheet, IReadOnlyList<T> rows) => TableWriter.Write(terminal, sheet, rows);
}
