using System.IO.MemoryMappedFiles;

namespace Millrace.Processes;

/// <summary>
/// What a child runs at this moment, in a file that both processes have mapped: two small writes for each job, and whatever kills the child, its parent can read who was running. So only those are
/// suspects, and a job that was alone is known to have been.
/// </summary>
internal sealed class FlightRecorder : IDisposable
{
    /// <summary>More slots than this in one process are not noted, and then nothing is known about anybody.</summary>
    public const int Capacity = 4095;

    private const int EntrySize = 16;

    private readonly string path;
    private readonly bool isOwner;
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;

    private FlightRecorder(string path, bool isOwner)
    {
        this.path = path;
        this.isOwner = isOwner;
        var options = new FileStreamOptions
        {
            Mode = isOwner ? FileMode.CreateNew : FileMode.Open,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
        };
        if (isOwner && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var stream = new FileStream(path, options);
        file = MemoryMappedFile.CreateFromFile(stream, null, (Capacity + 1) * EntrySize, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        view = file.CreateViewAccessor();
    }

    public string Path => path;

    /// <summary>The parent's: makes the file.</summary>
    public static FlightRecorder Create() => new(System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"millrace-{Guid.NewGuid():N}.running"), isOwner: true);

    /// <summary>The child's. The file's name goes at once, so that nothing is left of it however both end; on Windows it goes with the parent.</summary>
    public static FlightRecorder Open(string path)
    {
        var recorder = new FlightRecorder(path, isOwner: false);
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return recorder;
    }

    /// <param name="slot">From 0. One writer for each.</param>
    /// <param name="jobId">More than 0.</param>
    /// <param name="run">The run.</param>
    public void Begin(int slot, long jobId, int run)
    {
        if (slot >= Capacity)
        {
            view.Write(0, 1L);
            return;
        }
        view.Write((slot + 1) * EntrySize + 8, run);
        view.Write((slot + 1) * EntrySize, jobId);
    }

    public void End(int slot)
    {
        if (slot < Capacity)
            view.Write((slot + 1) * EntrySize, 0L);
    }

    /// <summary>What was running. Null when there were more than could be noted.</summary>
    public IReadOnlySet<(long JobId, int Run)>? Read()
    {
        if (view.ReadInt64(0) != 0)
            return null;
        var running = new HashSet<(long, int)>();
        for (var slot = 0; slot < Capacity; slot++)
        {
            if (view.ReadInt64((slot + 1) * EntrySize) is > 0 and var jobId)
                running.Add((jobId, view.ReadInt32((slot + 1) * EntrySize + 8)));
        }
        return running;
    }

    public void Dispose()
    {
        view.Dispose();
        file.Dispose();
        if (!isOwner)
            return;
        try
        {
            File.Delete(path);
        }
        catch (IOException)
        {
            // A file of 64 KB in the temporary directory.
        }
    }
}
