using Millrace.Storage;

namespace Millrace.Submitting;

/// <summary>A copy of a stored job, with other data: type, queue, priority, tag, user, policy and headers are the same, the old job is its parent. It takes no part in deduplication, and is due at once.</summary>
internal static class Rerun
{
    /// <param name="job">The old one, which is left as it is.</param>
    /// <param name="data">The new one's data as JSON text.</param>
    /// <param name="writer">Checks it.</param>
    /// <returns>Without an id: <see cref="Submitter"/> gives it.</returns>
    /// <exception cref="JobDataException">The data cannot be stored.</exception>
    public static NewJob Of(JobDetail job, string data, JobWriter writer)
    {
        var options = new JobOptions { Tag = job.Row.Tag, Queue = job.Row.Queue, Priority = job.Row.Priority, UserId = job.Row.UserId };
        return writer.Write(job.Row.Type, data, options, job.Row.Id) with { Policy = job.Policy, Headers = job.Record.Headers };
    }
}
