namespace Millrace.Dashboard.Showing;

// What the API tells of everything that is not one job.

internal sealed record MeAnswer(
    string Name, IReadOnlyList<string> Permissions, string Environment, bool IsProduction, string Version, string Store, bool IsReadOnly);

internal sealed record OverviewAnswer
{
    public required DateTimeOffset Now { get; init; }
    public required IReadOnlyDictionary<string, long> Counts { get; init; }
    public required int Cap { get; init; }
    public DateTimeOffset? OldestReady { get; init; }
    public required double DonePerMinute { get; init; }
    public required long FailedLastHour { get; init; }
    public required int WorkersAlive { get; init; }
    public required int WorkersTotal { get; init; }
    public required IReadOnlyList<FindingAnswer> Findings { get; init; }
    public required IReadOnlyList<QueueAnswer> Queues { get; init; }
}

/// <param name="Code">A stable name.</param>
/// <param name="Severity">notice, warning or error.</param>
/// <param name="Text">What was seen.</param>
/// <param name="Cause">What it comes from, most likely.</param>
/// <param name="Remedy">What to do.</param>
/// <param name="Link">Relative to the dashboard: where it can be seen.</param>
internal sealed record FindingAnswer(string Code, string Severity, Shown Text, Shown Cause, Shown Remedy, Shown? Link);

internal sealed record PauseAnswer(DateTimeOffset Since, Shown? By, Shown? Reason, DateTimeOffset? Until);

internal sealed record QueueAnswer
{
    public required Shown Name { get; init; }
    public required long Ready { get; init; }
    public DateTimeOffset? OldestReady { get; init; }
    public required long Scheduled { get; init; }
    public required long Waiting { get; init; }
    public required long Running { get; init; }
    public required double EndsPerMinute { get; init; }

    /// <summary>How many jobs became ready in each minute, over the same five: an estimate.</summary>
    public required double ArrivalsPerMinute { get; init; }
    public required long FailedLastHour { get; init; }
    public required int Nodes { get; init; }
    public PauseAnswer? Pause { get; init; }

    /// <summary>When it will be empty, if things go on as in the last five minutes.</summary>
    public double? EmptyInMs { get; init; }

    /// <summary>By how many jobs a minute it grows, if it does.</summary>
    public double? GrowsPerMinute { get; init; }
}

internal sealed record QueuesAnswer(IReadOnlyList<QueueAnswer> Queues);

internal sealed record StatsAnswer(DateTimeOffset From, DateTimeOffset To, int StepSeconds, IReadOnlyList<StatPointAnswer> Points, IReadOnlyList<DeploymentAnswer> Deployments);

/// <summary>A version that came to be among the workers of an application.</summary>
internal sealed record DeploymentAnswer(DateTimeOffset At, Shown Application, Shown Version);

internal sealed record StatPointAnswer
{
    public required DateTimeOffset At { get; init; }
    public Shown? Queue { get; init; }
    public Shown? Type { get; init; }
    public long Succeeded { get; init; }
    public long Failed { get; init; }
    public long Retried { get; init; }
    public long Cancelled { get; init; }
    public long Interrupted { get; init; }
    public long Other { get; init; }
    public SpreadAnswer? Wait { get; init; }
    public SpreadAnswer? Run { get; init; }
}

internal sealed record SpreadAnswer(double P50Ms, double P95Ms, double P99Ms);

internal sealed record ScheduleAnswer
{
    public required Shown Name { get; init; }
    public required Shown Type { get; init; }
    public required Shown Cron { get; init; }
    public required Shown Words { get; init; }
    public required Shown Zone { get; init; }
    public required bool IsPersistent { get; init; }
    public required string MissedTicks { get; init; }
    public required Shown Queue { get; init; }
    public Shown? Tag { get; init; }
    public DateTimeOffset? NextDue { get; init; }
    public required IReadOnlyList<DateTimeOffset> Next { get; init; }
    public DateTimeOffset? LastTick { get; init; }
    public PauseAnswer? Pause { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required int Owners { get; init; }
}

internal sealed record SchedulesAnswer(IReadOnlyList<ScheduleAnswer> Schedules);

/// <param name="From">Now.</param>
/// <param name="To">A day later.</param>
/// <param name="StepSeconds">How long a slot is.</param>
/// <param name="Slots">Those in which something is due, in order.</param>
/// <param name="IsPartial">There are so many ticks that not all were looked at.</param>
internal sealed record ScheduleAheadAnswer(DateTimeOffset From, DateTimeOffset To, int StepSeconds, IReadOnlyList<AheadSlotAnswer> Slots, bool IsPartial);

/// <param name="At">Its beginning.</param>
/// <param name="Ticks">How many jobs the schedules make in it.</param>
/// <param name="Schedules">Which, those with the most ticks first; at most ten.</param>
/// <param name="More">How many there are besides.</param>
internal sealed record AheadSlotAnswer(DateTimeOffset At, int Ticks, IReadOnlyList<Shown> Schedules, int More);

internal sealed record WorkersAnswer(DateTimeOffset Now, IReadOnlyList<WorkerAnswer> Workers);

internal sealed record WorkerAnswer
{
    public required string Id { get; init; }
    public required Shown Name { get; init; }
    public required string Kind { get; init; }
    public string? Server { get; init; }
    public Shown? Application { get; init; }
    public Shown? Version { get; init; }
    public required DateTimeOffset Started { get; init; }
    public required bool IsAlive { get; init; }
    public DateTimeOffset? Expires { get; init; }
    public DateTimeOffset? Died { get; init; }
    public required bool IsIdle { get; init; }

    /// <summary>As it said with its last beat; null when it does not say, or is gone.</summary>
    public LoadAnswer? Load { get; init; }
    public PauseAnswer? Drain { get; init; }
    public required IReadOnlyList<Shown> Queues { get; init; }
    public required IReadOnlyList<Shown> Types { get; init; }
    public required int RunningCount { get; init; }
    public required IReadOnlyList<RunningAnswer> Running { get; init; }
}

/// <param name="Cpu">Processor time over the time between its last two beats: 1 for one core.</param>
/// <param name="Memory">Its working set, in bytes.</param>
/// <param name="PoolQueue">How much work waits for a thread of its pool.</param>
internal sealed record LoadAnswer(double? Cpu, long Memory, long PoolQueue);

internal sealed record RunningAnswer(string JobId, Shown Type, int Attempt, DateTimeOffset Claimed, double? Progress);

internal sealed record TypesAnswer(IReadOnlyList<TypeAnswer> Types);

internal sealed record TypeAnswer
{
    public required Shown Name { get; init; }
    public required IReadOnlyList<Shown> Aliases { get; init; }
    public required Shown Queue { get; init; }
    public required int MaxAttempts { get; init; }
    public double? TimeoutMs { get; init; }

    /// <summary>How long it waits before each next attempt, in milliseconds.</summary>
    public required IReadOnlyList<double> Retry { get; init; }
    public required bool IsIsolated { get; init; }
    public required DateTimeOffset FirstSeen { get; init; }
    public required DateTimeOffset LastSeen { get; init; }
    public required int Nodes { get; init; }
    public required IReadOnlyList<Shown> Queues { get; init; }
    public required TypeStatsAnswer Last24h { get; init; }
    public Shown? Schema { get; init; }
}

internal sealed record TypeStatsAnswer(long Succeeded, long Failed, long Retried, SpreadAnswer? Run, SpreadAnswer? Wait);

/// <param name="Since">Only runs that ended at or after this time.</param>
/// <param name="Runs">The slowest first, at most 20.</param>
/// <param name="Examined">How many runs of all types were looked at in this call.</param>
/// <param name="Reached">When the job was submitted at which the search stopped, before its end.</param>
/// <param name="Next">Where to go on: before and beforeRun of the next call.</param>
internal sealed record SlowestAnswer(DateTimeOffset Since, IReadOnlyList<SlowRunAnswer> Runs, long Examined, DateTimeOffset? Reached, RunPlaceAnswer? Next);

internal sealed record RunPlaceAnswer(string JobId, int Run);

internal sealed record SlowRunAnswer(string JobId, int Run, int Attempt, Shown? Tag, string Outcome, DateTimeOffset Started, DateTimeOffset Finished, double TookMs);

internal sealed record FailuresAnswer(DateTimeOffset Since, bool IsPartial, IReadOnlyList<FailureAnswer> Groups, IReadOnlyList<DeploymentAnswer> Deployments);

internal sealed record FailureAnswer
{
    public required string Fingerprint { get; init; }
    public required Shown Type { get; init; }
    public required Shown Title { get; init; }
    public required Shown Sample { get; init; }
    public required string SampleJob { get; init; }
    public required long Count { get; init; }
    public required long Jobs { get; init; }
    public required DateTimeOffset First { get; init; }
    public required DateTimeOffset Last { get; init; }
    public required IReadOnlyList<long> Trend { get; init; }
    public required Shown Filter { get; init; }
}

internal sealed record SystemAnswer(
    string Version, string Server, int SchemaVersion, int KnownVersion, IReadOnlyList<FigureAnswer> Figures, IReadOnlyList<FindingAnswer> Findings);

internal sealed record SettingsAnswer(IReadOnlyList<SettingGroupAnswer> Groups);

/// <param name="Of">dashboard, for this one; workers, for processes that have the same settings.</param>
/// <param name="Application">The program that they run.</param>
/// <param name="Nodes">How many processes they are.</param>
/// <param name="Names">Their names, at most 20.</param>
/// <param name="Settings">In their order.</param>
internal sealed record SettingGroupAnswer(string Of, Shown? Application, int Nodes, IReadOnlyList<Shown> Names, IReadOnlyList<SettingAnswer> Settings);

/// <param name="Name">Its class and property.</param>
/// <param name="Value">What is in force.</param>
/// <param name="Source">default, application (set in code or configuration) or environment.</param>
internal sealed record SettingAnswer(Shown Name, Shown Value, string Source);

internal sealed record FigureAnswer(string Name, Shown Value);

internal sealed record PulseAnswer(DateTimeOffset At);
