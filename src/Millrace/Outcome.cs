namespace Millrace;

/// <summary>How one attempt (one run of a job) ended. Stored in lower case in the column <c>attempt.outcome</c>.</summary>
public enum Outcome
{
    /// <summary>The handler returned. The job is finished.</summary>
    Succeeded,

    /// <summary>The handler threw, and the retry policy grants another attempt. The job is scheduled again.</summary>
    Failed,

    /// <summary>The handler asked to run again later. No attempt was used; the job is scheduled again.</summary>
    Snoozed,

    /// <summary>The job was claimed and handed back, at shutdown or because it could not be started. No attempt was used; the job is ready again.</summary>
    Released,

    /// <summary>The node that ran the job died, and another took the job back. Written by rescuers only.</summary>
    Interrupted,

    /// <summary>The attempts were used up, or the handler gave the job up. The job is finished, without success.</summary>
    Discarded,

    /// <summary>A person or the code cancelled the job. The job is finished.</summary>
    Cancelled,

    /// <summary>A newer submission with <see cref="WhenPending.Replace"/> took this job's place while it was pending. The job is finished.</summary>
    Replaced,

    /// <summary>The job would have been pending again, but a newer job holds its key by now. The job is finished.</summary>
    Superseded,
}

/// <summary>What each <see cref="Outcome"/> means for the job.</summary>
public static class OutcomeExtensions
{
    /// <summary>Whether the job is finished: it will not run again by itself.</summary>
    public static bool IsFinal(this Outcome outcome) =>
        outcome is Outcome.Succeeded or Outcome.Discarded or Outcome.Cancelled or Outcome.Replaced or Outcome.Superseded;

    /// <summary>The word stored in <c>attempt.outcome</c>: the member's name in lower case.</summary>
    public static string ToWord(this Outcome outcome) => outcome switch
    {
        Outcome.Succeeded => "succeeded",
        Outcome.Failed => "failed",
        Outcome.Snoozed => "snoozed",
        Outcome.Released => "released",
        Outcome.Interrupted => "interrupted",
        Outcome.Discarded => "discarded",
        Outcome.Cancelled => "cancelled",
        Outcome.Replaced => "replaced",
        Outcome.Superseded => "superseded",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Not an outcome."),
    };

    /// <summary>The outcome whose stored word this is.</summary>
    /// <exception cref="FormatException">The word is none of the nine.</exception>
    public static Outcome ToOutcome(string word) => word switch
    {
        "succeeded" => Outcome.Succeeded,
        "failed" => Outcome.Failed,
        "snoozed" => Outcome.Snoozed,
        "released" => Outcome.Released,
        "interrupted" => Outcome.Interrupted,
        "discarded" => Outcome.Discarded,
        "cancelled" => Outcome.Cancelled,
        "replaced" => Outcome.Replaced,
        "superseded" => Outcome.Superseded,
        _ => throw new FormatException($"\"{word}\" is not an outcome of an attempt. Was the row written by a newer version?"),
    };
}
