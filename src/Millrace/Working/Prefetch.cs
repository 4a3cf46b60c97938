namespace Millrace.Working;

/// <summary>How many jobs to hold beyond those that run. Pure.</summary>
internal static class Prefetch
{
    /// <summary>More than this at once makes turns longer without making jobs cheaper (docs/decisions).</summary>
    public const int MostPerTurn = 1000;

    /// <summary>Two turns' worth: while one is on its way, the slots work on what the one before has brought, and the next can leave as soon as it is back.</summary>
    public const int Most = 2 * MostPerTurn;

    /// <summary>The same for the size of their data, in characters: large data is fetched when it is needed.</summary>
    public const double MostData = 16 * 1024 * 1024;

    /// <summary>As many as the slots will start within the window, going by how long jobs have taken lately; none before anything is known.</summary>
    public static int Target(int concurrency, TimeSpan averageRun, TimeSpan window, double averageDataSize)
    {
        if (averageRun <= TimeSpan.Zero || window <= TimeSpan.Zero)
            return 0;
        var starts = concurrency * (window / averageRun);
        return (int)Math.Min(Math.Min(starts, Most), MostData / Math.Max(1, averageDataSize));
    }
}
