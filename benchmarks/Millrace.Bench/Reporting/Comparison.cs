using System.Globalization;
using System.Reflection;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Reporting;

/// <summary>This run beside an earlier one. Only what means the same on another machine is compared: ratios, WAL, commits, memory.</summary>
internal static class Comparison
{
    private static readonly IReadOnlyDictionary<string, Measure> Comparable = typeof(Measure)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => field.GetValue(null))
        .OfType<Measure>()
        .Where(measure => measure.IsComparable)
        .ToDictionary(measure => measure.Name);

    /// <summary>True when something is worse by more than so many per cent.</summary>
    public static bool Print(Result before, Result now, double percent)
    {
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"## Compared with the run of {before.Setting.At:yyyy-MM-dd HH:mm}"));
        Console.WriteLine();
        if (before.Setting.Scale != now.Setting.Scale)
            Console.WriteLine($"That run was of the scale \"{before.Setting.Scale}\", this one is of \"{now.Setting.Scale}\": some of the differences come from that.");
        var worse = Pairs(before, now).Where(pair => Worse(pair.Measure, pair.Before.Median, pair.Now.Median) > percent).ToArray();
        foreach (var (measure, then, figure) in worse)
            Console.WriteLine($"- **worse by {Table.Number(Worse(measure, then.Median, figure.Median))} %**: {figure.Workload}, {figure.Who}, {measure.Name}: {Table.Number(then.Median)} before, {Table.Number(figure.Median)} now");
        if (worse.Length == 0)
            Console.WriteLine($"Nothing is worse by more than {Table.Number(percent)} %, of {Pairs(before, now).Count()} figures that can be compared.");
        return worse.Length > 0;
    }

    private static IEnumerable<(Measure Measure, ResultFigure Before, ResultFigure Now)> Pairs(Result before, Result now) =>
        from figure in now.Figures
        where Comparable.ContainsKey(figure.Name)
        let then = before.Figures.FirstOrDefault(then => then.Workload == figure.Workload && then.Who == figure.Who && then.Name == figure.Name)
        where then is not null
        select (Comparable[figure.Name], then, figure);

    private static double Worse(Measure measure, double before, double now)
    {
        var loss = measure.HigherIsBetter ? before - now : now - before;
        return loss <= measure.Slack || before == 0 ? 0 : loss / before * 100;
    }
}
