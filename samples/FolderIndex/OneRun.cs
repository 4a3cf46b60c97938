using System.Globalization;
using Millrace;

namespace FolderIndex;

/// <summary>Indexes a folder once: waits until everything is done, and says so in one line.</summary>
internal sealed class OneRun(DemoOptions demo, Scans scans, IndexDatabase index, ReportInbox inbox, IJobClient jobs, IHostApplicationLifetime host, TimeProvider time)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    /// <returns>The exit code: 0 when no job failed.</returns>
    public async Task<int> RunAsync()
    {
        var started = time.GetTimestamp();
        using var view = ProgressView.Start($"Indexing {demo.Folder} into {demo.DatabaseName}, {demo.Concurrency} jobs at a time{(demo.Workers == 0 ? "" : $" in each of {demo.Workers} processes")}");
        try
        {
            var stopping = host.ApplicationStopping;
            var scan = await BeginAsync(view, stopping);
            var result = await FollowAsync(scan, view, stopping);
            var (files, words) = await index.CountAsync(demo.Folder, stopping);

            view.End(inbox.Last, result.Failed == 0 ? [] : await scans.FindFailuresAsync(demo.Folder, stopping));
            var seconds = time.GetElapsedTime(started).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"done: files={files} words={words} jobs={result.Succeeded} failed={result.Failed} seconds={seconds:0.0}"));
            return result.Failed == 0 ? 0 : 1;
        }
        catch (OperationCanceledException) when (host.ApplicationStopping.IsCancellationRequested)
        {
            throw new DemoException("Stopped before everything was done. What is left is kept; the same command goes on with it.");
        }
    }

    /// <summary>Submits the scan. One that an earlier run left is finished first, and then the folder is scanned anew: the old one may have passed files that are new since.</summary>
    private async Task<long> BeginAsync(ProgressView view, CancellationToken stopping)
    {
        while (true)
        {
            var (id, outcome) = await scans.SubmitAsync(demo.Folder, stopping);
            if (outcome == Submitted.Created)
                return id;
            view.Say("An earlier run left a scan of this folder; it is finished first");
            await FollowAsync(id, view, stopping);
            // A job that crashed its process again and again waits for a person. Whoever starts the demo once more is one.
            if (await jobs.FindAsync(id, stopping) is { State: JobState.Waiting })
                await jobs.RetryAsync(id, stopping);
        }
    }

    private async Task<ScanStatus> FollowAsync(long scan, ProgressView view, CancellationToken stopping)
    {
        while (true)
        {
            var status = await scans.ReadStatusAsync(demo.Folder, scan, stopping);
            if (status.Pending == 0)
                return status;
            view.Show(status);
            await Task.Delay(LookInterval, time, stopping);
        }
    }
}
