using System.Text.Json;

namespace Millrace.Dashboard.Showing;

// What people ask to be changed, and what the API says to that.

internal sealed record ReasonRequest(string? Reason);

internal sealed record ChangeRequest(string? Reason, int? Priority);

internal sealed record PauseRequest(string? Reason, DateTimeOffset? Until);

/// <param name="Data">JSON, or JSON text in a string as the API tells it.</param>
/// <param name="Reason">Why.</param>
internal sealed record RerunRequest(JsonElement Data, string? Reason);

internal sealed record SubmitRequest(string? Type, JsonElement Data, string? Queue, string? Tag, long? DelayMs, string? Reason);

/// <param name="Q">Which jobs: a filter, empty for all.</param>
/// <param name="Ids">Which jobs, one by one, instead.</param>
/// <param name="Action">What is to be done.</param>
/// <param name="Priority">For reprioritise.</param>
/// <param name="Token">Of a preview that is still counting, and nothing else: counts on.</param>
internal sealed record PreviewRequest(string? Q, IReadOnlyList<string>? Ids, string? Action, int? Priority, string? Token);

internal sealed record StartRequest(string? Token, string? Reason, long? Confirm);

internal sealed record JobChangedAnswer(string Result, string? State, string? Version, string? Operation);

internal sealed record ChangedAnswer(bool Changed);

internal sealed record SubmittedAnswer(string Id, string Outcome);

internal sealed record PreviewAnswer
{
    public required string Token { get; init; }
    public required long Count { get; init; }
    public required long Skipped { get; init; }
    public required IReadOnlyDictionary<string, long> ByState { get; init; }
    public required IReadOnlyDictionary<string, long> ByType { get; init; }
    public required IReadOnlyDictionary<string, long> ByQueue { get; init; }
    public required IReadOnlyList<JobRowAnswer> Samples { get; init; }
    public required bool IsCapped { get; init; }
    public required bool IsCounting { get; init; }
    public required DateTimeOffset Expires { get; init; }
}

internal sealed record StartedAnswer(string Id);

internal sealed record StoppedAnswer(bool Stopped);

internal sealed record UndoneAnswer(string Result, long Restored, long Lost, string? Operation);

internal sealed record OperationAnswer
{
    public required string Id { get; init; }
    public required string Kind { get; init; }
    public required DateTimeOffset At { get; init; }
    public required Shown By { get; init; }
    public required Shown Via { get; init; }
    public Shown? Reason { get; init; }
    public required Shown Target { get; init; }
    public string? JobId { get; init; }
    public required long Expected { get; init; }
    public required long Done { get; init; }
    public required long Skipped { get; init; }
    public DateTimeOffset? Ended { get; init; }
    public Shown? Error { get; init; }
    public Shown? Before { get; init; }
    public Shown? After { get; init; }
    public DateTimeOffset? UndoUntil { get; init; }
    public string? UndoneBy { get; init; }
}

internal sealed record OperationsAnswer(IReadOnlyList<OperationAnswer> Operations, string? Next);

internal sealed record JobOperationsAnswer(IReadOnlyList<OperationAnswer> Operations);

internal sealed record ProblemAnswer
{
    public required string Type { get; init; }
    public required string Title { get; init; }
    public required int Status { get; init; }
    public required string Detail { get; init; }
    public required string Code { get; init; }
    public string? Field { get; init; }
    public string? Limit { get; init; }
    public int? Position { get; init; }
    public int? Length { get; init; }
    public string? State { get; init; }
    public string? Version { get; init; }
    public string? Permission { get; init; }
    public long? Count { get; init; }
    public DateTimeOffset? Since { get; init; }
}

/// <summary>What the shell page tells the web application.</summary>
internal sealed record BootAnswer(string Mount, string Title);

/// <summary>What a user's page hears of his jobs.</summary>
internal sealed record JobEventAnswer(string Id, string Kind, string JobId, string JobType, DateTimeOffset At, string? Message, double? Percent);
