using Millrace.Storage;

namespace Millrace.Postgres;

/// <summary>What is known so far of what became of a turn's ends.</summary>
internal sealed class Verdicts(IReadOnlyList<AttemptEnd> ends)
{
    private readonly EndVerdict?[] given = new EndVerdict?[ends.Count];
    private Dictionary<(long JobId, int Run), int>? places;
    private int known;

    public bool AreComplete => known == given.Length;

    /// <summary>The ends of which nothing is known.</summary>
    public IEnumerable<AttemptEnd> Open => ends.Where((_, place) => given[place] is null);

    /// <summary>By its place among the ends.</summary>
    public void Give(int place, EndVerdict verdict)
    {
        if (given[place] is null)
            known++;
        given[place] = verdict;
    }

    /// <summary>By what the database calls it. Full turns know the places, and need no index.</summary>
    public void Give(long jobId, int run, EndVerdict verdict)
    {
        places ??= ends.Select(static (end, place) => (end.Claim, place)).ToDictionary(static pair => (pair.Claim.JobId, pair.Claim.Run), static pair => pair.place);
        Give(places[(jobId, run)], verdict);
    }

    /// <summary>One for each end, in their order. What is not known was refused.</summary>
    public EndVerdict[] All() => Array.ConvertAll(given, static verdict => verdict ?? EndVerdict.Stale);
}
