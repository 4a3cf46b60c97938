using Millrace.Storage;

namespace Millrace.Dashboard.Changing;

/// <summary>A count that comes in pieces, put together. Pure.</summary>
internal static class Counting
{
    private const int MostSamples = 5;

    /// <summary>What was counted, and what came after it.</summary>
    public static MatchCount Add(MatchCount counted, MatchCount more) => more with
    {
        Count = counted.Count + more.Count,
        Skipped = counted.Skipped + more.Skipped,
        ByState = Sum(counted.ByState, more.ByState),
        ByType = Sum(counted.ByType, more.ByType),
        ByQueue = Sum(counted.ByQueue, more.ByQueue),
        Samples = [.. counted.Samples.Concat(more.Samples).Take(MostSamples)],
    };

    private static Dictionary<TKey, long> Sum<TKey>(IReadOnlyDictionary<TKey, long> counted, IReadOnlyDictionary<TKey, long> more)
        where TKey : notnull
    {
        var sums = counted.ToDictionary();
        foreach (var (key, count) in more)
            sums[key] = sums.GetValueOrDefault(key) + count;
        return sums;
    }
}
