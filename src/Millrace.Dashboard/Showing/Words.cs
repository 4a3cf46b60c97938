using Microsoft.Extensions.Logging;
using Millrace.Storage;

namespace Millrace.Dashboard.Showing;

/// <summary>The words of the API for what the store says in enumerations.</summary>
internal static class Words
{
    private static readonly StateSet[] states =
    [
        StateSet.Ready, StateSet.Scheduled, StateSet.Retrying, StateSet.Waiting, StateSet.Quarantined, StateSet.Running, StateSet.Succeeded, StateSet.Discarded, StateSet.Cancelled,
    ];

    public static IReadOnlyList<string> States { get; } = [.. states.Select(Of)];

    /// <summary>The word of one state. A job that was given up is "failed" for people.</summary>
    public static string Of(StateSet state) => state switch
    {
        StateSet.Ready => "ready",
        StateSet.Scheduled => "scheduled",
        StateSet.Retrying => "retrying",
        StateSet.Waiting => "waiting",
        StateSet.Quarantined => "quarantined",
        StateSet.Running => "running",
        StateSet.Succeeded => "succeeded",
        StateSet.Discarded => "failed",
        StateSet.Cancelled => "cancelled",
        _ => "none",
    };

    public static StateSet StateOf(JobRow row) => JobChanges.StateOf(row.State, row.WaitsFor, row.Attempt);

    /// <summary>Every state, also those without jobs.</summary>
    public static IReadOnlyDictionary<string, long> Counts(IReadOnlyDictionary<StateSet, long> byState) => states.ToDictionary(Of, state => byState.GetValueOrDefault(state));

    public static string Of(JobState state) => state == JobState.Discarded ? "failed" : state.ToString().ToLowerInvariant();

    public static string Of(Severity severity) => severity.ToString().ToLowerInvariant();

    public static string Of(NodeKind kind) => kind.ToString().ToLowerInvariant();

    public static string Of(MissedTicks ticks) => ticks.ToString().ToLowerInvariant();

    public static string Of(LogLevel level) => level.ToString().ToLowerInvariant();

    public static string Of(Submitted outcome) => outcome.ToString().ToLowerInvariant();

    public static string Of(SubmitState state) => state.ToString().ToLowerInvariant();

    public static string Of(ChangeResult result) => result switch
    {
        ChangeResult.KeyIsTaken => "keyIsTaken",
        _ => result.ToString().ToLowerInvariant(),
    };

    public static string Of(UndoResult result) => result switch
    {
        UndoResult.TooLate => "tooLate",
        UndoResult.NotEnded => "notEnded",
        _ => result.ToString().ToLowerInvariant(),
    };

    /// <summary>Changes of jobs as their routes and buttons call them.</summary>
    public static IReadOnlyList<(string Word, OperationKind Kind)> Actions { get; } =
    [
        ("retry", OperationKind.Retry), ("cancel", OperationKind.Cancel), ("delete", OperationKind.Delete), ("run-now", OperationKind.RunNow), ("reprioritise", OperationKind.Reprioritise),
    ];
}
