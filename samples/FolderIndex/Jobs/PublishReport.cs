using Millrace;

namespace FolderIndex.Jobs;

/// <summary>Posts the summary of a scan to an endpoint that is often busy. The scan's id in the address makes a repeated post harmless.</summary>
[Job("publishReport", Timeout = "00:00:30")]
public sealed record PublishReport(long Scan, Report Report);

/// <summary>What a scan found.</summary>
public sealed record Report(string Folder, long Files, long Words, int Removed, IReadOnlyDictionary<FileOutcome, long> Outcomes);

internal sealed class PublishReportJob(HttpClient http, IndexDatabase index) : IJob<PublishReport>
{
    public async Task RunAsync(JobContext<PublishReport> job, CancellationToken cancellationToken)
    {
        var (scan, report) = job.Data;
        var inbox = await index.FindInboxAsync(cancellationToken);
        using var answer = await http.PostAsJsonAsync($"{inbox}/reports/{scan}", report, cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            // Log what the exception cannot know, and let it bubble up: the retry policy decides what is next.
            job.Log.LogWarning("The report of scan {Scan} on {Folder} was answered with {Status}", scan, report.Folder, (int)answer.StatusCode);
            answer.EnsureSuccessStatusCode();
        }
        job.Log.LogInformation("The report of scan {Scan} on {Folder} was accepted: {Files} files, {Words} words", scan, report.Folder, report.Files, report.Words);
        await job.NotifyUserAsync(job.UserId, $"{report.Files:N0} files with {report.Words:N0} words are indexed", cancellationToken);
    }
}
