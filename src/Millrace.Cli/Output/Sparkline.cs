namespace Millrace.Cli.Output;

/// <summary>Counts as a line of blocks. Pure.</summary>
internal static class Sparkline
{
    private const string Blocks = "▁▂▃▄▅▆▇█";

    public static string Of(IReadOnlyList<long> counts)
    {
        var most = Math.Max(1, counts.DefaultIfEmpty().Max());
        // Nothing is not the same as little.
        return string.Concat(counts.Select(count => count == 0 ? ' ' : Blocks[(int)Math.Min(Blocks.Length - 1, count * Blocks.Length / (most + 1))]));
    }
}
