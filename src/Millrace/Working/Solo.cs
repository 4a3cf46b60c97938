using Millrace.Processes;

namespace Millrace.Working;

/// <summary>
/// Lets a job run with no other in its process: always in a child for isolated jobs, and in an application without children for suspects, so that the next crash has one possible cause. While a loop asks,
/// nobody claims; when everything else has ended, it is its turn. Others are not held up for long: if what runs takes its time, the suspect waits.
/// </summary>
internal sealed class Solo(MillraceInstance instance)
{
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PauseAfterHold = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private QueueLoop? holder;
    private QueueLoop? asking;
    private long askedAt;
    private long? gaveUpAt;
    private bool hasDenied;

    /// <summary>In this process every job runs alone.</summary>
    public bool IsRule => instance.Child?.Settings.Role == ChildRole.Isolated;

    /// <summary>Whether this process runs suspects: one that has, or is, a child leaves them to the child that runs jobs alone.</summary>
    public bool TakesSuspects => IsRule || (instance.Child is null && instance.Supervisor is null);

    public bool IsAsking(QueueLoop loop)
    {
        lock (gate)
            return asking == loop;
    }

    /// <summary>Whether jobs that need not be alone may be claimed now. Whoever may not is woken when they may.</summary>
    public bool AllowsOthers()
    {
        lock (gate)
        {
            var isFree = holder is null && asking is null;
            hasDenied |= !isFree;
            return isFree;
        }
    }

    /// <summary>True when the loop may claim one job now. It then has the process for itself until <see cref="Release"/>.</summary>
    /// <param name="loop">It asks again until it may.</param>
    /// <param name="isEmpty">Whether it runs nothing itself. What it held ends with the turn that claims the next.</param>
    public bool TryTake(QueueLoop loop, bool isEmpty)
    {
        lock (gate)
        {
            if (holder == loop)
                return isEmpty;
            if (holder is not null || (asking is not null && asking != loop) || (gaveUpAt is { } at && instance.Time.GetElapsedTime(at) < PauseAfterHold))
            {
                hasDenied = true;
                return false;
            }
            if (asking is null)
                askedAt = instance.Time.GetTimestamp();
            asking = loop;
            if (IsRule || instance.Loops.All(static other => other.IsQuiet))
            {
                holder = loop;
                asking = null;
                gaveUpAt = null;
                return true;
            }
            if (instance.Time.GetElapsedTime(askedAt) < LongestHold)
                return false;
            asking = null;
            gaveUpAt = instance.Time.GetTimestamp();
        }
        WakeDenied();
        return false;
    }

    /// <summary>What the loop claimed has ended, and its end is written; or there was nothing to claim.</summary>
    public void Release(QueueLoop loop)
    {
        lock (gate)
        {
            if (holder != loop)
                return;
            holder = null;
        }
        WakeDenied();
    }

    private void WakeDenied()
    {
        lock (gate)
        {
            if (!hasDenied)
                return;
            hasDenied = false;
        }
        foreach (var loop in instance.Loops)
            loop.LookAgain();
    }
}
