using Millrace;

namespace FolderIndex.Jobs;

/// <summary>Walks a folder, a batch at a time: each job lists some entries and hands the rest to the next link of the chain.</summary>
/// <param name="Folder">Where the walk began.</param>
/// <param name="After">The cursor: the last entry that was listed, relative to the folder. Null for the first link.</param>
/// <param name="Scan">The id of the first link, which names the whole scan. Zero in the first link itself.</param>
[Job("scanFolder", Queue = Scans.Queue)]
public sealed record ScanFolder(string Folder, string? After = null, long Scan = 0);

internal sealed class ScanFolderJob(DemoOptions demo) : IJob<ScanFolder>
{
    private const int BatchSize = 200;

    public Task RunAsync(JobContext<ScanFolder> job, CancellationToken cancellationToken)
    {
        var (folder, after, scan) = job.Data;
        if (scan == 0)
            scan = job.Id;
        if (!Directory.Exists(folder))
            throw job.Discard($"The folder {folder} is not there any more. Nothing was changed in the index.");

        var batch = FolderWalk.Next(folder, after, BatchSize, leaveOut: demo.DataDirectory);
        foreach (var directory in batch.Unreadable)
            job.Log.LogWarning("The directory {Directory} cannot be listed, so nothing in it is indexed", directory);

        // The files, the next link and the end of this job are one commit. A batch that is interrupted leaves nothing behind and is simply done again.
        foreach (var path in batch.Files)
            job.Then(new IndexFile(path), Scans.FileOptions(folder));
        if (batch.Last is { } last)
            job.Then(new ScanFolder(folder, last, scan), Scans.ChainOptions(folder));
        else
            job.Then(new FinishScan(folder, scan), Scans.ChainOptions(folder));

        job.Log.LogInformation("Listed {Files} files up to {Last}", batch.Files.Count, batch.Last ?? "the end");
        return Task.CompletedTask;
    }
}
