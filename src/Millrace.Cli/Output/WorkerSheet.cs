using Millrace.Storage;

namespace Millrace.Cli.Output;

/// <summary>Nodes in lists. The names are those of the dashboard's API.</summary>
internal static class WorkerSheet
{
    public static Sheet<WorkerRecord> Make(Func<DateTimeOffset?, string?> when) => new(
        "millrace.workers.v1",
        "workers",
        worker => worker.Id.ToString(),
        [
            new("id", "ID", worker => worker.Id) { Text = worker => worker.Id.ToString()[..8] },
            new("name", "NAME", worker => worker.Name) { IsElastic = true },
            new("kind", "KIND", worker => worker.Kind.ToString().ToLowerInvariant()),
            new("server", null, worker => worker.Server),
            new("application", null, worker => worker.Application),
            new("version", null, worker => worker.Version),
            new(null, "STATE", _ => null) { Text = StateOf, Ink = worker => !worker.IsAlive ? Ink.Red : worker.Drain is null ? Ink.Green : Ink.Yellow },
            new("started", "STARTED", worker => worker.Started) { Text = worker => when(worker.Started) },
            new("isAlive", null, worker => worker.IsAlive),
            new("expires", null, worker => worker.Expires),
            new("died", "DIED", worker => worker.Died) { Text = worker => when(worker.Died) },
            new("isIdle", null, worker => worker.IsIdle),
            new("load", null, worker => worker is { IsAlive: true, Load: { } load } ? new Members { { "cpu", load.Cpu }, { "memory", load.Memory }, { "poolQueue", load.PoolQueue } } : null),
            new("drain", null, worker => worker.Drain is { } drain ? Pauses.Of(drain) : null),
            new("queues", "QUEUES", worker => worker.Queues) { IsElastic = true },
            new("types", null, worker => worker.Types),
            new("runningCount", "RUNNING", worker => worker.RunningCount) { IsRight = true },
            new("running", null, worker => worker.Running.Select(Of)),
        ]);

    public static Sheet<RunningRow> Running(Func<DateTimeOffset?, string?> when) => new(
        "",
        "",
        job => JobSheet.Id(job.JobId),
        [
            new(null, "ID", job => JobSheet.Id(job.JobId)) { IsRight = true },
            new(null, "TYPE", job => job.Type),
            new(null, "ATTEMPT", job => job.Attempt) { IsRight = true },
            new(null, "CLAIMED", job => when(job.Claimed)),
            new(null, "PROGRESS", job => job.Progress) { IsRight = true, Text = job => job.Progress is { } percent ? $"{(int)percent}%" : "" },
        ]);

    private static string StateOf(WorkerRecord worker) => worker switch
    {
        { IsAlive: false, Died: null } => "expired",
        { IsAlive: false } => "gone",
        { Drain: not null } => "draining",
        { IsIdle: true } => "idle",
        _ => "working",
    };

    private static Members Of(RunningRow job) => new() { { "jobId", JobSheet.Id(job.JobId) }, { "type", job.Type }, { "attempt", job.Attempt }, { "claimed", job.Claimed }, { "progress", job.Progress } };
}
