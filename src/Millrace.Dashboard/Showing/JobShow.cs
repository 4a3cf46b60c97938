using System.Globalization;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Showing;

/// <summary>Turns jobs as they are stored into what the API tells of them. Pure.</summary>
/// <param name="redaction">Of what is stored.</param>
/// <param name="traceLink">Where traces are shown; null for nowhere.</param>
internal sealed class JobShow(Redaction redaction, string? traceLink = null)
{
    public static string Id(long id) => id.ToString(CultureInfo.InvariantCulture);

    public static string? Id(long? id) => id?.ToString(CultureInfo.InvariantCulture);

    public IReadOnlyList<JobRowAnswer> Rows(IEnumerable<JobRow> rows) => [.. rows.Select(Row)];

    public JobRowAnswer Row(JobRow row) => new()
    {
        Id = Id(row.Id),
        Type = redaction.Text(row.Type),
        Tag = redaction.Maybe(row.Tag, row.Type),
        UserId = Id(row.UserId),
        Queue = redaction.Text(row.Queue),
        Priority = row.Priority,
        State = Words.Of(Words.StateOf(row)),
        WaitsFor = row.WaitsFor,
        Run = row.Run,
        Attempt = row.Attempt,
        Due = row.Due,
        Created = row.Created,
        Started = row.Started,
        Finished = row.Finished,
        Outcome = row.LastOutcome?.ToWord(),
        Data = redaction.Json(row.Data, row.Type),
        Error = redaction.Maybe(row.Error, row.Type),
        Schedule = redaction.Maybe(row.Schedule),
        Parent = Id(row.Parent),
        Node = row.Node?.ToString(),
        Progress = row.Progress,
        DeletedBy = Id(row.DeletedBy),
    };

    public JobAnswer Job(JobDetail job, IReadOnlyList<string> actions) => new()
    {
        Row = Row(job.Row),
        Version = job.Version,
        Data = redaction.Json(job.Record.Data, job.Row.Type),
        Result = redaction.MaybeJson(job.Record.Result, job.Row.Type),
        Error = redaction.Maybe(job.Record.Error, job.Row.Type),
        Headers = redaction.MaybeJson(job.Record.Headers, job.Row.Type),
        Policy = redaction.MaybeJson(job.Policy, job.Row.Type),
        Trace = redaction.Maybe(job.Trace),
        TraceLink = redaction.Maybe(Showing.TraceLink.Of(traceLink, job.Trace)),
        Key = redaction.Maybe(job.Key, job.Row.Type),
        RemoveAt = job.RemoveAt,
        NodeName = redaction.Maybe(job.NodeName),
        Progress = job.Record.Progress,
        ProgressMessage = redaction.Maybe(job.Record.ProgressMessage, job.Row.Type),
        CancelRequest = job.CancelRequest is { } request ? new CancelRequestAnswer(redaction.Maybe(request.By), redaction.Maybe(request.Reason)) : null,
        Children = Rows(job.Children),
        Actions = actions,
    };

    public AttemptAnswer Attempt(AttemptRecord attempt, string type) => new()
    {
        Run = attempt.Run,
        Attempt = attempt.Attempt,
        IsCharged = attempt.IsCharged,
        Outcome = attempt.Outcome.ToWord(),
        Started = attempt.Started,
        Finished = attempt.Finished,
        Node = attempt.Node?.ToString(),
        Result = redaction.MaybeJson(attempt.Result, type),
        Error = redaction.Maybe(attempt.Error, type),
    };

    public LogLineAnswer Line(LogLine line, string type) => new()
    {
        Run = line.Run,
        Line = line.Line,
        At = line.At,
        Level = Words.Of(line.Level),
        Category = redaction.Text(line.Category),
        Message = redaction.Text(line.Message, type),
        Properties = redaction.MaybeJson(line.Properties, type),
        Exception = redaction.Maybe(line.Exception, type),
    };

    public ExplainAnswer Explain(Explanation explanation, string type) => new(
        Id(explanation.JobId),
        explanation.State,
        explanation.Code,
        redaction.Text(explanation.Headline, type),
        [.. explanation.Reasons.Select(reason => new ReasonAnswer(reason.Code, redaction.Text(reason.Text, type)))],
        explanation.WouldRunAt,
        [.. explanation.Advice.Select(advice => new AdviceAnswer(redaction.Text(advice.Text, type), redaction.Maybe(advice.Command, type)))]);

    /// <summary>What an operation did. Before and after are JSON: of one thing, so there is no type to ask.</summary>
    public OperationAnswer Operation(OperationRecord operation) => new()
    {
        Id = Id(operation.Id),
        Kind = JobChanges.WordOf(operation.Kind),
        At = operation.At,
        By = redaction.Text(operation.Author.Name),
        Via = redaction.Text(operation.Author.Via),
        Reason = redaction.Maybe(operation.Author.Reason),
        Target = redaction.Text(operation.Target),
        JobId = Id(operation.JobId),
        Expected = operation.Expected,
        Done = operation.Done,
        Skipped = operation.Skipped,
        Ended = operation.Ended,
        Error = redaction.Maybe(operation.Error),
        Before = redaction.MaybeJson(operation.Before, ""),
        After = redaction.MaybeJson(operation.After, ""),
        UndoUntil = operation.UndoUntil,
        UndoneBy = Id(operation.UndoneBy),
    };

    public PreviewAnswer Preview(string token, DateTimeOffset expires, MatchCount count) => new()
    {
        Token = token,
        Count = count.Count,
        Skipped = count.Skipped,
        ByState = count.ByState.Where(pair => pair.Value > 0).ToDictionary(pair => Words.Of(pair.Key), pair => pair.Value),
        ByType = ByName(Most(count.ByType)),
        ByQueue = ByName(Most(count.ByQueue)),
        Samples = Rows(count.Samples),
        IsCapped = count.IsCapped,
        IsCounting = count.Next is not null,
        Expires = expires,
    };

    private static Dictionary<string, long> Most(IReadOnlyDictionary<string, long> counts) =>
        counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(10).ToDictionary();

    // Two names may look the same once they are redacted.
    private Dictionary<string, long> ByName(IReadOnlyDictionary<string, long> counts) =>
        counts.GroupBy(pair => redaction.Text(pair.Key).ToString()).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value));
}
