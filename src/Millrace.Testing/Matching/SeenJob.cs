using Millrace.Storage;

namespace Millrace.Testing;

/// <summary>A submitted job, wherever it was seen.</summary>
internal sealed record SeenJob(long Id, string Type, string Json, string? Tag, string Queue, long UserId, short Priority, DateTimeOffset Due)
{
    public static SeenJob Of(JobRecord job) => new(job.Id, job.Type, job.Data, job.Tag, job.Queue, job.UserId, job.Priority, job.Due);

    public static SeenJob Of(NewJob job, DateTimeOffset now) =>
        new(job.Id, job.Type, job.Data, job.Tag, job.Queue, job.UserId, job.Priority, job.Due ?? now + job.Delay);
}
