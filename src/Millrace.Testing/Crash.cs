namespace Millrace.Testing;

/// <summary>A node that died with a job in its hands. The job comes back when the server's time has moved on by more than the nodes' expiry; see <see cref="JobTestServer.CrashAfterClaimAsync(string?)"/>.</summary>
public sealed class Crash
{
    internal Crash(Guid node, long jobId, int attempt, long fence, JobRecord? job, Exception? exception)
    {
        Node = node;
        JobId = jobId;
        Attempt = attempt;
        Fence = fence;
        Job = job;
        Exception = exception;
    }

    /// <summary>The node that died.</summary>
    public Guid Node { get; }

    /// <summary>The job it held.</summary>
    public long JobId { get; }

    /// <summary>Which attempt it was.</summary>
    public int Attempt { get; }

    /// <summary>The number of the run that was cut off. The next one is larger.</summary>
    public long Fence { get; }

    /// <summary>The job as it was stored when the node died; null when it was not stored any more.</summary>
    public JobRecord? Job { get; }

    /// <summary>What the handler threw before the crash; null when it returned, or never began.</summary>
    public Exception? Exception { get; }
}
