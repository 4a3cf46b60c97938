using System.CommandLine;
using System.Globalization;
using Millrace.Cli.Changing;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace retry|cancel|delete|run-now|reprioritise (ID… | --where FILTER)</c>.</summary>
internal static class ChangeCommands
{
    private static readonly Option<string?> where = new("--where") { HelpName = "filter", Description = "All jobs that match, such as 'state:failed type:mail*'." };
    private static readonly Argument<long[]> ids = JobIds.Many();
    private static readonly Option<short?> priority = new("--priority", "-p") { HelpName = "n", Description = "The new priority: lower runs first. -32768 to 32767.", Required = true };

    public static IEnumerable<Command> Make(Leaves leaves)
    {
        yield return Make(leaves, OperationKind.Retry, "retry", "Make finished, scheduled or waiting jobs ready again, from their first attempt.");
        yield return Make(leaves, OperationKind.Cancel, "cancel", "Cancel pending jobs, and ask running ones to stop.");
        yield return Make(leaves, OperationKind.Delete, "delete", "Delete jobs that do not run.");
        yield return Make(leaves, OperationKind.RunNow, "run-now", "Make scheduled jobs ready before their time.");
        var reprioritise = leaves.Make("reprioritise", "Change the priority of pending jobs.", invocation => RunAsync(invocation, new JobChange(OperationKind.Reprioritise, invocation.Parsed.GetValue(priority))), ids, where, priority);
        reprioritise.Aliases.Add("reprioritize");
        yield return reprioritise;
    }

    private static Command Make(Leaves leaves, OperationKind kind, string name, string description) =>
        leaves.Make(name, description, invocation => RunAsync(invocation, new JobChange(kind)), ids, where);

    private static async Task<ExitCode> RunAsync(Invocation invocation, JobChange change)
    {
        var (given, filter) = (invocation.Parsed.GetValue(ids) ?? [], invocation.Parsed.GetValue(where));
        if (given.Length > 0 == filter is not null)
            throw CommandException.Usage(filter is null ? "Which jobs? Give their ids, or --where and a filter." : "Ids and --where cannot go together: give one of them.");
        if (filter is not null && string.IsNullOrWhiteSpace(filter))
            throw CommandException.Usage("--where is empty, and that would be every job. If you mean it, say so by a filter that all match, such as 'id:>0'.");
        if (filter is not null)
            Filters.Parse(filter, invocation.Time.GetUtcNow());

        var store = await invocation.OpenAsync().ConfigureAwait(false);
        if (filter is null && given.Length == 1)
            return await SingleChange.RunAsync(invocation, store, given[0], change).ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        return filter is not null
            ? await ManyChanges.RunAsync(invocation, store, Filters.Parse(filter, now), filter, change).ConfigureAwait(false)
            : await ManyChanges.RunAsync(invocation, store, given.Distinct().ToList(), change).ConfigureAwait(false);
    }
}
