namespace Millrace;

/// <summary>The rest of an attempt: the next middleware, or the handler.</summary>
public delegate Task JobDelegate(JobContext job, CancellationToken cancellationToken);

/// <summary>Code around every attempt. Registered with <c>Use</c>; the first registered is the outermost. Made from the attempt's scope.</summary>
public interface IJobMiddleware
{
    /// <summary>Runs before and after the rest of the attempt.</summary>
    /// <param name="job">The job.</param>
    /// <param name="next">Call it once to go on. Not calling it ends the attempt as succeeded without running the handler.</param>
    /// <param name="cancellationToken">Asks the attempt to stop.</param>
    Task InvokeAsync(JobContext job, JobDelegate next, CancellationToken cancellationToken);
}
