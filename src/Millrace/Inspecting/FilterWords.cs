using Millrace.Storage;

namespace Millrace.Inspecting;

/// <summary>The words of the filter language, with hints: for reading it, for completion and for help.</summary>
internal static class FilterWords
{
    public static IReadOnlyList<FilterField> Fields { get; } =
    [
        new("state", FilterKind.State, "Where the job is", "state:failed"),
        new("type", FilterKind.Text, "The registered name of its type", "type:index*"),
        new("tag", FilterKind.Text, "Its tag", "tag:scan-42"),
        new("queue", FilterKind.Text, "Its queue", "queue:mail,default"),
        new("id", FilterKind.Number, "Its id", "id:1..500"),
        new("user", FilterKind.Number, "Whose job it is; 0 is the system", "user:42"),
        new("data", FilterKind.Data, "A member of its data, taken as text", "data.customer.id:42"),
        new("error", FilterKind.Text, "The error of its latest run", "error~\"timed out\""),
        new("outcome", FilterKind.Outcome, "How its latest run ended", "outcome:interrupted"),
        new("attempt", FilterKind.Number, "The attempt that runs, comes next, or was the last", "attempt>3"),
        new("priority", FilterKind.Number, "Its priority; lower runs first", "priority<0"),
        new("created", FilterKind.Time, "When it was submitted", "created>-1h"),
        new("due", FilterKind.Time, "When it is due", "due<+1h"),
        new("started", FilterKind.Time, "When its latest run began", "started:today"),
        new("finished", FilterKind.Time, "When its latest run ended", "finished:-2h..-1h"),
        new("worker", FilterKind.Text, "The name or id of the node that runs it, or ran it last", "worker:web-1*"),
        new("schedule", FilterKind.Text, "The schedule whose tick it is", "schedule:nightly"),
        new("parent", FilterKind.Number, "The job whose attempt submitted it", "parent:17"),
    ];

    /// <summary>Words for states. The first that fits exactly is the one that is written.</summary>
    public static IReadOnlyList<StateWord> States { get; } =
    [
        new("ready", StateSet.Ready, "May be claimed now"),
        new("scheduled", StateSet.Scheduled | StateSet.Retrying, "Waits for its time"),
        new("delayed", StateSet.Scheduled, "Waits for its time, and has not failed"),
        new("retrying", StateSet.Retrying, "Waits for its time because an attempt failed"),
        new("waiting", StateSet.Waiting | StateSet.Quarantined, "Waits for something else: a node that knows its type, its key, a person"),
        new("blocked", StateSet.Waiting, "Waits for a node that knows its type, or for its key"),
        new("quarantined", StateSet.Quarantined, "Waits for a person because its process died too often"),
        new("running", StateSet.Running, "A node runs it"),
        new("succeeded", StateSet.Succeeded, "Finished with success"),
        new("failed", StateSet.Discarded, "Finished without success"),
        new("discarded", StateSet.Discarded, "The same as failed"),
        new("cancelled", StateSet.Cancelled, "Cancelled, replaced or superseded"),
        new("pending", StateSet.Ready | StateSet.Scheduled | StateSet.Retrying | StateSet.Waiting | StateSet.Quarantined, "Has not begun: ready, scheduled or waiting"),
        new("finished", StateSet.Succeeded | StateSet.Discarded | StateSet.Cancelled, "Will not run again by itself"),
    ];

    public static IReadOnlyList<string> Outcomes { get; } = [.. Enum.GetValues<Outcome>().Select(outcome => outcome.ToWord())];

    /// <summary>The field of this name, in whatever case; null when there is none.</summary>
    public static FilterField? FindField(string name) => Fields.FirstOrDefault(field => Same(field.Name, name));

    /// <summary>The states of this word, in whatever case; null when there is no such word.</summary>
    public static StateSet? FindStates(string word) => States.FirstOrDefault(state => Same(state.Word, word))?.States;

    /// <summary>The word for exactly these states; null when it takes several.</summary>
    public static string? WordOf(StateSet states) => States.FirstOrDefault(state => state.States == states)?.Word;

    private static bool Same(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A field that a filter can ask for.</summary>
/// <param name="Name">As it is written.</param>
/// <param name="Kind">What its values are.</param>
/// <param name="Hint">What it is, in a few words.</param>
/// <param name="Example">A term with it.</param>
internal sealed record FilterField(string Name, FilterKind Kind, string Hint, string Example);

/// <summary>A word for states.</summary>
/// <param name="Word">As it is written.</param>
/// <param name="States">What it stands for.</param>
/// <param name="Hint">What brings a job there.</param>
internal sealed record StateWord(string Word, StateSet States, string Hint);

/// <summary>What the values of a field are.</summary>
internal enum FilterKind
{
    /// <summary>Words for states: <c>:</c>.</summary>
    State,

    /// <summary>Words for outcomes: <c>:</c>.</summary>
    Outcome,

    /// <summary>Texts: <c>:</c> with patterns, <c>~</c>.</summary>
    Text,

    /// <summary>Numbers: <c>:</c> with ranges, and comparisons.</summary>
    Number,

    /// <summary>Times: <c>:</c> with ranges, and comparisons.</summary>
    Time,

    /// <summary>Members of the data: <c>:</c> with patterns, <c>~</c>.</summary>
    Data,
}
