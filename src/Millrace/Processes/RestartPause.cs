namespace Millrace.Processes;

/// <summary>How long to wait before a child is started again. Never gives up. Pure.</summary>
internal static class RestartPause
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestAfterFailedStart = TimeSpan.FromSeconds(30);

    // A job that kills its process is out of the way after a few deaths: until then the others should not wait for long. More deaths have another cause.
    private static readonly TimeSpan LongestAfterFewDeaths = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestAfterManyDeaths = TimeSpan.FromSeconds(2);
    private const int Few = 10;

    /// <summary>A child that worked for this long before it died is forgotten.</summary>
    public static TimeSpan Healthy { get; } = TimeSpan.FromMinutes(1);

    /// <param name="failures">How many children in a row did not become ready. One that does not will probably not do so the next time.</param>
    /// <param name="random">0 to 1.</param>
    public static TimeSpan AfterFailedStart(int failures, double random) => Growing(failures, LongestAfterFailedStart, random);

    /// <param name="deaths">How many in a row died before they were <see cref="Healthy"/>. The first is an accident: another is started at once.</param>
    /// <param name="random">0 to 1.</param>
    public static TimeSpan AfterDeath(int deaths, double random) => deaths switch
    {
        <= 1 => TimeSpan.Zero,
        <= Few => Growing(deaths, LongestAfterFewDeaths, random),
        _ => Growing(deaths - Few, LongestAfterManyDeaths, random) + LongestAfterFewDeaths,
    };

    private static TimeSpan Growing(int count, TimeSpan longest, double random)
    {
        var pause = First * Math.Pow(2, Math.Clamp(count - 1, 0, 20));
        return (pause < longest ? pause : longest) * (0.75 + random / 2);
    }
}
