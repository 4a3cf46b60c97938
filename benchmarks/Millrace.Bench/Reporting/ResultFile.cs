using System.Text.Encodings.Web;
using System.Text.Json;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Reporting;

/// <summary>The figures of a session as they are kept in a file.</summary>
internal sealed record Result(Setting Setting, IReadOnlyList<ResultFigure> Figures, IReadOnlyList<string> Failed);

internal sealed record ResultFigure(string Workload, string Who, string Name, string Unit, double Median, double Least, double Most, IReadOnlyList<double> Rounds);

internal static class ResultFile
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Result From(Setting setting, Sheet sheet, IReadOnlyList<string> faults) => new(
        setting,
        [.. sheet.Figures.Select(figure => new ResultFigure(
            figure.Workload, figure.Who, figure.Measure.Name, figure.Measure.Unit, Rounded(figure.Median), Rounded(figure.Least), Rounded(figure.Most), [.. figure.Values.Select(Rounded)]))],
        faults);

    public static void Write(string file, Setting setting, Sheet sheet, IReadOnlyList<string> faults) =>
        File.WriteAllText(file, JsonSerializer.Serialize(From(setting, sheet, faults), Json) + "\n");

    public static Result Read(string file) =>
        JsonSerializer.Deserialize<Result>(File.ReadAllText(file), Json) ?? throw new FormatException($"{file} holds no results.");

    // Five digits that count: the rest is noise, and makes the file hard to read.
    private static double Rounded(double value) => value == 0 || !double.IsFinite(value) ? value : Math.Round(value, Math.Clamp(4 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 15));
}
