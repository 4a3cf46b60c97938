using Millrace.Cli.Live;
using Millrace.Cli.Output;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli.Changing;

/// <summary>Changes many jobs as one operation: preview, question, progress, result, and how to take it back.</summary>
internal static class ManyChanges
{
    public static async Task<ExitCode> RunAsync(Invocation invocation, IJobStore store, JobFilter filter, string filterText, JobChange change)
    {
        var preview = await store.Inspection.CountMatchesAsync(new MatchQuery(filter, change.Kind), invocation.Token).ConfigureAwait(false);
        var most = Math.Min(invocation.Limit ?? long.MaxValue, preview.IsCapped ? long.MaxValue : preview.Count);
        if (invocation.IsDryRun)
        {
            Preview.Write(invocation, preview, change, filterText);
            return ExitCode.Ok;
        }

        if (preview.Count == 0)
        {
            invocation.Write("millrace.operation.v1", null, new Members { { "count", 0L } }, page => page.Line($"No job matches that this could change.{(preview.Skipped > 0 ? $" {Words.Jobs(preview.Skipped)} match but are in another state. {ChangeWords.Allowed(change)}" : "")}"));
            return ExitCode.Ok;
        }

        if (!invocation.IsYes && invocation.Terminal.CanAsk)
            Preview.Show(invocation, preview);
        var expected = Math.Min(most, preview.Count);
        var count = invocation.Limit is null && preview.IsCapped ? $"more than {Words.Jobs(preview.Count)}" : Words.Jobs(expected);
        await Confirmation.AskAsync(invocation, $"{ChangeWords.Verb(change)} {count} in {store.Name}", expected).ConfigureAwait(false);

        var operation = await store.Operations.BeginAsync(change, invocation.Author, filterText, expected, invocation.Token).ConfigureAwait(false);
        var record = await ProgressLine.RunAsync(invocation, ChangeWords.Verb(change), preview.IsCapped ? null : expected, progress =>
            new BulkChange(store).RunAsync(operation, filter, change, preview.UpToId, most, progress, invocation.Token)).ConfigureAwait(false);
        return Say(invocation, record, change);
    }

    public static async Task<ExitCode> RunAsync(Invocation invocation, IJobStore store, IReadOnlyList<long> ids, JobChange change)
    {
        if (invocation.IsDryRun)
        {
            invocation.Write("millrace.preview.v1", null, new Members { { "kind", JobChanges.WordOf(change.Kind) }, { "count", ids.Count }, { "jobs", ids.Select(JobSheet.Id) } }, page => page.Line($"{ChangeWords.Verb(change)} {Words.Jobs(ids.Count)} in {store.Name}?"));
            return ExitCode.Ok;
        }

        await Confirmation.AskAsync(invocation, $"{ChangeWords.Verb(change)} {Words.Jobs(ids.Count)} in {store.Name}", ids.Count).ConfigureAwait(false);
        var operation = await store.Operations.BeginAsync(change, invocation.Author, $"jobs {string.Join(", ", ids.Take(10))}{(ids.Count > 10 ? ", …" : "")}", ids.Count, invocation.Token).ConfigureAwait(false);
        string? error = null;
        try
        {
            foreach (var batch in ids.Chunk(BulkChange.BatchSize))
            {
                var answer = await store.Operations.ApplyAsync(operation, change, batch, invocation.Token).ConfigureAwait(false);
                if (answer.Queues.Count > 0)
                    await store.RingAsync(answer.Queues, invocation.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (invocation.Token.IsCancellationRequested)
        {
            error = "It was stopped.";
        }

        return Say(invocation, await store.Operations.EndAsync(operation, error, CancellationToken.None).ConfigureAwait(false), change);
    }

    private static ExitCode Say(Invocation invocation, OperationRecord record, JobChange change)
    {
        invocation.Write("millrace.operation.v1", JobSheet.Id(record.Id), OperationSheet.Make(_ => null).Of(record), page =>
        {
            page.Line($"{Words.Jobs(record.Done)} {(record.Done == 1 ? "is" : "are")} {ChangeWords.Done(change)}{(change.Kind == OperationKind.Cancel ? ", or asked to stop" : "")}.{(record.Skipped > 0 ? $" {Words.Jobs(record.Skipped)} were left alone: they had moved on, or are in another state." : "")}");
            if (record.Error is { } error)
                page.Line(error, Ink.Red);
        });
        if (record is { Done: > 0, UndoUntil: { } until })
            invocation.Say($"To take it back, until {Words.Time(until, invocation.IsUtc)}: millrace undo {record.Id}", Ink.Dim);
        if (record.Error is null)
            return record.Done == 0 && record.Expected > 0 ? ExitCode.Conflict : ExitCode.Ok;
        return invocation.Interrupted.IsCancellationRequested ? ExitCode.Interrupted : invocation.Token.IsCancellationRequested ? ExitCode.Timeout : ExitCode.CannotConnect;
    }
}
