using System.CommandLine;
using Millrace.Cli.Changing;
using Millrace.Cli.Output;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace undo [OPERATION]</c>: takes back what an operation did, as far as the jobs are still as it left them.</summary>
internal static class UndoCommand
{
    private static readonly Argument<long?> operation = new("operation") { Arity = ArgumentArity.ZeroOrOne, Description = "The id of the operation (millrace audit). The last one that can be undone, when it is left out." };

    public static Command Make(Leaves leaves) => leaves.Make("undo", "Take an operation back.", RunAsync, operation);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var record = invocation.Parsed.GetValue(operation) is { } id
            ? await store.Inspection.FindOperationAsync(id, invocation.Token).ConfigureAwait(false) ?? throw CommandException.NotFound($"There is no operation {id}. Which there are: millrace audit")
            : await FindLastAsync(invocation, store).ConfigureAwait(false) ?? throw CommandException.NotFound($"There is nothing to undo: operations can be taken back for {IJobOperations.UndoWindow.TotalMinutes} minutes.");
        var question = $"Undo operation {record.Id} ({JobChanges.WordOf(record.Kind)} {record.Target}, {Words.Jobs(record.Done)}, by {record.Author.Name}) in {store.Name}";
        if (invocation.IsDryRun)
        {
            invocation.Write("millrace.operation.v1", JobSheet.Id(record.Id), OperationSheet.Make(_ => null).Of(record), page => page.Line(question + "?"));
            return ExitCode.Ok;
        }

        // Whoever names it knows which one it is.
        if (invocation.Parsed.GetValue(operation) is null || invocation.Target.IsProduction)
            await Confirmation.AskAsync(invocation, question, record.Done).ConfigureAwait(false);
        var answer = await store.Operations.UndoAsync(record.Id, invocation.Author, invocation.Token).ConfigureAwait(false);
        if (answer.Result != UndoResult.Done)
            throw CommandException.Conflict($"Operation {record.Id} {WhyNot(answer.Result)} Nothing was changed.");
        var members = new Members { { "operation", JobSheet.Id(record.Id) }, { "undo", answer.Operation is { } undo ? JobSheet.Id(undo) : null }, { "restored", answer.Restored }, { "lost", answer.Lost } };
        invocation.Write("millrace.undo.v1", JobSheet.Id(record.Id), members, page =>
            page.Line($"{Words.Jobs(answer.Restored)} {(answer.Restored == 1 ? "is" : "are")} as before.{(answer.Lost > 0 ? $" {Words.Jobs(answer.Lost)} had gone on meanwhile and were left alone." : "")}"));
        return ExitCode.Ok;
    }

    private static async Task<OperationRecord?> FindLastAsync(Invocation invocation, IJobStore store)
    {
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var newest = await store.Inspection.ReadOperationsAsync(long.MaxValue, null, 200, invocation.Token).ConfigureAwait(false);
        return newest.FirstOrDefault(record => record.UndoneBy is null && record.UndoUntil > now);
    }

    private static string WhyNot(UndoResult result) => result switch
    {
        UndoResult.TooLate => $"can no longer be undone: its {IJobOperations.UndoWindow.TotalMinutes} minutes are over.",
        UndoResult.Before => "was undone before.",
        UndoResult.NotEnded => "still goes on.",
        UndoResult.Never => "is not of a kind that can be undone.",
        _ => "is not there any more.",
    };
}
