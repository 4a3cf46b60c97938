using System.Globalization;
using Millrace;

namespace FolderIndex;

/// <summary>Indexes a folder once: waits until everything is done, and says so in one line.</summary>
internal static class OneRun
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    public static async Task<int> RunAsync(WebApplication app, DemoOptions demo)
    {
        var time = app.Services.GetRequiredService<TimeProvider>();
        var started = time.GetTimestamp();
        using var view = ProgressView.Start($"Indexing {demo.Folder} into {demo.DatabaseName}, {demo.Concurrency} jobs at a time");
        try
        {
            var stopping = app.Lifetime.ApplicationStopping;
            var scan = await BeginAsync(app, demo, view, stopping);
            var result = await FollowAsync(app, demo, scan, view, stopping);
            var failures = result.Failed == 0 ? [] : await app.Services.GetRequiredService<Scans>().FindFailuresAsync(demo.Folder, stopping);
            var (files, words) = await app.Services.GetRequiredService<IndexDatabase>().CountAsync(demo.Folder, stopping);
            await app.StopAsync(CancellationToken.None);

            view.End(app.Services.GetRequiredService<ReportInbox>().Last, failures);
            var seconds = time.GetElapsedTime(started).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"done: files={files} words={words} jobs={result.Succeeded} failed={result.Failed} seconds={seconds:0.0}"));
            return result.Failed == 0 ? 0 : 1;
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            await app.StopAsync(CancellationToken.None);
            throw new DemoException("Stopped before everything was done. What is left is kept; the same command goes on with it.");
        }
    }

    /// <summary>Submits the scan. One that an earlier run left is finished first: it may have passed files that are new since.</summary>
    private static async Task<long> BeginAsync(WebApplication app, DemoOptions demo, ProgressView view, CancellationToken stopping)
    {
        var scans = app.Services.GetRequiredService<Scans>();
        var jobs = app.Services.GetRequiredService<IJobClient>();
        while (true)
        {
            var (id, outcome) = await scans.SubmitAsync(demo.Folder, stopping);
            if (outcome == Submitted.Created)
                return id;
            view.Say("An earlier run left a scan of this folder; it is finished first");
            await jobs.RetryAsync(id, stopping);
            await FollowAsync(app, demo, id, view, stopping);
        }
    }

    private static async Task<ScanResult> FollowAsync(WebApplication app, DemoOptions demo, long scan, ProgressView view, CancellationToken stopping)
    {
        var scans = app.Services.GetRequiredService<Scans>();
        var time = app.Services.GetRequiredService<TimeProvider>();
        while (await scans.CountPendingAsync(demo.Folder, stopping) is > 0 and var pending)
        {
            view.Show(pending);
            await Task.Delay(LookInterval, time, stopping);
        }
        return await scans.ReadResultAsync(demo.Folder, scan, stopping);
    }
}
