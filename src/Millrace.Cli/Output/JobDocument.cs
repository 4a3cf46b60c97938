using Millrace.Storage;

namespace Millrace.Cli.Output;

/// <summary>One job as JSON. The names are those of the dashboard's API. Pure.</summary>
internal static class JobDocument
{
    public static Members Of(JobDetail job, Sheet<JobRow> sheet, JobTexts texts, IReadOnlyList<AttemptRecord>? attempts, IReadOnlyList<LogLine>? lines) => new()
    {
        { "row", sheet.Of(job.Row with { Data = texts.Data(job.Row.Data) ?? "" }) },
        { "version", job.Version },
        { "data", Json(texts.Data(job.Record.Data)) },
        { "result", Json(texts.Json(job.Record.Result)) },
        { "error", texts.Text(job.Record.Error) },
        { "headers", Json(texts.Json(job.Record.Headers)) },
        { "policy", Json(job.Policy) },
        { "trace", job.Trace },
        { "key", job.Key },
        { "removeAt", job.RemoveAt },
        { "nodeName", job.NodeName },
        { "progress", job.Record.Progress },
        { "progressMessage", texts.Text(job.Record.ProgressMessage) },
        { "cancelRequest", job.CancelRequest is { } request ? new Members { { "by", request.By }, { "reason", texts.Text(request.Reason) } } : null },
        { "children", job.Children.Select(child => JobSheet.Id(child.Id)) },
        { "attempts", attempts?.Select(attempt => Of(attempt, texts)) },
        { "log", lines?.Select(line => Of(line, texts)) },
    };

    public static Members Of(LogLine line, JobTexts texts) => new()
    {
        { "jobId", JobSheet.Id(line.JobId) },
        { "run", line.Run },
        { "line", line.Line },
        { "at", line.At },
        { "level", line.Level.ToString().ToLowerInvariant() },
        { "category", line.Category },
        { "message", texts.Text(line.Message) },
        { "properties", Json(texts.Json(line.Properties)) },
        { "exception", texts.Text(line.Exception) },
    };

    private static Members Of(AttemptRecord attempt, JobTexts texts) => new()
    {
        { "run", attempt.Run },
        { "attempt", attempt.Attempt },
        { "isCharged", attempt.IsCharged },
        { "outcome", attempt.Outcome.ToWord() },
        { "started", attempt.Started },
        { "finished", attempt.Finished },
        { "node", attempt.Node },
        { "result", Json(texts.Json(attempt.Result)) },
        { "error", texts.Text(attempt.Error) },
    };

    private static JsonText? Json(string? text) => text is null ? null : new JsonText(text);
}
