using System.Collections.Concurrent;
using System.Diagnostics;

namespace Millrace.Bench.Contenders;

/// <summary>Where the handlers of all contenders end: they count, or note when they started. One for the process, because some contenders' handlers can be given nothing.</summary>
internal static class Arrivals
{
    private static long count;

    public static long Count => Volatile.Read(ref count);

    /// <summary>What is done with a ping. Set before any worker starts.</summary>
    public static Action<int, long> OnPing { get; set; } = static (_, _) => { };

    public static void Ran() => Interlocked.Increment(ref count);

    public static void Ran(int jobs) => Interlocked.Add(ref count, jobs);

    public static void Pinged(int number)
    {
        // The monotonic clock is the same for all processes of a machine.
        OnPing(number, Stopwatch.GetTimestamp());
        Interlocked.Increment(ref count);
    }

    /// <summary>Keeps pings for later: writing each of them down at once would be a part of what is measured.</summary>
    public static ConcurrentQueue<(int Number, long Started)> KeepPings()
    {
        var kept = new ConcurrentQueue<(int, long)>();
        OnPing = (number, started) => kept.Enqueue((number, started));
        return kept;
    }
}
