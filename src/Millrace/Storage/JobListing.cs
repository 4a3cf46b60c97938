namespace Millrace.Storage;

/// <summary>Which page of which jobs.</summary>
public sealed record JobListing
{
    /// <summary>Which jobs.</summary>
    public JobFilter Filter { get; init; } = JobFilter.All;

    /// <summary>Only smaller ids: <see cref="JobPage.Next"/> of the page before. Null for the newest.</summary>
    public long? BeforeId { get; init; }

    /// <summary>How many at most. 1 to 200.</summary>
    public int Limit { get; init; } = 50;

    /// <summary>How long the search may go on before it stops where it is, and says so. It always looks at some candidates, so that it gets on.</summary>
    /// <value>One second.</value>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>A page of jobs, newest id first.</summary>
/// <param name="Jobs">The jobs.</param>
/// <param name="Next">The next page's <see cref="JobListing.BeforeId"/>; null when there is none.</param>
/// <param name="IsPartial">The search stopped after 100,000 candidates, or when its time was up, before the page was full. <paramref name="Next"/> goes on from there.</param>
public sealed record JobPage(IReadOnlyList<JobRow> Jobs, long? Next, bool IsPartial);

/// <summary>A page of ids, in their order.</summary>
/// <param name="Ids">The ids.</param>
/// <param name="Next">The next page's <c>afterId</c>; null when there is none.</param>
public sealed record IdPage(IReadOnlyList<long> Ids, long? Next);

/// <summary>A job in a list: narrow, whatever it carries.</summary>
public sealed record JobRow
{
    /// <summary>Its id.</summary>
    public required long Id { get; init; }

    /// <summary>The registered name of its type.</summary>
    public required string Type { get; init; }

    /// <summary>Its tag; null for none.</summary>
    public string? Tag { get; init; }

    /// <summary>Whose job it is; 0 is the system.</summary>
    public long UserId { get; init; }

    /// <summary>Its queue.</summary>
    public required string Queue { get; init; }

    /// <summary>Lower runs first: where it stands, or as submitted.</summary>
    public short Priority { get; init; }

    /// <summary>Where it is.</summary>
    public required JobState State { get; init; }

    /// <summary>For a waiting job: <c>type</c>, <c>key</c> or <c>quarantine</c>; otherwise null.</summary>
    public string? WaitsFor { get; init; }

    /// <summary>The number of the run that is going on, comes next, or was the last.</summary>
    public int Run { get; init; }

    /// <summary>The number of the attempt that runs, or comes next, or was the last.</summary>
    public int Attempt { get; init; }

    /// <summary>When it is due.</summary>
    public required DateTimeOffset Due { get; init; }

    /// <summary>When it was submitted.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When the run that is going on was claimed, or the latest one began; null before the first.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>When the latest run ended; null while one is going on, and before the first.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>How the latest ended run ended; null before the first.</summary>
    public Outcome? LastOutcome { get; init; }

    /// <summary>The beginning of the data, at most 2,000 characters, so it may be cut.</summary>
    public required string Data { get; init; }

    /// <summary>The beginning of the latest ended run's error, at most 500 characters; null for none.</summary>
    public string? Error { get; init; }

    /// <summary>The schedule whose tick it is; null for none.</summary>
    public string? Schedule { get; init; }

    /// <summary>The job whose attempt submitted it; null for none.</summary>
    public long? Parent { get; init; }

    /// <summary>The node that runs it, or ran it last; null before the first.</summary>
    public Guid? Node { get; init; }

    /// <summary>How far the run says it is, 0 to 100; null when it said nothing.</summary>
    public double? Progress { get; init; }

    /// <summary>The operation that deleted it, and can be undone until the job is removed; null when it is not deleted. Deleted jobs are in no list.</summary>
    public long? DeletedBy { get; init; }
}

/// <summary>One job with all that is known of it.</summary>
public sealed record JobDetail
{
    /// <summary>As it stands in a list.</summary>
    public required JobRow Row { get; init; }

    /// <summary>As it is stored, with its whole data, result and error.</summary>
    public required JobRecord Record { get; init; }

    /// <summary>Changes whenever the job changes its place, run or priority. For people who change what they have seen.</summary>
    public required string Version { get; init; }

    /// <summary>What the submission set of its policy, as JSON text; null for nothing.</summary>
    public string? Policy { get; init; }

    /// <summary>The W3C <c>traceparent</c> of the submitter; null for none.</summary>
    public string? Trace { get; init; }

    /// <summary>The key it asked for (its tag, with <see cref="WhenPending"/>); null for none.</summary>
    public string? Key { get; init; }

    /// <summary>When it will be removed; null when it has not finished, or is kept.</summary>
    public DateTimeOffset? RemoveAt { get; init; }

    /// <summary>The name of the node that runs it, or ran it last, as far as its row is still there.</summary>
    public string? NodeName { get; init; }

    /// <summary>Who asked the running job to stop, and why; null when nobody did.</summary>
    public CancelRequest? CancelRequest { get; init; }

    /// <summary>Jobs that its attempts submitted, oldest first, at most 50.</summary>
    public IReadOnlyList<JobRow> Children { get; init; } = [];
}

/// <summary>How many jobs there are.</summary>
public sealed record JobCounts
{
    /// <summary>Up to which live states are counted, 100,000: a count of this means "at least".</summary>
    public const int Cap = 100_000;

    /// <summary>By state. Live states at this moment, capped; finished ones of the last 24 hours.</summary>
    public required IReadOnlyDictionary<StateSet, long> ByState { get; init; }

    /// <summary>Since when the oldest ready job has been ready; null when none is.</summary>
    public DateTimeOffset? OldestReady { get; init; }

    /// <summary>The store's clock.</summary>
    public required DateTimeOffset Now { get; init; }
}

/// <summary>What a change of many jobs would touch.</summary>
/// <param name="Count">How many jobs would be changed. Counted up to <see cref="JobCounts.Cap"/>.</param>
/// <param name="Skipped">How many match but would be left alone, because their state does not allow the change.</param>
/// <param name="ByState">Those that would be changed, by state.</param>
/// <param name="ByType">The same by type, the hundred with the most.</param>
/// <param name="ByQueue">The same by queue, the hundred with the most.</param>
/// <param name="Samples">Five of them.</param>
/// <param name="UpToId">The largest id there was: later jobs are left out.</param>
/// <param name="IsCapped">There are more than were counted.</param>
/// <param name="Next">Where to go on counting (<see cref="MatchQuery.AfterId"/>), when the time was up; null when all were counted, or as many as there may be.</param>
public sealed record MatchCount(
    long Count,
    long Skipped,
    IReadOnlyDictionary<StateSet, long> ByState,
    IReadOnlyDictionary<string, long> ByType,
    IReadOnlyDictionary<string, long> ByQueue,
    IReadOnlyList<JobRow> Samples,
    long UpToId,
    bool IsCapped,
    long? Next = null)
{
    /// <summary>How many types and queues are named.</summary>
    public const int MostNames = 100;
}

/// <summary>Which jobs are to be counted, for which change.</summary>
/// <param name="Filter">Which jobs.</param>
/// <param name="Kind">Which change: one of those of jobs.</param>
public sealed record MatchQuery(JobFilter Filter, OperationKind Kind)
{
    /// <summary>Only larger ids: <see cref="MatchCount.Next"/> of the count before. 0 for all.</summary>
    public long AfterId { get; init; }

    /// <summary>Jobs with a larger id were submitted later and are left out.</summary>
    public long UpToId { get; init; } = long.MaxValue;

    /// <summary>How many are counted at most: <see cref="JobCounts.Cap"/>, less what was counted before.</summary>
    public long Most { get; init; } = JobCounts.Cap;

    /// <summary>How long the count may go on before it stops where it is, and says so.</summary>
    /// <value>One second.</value>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);
}
