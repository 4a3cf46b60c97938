using Millrace.Processes;

namespace Millrace.Working;

/// <summary>
/// Which loop may claim a job that is to be the only one of its kind: in a child for isolated jobs and suspects there is one job at a time, of whatever kind; in an application without children one suspect
/// at a time, beside its other jobs. There a suspect that has run for a while makes room for the next: a job that kills its process mostly does so at once, and many long ones should not wait for each other.
/// </summary>
internal sealed class Solo(MillraceInstance instance)
{
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private QueueLoop? holder;
    private long heldSince;
    private bool hasDenied;

    /// <summary>In this process every job runs alone.</summary>
    public bool IsRule => instance.Child?.Settings.Role == ChildRole.Isolated;

    /// <summary>Whether this process runs suspects: one that has, or is, a child leaves them to the child that runs jobs alone.</summary>
    public bool TakesSuspects => IsRule || (instance.Child is null && instance.Supervisor is null);

    /// <summary>True when the loop may claim one job now. Whoever may not is woken when somebody lets go.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="isEmpty">Whether it runs nothing itself: what it held ends with the turn that claims the next.</param>
    public bool TryTake(QueueLoop loop, bool isEmpty)
    {
        lock (gate)
        {
            if (IsRule && holder == loop)
                return isEmpty;
            if (holder is not null && (IsRule || instance.Time.GetElapsedTime(heldSince) < LongestHold))
            {
                hasDenied = true;
                return false;
            }
            holder = loop;
            heldSince = instance.Time.GetTimestamp();
            return true;
        }
    }

    /// <summary>What the loop claimed has ended, or there was nothing to claim.</summary>
    public void Release(QueueLoop loop)
    {
        lock (gate)
        {
            if (holder != loop)
                return;
            holder = null;
            if (!hasDenied)
                return;
            hasDenied = false;
        }
        foreach (var other in instance.Loops)
            other.LookAgain();
    }
}
