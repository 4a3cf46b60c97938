namespace Millrace.Processes;

/// <summary>How long to wait before a child is started again. Never gives up. Pure.</summary>
internal static class RestartPause
{
    // A child that ran for this long before it ended is started again as if it were the first.
    private static readonly TimeSpan Healthy = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);

    // One that never became ready will probably not do so the next time.
    private static readonly TimeSpan LongestAfterFailedStart = TimeSpan.FromSeconds(30);

    // One that died at work died of a job, and that job is taken out of the way after three times: the others should not wait for long.
    private static readonly TimeSpan LongestAfterCrash = TimeSpan.FromSeconds(2);

    /// <summary>How many quick ends there have been in a row, counting this one.</summary>
    /// <param name="before">How many there had been before.</param>
    /// <param name="lived">How long it lived after it was ready; null when it never was.</param>
    public static int CountAfter(int before, TimeSpan? lived) => lived >= Healthy ? 1 : before + 1;

    /// <param name="count">From <see cref="CountAfter"/>.</param>
    /// <param name="wasReady">Whether it had become ready.</param>
    /// <param name="random">0 to 1.</param>
    public static TimeSpan Next(int count, bool wasReady, double random)
    {
        // The first time at once: a single death is an accident.
        if (count <= 1 && wasReady)
            return TimeSpan.Zero;
        var longest = wasReady ? LongestAfterCrash : LongestAfterFailedStart;
        var pause = First * Math.Pow(2, Math.Min(count - 1, 20));
        return (pause < longest ? pause : longest) * (0.75 + random / 2);
    }
}
