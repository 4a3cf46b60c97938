using System.CommandLine;
using System.Globalization;
using Millrace.Cli.Output;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace show ID</c>: one job with all that is known of it.</summary>
internal static class ShowCommand
{
    private const int LogPage = 1000;

    private static readonly Argument<long> id = JobIds.One();
    private static readonly Option<bool> attempts = new("--attempts") { Description = "With each run that has ended." };
    private static readonly Option<bool> logs = new("--logs") { Description = "With the log lines that were kept." };
    private static readonly Option<bool> raw = new("--raw") { Description = "Texts as they are stored, secrets too." };

    public static Command Make(Leaves leaves) => leaves.Make("show", "Show one job.", RunAsync, id, attempts, logs, raw);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var jobId = invocation.Parsed.GetValue(id);
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var job = await store.Inspection.FindAsync(jobId, invocation.Token).ConfigureAwait(false) ?? throw NotStored(jobId);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var schemas = await JobSheet.ReadSchemasAsync(store, invocation.Token).ConfigureAwait(false);
        var texts = new JobTexts(schemas.GetValueOrDefault(job.Row.Type), invocation.Parsed.GetValue(raw));
        var runs = invocation.Parsed.GetValue(attempts) ? await store.Inspection.ReadAttemptsAsync(jobId, invocation.Token).ConfigureAwait(false) : null;
        var lines = invocation.Parsed.GetValue(logs) ? await ReadLogAsync(invocation, store, jobId).ConfigureAwait(false) : null;

        var jobSheet = JobSheet.Make(time => invocation.When(time, now), schemas);
        invocation.Write("millrace.job.v1", JobSheet.Id(jobId), JobDocument.Of(job, jobSheet, texts, runs, lines), page =>
        {
            JobView.Write(page, invocation, job, jobSheet, texts, now);
            if (runs is not null)
                JobView.WriteAttempts(page, invocation, runs, texts, now);
            if (lines is not null)
                JobView.WriteLog(page, invocation, lines, texts);
        });
        return ExitCode.Ok;
    }

    public static CommandException NotStored(long jobId) => CommandException.NotFound(
        $"No job {jobId.ToString(CultureInfo.InvariantCulture)} is stored. It was never submitted to this database, or it was removed after its time (RemoveDelay).");

    private static async Task<IReadOnlyList<LogLine>> ReadLogAsync(Invocation invocation, IJobStore store, long jobId)
    {
        var lines = new List<LogLine>();
        while (true)
        {
            var (run, line) = lines.Count > 0 ? (lines[^1].Run, lines[^1].Line) : (0, 0);
            var page = await store.Inspection.ReadLogAsync(jobId, run, line, LogPage, invocation.Token).ConfigureAwait(false);
            lines.AddRange(page);
            if (page.Count < LogPage)
                return lines;
        }
    }
}
