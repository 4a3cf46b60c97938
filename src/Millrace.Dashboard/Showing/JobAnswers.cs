namespace Millrace.Dashboard.Showing;

// What the API tells of jobs. Ids are strings, because numbers of 64 bits lose digits in a browser; texts that were stored are Shown.

internal sealed record JobRowAnswer
{
    public required string Id { get; init; }
    public required Shown Type { get; init; }
    public Shown? Tag { get; init; }
    public required string UserId { get; init; }
    public required Shown Queue { get; init; }
    public required int Priority { get; init; }
    public required string State { get; init; }
    public string? WaitsFor { get; init; }
    public required int Run { get; init; }
    public required int Attempt { get; init; }
    public required DateTimeOffset Due { get; init; }
    public required DateTimeOffset Created { get; init; }
    public DateTimeOffset? Started { get; init; }
    public DateTimeOffset? Finished { get; init; }
    public string? Outcome { get; init; }
    public required Shown Data { get; init; }
    public Shown? Error { get; init; }
    public Shown? Schedule { get; init; }
    public string? Parent { get; init; }
    public string? Node { get; init; }
    public double? Progress { get; init; }
    public string? DeletedBy { get; init; }
}

internal sealed record JobsAnswer(IReadOnlyList<JobRowAnswer> Jobs, string? Next, bool IsPartial);

/// <summary>The last line of an export that is not whole.</summary>
internal sealed record ExportEndAnswer(bool IsCut, Shown Why);

internal sealed record JobListAnswer(IReadOnlyList<JobRowAnswer> Jobs);

internal sealed record CountsAnswer(IReadOnlyDictionary<string, long> Counts, int Cap, DateTimeOffset Now);

internal sealed record JobAnswer
{
    public required JobRowAnswer Row { get; init; }
    public required string Version { get; init; }
    public required Shown Data { get; init; }
    public Shown? Result { get; init; }
    public Shown? Error { get; init; }
    public Shown? Headers { get; init; }
    public Shown? Policy { get; init; }
    public Shown? Trace { get; init; }
    public Shown? TraceLink { get; init; }
    public Shown? Key { get; init; }
    public DateTimeOffset? RemoveAt { get; init; }
    public Shown? NodeName { get; init; }
    public double? Progress { get; init; }
    public Shown? ProgressMessage { get; init; }
    public CancelRequestAnswer? CancelRequest { get; init; }
    public required IReadOnlyList<JobRowAnswer> Children { get; init; }
    public required IReadOnlyList<string> Actions { get; init; }
}

internal sealed record CancelRequestAnswer(Shown? By, Shown? Reason);

internal sealed record AttemptAnswer
{
    public required int Run { get; init; }
    public required int Attempt { get; init; }
    public required bool IsCharged { get; init; }
    public required string Outcome { get; init; }
    public required DateTimeOffset Started { get; init; }
    public required DateTimeOffset Finished { get; init; }
    public string? Node { get; init; }
    public Shown? Result { get; init; }
    public Shown? Error { get; init; }
}

internal sealed record AttemptsAnswer(IReadOnlyList<AttemptAnswer> Attempts);

internal sealed record LogLineAnswer
{
    public required int Run { get; init; }
    public required int Line { get; init; }
    public required DateTimeOffset At { get; init; }
    public required string Level { get; init; }
    public required Shown Category { get; init; }
    public required Shown Message { get; init; }
    public Shown? Properties { get; init; }
    public Shown? Exception { get; init; }
}

internal sealed record LogPlaceAnswer(int Run, int Line);

internal sealed record LogsAnswer(IReadOnlyList<LogLineAnswer> Lines, LogPlaceAnswer? Next);

/// <param name="JobId">The job.</param>
/// <param name="State">Its state in a word.</param>
/// <param name="Code">A stable name of what the headline says.</param>
/// <param name="Headline">The reason that matters most.</param>
/// <param name="Reasons">What else there is to it.</param>
/// <param name="WouldRunAt">About when it would run.</param>
/// <param name="Advice">What to do.</param>
internal sealed record ExplainAnswer(
    string JobId, string State, string Code, Shown Headline, IReadOnlyList<ReasonAnswer> Reasons, DateTimeOffset? WouldRunAt, IReadOnlyList<AdviceAnswer> Advice);

internal sealed record ReasonAnswer(string Code, Shown Text);

internal sealed record AdviceAnswer(Shown Text, Shown? Command);

internal sealed record FilterAnswer(bool IsValid, int? Position = null, int? Length = null, string? Message = null);

internal sealed record FilterWordsAnswer(
    IReadOnlyList<FilterFieldAnswer> Fields,
    IReadOnlyList<string> States,
    IReadOnlyList<Shown> Types,
    IReadOnlyList<Shown> Queues,
    IReadOnlyList<Shown> Schedules,
    IReadOnlyList<Shown> Workers);

internal sealed record FilterFieldAnswer(string Name, string Kind, string Hint);
