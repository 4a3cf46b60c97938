namespace Millrace.Storage;

/// <summary>
/// What people may look at: dashboard and command line read through it, and nothing else. Reads use connections of their own (two at most), in read-only transactions, each statement
/// bounded to 2 seconds, so that looking never holds up a job. Counts are capped and say so. Texts come as they are stored: whoever shows them redacts them first.
/// May be called from any thread; throws <see cref="StoreException"/> alone for a failure of the database (<see cref="StoreFault.Unavailable"/> also when the time was up).
/// </summary>
public interface IJobInspection
{
    /// <summary>Jobs that match, newest id first, one page after the other. See <see cref="JobPage.IsPartial"/> for how far one call searches.</summary>
    Task<JobPage> ListAsync(JobListing listing, CancellationToken cancellationToken);

    /// <summary>How many jobs there are in each state. Live states are counted up to <see cref="JobCounts.Cap"/>; finished ones are those of the last 24 hours, from the roll-ups.</summary>
    Task<JobCounts> CountAsync(CancellationToken cancellationToken);

    /// <summary>What a change of all matching jobs would touch, in the order in which it would go through them.</summary>
    /// <param name="query">Which jobs and which change.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<MatchCount> CountMatchesAsync(MatchQuery query, CancellationToken cancellationToken);

    /// <summary>The ids that match, in their order, for a change that goes through them page by page.</summary>
    /// <param name="filter">Which jobs.</param>
    /// <param name="afterId">Only larger ids; 0 for the first page.</param>
    /// <param name="upToId">No larger ids.</param>
    /// <param name="limit">1 to 1,000.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IdPage> ReadMatchesAsync(JobFilter filter, long afterId, long upToId, int limit, CancellationToken cancellationToken);

    /// <summary>These jobs as they stand in a list, deleted ones too, in the order of their ids. Those that are not stored are left out.</summary>
    /// <param name="ids">At most 1,000.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IReadOnlyList<JobRow>> ReadRowsAsync(IReadOnlyCollection<long> ids, CancellationToken cancellationToken);

    /// <summary>One job with all that is known of it; null when it is not stored.</summary>
    Task<JobDetail?> FindAsync(long jobId, CancellationToken cancellationToken);

    /// <summary>The ended runs of a job, by run. At most the last 1,000.</summary>
    Task<IReadOnlyList<AttemptRecord>> ReadAttemptsAsync(long jobId, CancellationToken cancellationToken);

    /// <summary>Stored log lines of a job, by run and line.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="afterRun">With <paramref name="afterLine"/>: only lines after this one; 0 and 0 for the first page.</param>
    /// <param name="afterLine">See <paramref name="afterRun"/>.</param>
    /// <param name="limit">1 to 1,000.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IReadOnlyList<LogLine>> ReadLogAsync(long jobId, int afterRun, int afterLine, int limit, CancellationToken cancellationToken);

    /// <summary>All that decides whether a job runs, read at one moment; null when it is not stored. <c>explain</c> works on it.</summary>
    Task<JobFacts?> ReadFactsAsync(long jobId, CancellationToken cancellationToken);

    /// <summary>All queues that are known: with jobs, paused, or worked on by a living node. By name, at most 1,000.</summary>
    Task<IReadOnlyList<QueueRecord>> ReadQueuesAsync(CancellationToken cancellationToken);

    /// <summary>All schedules, by name, at most 1,000.</summary>
    Task<IReadOnlyList<ScheduleRecord>> ReadSchedulesAsync(CancellationToken cancellationToken);

    /// <summary>The newest jobs that a schedule's ticks made.</summary>
    /// <param name="name">The schedule.</param>
    /// <param name="limit">1 to 200.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IReadOnlyList<JobRow>> ReadScheduleRunsAsync(string name, int limit, CancellationToken cancellationToken);

    /// <summary>Nodes: the living, and those that died or left within the last hour. Oldest first, at most 1,000; of each what it runs, at most 200.</summary>
    Task<IReadOnlyList<WorkerRecord>> ReadWorkersAsync(CancellationToken cancellationToken);

    /// <summary>The settings that living nodes have registered, those of most nodes first; at most 50 different ones. Nodes that have the same are one.</summary>
    Task<IReadOnlyList<NodeSettings>> ReadSettingsAsync(CancellationToken cancellationToken);

    /// <summary>When new versions of the applications came, oldest first: the newest 200. The first that was ever seen of an application is none: it came in the place of nothing.</summary>
    /// <param name="since">Only those that came at or after this time.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IReadOnlyList<Deployment>> ReadDeploymentsAsync(DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>The catalogue of types that processes have registered, by name, at most 1,000.</summary>
    Task<IReadOnlyList<TypeRecord>> ReadTypesAsync(CancellationToken cancellationToken);

    /// <summary>Roll-ups of ended attempts, added up over nodes, by bucket.</summary>
    Task<IReadOnlyList<StatRow>> ReadStatsAsync(StatQuery query, CancellationToken cancellationToken);

    /// <summary>The runs of a type that took longest, within a time. See <see cref="SlowRuns"/> for how far one call searches.</summary>
    Task<SlowRuns> ReadSlowRunsAsync(SlowRunQuery query, CancellationToken cancellationToken);

    /// <summary>The newest failed attempts (outcome <see cref="Outcome.Failed"/>, <see cref="Outcome.Discarded"/> or <see cref="Outcome.Interrupted"/>), newest first.</summary>
    /// <param name="since">Only those that ended at or after this time.</param>
    /// <param name="limit">1 to 10,000.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IReadOnlyList<FailureRow>> ReadFailuresAsync(DateTimeOffset since, int limit, CancellationToken cancellationToken);

    /// <summary>What people did, newest first.</summary>
    /// <param name="beforeId">Only smaller ids; <see cref="long.MaxValue"/> for the newest.</param>
    /// <param name="jobId">Only what touched this job; null for all.</param>
    /// <param name="limit">1 to 200.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IReadOnlyList<OperationRecord>> ReadOperationsAsync(long beforeId, long? jobId, int limit, CancellationToken cancellationToken);

    /// <summary>One of them; null when there is none of this id.</summary>
    Task<OperationRecord?> FindOperationAsync(long id, CancellationToken cancellationToken);

    /// <summary>A mark that changes whenever something may have changed in the database. Cheap: meant to be read every second.</summary>
    Task<string> ReadPulseAsync(CancellationToken cancellationToken);

    /// <summary>The store's clock.</summary>
    Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken);

    /// <summary>The version of the schema and of the server, sizes, and whether it is as it should be. Works with any version of the schema.</summary>
    Task<StoreReport> ReportAsync(CancellationToken cancellationToken);
}
