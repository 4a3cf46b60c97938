namespace Millrace.Bench.Measuring;

/// <summary>All figures of a session, in the order in which they were first seen.</summary>
internal sealed class Sheet
{
    private readonly List<Figure> figures = [];

    public IReadOnlyList<Figure> Figures => figures;

    public void Add(string workload, string who, Measure measure, double value)
    {
        var figure = figures.Find(figure => figure.Workload == workload && figure.Who == who && figure.Measure == measure);
        if (figure is null)
            figures.Add(figure = new Figure(workload, who, measure));
        figure.Values.Add(value);
    }
}

/// <summary>One figure, with its value in each round.</summary>
internal sealed record Figure(string Workload, string Who, Measure Measure)
{
    public List<double> Values { get; } = [];

    public double Median => MedianOf(Values);

    public double Least => Values.Min();

    public double Most => Values.Max();

    public static double MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    public static double Percentile(IReadOnlyList<double> sorted, double percent) => sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * percent / 100))];
}
