using System.Globalization;
using Microsoft.Extensions.Logging;
using Millrace.Storage;

namespace Millrace.Cli.Output;

/// <summary>One job for people.</summary>
internal static class JobView
{
    public static void Write(Page page, Invocation invocation, JobDetail job, Sheet<JobRow> sheet, JobTexts texts, DateTimeOffset now)
    {
        var (row, record) = (job.Row, job.Record);
        var state = Words.State(row);
        page.Pair("job", JobSheet.Id(row.Id));
        page.Pair("type", row.Type);
        page.Pair("state", state + (row.WaitsFor is { } what && state == "waiting" ? $" for its {what}" : "") + (row.DeletedBy is { } by ? $", deleted by operation {by}" : ""), Words.InkOf(state));
        page.Pair("queue", row.Queue + (row.Priority == 0 ? "" : $", priority {row.Priority}"));
        page.Pair("tag", row.Tag);
        page.Pair("user", row.UserId == 0 ? null : JobSheet.Id(row.UserId));
        page.Pair("attempt", $"{row.Attempt} (run {row.Run})");
        page.Pair("created", Both(row.Created, invocation, now));
        page.Pair("due", Both(row.Due, invocation, now));
        page.Pair("started", Both(row.Started, invocation, now));
        page.Pair("finished", row.Finished is { } ended ? $"{Both(ended, invocation, now)}{(row.Started is { } began ? $", ran {Words.Span(ended - began)}" : "")}" : null);
        page.Pair("outcome", row.LastOutcome?.ToWord());
        page.Pair("node", job.NodeName ?? row.Node?.ToString());
        page.Pair("progress", record.Progress is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{percent:0.#}% {texts.Text(record.ProgressMessage)}") : null);
        page.Pair("asked to stop", job.CancelRequest is { } request ? $"by {request.By ?? "somebody"}{(request.Reason is { } why ? $": {texts.Text(why)}" : "")}" : null, Ink.Yellow);
        page.Pair("schedule", row.Schedule);
        page.Pair("parent", row.Parent is { } parent ? JobSheet.Id(parent) : null);
        page.Pair("key", job.Key);
        page.Pair("policy", job.Policy);
        page.Pair("headers", texts.Json(record.Headers));
        page.Pair("trace", job.Trace);
        page.Pair("removed", Both(job.RemoveAt, invocation, now));
        page.Pair("data", texts.Data(record.Data));
        page.Pair("result", texts.Json(record.Result));
        if (texts.Text(record.Error) is { } error)
        {
            page.Heading("error");
            page.Block(error, row.State == JobState.Succeeded ? Ink.Plain : Ink.Red);
        }

        if (job.Children.Count == 0)
            return;
        page.Heading("submitted by its attempts");
        page.Table(sheet, job.Children);
    }

    public static void WriteAttempts(Page page, Invocation invocation, IReadOnlyList<AttemptRecord> attempts, JobTexts texts, DateTimeOffset now)
    {
        page.Heading("attempts");
        page.Table(
            new Sheet<AttemptRecord>("", "", attempt => attempt.Run.ToString(CultureInfo.InvariantCulture),
            [
                new(null, "RUN", attempt => attempt.Run) { IsRight = true },
                new(null, "ATTEMPT", attempt => attempt.Attempt) { IsRight = true, Text = attempt => attempt.IsCharged ? attempt.Attempt.ToString(CultureInfo.InvariantCulture) : "free" },
                new(null, "OUTCOME", attempt => attempt.Outcome.ToWord()) { Ink = attempt => attempt.Outcome switch { Outcome.Succeeded => Ink.Green, Outcome.Failed or Outcome.Discarded or Outcome.Interrupted => Ink.Red, _ => Ink.Plain } },
                new(null, "STARTED", attempt => invocation.When(attempt.Started, now)),
                new(null, "RAN", attempt => attempt.Finished - attempt.Started) { IsRight = true },
                new(null, "ERROR", attempt => texts.Text(attempt.Error)?.Split('\n', 2)[0]) { IsElastic = true },
            ]),
            attempts);
    }

    public static void WriteLog(Page page, Invocation invocation, IReadOnlyList<LogLine> lines, JobTexts texts)
    {
        page.Heading("log");
        var run = 0;
        foreach (var line in lines)
        {
            if (line.Run != run)
                page.Line($"  run {run = line.Run}", Ink.Dim);
            page.Block($"{TimeOf(line.At, invocation.IsUtc)} {LevelOf(line.Level)} {texts.Text(line.Message)}", InkOf(line.Level));
            if (line.Exception is { } exception)
                page.Block(texts.Text(exception) ?? "", Ink.Dim);
        }

        if (lines.Count == 0)
            page.Line("  Nothing was logged.", Ink.Dim);
    }

    public static string LevelOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };

    public static Ink InkOf(LogLevel level) => level switch
    {
        >= LogLevel.Error => Ink.Red,
        LogLevel.Warning => Ink.Yellow,
        <= LogLevel.Debug => Ink.Dim,
        _ => Ink.Plain,
    };

    public static string TimeOf(DateTimeOffset time, bool isUtc) =>
        (isUtc ? time.UtcDateTime : time.ToLocalTime().DateTime).ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture) + (isUtc ? "Z" : "");

    private static string? Both(DateTimeOffset? time, Invocation invocation, DateTimeOffset now) =>
        time is { } known ? $"{Words.Time(known, invocation.IsUtc)}, {Words.Away(known, now)}" : null;
}
