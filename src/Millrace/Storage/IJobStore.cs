using System.Data.Common;

namespace Millrace.Storage;

/// <summary>
/// A database that keeps jobs. Both stores are held to one contract by the same tests. All times are the store's own clock (see
/// <see cref="StoreClock"/>). Every operation is one transaction, unless it takes the caller's; may be called from any thread; can be
/// repeated when its outcome is unknown; and throws <see cref="StoreException"/> alone for a failure of the database.
/// </summary>
public interface IJobStore : IAsyncDisposable
{
    /// <summary>The database for people: product, host or file, schema. Never a secret.</summary>
    string Name { get; }

    /// <summary>Whether a submission in one process can wake a node in another at once (LISTEN). Without it, idle nodes poll more often.</summary>
    bool HasBell { get; }

    /// <summary>The data source that handlers use: an own pool beside the engine's connections, opened connections ready for transactions.</summary>
    DbDataSource Handlers { get; }

    /// <summary>The store's own settings, for people. No connection string, and nothing of one.</summary>
    IReadOnlyList<Setting> Settings { get; }

    /// <summary>What people may look at.</summary>
    IJobInspection Inspection { get; }

    /// <summary>What people may change.</summary>
    IJobOperations Operations { get; }

    // ---- schema

    /// <summary>Brings the schema to this version, or checks that it is there.</summary>
    /// <param name="apply">False: change nothing, and throw when a migration is missing.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task MigrateAsync(bool apply, CancellationToken cancellationToken);

    // ---- submitting

    /// <summary>Takes a block of ids that no other process will be given.</summary>
    Task<IdBlock> TakeIdsAsync(int count, CancellationToken cancellationToken);

    /// <summary>Takes ids for jobs of the caller's transaction. Where one writer at a time is let in (SQLite) the caller is that writer, and anybody else would wait for it. After a rollback the ids may be given to others.</summary>
    /// <param name="count">At least 1.</param>
    /// <param name="transaction">The caller's open transaction on this database.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Exactly that many where they share the transaction's fate. Otherwise perhaps more: those beyond the count are the process's to keep.</returns>
    Task<IdBlock> TakeIdsAsync(int count, DbTransaction transaction, CancellationToken cancellationToken);

    /// <summary>Stores jobs, all or none. Jobs with a key are decided one by one, in the order of their keys; the answers keep the order of the jobs.</summary>
    /// <param name="jobs">At least one. Many plain ones are written in bulk.</param>
    /// <param name="transaction">The caller's open transaction on this database, at any isolation level; null for a transaction of the store's own.</param>
    /// <param name="cancellationToken">Stops waiting. Inside a caller's transaction the transaction may then be unusable.</param>
    Task<IReadOnlyList<SubmitAnswer>> SubmitAsync(IReadOnlyList<NewJob> jobs, DbTransaction? transaction, CancellationToken cancellationToken);

    /// <summary>Stores jobs without keys, all or none, in a transaction of the store's own, and leases some of them to the node that submits them.</summary>
    /// <param name="jobs">At least one.</param>
    /// <param name="claim">Which of them the node would run at once.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IReadOnlyList<SubmitAnswer>> SubmitAndClaimAsync(IReadOnlyList<NewJob> jobs, BirthClaim claim, CancellationToken cancellationToken);

    /// <summary>Rings for idle nodes: these queues have something to claim. Does nothing when nobody is idle, or without a bell.</summary>
    Task RingAsync(IReadOnlyCollection<string> queues, CancellationToken cancellationToken);

    // ---- running

    /// <summary>Ends runs and claims more, in one commit. See <see cref="Turn"/>.</summary>
    Task<TurnAnswer> TurnAsync(Turn turn, CancellationToken cancellationToken);

    /// <summary>Ends a run as succeeded inside the user's transaction, as its last statement. Touches nothing that is shared but the run's own row.</summary>
    /// <param name="node">The node that runs it.</param>
    /// <param name="end">The end. Its <see cref="AttemptEnd.Then"/> is ignored: inside a transaction jobs are submitted in it directly.</param>
    /// <param name="transaction">The user's transaction.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>False when the run is stale: roll back.</returns>
    Task<bool> CompleteAsync(Guid node, AttemptEnd end, DbTransaction transaction, CancellationToken cancellationToken);

    /// <summary>After a commit whose answer was lost, or before a repeated transaction: how this run stands.</summary>
    Task<RunStanding> LookAtRunAsync(Guid node, Claim claim, CancellationToken cancellationToken);

    /// <summary>Stores log lines of running attempts. Lines that are already stored are left alone.</summary>
    Task SaveLogAsync(IReadOnlyList<LogLine> lines, CancellationToken cancellationToken);

    /// <summary>Stores how far a running attempt is; the newest wins. Does nothing for a run that is not its job's latest. For a job of a user (not 0) it also raises an event, in the same commit.</summary>
    Task SaveProgressAsync(long jobId, int run, double percent, string? message, CancellationToken cancellationToken);

    /// <summary>Reads what <c>OnceAsync</c> stored under this key for this job.</summary>
    /// <returns>The stored JSON text, or null when nothing is stored.</returns>
    Task<string?> ReadOnceAsync(long jobId, string key, CancellationToken cancellationToken);

    /// <summary>Stores the value of a step that must not be repeated, if the lease still lists the run and the key is new for the job.</summary>
    /// <param name="node">The node that runs it.</param>
    /// <param name="claim">The run.</param>
    /// <param name="key">The step.</param>
    /// <param name="value">JSON text.</param>
    /// <param name="transaction">The user's transaction; null for one of the store's own.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>False when the run is stale or the key was stored before.</returns>
    Task<bool> SaveOnceAsync(Guid node, Claim claim, string key, string value, DbTransaction? transaction, CancellationToken cancellationToken);

    // ---- events

    /// <summary>Raises notifications, in this order, and rings (<c>"@"</c>) for nodes that listen. Repeated after an unknown outcome it may raise them twice.</summary>
    Task RaiseAsync(IReadOnlyList<NewEvent> events, CancellationToken cancellationToken);

    /// <summary>Where the events stand: every event that is raised from now on has a greater id, and none that was raised before.</summary>
    Task<long> ReadEventPositionAsync(CancellationToken cancellationToken);

    /// <summary>Reads events by id. Reading on from <see cref="EventPage.Position"/> never misses one, however many sessions raise at the same time.</summary>
    /// <param name="after">Only events with a greater id. One that the database never gave (it was restored from a backup) gives a page with a smaller position.</param>
    /// <param name="userIds">Whose events.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<EventPage> ReadEventsAsync(long after, IReadOnlyCollection<long> userIds, int limit, CancellationToken cancellationToken);

    /// <summary>Says whether the node would like to be rung for events.</summary>
    Task SetListeningAsync(Guid node, bool isListening, CancellationToken cancellationToken);

    // ---- changing what is stored

    /// <summary>Cancels a pending job, or asks a running one to stop.</summary>
    Task<CancelResult> CancelAsync(long jobId, string? by, string? reason, CancellationToken cancellationToken);

    /// <summary>The open cancel requests among these running jobs.</summary>
    Task<IReadOnlyList<CancelRequest>> ReadCancelRequestsAsync(IReadOnlyCollection<long> jobIds, CancellationToken cancellationToken);

    /// <summary>Makes a finished, scheduled or waiting job ready, with <c>attempt</c> back at 1 and <c>run</c> going on (rule 2).</summary>
    Task<RetryResult> RetryAsync(long jobId, CancellationToken cancellationToken);

    /// <summary>Stops or resumes claims from a queue, on all nodes.</summary>
    Task PauseQueueAsync(string queue, bool isPaused, CancellationToken cancellationToken);

    // ---- nodes

    /// <summary>Introduces a node, or renews what is known of it. Jobs that waited for a node with its types come back.</summary>
    Task RegisterAsync(NewNode node, CancellationToken cancellationToken);

    /// <summary>Opens the life sign of a registered node. Call it on the thread that will beat.</summary>
    IHeartbeat OpenHeartbeat(Guid node, TimeSpan expiry);

    /// <summary>Says whether the node would like to be woken by a ring.</summary>
    Task SetIdleAsync(Guid node, bool isIdle, CancellationToken cancellationToken);

    /// <summary>Ends a node in order. Its leases, if any, are those of the dead from now on, and schedules that only it owned are dropped.</summary>
    Task LeaveAsync(Guid node, CancellationToken cancellationToken);

    // ---- tending

    /// <summary>Looks for what can be claimed or will be due. For nodes that have nothing to do.</summary>
    Task<Outlook> LookOutAsync(CancellationToken cancellationToken);

    /// <summary>Looks for what needs upkeep.</summary>
    Task<Survey> SurveyAsync(Guid node, CancellationToken cancellationToken);

    /// <summary>Declares an expired node dead, if its beat is still the one that was seen. Its row stays as a tombstone that outlives its leases.</summary>
    /// <returns>False when it has beaten since, or somebody else was first.</returns>
    Task<bool> BuryAsync(NodeSighting node, CancellationToken cancellationToken);

    /// <summary>Ends the runs of one lease and lets their jobs go back.</summary>
    /// <param name="lease">The lease: of a node that is buried, has left, or has no row; or of <paramref name="rescuer"/> itself.</param>
    /// <param name="rescuer">The node that does it.</param>
    /// <param name="decide">Pure; called inside the transaction for each run that has not ended.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<RescueAnswer> RescueAsync(Guid lease, Guid rescuer, Func<LeasedRun, RescueVerdict> decide, CancellationToken cancellationToken);

    /// <summary>Moves scheduled jobs whose time has come to <c>ready</c>.</summary>
    /// <param name="limit">How many at most in this transaction.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<PromoteAnswer> PromoteAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Upkeep of keys, types, tombstones and everything that is only cleaned now and then. Small steps; each its own transaction.</summary>
    /// <returns>The queues that have something to claim now.</returns>
    Task<IReadOnlyList<string>> TidyAsync(CancellationToken cancellationToken);

    /// <summary>Deletes finished jobs, with everything of theirs, whose time to be removed has come.</summary>
    /// <param name="limit">How many jobs at most in this transaction.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>How many jobs were deleted.</returns>
    Task<int> PruneAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Stores a node's roll-ups of ended attempts. A row of the same bucket, node, queue, type and outcome is replaced, so a repeated call adds nothing twice.</summary>
    Task SaveStatsAsync(IReadOnlyList<StatRow> rows, CancellationToken cancellationToken);

    // ---- schedules

    /// <summary>Creates a schedule, or replaces the one of the same name. The same content changes nothing and keeps its cursor.</summary>
    /// <param name="schedule">Its <see cref="Schedule.Version"/> is ignored.</param>
    /// <param name="owner">For one that is not persistent: the server node that submits it. Owners add up.</param>
    /// <param name="transaction">The caller's transaction; null for one of the store's own.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Whether it was created or changed.</returns>
    Task<bool> PutScheduleAsync(Schedule schedule, Guid? owner, DbTransaction? transaction, CancellationToken cancellationToken);

    /// <summary>Removes a schedule. Jobs of earlier ticks stay.</summary>
    /// <returns>False when there was none.</returns>
    Task<bool> RemoveScheduleAsync(string name, CancellationToken cancellationToken);

    /// <summary>All schedules, by name.</summary>
    Task<IReadOnlyList<Schedule>> ReadSchedulesAsync(CancellationToken cancellationToken);

    /// <summary>Fires due ticks: locks one due schedule that nobody else holds, lets <paramref name="plan"/> decide, stores its jobs and moves its cursor, in one transaction.</summary>
    /// <param name="plan">Pure; gets the schedule and the store's now.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>What was done; null when no schedule was due.</returns>
    Task<TickAnswer?> TickAsync(Func<Schedule, DateTimeOffset, TickPlan> plan, CancellationToken cancellationToken);

    // ---- reading

    /// <summary>The store's clock.</summary>
    Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken);

    /// <summary>One job; null when it is not stored.</summary>
    Task<JobRecord?> FindAsync(long jobId, CancellationToken cancellationToken);

    /// <summary>Jobs by id.</summary>
    Task<IReadOnlyList<JobRecord>> ListAsync(JobQuery query, CancellationToken cancellationToken);

    /// <summary>The ended runs of a job, by run.</summary>
    Task<IReadOnlyList<AttemptRecord>> ReadAttemptsAsync(long jobId, CancellationToken cancellationToken);

    /// <summary>The stored log lines of a job, by run and line. At most 10,000.</summary>
    Task<IReadOnlyList<LogLine>> ReadLogAsync(long jobId, CancellationToken cancellationToken);

    /// <summary>How deep the queues are.</summary>
    Task<IReadOnlyList<QueueDepth>> ReadDepthsAsync(CancellationToken cancellationToken);

    // ---- for callers with connections of their own

    /// <summary>Whether this connection leads to this store's database, so that a transaction on it can carry a submission.</summary>
    bool Owns(DbConnection connection);

    /// <summary>Classifies an exception of the provider that came out of the user's own statements.</summary>
    /// <returns>Null when it is not an exception of this database.</returns>
    StoreFault? Classify(Exception exception);
}

/// <summary>How one run stands in the store.</summary>
public enum RunStanding
{
    /// <summary>The lease lists it and it has not ended.</summary>
    Running,

    /// <summary>This node ended it.</summary>
    EndedByMe,

    /// <summary>The lease was lost, or somebody else ended it.</summary>
    Stale,
}

/// <summary>What a promotion did.</summary>
/// <param name="Moved">How many jobs are ready now.</param>
/// <param name="Queues">Their queues.</param>
/// <param name="NextDue">When the next scheduled job is due; null when there is none.</param>
/// <param name="Now">The store's clock.</param>
public sealed record PromoteAnswer(int Moved, IReadOnlyList<string> Queues, DateTimeOffset? NextDue, DateTimeOffset Now);

/// <summary>What a tick did.</summary>
/// <param name="Schedule">The schedule's name.</param>
/// <param name="Fired">How many jobs it made.</param>
/// <param name="Skipped">How many ticks it skipped.</param>
/// <param name="Queues">The queues of the jobs.</param>
public sealed record TickAnswer(string Schedule, int Fired, int Skipped, IReadOnlyList<string> Queues);
