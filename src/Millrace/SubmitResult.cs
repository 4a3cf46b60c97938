namespace Millrace;

/// <summary>What a submission did.</summary>
public enum Submitted
{
    /// <summary>A new job was stored.</summary>
    Created,

    /// <summary>A job with this tag was pending (or still in its window of uniqueness). It was kept; nothing was stored.</summary>
    Kept,

    /// <summary>A new job was stored, and the pending one with this tag ended as <see cref="Millrace.Outcome.Replaced"/>.</summary>
    Replaced,

    /// <summary>A job with this tag was pending. Its due time was moved; nothing was stored.</summary>
    Postponed,
}

/// <summary>The answer to a submission. When it was made without a transaction the job is durable; otherwise it becomes so with the commit.</summary>
/// <param name="Id">The job that is pending now: the new one, or the one that was kept. For a recurring submission, 0: each tick makes its own job.</param>
/// <param name="Outcome">What the submission did.</param>
public readonly record struct SubmitResult(long Id, Submitted Outcome);
