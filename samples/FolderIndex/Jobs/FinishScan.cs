using Millrace;

namespace FolderIndex.Jobs;

/// <summary>The last link of a scan: waits until its files are indexed, drops what is no longer there, and has the report sent.</summary>
[Job("finishScan", Queue = Scans.Queue)]
public sealed record FinishScan(string Folder, long Scan);

internal sealed class FinishScanJob(Scans scans, IndexDatabase index) : IJob<FinishScan>
{
    public async Task RunAsync(JobContext<FinishScan> job, CancellationToken cancellationToken)
    {
        var (folder, scan) = job.Data;

        // No race: this job exists since the last file was submitted, so from now on there can only be fewer. A snooze uses no attempt.
        if (await scans.HasPendingFilesAsync(folder, cancellationToken))
        {
            var (pending, succeeded, failed) = await scans.ReadStatusAsync(folder, scan, cancellationToken);
            await job.ReportProgressAsync(100.0 * (succeeded + failed) / (pending + succeeded + failed), $"{pending} jobs to go", cancellationToken);
            throw job.Snooze(TimeSpan.FromMilliseconds(500));
        }

        var gone = (await index.FindPathsAsync(folder, cancellationToken)).Where(path => !File.Exists(path)).ToList();
        var outcomes = await scans.CountOutcomesAsync(folder, scan, cancellationToken);

        // The deletions, the next job and the end of this one are one commit: it happens once or not at all.
        await job.CompleteInTransactionAsync(
            async (transaction, token) =>
            {
                await index.RemoveAsync(transaction, gone, token);
                var (files, words) = await index.CountAsync(transaction, folder, token);
                await job.SubmitAsync(new PublishReport(scan, new Report(folder, files, words, gone.Count, outcomes)), Scans.FileOptions(folder), token);
            },
            cancellationToken);
    }
}
