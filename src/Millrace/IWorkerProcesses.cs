namespace Millrace;

/// <summary>The child processes of this server. Empty in a process without any, and in a child. May be called from any thread.</summary>
public interface IWorkerProcesses
{
    /// <summary>Those that are alive, or are being started again, by name.</summary>
    IReadOnlyList<WorkerProcessInfo> List();

    /// <summary>
    /// Replaces all of them, one after the other: a new process is started, and when it is ready the old one finishes what it runs (<see cref="WorkerOptions.ShutdownGrace"/>) and ends. Jobs go on running
    /// throughout. A replacement that does not become ready leaves the old process in place.
    /// </summary>
    /// <param name="cancellationToken">Leaves the rest as they are.</param>
    /// <returns>How many were replaced.</returns>
    Task<int> RestartAsync(CancellationToken cancellationToken = default);
}

/// <summary>One child process, at this moment.</summary>
/// <param name="Name">Its place: <c>"1"</c>, <c>"2"</c>, …, <c>"isolated-1"</c>. A process that replaces another takes its place.</param>
/// <param name="ProcessId">The operating system's number; 0 while none is running in this place.</param>
/// <param name="Node">Its node in the database; null until it is ready.</param>
/// <param name="State">How it stands.</param>
/// <param name="Exits">How often a process in this place has ended without having been asked to.</param>
/// <param name="LastExit">How and why the last of those ended; null when none has.</param>
public sealed record WorkerProcessInfo(string Name, int ProcessId, Guid? Node, WorkerProcessState State, int Exits, string? LastExit);

/// <summary>How a child process stands.</summary>
public enum WorkerProcessState
{
    /// <summary>Started, and not ready yet.</summary>
    Starting,

    /// <summary>It runs jobs.</summary>
    Ready,

    /// <summary>It finishes what it runs, and takes no more.</summary>
    Draining,

    /// <summary>It ended, and is started again after a pause.</summary>
    Waiting,
}
