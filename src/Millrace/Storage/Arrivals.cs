namespace Millrace.Storage;

/// <summary>
/// How many jobs came into each queue of late, worked out from what is there anyway: a job keeps its place in line, the time at which it became ready, while it waits; and the roll-ups tell
/// of those that have ended how long they had waited. So nothing is counted when a job is submitted. Jobs that come back for another attempt, or whose time has come, are counted as well.
/// Those that were taken out of the line by a person, or run since before a retry, are not. Not safe for several threads.
/// </summary>
public sealed class Arrivals
{
    /// <summary>How many of the newest in a line are counted, 10,000. Where more have come, the pace at which these came stands for the rest.</summary>
    public const int Most = 10_000;

    private static readonly TimeSpan window = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, double> sums = new(StringComparer.Ordinal);
    private readonly DateTimeOffset now;

    /// <summary>Nothing has come yet.</summary>
    /// <param name="now">The store's clock.</param>
    public Arrivals(DateTimeOffset now)
    {
        this.now = now;
        var begin = (now - window).UtcTicks;
        // The minutes that QueueRecord.EndsPerMinute counts: what comes and what goes can only be compared over the same time.
        Since = new DateTimeOffset(begin - begin % TimeSpan.TicksPerMinute + TimeSpan.TicksPerMinute, TimeSpan.Zero);
    }

    /// <summary>From when on: the first whole minute of the last five.</summary>
    public DateTimeOffset Since { get; }

    /// <summary>Adds those that stand in a line, of one queue and priority, and became ready since <see cref="Since"/>.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="count">How many, up to <see cref="Most"/>.</param>
    /// <param name="oldest">When the first of those that were counted became ready.</param>
    public void AddReady(string queue, long count, DateTimeOffset oldest)
    {
        var isCut = count >= Most && oldest > Since && oldest < now;
        Add(queue, isCut ? count * ((now - Since) / (now - oldest)) : count);
    }

    /// <summary>Adds those that run and were due since <see cref="Since"/>.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="count">How many.</param>
    public void AddRunning(string queue, long count) => Add(queue, count);

    /// <summary>Adds those of a minute's ended attempts that cannot have been in line at <see cref="Since"/>, by how long they had waited and run.</summary>
    /// <param name="row">A minute of one queue. What was given back stands in line again, at its old place, and is left out.</param>
    public void AddEnded(StatRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row.Bucket < Since || row.Outcome == Outcome.Released)
            return;
        var end = row.Bucket.AddMinutes(1);
        var middle = row.Bucket + ((end < now ? end : now) - row.Bucket) / 2;
        var age = middle - Since;
        Add(row.Queue, row.Count * row.Wait.ShareBelow(age) * row.Run.ShareBelow(age));
    }

    /// <summary>How many came in each minute.</summary>
    public double PerMinute(string queue) => Math.Round(sums.GetValueOrDefault(queue) / window.TotalMinutes, 1);

    private void Add(string queue, double count) => sums[queue] = sums.GetValueOrDefault(queue) + count;
}
