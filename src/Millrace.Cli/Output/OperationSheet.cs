using System.Globalization;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli.Output;

/// <summary>What people did, in lists. The names are those of the dashboard's API.</summary>
internal static class OperationSheet
{
    public static Sheet<OperationRecord> Make(Func<DateTimeOffset?, string?> when) => new(
        "millrace.audit.v1",
        "operations",
        operation => operation.Id.ToString(CultureInfo.InvariantCulture),
        [
            new("id", "ID", operation => JobSheet.Id(operation.Id)) { IsRight = true },
            new("at", "WHEN", operation => operation.At) { Text = operation => when(operation.At) },
            new("kind", "WHAT", operation => JobChanges.WordOf(operation.Kind)),
            new("target", "TARGET", operation => Redactor.Text(operation.Target)) { IsElastic = true },
            new("by", "BY", operation => operation.Author.Name),
            new("via", null, operation => operation.Author.Via),
            new("reason", "REASON", operation => operation.Author.Reason is { } reason ? Redactor.Text(reason) : null) { IsElastic = true },
            new("jobId", null, operation => operation.JobId is { } job ? JobSheet.Id(job) : null),
            new("expected", null, operation => operation.Expected),
            new("done", "DONE", operation => operation.Done) { IsRight = true },
            new("skipped", "SKIPPED", operation => operation.Skipped) { IsRight = true, Text = operation => operation.Skipped == 0 ? "" : Words.Count(operation.Skipped) },
            new("ended", null, operation => operation.Ended),
            new("error", "ERROR", operation => operation.Error is { } error ? Redactor.Text(error) : null) { Ink = _ => Ink.Red, IsElastic = true },
            new("before", null, operation => operation.Before is { } before ? new JsonText(Redactor.Json(before, null)) : null),
            new("after", null, operation => operation.After is { } after ? new JsonText(Redactor.Json(after, null)) : null),
            new("undoUntil", null, operation => operation.UndoUntil),
            new("undoneBy", null, operation => operation.UndoneBy is { } undo ? JobSheet.Id(undo) : null),
        ]);
}
