using Millrace.Storage;

namespace Millrace.Inspecting;

/// <summary>What becomes of a queue when things go on as they do: it empties, it grows, or neither. Pure.</summary>
/// <param name="EmptyIn">When it will be empty; null when it will not.</param>
/// <param name="GrowsPerMinute">By how many jobs a minute it grows; null when it does not.</param>
internal readonly record struct Drain(TimeSpan? EmptyIn, double? GrowsPerMinute)
{
    // Less is not told from nothing: what has ended is known some seconds late.
    private const double Noise = 0.03;

    private const double WindowInMinutes = 5;

    public static Drain Of(QueueRecord queue)
    {
        // Paused, or nobody there: what comes and what goes says nothing.
        if (queue is not { Ready: > 0, Nodes: > 0, Pause: null })
            return default;
        var less = queue.EndsPerMinute - queue.ArrivalsPerMinute;
        var noise = Noise * Math.Max(queue.EndsPerMinute, queue.ArrivalsPerMinute);
        if (less > noise)
            return new Drain(TimeSpan.FromMinutes(Math.Min(queue.Ready / less, TimeSpan.FromDays(3650).TotalMinutes)), null);
        // What stands in line is all that it can have grown by.
        var more = Math.Min(-less, queue.Ready / WindowInMinutes);
        return more > noise ? new Drain(null, Math.Round(more, 1)) : default;
    }
}
