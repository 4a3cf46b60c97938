using Millrace;

namespace FolderIndex.Jobs;

/// <summary>Says how far the indexing of a folder is. Recurring.</summary>
[Job("logProgress", MaxAttempts = 1, RemoveDelay = "00:01:00")]
public sealed record LogProgress(string Folder)
{
    /// <summary>Six fields: the first is seconds.</summary>
    internal static readonly JobOptions EveryTenSeconds = new() { CronSchedule = "*/10 * * * * *", MissedTicks = MissedTicks.Skip };
}

internal sealed class LogProgressJob(Scans scans, IndexDatabase index) : IJob<LogProgress>
{
    public async Task RunAsync(JobContext<LogProgress> job, CancellationToken cancellationToken)
    {
        var pending = await scans.CountPendingAsync(job.Data.Folder, cancellationToken);
        var (files, words) = await index.CountAsync(job.Data.Folder, cancellationToken);
        job.Log.LogInformation("{Folder}: {Files} files and {Words} words indexed, {Pending} jobs pending", job.Data.Folder, files, words, pending);
    }
}
