using System.Collections.Concurrent;

namespace Millrace.Sqlite;

/// <summary>
/// The line in which the writers of one process stand, first come first served, one line per file. SQLite itself lets writers poll with
/// growing pauses: beside an engine that commits all the time an occasional writer would hardly ever get in.
/// </summary>
internal sealed class WriteGate
{
    private static readonly ConcurrentDictionary<string, WriteGate> Gates = new(OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);

    private readonly Lock door = new();
    private readonly LinkedList<TaskCompletionSource> line = new();
    private bool isTaken;

    public static WriteGate Of(string path) => Gates.GetOrAdd(path, static _ => new WriteGate());

    /// <summary>Waits on this thread.</summary>
    /// <returns>False when the time was up.</returns>
    public bool Enter(TimeSpan timeout)
    {
        if (Join() is not { } place)
            return true;
        return place.Value.Task.Wait(timeout) || !Leave(place);
    }

    /// <summary>Waits without a thread.</summary>
    /// <returns>False when the time was up.</returns>
    public async Task<bool> EnterAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (Join() is not { } place)
            return true;
        try
        {
            await place.Value.Task.WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return !Leave(place);
        }
        catch (OperationCanceledException)
        {
            if (!Leave(place))
                Exit();
            throw;
        }
    }

    /// <summary>Lets the next one in. On any thread.</summary>
    public void Exit()
    {
        lock (door)
        {
            // Handed over, not set free: otherwise the one that just left could come in again before the one it woke.
            if (line.First is { } next)
            {
                line.RemoveFirst();
                next.Value.SetResult();
            }
            else
            {
                isTaken = false;
            }
        }
    }

    private LinkedListNode<TaskCompletionSource>? Join()
    {
        lock (door)
        {
            if (isTaken)
                return line.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            isTaken = true;
            return null;
        }
    }

    // False: it was let in at the very moment it gave up.
    private bool Leave(LinkedListNode<TaskCompletionSource> place)
    {
        lock (door)
        {
            if (place.List is null)
                return false;
            line.Remove(place);
            return true;
        }
    }
}
