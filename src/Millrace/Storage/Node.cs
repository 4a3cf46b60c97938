namespace Millrace.Storage;

/// <summary>What kind of process a node is.</summary>
public enum NodeKind
{
    /// <summary>The application itself.</summary>
    Server,

    /// <summary>A child process that only runs jobs.</summary>
    Worker,
}

/// <summary>A process that introduces itself to the store.</summary>
public sealed record NewNode
{
    /// <summary>Random, new at each start (and whenever the node was declared dead).</summary>
    public required Guid Id { get; init; }

    /// <summary>A name for people: host and process id. Never used to decide anything.</summary>
    public required string Name { get; init; }

    /// <summary>The program that it runs, by its name; null when that is not known.</summary>
    public string? Application { get; init; }

    /// <summary>Which version of it; null when that is not known. Where both are known, a version that no other living node of the application has, and that was not its last, is noted (<see cref="IJobInspection.ReadDeploymentsAsync"/>).</summary>
    public string? Version { get; init; }

    /// <summary>What kind of process it is.</summary>
    public NodeKind Kind { get; init; }

    /// <summary>The server that started this worker; null for a server.</summary>
    public Guid? Server { get; init; }

    /// <summary>How long it stays alive after a beat.</summary>
    public required TimeSpan Expiry { get; init; }

    /// <summary>The types it has handlers for.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>What others can know of these types without their code: stored in the catalogue of types.</summary>
    public IReadOnlyList<TypeDescription> Catalogue { get; init; } = [];

    /// <summary>The queues it works on; empty for a process that only submits.</summary>
    public IReadOnlyList<string> Queues { get; init; } = [];

    /// <summary>The settings in force in it, for people: a JSON array of objects with the members <c>name</c>, <c>value</c> and <c>source</c>. Null when it does not say.</summary>
    public string? Settings { get; init; }
}

/// <summary>A node whose row has expired, as seen by a sweep. Dead when the same beat is seen again later (DESIGN: two sightings on the sweeper's own clock).</summary>
/// <param name="Id">The node.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Beat">Its beat counter when it was seen.</param>
/// <param name="IsCertain">Whether it is dead beyond doubt, so that no second sighting is needed: the operating system has given up its lock.</param>
public sealed record NodeSighting(Guid Id, string Name, long Beat, bool IsCertain = false);

/// <summary>How busy a process is, as it says with its beat. For people; nothing is decided by it.</summary>
/// <param name="Cpu">Processor time over the time since its last beat: 1 for one core, more with several. Null at its first.</param>
/// <param name="Memory">Its working set, in bytes.</param>
/// <param name="PoolQueue">How much work waits for a thread of the pool. More than a few for long: something holds the threads up.</param>
public readonly record struct ProcessLoad(double? Cpu, long Memory, long PoolQueue);

/// <summary>The life sign of one node. Used by one dedicated thread, synchronously, on a connection of its own with short timeouts, so that neither a starved thread pool nor a busy hot path can delay it.</summary>
public interface IHeartbeat : IDisposable
{
    /// <summary>Renews the node's row.</summary>
    /// <param name="load">How busy the process is, for people; null when it does not say.</param>
    /// <returns>False when the row is gone or buried: the node was declared dead and must take a new identity. One that only expired lives on.</returns>
    /// <exception cref="StoreException">The database did not answer in time. The next beat opens a new connection.</exception>
    bool Beat(ProcessLoad? load = null);

    /// <summary>Waits for a ring of the bell, at most this long. A store without a bell waits for <see cref="Interrupt"/> only.</summary>
    /// <returns>The names of the queues that were rung, <c>"!"</c> for a new cancel request and <c>"@"</c> for an event; empty when the time was up.</returns>
    /// <exception cref="StoreException">The connection broke.</exception>
    IReadOnlyCollection<string> Wait(TimeSpan timeout);

    /// <summary>Makes a <see cref="Wait"/> on another thread return soon: within 250 ms.</summary>
    void Interrupt();
}
