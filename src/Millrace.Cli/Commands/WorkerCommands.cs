using System.CommandLine;
using Millrace.Cli.Changing;
using Millrace.Cli.Output;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace workers list|show|drain|resume</c>.</summary>
internal static class WorkerCommands
{
    private static readonly Argument<string> node = new("worker") { Description = "The name of a process, or the beginning of its id." };

    public static Command Make(Leaves leaves) => leaves.MakeGroup(
        "workers",
        "Processes that run jobs: what they do; drain them.",
        ListAsync,
        leaves.Make("list", "List processes: those that live, and those that died within the last hour.", ListAsync),
        leaves.Make("show", "Show one process and what it runs.", ShowAsync, node),
        leaves.Make("drain", "Ask a process to claim no more. What it runs it finishes.", invocation => SetAsync(invocation, isDraining: true), node),
        leaves.Make("resume", "Let a process claim again.", invocation => SetAsync(invocation, isDraining: false), node));

    private static async Task<ExitCode> ListAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var workers = await store.Inspection.ReadWorkersAsync(invocation.Token).ConfigureAwait(false);
        invocation.Write(WorkerSheet.Make(time => invocation.When(time, now)), workers, new Members { { "now", now } });
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> ShowAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var worker = await FindAsync(invocation, store).ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var sheet = WorkerSheet.Make(time => invocation.When(time, now));
        invocation.Write("millrace.worker.v1", worker.Id.ToString(), sheet.Of(worker), page =>
        {
            page.Pair("worker", worker.Name);
            page.Pair("id", worker.Id.ToString());
            page.Pair("kind", worker.Kind.ToString().ToLowerInvariant());
            page.Pair("server", worker.Server?.ToString());
            page.Pair("application", worker.Application is null ? null : $"{worker.Application} {worker.Version}".TrimEnd());
            page.Pair("started", invocation.When(worker.Started, now));
            page.Pair("expires", invocation.When(worker.Expires, now));
            page.Pair("died", invocation.When(worker.Died, now), Ink.Red);
            page.Pair("draining", worker.Drain is { } drain ? Pauses.Say(drain, time => invocation.When(time, now)) : null, Ink.Yellow);
            page.Pair("queues", string.Join(", ", worker.Queues));
            page.Pair("types", string.Join(", ", worker.Types));
            page.Heading($"running: {Words.Jobs(worker.RunningCount)}");
            if (worker.Running.Count > 0)
                page.Table(WorkerSheet.Running(time => invocation.When(time, now)), worker.Running);
        });
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> SetAsync(Invocation invocation, bool isDraining)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var worker = await FindAsync(invocation, store).ConfigureAwait(false);
        var question = $"{(isDraining ? "Drain" : "Resume")} {worker.Name} ({worker.Id}) in {store.Name}";
        if (invocation.IsDryRun)
            return Toggles.Say(invocation, worker.Name, changed: true, question + "?");
        await Confirmation.AskInProductionAsync(invocation, question).ConfigureAwait(false);
        var changed = await store.Operations.DrainAsync(worker.Id, isDraining, invocation.Author, invocation.Token).ConfigureAwait(false)
            ?? throw CommandException.Conflict($"{worker.Name} does not live any more. Nothing was changed.");
        return Toggles.Say(invocation, worker.Name, changed, (isDraining, changed) switch
        {
            (true, true) => $"{worker.Name} claims no more within seconds. {(worker.RunningCount == 0 ? "It runs nothing." : $"It finishes {Words.Jobs(worker.RunningCount)}.")}",
            (true, false) => $"{worker.Name} was draining before.",
            (false, true) => $"{worker.Name} claims again within seconds.",
            _ => $"{worker.Name} was not draining.",
        });
    }

    private static async Task<WorkerRecord> FindAsync(Invocation invocation, IJobStore store)
    {
        var wanted = invocation.Parsed.GetRequiredValue(node);
        var workers = await store.Inspection.ReadWorkersAsync(invocation.Token).ConfigureAwait(false);
        var found = workers.Where(worker => worker.Name == wanted || worker.Id.ToString().StartsWith(wanted, StringComparison.OrdinalIgnoreCase)).ToList();
        // A name stays when a process starts again; whoever lives is meant.
        if (found.Count > 1 && found.Where(worker => worker.IsAlive).ToList() is { Count: 1 } alive)
            return alive[0];
        return found.Count switch
        {
            1 => found[0],
            0 => throw CommandException.NotFound($"No process has the name or id \"{wanted}\". Which there are: millrace workers"),
            _ => throw CommandException.Usage($"\"{wanted}\" is {found.Count} processes: {string.Join(", ", found.Select(worker => $"{worker.Name} ({worker.Id})"))}. Give more of the id."),
        };
    }
}
