namespace Millrace.Storage;

/// <summary>A queue as people see it.</summary>
public sealed record QueueRecord
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Jobs that may be claimed now. Counted up to 100,000.</summary>
    public long Ready { get; init; }

    /// <summary>Since when the one that waits longest has been ready; null when none is.</summary>
    public DateTimeOffset? OldestReady { get; init; }

    /// <summary>Jobs that wait for their time. Counted up to 100,000.</summary>
    public long Scheduled { get; init; }

    /// <summary>Jobs that wait for something else. Counted up to 100,000.</summary>
    public long Waiting { get; init; }

    /// <summary>Jobs that run.</summary>
    public long Running { get; init; }

    /// <summary>How many attempts ended in each minute, over the last five.</summary>
    public double EndsPerMinute { get; init; }

    /// <summary>How many jobs became ready in each minute, over the same time: submitted, due or to be tried again. An estimate, see <see cref="Arrivals"/>.</summary>
    public double ArrivalsPerMinute { get; init; }

    /// <summary>How many attempts failed in the last hour.</summary>
    public long FailedLastHour { get; init; }

    /// <summary>Living nodes that work on it and are not draining.</summary>
    public int Nodes { get; init; }

    /// <summary>Its pause; null when it is not paused.</summary>
    public Pause? Pause { get; init; }
}

/// <summary>A schedule as people see it.</summary>
/// <param name="Schedule">As it is stored.</param>
/// <param name="Created">When it was submitted.</param>
/// <param name="Owners">How many servers keep it alive; 0 for one that is persistent.</param>
public sealed record ScheduleRecord(Schedule Schedule, DateTimeOffset Created, int Owners);

/// <summary>A node as people see it.</summary>
public sealed record WorkerRecord
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Its name for people.</summary>
    public required string Name { get; init; }

    /// <summary>What kind of process it is.</summary>
    public required NodeKind Kind { get; init; }

    /// <summary>The server that started this worker; null for a server.</summary>
    public Guid? Server { get; init; }

    /// <summary>The program that it runs; null when it did not say.</summary>
    public string? Application { get; init; }

    /// <summary>Which version of it; null when it did not say.</summary>
    public string? Version { get; init; }

    /// <summary>When it introduced itself.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>Whether it lives.</summary>
    public required bool IsAlive { get; init; }

    /// <summary>When it expires unless it renews itself; null where liveness is a lock (SQLite).</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>When it left or was declared dead; null while it lives.</summary>
    public DateTimeOffset? Died { get; init; }

    /// <summary>Whether it says that it has nothing to do.</summary>
    public bool IsIdle { get; init; }

    /// <summary>How busy it said it was at its last beat; null when it did not say.</summary>
    public ProcessLoad? Load { get; init; }

    /// <summary>Who asked it to claim no more, and why; null when nobody did.</summary>
    public Pause? Drain { get; init; }

    /// <summary>The queues it works on; none for a process that only submits or lets its children work.</summary>
    public IReadOnlyList<string> Queues { get; init; } = [];

    /// <summary>The types it has handlers for.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>How many jobs its leases list that have not ended.</summary>
    public int RunningCount { get; init; }

    /// <summary>The oldest of them, at most 200. Some may be in hand and not begun.</summary>
    public IReadOnlyList<RunningRow> Running { get; init; } = [];
}

/// <summary>A version that came to be among the living nodes of an application, in the place of another.</summary>
/// <param name="At">When its first node introduced itself.</param>
/// <param name="Application">The program.</param>
/// <param name="Version">The version that was new, or that was gone back to.</param>
public sealed record Deployment(DateTimeOffset At, string Application, string Version);

/// <summary>A job that a node has claimed.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Type">Its type.</param>
/// <param name="Attempt">The number of its attempt.</param>
/// <param name="Claimed">When it was claimed.</param>
/// <param name="Progress">How far it says it is, 0 to 100; null when it said nothing.</param>
public sealed record RunningRow(long JobId, string Type, int Attempt, DateTimeOffset Claimed, double? Progress);

/// <summary>A type of job as a process has registered it: what others can know of it without its code.</summary>
public sealed record TypeDescription
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Earlier names.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>The queue its jobs go to.</summary>
    public required string Queue { get; init; }

    /// <summary>How many attempts a job has.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>How long an attempt may run; null for no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Its retry policy as JSON text, as in <c>job.policy</c>; null for the default curve.</summary>
    public string? Retry { get; init; }

    /// <summary>Whether its jobs run alone in a process.</summary>
    public bool IsIsolated { get; init; }

    /// <summary>The JSON Schema of its data, members with <c>[Sensitive]</c> marked <c>"x-sensitive": true</c>; null when none could be made.</summary>
    public string? Schema { get; init; }
}

/// <summary>An entry of the catalogue of types.</summary>
/// <param name="Description">As the latest process registered it.</param>
/// <param name="FirstSeen">When a process first registered it.</param>
/// <param name="LastSeen">When a process last registered it.</param>
/// <param name="Nodes">How many living nodes know it.</param>
/// <param name="Queues">Queues that living nodes which know it work on.</param>
public sealed record TypeRecord(TypeDescription Description, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, int Nodes, IReadOnlyList<string> Queues);

/// <summary>A failed attempt, for the grouping of failures.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Run">Its run.</param>
/// <param name="Attempt">Its attempt.</param>
/// <param name="Type">Its type.</param>
/// <param name="Tag">Its tag; null for none.</param>
/// <param name="Finished">When it ended.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Error">The beginning of its error, at most 2,000 characters.</param>
public sealed record FailureRow(long JobId, int Run, int Attempt, string Type, string? Tag, DateTimeOffset Finished, Outcome Outcome, string Error);

/// <summary>The state of a database.</summary>
public sealed record StoreReport
{
    /// <summary>Product and version of the server or library.</summary>
    public required string Server { get; init; }

    /// <summary>The number of the newest migration that was applied; 0 for none.</summary>
    public int SchemaVersion { get; init; }

    /// <summary>The newest number that this version of Millrace knows.</summary>
    public int KnownVersion { get; init; }

    /// <summary>Figures for people, by name: sizes, rows, connections, milliseconds.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Figures { get; init; } = [];

    /// <summary>What is not as it should be.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];
}

/// <summary>Something that is not as it should be.</summary>
/// <param name="Code">A stable name, such as <c>queue_without_worker</c>.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Evidence">What was seen, with figures.</param>
/// <param name="Cause">What it comes from, most likely.</param>
/// <param name="Remedy">What to do, exactly.</param>
/// <param name="Fix">A statement that mends it and harms nothing; null when a person has to.</param>
public sealed record Finding(string Code, Severity Severity, string Evidence, string Cause, string Remedy, string? Fix = null);

/// <summary>How bad a <see cref="Finding"/> is.</summary>
public enum Severity
{
    /// <summary>Good to know.</summary>
    Notice,

    /// <summary>Something will go wrong, or is slower than it should be.</summary>
    Warning,

    /// <summary>Something does not work.</summary>
    Error,
}
