namespace Millrace;

/// <summary>How this process runs jobs. Bound to the configuration section <c>Millrace:Workers</c>; checked at start.</summary>
public sealed class WorkerOptions
{
    /// <summary>How many jobs run at the same time, for queues that do not say otherwise.</summary>
    /// <value>10. From 1 to 1,000.</value>
    public int Concurrency { get; set; } = 10;

    /// <summary>The queues this process works on, each with its own slots. Empty (the default) means the queue <c>"default"</c> and every queue named by a registered type.</summary>
    public IDictionary<string, QueueOptions> Queues { get; } = new Dictionary<string, QueueOptions>(StringComparer.Ordinal);

    /// <summary>At shutdown: how long running jobs may go on before their token is cancelled.</summary>
    /// <value>20 seconds. Zero or more. Keep the host's <c>HostOptions.ShutdownTimeout</c> (30 seconds by default) at least 8 seconds above it: that is what writing the last results may take.</value>
    public TimeSpan ShutdownGrace { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a node that no longer renews itself keeps its jobs. After that any node may take them back.</summary>
    /// <value>30 seconds. At least 1. Renewed at a sixth of this, so several renewals may fail.</value>
    public TimeSpan NodeExpiry { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// In how many child processes of this program jobs run: none (the default; they run in the application itself), a number, or <see cref="WorkerProcesses.PerCpu"/>. Each has its own slots
    /// (<see cref="Concurrency"/>), its own node and a small pool of connections. The environment variable <c>MILLRACE_WORKERS</c> (<c>cpus</c> or a number) comes before what is set here.
    /// </summary>
    /// <value><see cref="WorkerProcesses.None"/>. 0 to 256.</value>
    public WorkerProcesses Processes { get; set; }

    /// <summary>How many child processes run jobs alone: those of types with <see cref="JobAttribute.Isolated"/>, and, where there are child processes, suspects. Started where there are child processes, or such a type: a suspect should not wait for a process to start.</summary>
    /// <value>1. 1 to 256.</value>
    public int IsolatedProcesses { get; set; } = 1;

    /// <summary>After so many jobs a child process is replaced by a new one, while jobs go on.</summary>
    /// <value>0: never. Otherwise 1 or more.</value>
    public int RecycleAfterJobs { get; set; }

    /// <summary>A child process whose memory (its working set, in bytes) grows above this is replaced by a new one, while jobs go on.</summary>
    /// <value>0: never. Otherwise 1 or more.</value>
    public long RecycleAboveMemory { get; set; }

    /// <summary>
    /// A handler that goes on for so long after its timeout has cancelled its token is given up: its attempt ends as failed, and a child process in which that happened is replaced. In the application's
    /// own process the slot stays lost until the handler returns. The attempt that follows may overlap with what the old one still does: see <see cref="JobAttribute.Isolated"/> for a timeout that kills.
    /// </summary>
    /// <value>30 seconds. More than zero, or infinite: handlers are never given up.</value>
    public TimeSpan TimeoutGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often an idle node looks for work that nobody told it of. A ring of the bell wakes it at once where the store has one.</summary>
    /// <value>1 second. From 10 milliseconds to 1 minute.</value>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long claimed jobs may wait in this process for a slot. More makes batches of quick jobs larger; less spreads jobs better over nodes.</summary>
    /// <value>100 milliseconds. From 0 to 10 seconds.</value>
    public TimeSpan Prefetch { get; set; } = TimeSpan.FromMilliseconds(100);
}

/// <summary>How this process works on one queue.</summary>
public sealed class QueueOptions
{
    /// <summary>How many of its jobs run at the same time in this process.</summary>
    /// <value>0, which means <see cref="WorkerOptions.Concurrency"/>. Otherwise 1 to 1,000.</value>
    public int Concurrency { get; set; }
}
