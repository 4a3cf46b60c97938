namespace Millrace;

/// <summary>Why the token of an attempt was cancelled.</summary>
public enum StopReason
{
    /// <summary>It was not.</summary>
    None,

    /// <summary>The process is shutting down and the grace time is over. The job will run again elsewhere; no attempt is used.</summary>
    Shutdown,

    /// <summary>The attempt ran longer than its timeout. It counts as a failure.</summary>
    Timeout,

    /// <summary>Somebody asked to cancel the job; <see cref="JobContext.StopMessage"/> says why. When the handler stops, the job ends as cancelled.</summary>
    Cancelled,

    /// <summary>This node was taken for dead and its jobs were given to others. Nothing this attempt still writes to Millrace's tables will be accepted.</summary>
    LeaseLost,
}
