using Millrace.Processes;
using Millrace.Storage;

namespace Millrace.Working;

/// <summary>The settings of an instance as they turned out, for people. Listed by hand: what is not named here is not told.</summary>
internal static class SettingsInForce
{
    public static IReadOnlyList<Setting> Of(MillraceInstance instance) =>
    [
        .. Of(instance.Options),
        .. instance.Workers is { } workers ? Of(workers, Environment.GetEnvironmentVariable(WorkerCount.Variable)) : [],
        .. instance.Store.Settings,
    ];

    public static IEnumerable<Setting> Of(MillraceOptions options)
    {
        var otherwise = new MillraceOptions();
        yield return Setting.Of("Millrace.MaxAttempts", options.MaxAttempts, otherwise.MaxAttempts);
        yield return Setting.Of("Millrace.Retry", options.Retry, otherwise.Retry);
        yield return Setting.Of("Millrace.Timeout", options.Timeout, otherwise.Timeout);
        yield return Setting.Of("Millrace.RemoveDelay", options.RemoveDelay, otherwise.RemoveDelay);
        yield return Setting.Of("Millrace.FailureRemoveDelay", options.FailureRemoveDelay, otherwise.FailureRemoveDelay);
        yield return Setting.Of("Millrace.MaxDataSizeInBytes", options.MaxDataSizeInBytes, otherwise.MaxDataSizeInBytes);
        yield return Setting.Of("Millrace.SubmitTimeout", options.SubmitTimeout, otherwise.SubmitTimeout);
        yield return Setting.Of("Millrace.SchemaChanges", options.SchemaChanges, otherwise.SchemaChanges);
        yield return Setting.Of("Millrace.UnknownTypes", options.UnknownTypes, otherwise.UnknownTypes);
        yield return Setting.Of("Millrace.ApplicationVersion", options.ApplicationVersion, otherwise.ApplicationVersion);
        yield return Setting.Of("Millrace.RemoveOldWorkerJobs", options.RemoveOldWorkerJobs, otherwise.RemoveOldWorkerJobs);
    }

    public static IEnumerable<Setting> Of(WorkerOptions options, string? processes)
    {
        var otherwise = new WorkerOptions();
        yield return Setting.Of("Workers.Concurrency", options.Concurrency, otherwise.Concurrency);
        yield return Setting.Of("Workers.Queues", QueuesOf(options), QueuesOf(otherwise));
        yield return Setting.Of("Workers.ShutdownGrace", options.ShutdownGrace, otherwise.ShutdownGrace);
        yield return Setting.Of("Workers.NodeExpiry", options.NodeExpiry, otherwise.NodeExpiry);
        var count = Setting.Of("Workers.Processes", options.Processes, otherwise.Processes);
        yield return string.IsNullOrEmpty(processes) ? count : count with { Source = SettingSource.Environment };
        yield return Setting.Of("Workers.IsolatedProcesses", options.IsolatedProcesses, otherwise.IsolatedProcesses);
        yield return Setting.Of("Workers.RecycleAfterJobs", options.RecycleAfterJobs, otherwise.RecycleAfterJobs);
        yield return Setting.Of("Workers.RecycleAboveMemory", options.RecycleAboveMemory, otherwise.RecycleAboveMemory);
        yield return Setting.Of("Workers.TimeoutGrace", options.TimeoutGrace, otherwise.TimeoutGrace);
        yield return Setting.Of("Workers.PollInterval", options.PollInterval, otherwise.PollInterval);
        yield return Setting.Of("Workers.Prefetch", options.Prefetch, otherwise.Prefetch);
    }

    private static string QueuesOf(WorkerOptions options) => options.Queues.Count == 0
        ? "default and those of the types"
        : string.Join(", ", options.Queues.OrderBy(static queue => queue.Key, StringComparer.Ordinal).Select(queue => $"{queue.Key}: {(queue.Value.Concurrency > 0 ? queue.Value.Concurrency : options.Concurrency)}"));
}
