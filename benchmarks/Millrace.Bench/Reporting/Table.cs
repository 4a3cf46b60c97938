using System.Globalization;
using Millrace.Bench.Measuring;
using Millrace.Bench.Workloads;

namespace Millrace.Bench.Reporting;

/// <summary>The report: Markdown, so that it can be kept as it is. Ratios and goals first, since they mean something on any machine.</summary>
internal static class Table
{
    public static void Print(Setting setting, Sheet sheet, IReadOnlyList<IWorkload> workloads, Scale scale, TimeSpan elapsed, IReadOnlyList<string> faults)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{setting.At:yyyy-MM-dd HH:mm} UTC, {setting.Processors} processors, {string.Join(", ", setting.Versions.Select(version => $"{version.Key} {version.Value}"))}"));
        Console.WriteLine($"Scale \"{setting.Scale}\", {elapsed.TotalMinutes:0} minutes. Medians of the rounds (least–most).");
        PrintGoals(sheet, workloads);
        foreach (var workload in workloads)
            Print(workload, sheet, scale);
        if (faults.Count == 0)
            return;
        Console.WriteLine();
        Console.WriteLine("## Failed");
        Console.WriteLine();
        foreach (var fault in faults)
            Console.WriteLine($"- {fault}");
    }

    /// <summary>Three digits that count, and all of those in front of the point.</summary>
    public static string Number(double value)
    {
        var size = Math.Abs(value);
        var format = size switch { >= 100 => "#,0", >= 10 => "0.0", >= 1 => "0.00", 0 => "0", >= 0.01 => "0.000", _ => "0.0000" };
        var text = value.ToString(format, CultureInfo.InvariantCulture);
        return text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;
    }

    private static void PrintGoals(Sheet sheet, IReadOnlyList<IWorkload> workloads)
    {
        List<string[]> rows = [];
        foreach (var goal in Goal.All.Where(goal => workloads.Any(workload => workload.Name == goal.Workload)))
        {
            var figure = sheet.Figures.FirstOrDefault(figure => figure.Workload == goal.Workload && figure.Who == goal.Who && figure.Measure == goal.Measure);
            rows.Add(
            [
                goal.Workload, goal.Who, goal.Measure.Name, goal.Text,
                figure is null ? "not measured" : Cell(figure) + (figure.Measure.Unit is "" or "×" ? "" : " " + figure.Measure.Unit),
                figure is null ? "" : goal.IsReached(figure.Median) ? "reached" : "**not reached**",
            ]);
        }

        if (rows.Count == 0)
            return;
        Console.WriteLine();
        Console.WriteLine("## Goals");
        Console.WriteLine();
        Print(["", "who", "figure", "goal", "measured", ""], rows);
    }

    private static void Print(IWorkload workload, Sheet sheet, Scale scale)
    {
        var figures = sheet.Figures.Where(figure => figure.Workload == workload.Name).ToArray();
        if (figures.Length == 0)
            return;
        var who = figures.Select(figure => figure.Who).Distinct().ToArray();
        var measures = figures.Select(figure => figure.Measure).Distinct().OrderBy(measure => measure.Unit == "×" ? 0 : 1).ToArray();
        string CellOf(string one, Measure measure) => Array.Find(figures, figure => figure.Who == one && figure.Measure == measure) is { } figure ? Cell(figure) : "";
        Console.WriteLine();
        Console.WriteLine($"## {workload.Title(scale)}");
        Console.WriteLine();
        // The longer list goes down.
        if (who.Length > 6)
            Print(["", .. measures.Select(Head)], [.. who.Select(one => (string[])[one, .. measures.Select(measure => CellOf(one, measure))])]);
        else
            Print(["", .. who], [.. measures.Select(measure => (string[])[Head(measure), .. who.Select(one => CellOf(one, measure))])]);
    }

    private static string Head(Measure measure) => measure.Name + (measure.Unit is "" or "×" ? "" : $", {measure.Unit}");

    private static string Cell(Figure figure) => figure.Values.Count == 1
        ? Number(figure.Median)
        : $"{Number(figure.Median)} ({Number(figure.Least)}–{Number(figure.Most)})";

    private static void Print(string[] head, IReadOnlyList<string[]> rows)
    {
        var widths = head.Select((text, column) => Math.Max(3, rows.Select(row => row[column].Length).Append(text.Length).Max())).ToArray();
        string Line(string[] cells) => "| " + string.Join(" | ", cells.Select((cell, column) => cell.PadRight(widths[column]))) + " |";
        Console.WriteLine(Line(head));
        Console.WriteLine("|" + string.Join("|", widths.Select(width => new string('-', width + 2))) + "|");
        foreach (var row in rows)
            Console.WriteLine(Line(row));
    }
}
