namespace Millrace.Submitting;

/// <summary>Pauses between tries that grow and spread. Pure.</summary>
internal static class Backoff
{
    /// <summary>Full jitter: anything between a tenth of the step and the step, which doubles from <paramref name="first"/> to <paramref name="longest"/>. Many processes that lost the same database do not come back in step.</summary>
    public static TimeSpan NextDelay(int tries, double random, TimeSpan first, TimeSpan longest)
    {
        var step = first.TotalMilliseconds * Math.Pow(2, Math.Clamp(tries - 1, 0, 30));
        return TimeSpan.FromMilliseconds(Math.Min(step, longest.TotalMilliseconds) * (0.1 + 0.9 * random));
    }
}
