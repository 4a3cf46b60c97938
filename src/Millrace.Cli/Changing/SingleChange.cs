using Millrace.Cli.Commands;
using Millrace.Cli.Output;
using Millrace.Storage;

namespace Millrace.Cli.Changing;

/// <summary>Changes one job, if it is still as it was when it was looked at.</summary>
internal static class SingleChange
{
    public static async Task<ExitCode> RunAsync(Invocation invocation, IJobStore store, long jobId, JobChange change)
    {
        var job = await store.Inspection.FindAsync(jobId, invocation.Token).ConfigureAwait(false) ?? throw ShowCommand.NotStored(jobId);
        var question = $"{ChangeWords.Verb(change)} job {jobId} ({job.Row.Type}, {Words.State(job.Row)}) in {store.Name}";
        if (invocation.IsDryRun)
        {
            invocation.Write("millrace.preview.v1", JobSheet.Id(jobId), new Members { { "kind", JobChanges.WordOf(change.Kind) }, { "count", 1 }, { "jobs", new[] { JobSheet.Id(jobId) } } }, page => page.Line(question + "?"));
            return ExitCode.Ok;
        }

        await Confirmation.AskInProductionAsync(invocation, question).ConfigureAwait(false);
        var answer = await store.Operations.ChangeAsync(jobId, change, invocation.Author, job.Version, invocation.Token).ConfigureAwait(false);
        if (answer.Result == ChangeResult.Done && change.Kind is OperationKind.Retry or OperationKind.RunNow)
            await store.RingAsync([job.Row.Queue], invocation.Token).ConfigureAwait(false);
        return answer.Result switch
        {
            ChangeResult.Done => Say(invocation, jobId, answer, $"Job {jobId} is {ChangeWords.Done(change)}."),
            ChangeResult.Asked => Say(invocation, jobId, answer, $"Job {jobId} runs, and was asked to stop."),
            ChangeResult.Moved => throw CommandException.Conflict($"Job {jobId} has moved on since it was looked at: it is {StateOf(answer)} now. Nothing was changed. Look again: millrace show {jobId}"),
            ChangeResult.KeyIsTaken => throw CommandException.Conflict($"Job {jobId} cannot be pending again: a newer job holds its key. Nothing was changed. Which one: millrace explain {jobId}"),
            ChangeResult.Unknown => throw ShowCommand.NotStored(jobId),
            _ => throw CommandException.Conflict($"Job {jobId} is {StateOf(answer)}. Nothing was changed. {ChangeWords.Allowed(change)}"),
        };
    }

    private static ExitCode Say(Invocation invocation, long jobId, ChangeAnswer answer, string sentence)
    {
        var members = new Members
        {
            { "jobId", JobSheet.Id(jobId) },
            { "result", Words.Snake(answer.Result.ToString()) },
            { "state", answer.State is { } state ? Words.State(state) : null },
            { "version", answer.Version },
            { "operation", answer.Operation is { } operation ? JobSheet.Id(operation) : null },
        };
        invocation.Write("millrace.change.v1", JobSheet.Id(jobId), members, page => page.Line(sentence));
        if (answer.Operation is { } id && answer.Result == ChangeResult.Done)
            invocation.Say($"To take it back: millrace undo {id}", Ink.Dim);
        return ExitCode.Ok;
    }

    private static string StateOf(ChangeAnswer answer) => answer.State is { } state ? Words.State(state) : "not stored";
}
