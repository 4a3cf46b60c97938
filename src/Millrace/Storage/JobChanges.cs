namespace Millrace.Storage;

/// <summary>Which jobs a change can touch. Pure; the same for all stores.</summary>
public static class JobChanges
{
    private const StateSet Delayed = StateSet.Scheduled | StateSet.Retrying;
    private const StateSet Held = StateSet.Waiting | StateSet.Quarantined;
    private const StateSet Pending = StateSet.Ready | Delayed | Held;
    private const StateSet Finished = StateSet.Succeeded | StateSet.Discarded | StateSet.Cancelled;

    /// <summary>Every state.</summary>
    public const StateSet AllStates = Pending | StateSet.Running | Finished;

    /// <summary>What is recorded of a change of many jobs that was ended because nobody went on with it.</summary>
    public const string Abandoned = "Its process ended, or lost the database, before all was done. What it had done stands, and can be undone.";

    /// <summary>The kinds that are changes of jobs.</summary>
    public static IReadOnlyList<OperationKind> Kinds { get; } = [.. Enum.GetValues<OperationKind>().Where(CanBeUndone)];

    /// <summary>The states in which a change of this kind does something to a job; in the others the job is skipped.</summary>
    /// <returns><see cref="StateSet.None"/> for a kind that is not a change of jobs.</returns>
    public static StateSet Allowed(OperationKind kind) => kind switch
    {
        OperationKind.Retry => Delayed | Held | Finished,
        OperationKind.Cancel => Pending | StateSet.Running,
        OperationKind.Delete => Pending | Finished,
        OperationKind.RunNow => Delayed,
        OperationKind.Reprioritise => Pending,
        _ => StateSet.None,
    };

    /// <summary>Whether an operation of this kind can be taken back.</summary>
    public static bool CanBeUndone(OperationKind kind) => Allowed(kind) != StateSet.None;

    /// <summary>The word of a kind, as stored and as the API and the command line write it: its name in lower case, words joined by an underscore.</summary>
    public static string WordOf(OperationKind kind) => kind switch
    {
        OperationKind.Retry => "retry",
        OperationKind.Cancel => "cancel",
        OperationKind.Delete => "delete",
        OperationKind.RunNow => "run_now",
        OperationKind.Reprioritise => "reprioritise",
        OperationKind.Rerun => "rerun",
        OperationKind.Submit => "submit",
        OperationKind.PauseQueue => "pause_queue",
        OperationKind.ResumeQueue => "resume_queue",
        OperationKind.PauseSchedule => "pause_schedule",
        OperationKind.ResumeSchedule => "resume_schedule",
        OperationKind.RunSchedule => "run_schedule",
        OperationKind.Drain => "drain",
        OperationKind.Undrain => "undrain",
        OperationKind.Undo => "undo",
        OperationKind.Export => "export",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of operation."),
    };

    /// <summary>The kind whose word this is.</summary>
    /// <exception cref="FormatException">It is the word of none.</exception>
    public static OperationKind KindOf(string word)
    {
        foreach (var kind in Enum.GetValues<OperationKind>())
        {
            if (WordOf(kind) == word)
                return kind;
        }

        throw new FormatException($"\"{word}\" is not a kind of operation. Was the row written by a newer version?");
    }

    /// <summary>The finer state of a job.</summary>
    /// <param name="state">Where it is.</param>
    /// <param name="waitsFor">For a waiting job: what for, as stored.</param>
    /// <param name="attempt">The number of its attempt.</param>
    public static StateSet StateOf(JobState state, string? waitsFor, int attempt) => state switch
    {
        JobState.Ready => StateSet.Ready,
        JobState.Scheduled => attempt > 1 ? StateSet.Retrying : StateSet.Scheduled,
        JobState.Waiting => waitsFor == "quarantine" ? StateSet.Quarantined : StateSet.Waiting,
        JobState.Running => StateSet.Running,
        JobState.Succeeded => StateSet.Succeeded,
        JobState.Discarded => StateSet.Discarded,
        _ => StateSet.Cancelled,
    };

    /// <summary>What <see cref="JobDetail.Version"/> is, in every store.</summary>
    /// <param name="state">One state.</param>
    /// <param name="run">The run that goes on, comes next, or was the last.</param>
    /// <param name="priority">Where it stands, or as submitted.</param>
    public static string VersionOf(StateSet state, int run, short priority) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{WordOf(state)}.{run}.{priority}");

    /// <summary>The word of one state: its name in lower case.</summary>
    public static string WordOf(StateSet state) => state switch
    {
        StateSet.Ready => "ready",
        StateSet.Scheduled => "scheduled",
        StateSet.Retrying => "retrying",
        StateSet.Waiting => "waiting",
        StateSet.Quarantined => "quarantined",
        StateSet.Running => "running",
        StateSet.Succeeded => "succeeded",
        StateSet.Discarded => "discarded",
        StateSet.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "One state is needed."),
    };

    /// <summary>The words of several states, in their order.</summary>
    public static IEnumerable<string> WordsOf(StateSet states)
    {
        foreach (var state in Enum.GetValues<StateSet>())
        {
            if (state != StateSet.None && states.HasFlag(state))
                yield return WordOf(state);
        }
    }

    /// <summary>The state whose word this is.</summary>
    /// <exception cref="FormatException">It is the word of none.</exception>
    public static StateSet StateOf(string word) => word switch
    {
        "ready" => StateSet.Ready,
        "scheduled" => StateSet.Scheduled,
        "retrying" => StateSet.Retrying,
        "waiting" => StateSet.Waiting,
        "quarantined" => StateSet.Quarantined,
        "running" => StateSet.Running,
        "succeeded" => StateSet.Succeeded,
        "discarded" => StateSet.Discarded,
        "cancelled" => StateSet.Cancelled,
        _ => throw new FormatException($"\"{word}\" is not a state of a job."),
    };
}
