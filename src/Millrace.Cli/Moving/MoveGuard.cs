using Millrace.Cli.Output;
using Millrace.Storage;

namespace Millrace.Cli.Moving;

/// <summary>What must not be going on while a database is moved.</summary>
internal static class MoveGuard
{
    /// <exception cref="CommandException">A process lives, or a job runs.</exception>
    public static async Task CheckAsync(Invocation invocation, IJobStore store, bool mayLive, bool mayRun)
    {
        var workers = await store.Inspection.ReadWorkersAsync(invocation.Token).ConfigureAwait(false);
        var living = workers.Where(worker => worker.IsAlive).Select(worker => worker.Name).ToList();
        if (living.Count > 0 && !mayLive)
            throw CommandException.Refused($"{living.Count} {(living.Count == 1 ? "process lives" : "processes live")} in {store.Name}: {string.Join(", ", living.Take(5))}. What it changes meanwhile would be lost. Nothing was changed. Stop it first (a dead one is gone after half a minute), or, if you know better: --force-living");
        var counts = await store.Inspection.CountAsync(invocation.Token).ConfigureAwait(false);
        if (counts.ByState.GetValueOrDefault(StateSet.Running) is > 0 and var running && !mayRun)
            throw CommandException.Refused($"{Words.Jobs(running)} in {store.Name} {(running == 1 ? "is" : "are")} said to be running. Nothing was changed. If their processes are dead, they can be moved as they are; the target takes them back as interrupted and runs them again: --force-running");
    }
}
