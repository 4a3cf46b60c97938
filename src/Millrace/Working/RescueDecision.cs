using Millrace.Storage;

namespace Millrace.Working;

/// <summary>What becomes of a run whose node died (rules 13 and 14). Pure.</summary>
internal static class RescueDecision
{
    /// <summary>A job whose process died this often while it ran alone needs a person.</summary>
    public const int CrashesToQuarantine = 3;

    /// <param name="run">The run.</param>
    /// <param name="policy">Its job's policy.</param>
    /// <param name="death">What is known of the death; null when the node is only known not to live.</param>
    public static RescueVerdict Decide(LeasedRun run, ResolvedPolicy policy, Death? death)
    {
        var how = death?.How ?? "The node that ran the job died.";
        if (death is { IsOurDoing: true } || (death?.Running is { } running && !running.Contains((run.JobId, run.Run))))
            return Interrupted(run, charged: false, run.Crashes, how) with { IsSuspect = false };
        if (death?.Overdue == (run.JobId, run.Run))
            return Charged(run, policy, run.Crashes, how) with { IsSuspect = false };
        // Among several, nobody knows whose fault the crash was: nobody is charged, and each is a suspect, which runs alone the next time.
        if (!run.IsAlone && death?.Running?.Count != 1)
            return Interrupted(run, charged: false, run.Crashes, how);

        var crashes = run.Crashes + 1;
        if (crashes >= CrashesToQuarantine)
            return Interrupted(run, charged: true, crashes, $"{how} It has done so {crashes} times while it ran alone, so the job waits for a person.") with { IsQuarantined = true };
        return Charged(run, policy, crashes, how);
    }

    /// <summary>For a lease of our own that we do not know: its claim's answer was lost, and nothing of it ever started.</summary>
    public static RescueVerdict NeverStarted(LeasedRun run) => new()
    {
        Outcome = Outcome.Interrupted,
        Charged = false,
        Crashes = run.Crashes,
        Error = "The node never learned that it had claimed the job; it was put back before it started.",
    };

    private static RescueVerdict Charged(LeasedRun run, ResolvedPolicy policy, int crashes, string how) => run.Attempt < policy.MaxAttempts
        ? Interrupted(run, charged: true, crashes, how)
        : new RescueVerdict
        {
            Outcome = Outcome.Discarded,
            Charged = true,
            Crashes = crashes,
            Error = $"{how} It was the last of {policy.MaxAttempts} attempts.",
            RemoveAfter = policy.RemoveAfter(Outcome.Discarded),
        };

    private static RescueVerdict Interrupted(LeasedRun run, bool charged, int crashes, string error) => new()
    {
        Outcome = Outcome.Interrupted,
        Charged = charged,
        Crashes = crashes,
        IsSuspect = true,
        Error = error,
    };
}
