using System.Collections.Concurrent;

namespace Millrace.Sqlite;

/// <summary>
/// Who lives (rule 15). Each node holds the operating system's lock on a file of its own; the lock is free when the process is gone, however
/// it went. A row that had to be renewed could not be trusted: a long writer would delay everybody's renewals while readers see old ones.
/// A frozen process counts as alive: it holds its lock. Not for network shares.
/// </summary>
internal sealed class NodeLocks(string directory) : IDisposable
{
    private readonly ConcurrentDictionary<Guid, FileStream> held = new();

    /// <summary>Declares the node alive, from now until <see cref="Release"/> or the end of the process.</summary>
    public void Take(Guid node)
    {
        if (held.ContainsKey(node))
            return;
        Directory.CreateDirectory(directory);
        var path = PathOf(node);
        for (var attempt = 1; ; attempt++)
        {
            FileStream stream;
            try
            {
                stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            }
            catch (IOException) when (attempt < 20)
            {
                // A sweeper of another process is looking at the file this very moment.
                Thread.Yield();
                continue;
            }

            // A sweeper may have removed the file between its opening and its locking: then the lock is on a file that nobody will find.
            if (!File.Exists(path))
            {
                stream.Dispose();
                continue;
            }

            if (!held.TryAdd(node, stream))
                stream.Dispose();
            return;
        }
    }

    public void Release(Guid node)
    {
        if (held.TryRemove(node, out var stream))
            stream.Dispose();
    }

    public bool IsAlive(Guid node)
    {
        if (held.ContainsKey(node))
            return true;
        if (TryLock(PathOf(node)) is not { } stream)
            return File.Exists(PathOf(node));
        stream.Dispose();
        return false;
    }

    /// <summary>Removes files that processes left behind when they died.</summary>
    /// <param name="isKnown">Whether the node still has a row that says it lives; its file is left to the sweep.</param>
    /// <returns>How many were removed.</returns>
    public int RemoveStale(Func<Guid, bool> isKnown)
    {
        if (!Directory.Exists(directory))
            return 0;
        var removed = 0;
        foreach (var path in Directory.EnumerateFiles(directory))
        {
            if (!Guid.TryParseExact(Path.GetFileName(path), "D", out var node) || isKnown(node) || TryLock(path) is not { } stream)
                continue;
            // Removed while the lock is held: nobody can have begun to live in it.
            using (stream)
                File.Delete(path);
            removed++;
        }

        return removed;
    }

    public void Dispose()
    {
        foreach (var node in held.Keys)
            Release(node);
        try
        {
            if (Directory.Exists(directory) && !Directory.EnumerateFileSystemEntries(directory).Any())
                Directory.Delete(directory);
        }
        catch (IOException)
        {
            // Another process has just put its own file there.
        }
    }

    private string PathOf(Guid node) => Path.Combine(directory, node.ToText());

    private static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 1);
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }
}
