using Millrace.Storage;

namespace Millrace.Dashboard.Changing;

/// <summary>A count that comes in pieces, put together. Pure.</summary>
internal static class Counting
{
    /// <summary>What was counted, and what came after it.</summary>
    public static MatchCount Add(Preview counted, Pending rest, MatchCount more) => more with
    {
        Count = counted.Count + more.Count,
        Skipped = rest.Skipped + more.Skipped,
        ByState = Sum(rest.ByState, more.ByState),
        ByType = Most(Sum(rest.ByType, more.ByType)),
        ByQueue = Most(Sum(rest.ByQueue, more.ByQueue)),
    };

    // As many as one piece names: they travel in the token, whose length has a bound.
    private static Dictionary<string, long> Most(Dictionary<string, long> sums) =>
        sums.Count <= MatchCount.MostNames ? sums : sums.OrderByDescending(static pair => pair.Value).Take(MatchCount.MostNames).ToDictionary();

    private static Dictionary<TKey, long> Sum<TKey>(IReadOnlyDictionary<TKey, long> counted, IReadOnlyDictionary<TKey, long> more)
        where TKey : notnull
    {
        var sums = counted.ToDictionary();
        foreach (var (key, count) in more)
            sums[key] = sums.GetValueOrDefault(key) + count;
        return sums;
    }
}
