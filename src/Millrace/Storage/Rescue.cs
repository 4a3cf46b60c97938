namespace Millrace.Storage;

/// <summary>A run that a dead node's lease still lists and that has not ended, as its rescuer sees it.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Run">The run that was interrupted.</param>
/// <param name="Attempt">The attempt it was.</param>
/// <param name="Crashes">How often the job was alone with a process that died, before this time.</param>
/// <param name="Type">Its registered name.</param>
/// <param name="Policy">What the submission set of its policy; null for nothing.</param>
/// <param name="IsAlone">Whether the crash is taken for its doing: it ran with no other job in its process, or as its only suspect (rule 14).</param>
public sealed record LeasedRun(long JobId, int Run, int Attempt, int Crashes, string Type, string? Policy, bool IsAlone);

/// <summary>What a rescuer decides for one <see cref="LeasedRun"/>. A requested cancel, and a key that was lost meanwhile, come before it.</summary>
public sealed record RescueVerdict
{
    /// <summary><see cref="Outcome.Interrupted"/> to let it run again, <see cref="Outcome.Discarded"/> to end the job.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Whether the interrupted run counts as an attempt.</summary>
    public required bool Charged { get; init; }

    /// <summary>The count of crashes that the job carries from now on.</summary>
    public required int Crashes { get; init; }

    /// <summary>Whether the next run is leased alone.</summary>
    public bool IsSuspect { get; init; }

    /// <summary>Whether the job waits for a person instead of running again.</summary>
    public bool IsQuarantined { get; init; }

    /// <summary>What to store as the attempt's error.</summary>
    public required string Error { get; init; }

    /// <summary>For a discarded job: when it may be pruned; null to keep it.</summary>
    public TimeSpan? RemoveAfter { get; init; }
}

/// <summary>What one rescue of one lease did.</summary>
/// <param name="Back">Runs whose jobs may run again.</param>
/// <param name="Ended">Runs whose jobs are finished now: discarded, cancelled or superseded.</param>
/// <param name="Skipped">Runs left in the lease because their completion is in flight in a user's transaction. The next sweep looks again (rule 13).</param>
/// <param name="Queues">The queues that have something to claim now.</param>
public sealed record RescueAnswer(int Back, int Ended, int Skipped, IReadOnlyList<string> Queues)
{
    /// <summary>The runs that it ended, in any order: <see cref="Back"/> and <see cref="Ended"/> together. For the statistics.</summary>
    public IReadOnlyList<RescuedRun> Runs { get; init; } = [];
}

/// <summary>A run that was ended by a rescue.</summary>
/// <param name="Queue">Its job's queue.</param>
/// <param name="Type">Its job's type.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Finished">When, by the store's clock.</param>
public sealed record RescuedRun(string Queue, string Type, Outcome Outcome, DateTimeOffset Finished);
