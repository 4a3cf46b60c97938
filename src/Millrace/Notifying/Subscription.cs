using Millrace.Working;

namespace Millrace.Notifying;

/// <summary>One subscriber: what waits for it, and how far it has been read for. Written by the feed's reader, emptied by the enumeration.</summary>
internal sealed class Subscription(long userId, long after, long live)
{
    public const int Capacity = 1_000;

    private readonly Lock gate = new();
    private readonly LinkedList<JobEvent> waiting = new();
    private readonly Signal arrived = new();
    private long position = after;
    private bool isOverflowing;
    private bool isEnded;

    // Touched by the enumeration alone.
    private long given = after;

    public long UserId => userId;

    /// <summary>Up to which id the feed has read for it. Written under the feed's lock alone.</summary>
    public long Position
    {
        get => Interlocked.Read(ref position);
        private set => Interlocked.Exchange(ref position, value);
    }

    /// <summary>Whether it has been read all that was stored when it came.</summary>
    public bool IsLive => Position >= live;

    /// <summary>Whether a page of events can be taken. One that still reads what was stored before it came sets the pace itself, and does not overflow.</summary>
    public bool HasRoom
    {
        get
        {
            if (IsLive)
                return true;
            lock (gate)
                return waiting.Count <= Capacity - EventFeed.PageSize;
        }
    }

    /// <returns>False when it has overflowed: it takes no more.</returns>
    public bool Take(IReadOnlyList<JobEvent> page, long readUpTo)
    {
        var isOpen = true;
        lock (gate)
        {
            foreach (var raised in page)
            {
                if (raised.UserId == userId && raised.Id > Position && !Add(raised))
                {
                    isOpen = false;
                    isOverflowing = true;
                    break;
                }
            }
        }
        Position = readUpTo;
        arrived.Set();
        return isOpen;
    }

    /// <summary>No more will come; what waits is still given.</summary>
    public void End()
    {
        lock (gate)
            isEnded = true;
        arrived.Set();
    }

    /// <summary>The next event; null at the end.</summary>
    public async ValueTask<JobEvent?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lock (gate)
            {
                if (waiting.First is { } first)
                {
                    waiting.RemoveFirst();
                    given = first.Value.Id;
                    return first.Value;
                }
                if (isOverflowing)
                    throw new JobEventsOverflowException(userId, Capacity, given);
                if (isEnded)
                    return null;
            }
            await arrived.WaitAsync(TimeSpan.MaxValue, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    // Progress is soon followed by newer progress; a notification is not.
    private bool Add(JobEvent raised)
    {
        if (waiting.Count >= Capacity && !DropOldestProgress())
            return raised.Kind == JobEventKind.Progress;
        waiting.AddLast(raised);
        return true;
    }

    private bool DropOldestProgress()
    {
        for (var node = waiting.First; node is not null; node = node.Next)
        {
            if (node.Value.Kind != JobEventKind.Progress)
                continue;
            waiting.Remove(node);
            return true;
        }
        return false;
    }
}
