using Microsoft.Extensions.Logging;

namespace Millrace.Telemetry;

/// <summary>Every line the engine writes to the application's log. Ids and names are fixed: people search and alert by them.</summary>
internal static partial class Log
{
    public const string Category = "Millrace";

    // 1-99: the process

    [LoggerMessage(1, LogLevel.Information, "Millrace started as node {Node} on {Store}: {Queues}; {TypeCount} job types.")]
    public static partial void Started(ILogger logger, Guid node, string store, string queues, int typeCount);

    [LoggerMessage(2, LogLevel.Information, "Millrace is stopping: no new jobs; {Running} running jobs have {Grace} to finish.")]
    public static partial void Stopping(ILogger logger, int running, TimeSpan grace);

    [LoggerMessage(3, LogLevel.Information, "Millrace stopped. {Released} jobs were handed back without using an attempt.")]
    public static partial void Stopped(ILogger logger, int released);

    [LoggerMessage(4, LogLevel.Error, "Node {Node} had not renewed itself in time (NodeExpiry) and was taken for dead: its {Running} running jobs were told to stop and their results will not be saved. It goes on as node {Next}. Look for what froze the process or cut it off from the database.")]
    public static partial void NodeLost(ILogger logger, Guid node, int running, Guid next);

    [LoggerMessage(5, LogLevel.Warning, "A heartbeat of node {Node} failed; the last good one was {Silence} ago. After NodeExpiry its jobs are taken back. {Reason}")]
    public static partial void BeatFailed(ILogger logger, Guid node, TimeSpan silence, string reason);

    [LoggerMessage(6, LogLevel.Warning, "The loop \"{Loop}\" failed {Failures} times in a row and tries again in {Pause}. {Reason}")]
    public static partial void LoopFailed(ILogger logger, Exception? exception, string loop, int failures, TimeSpan pause, string reason);

    [LoggerMessage(7, LogLevel.Information, "The loop \"{Loop}\" works again.")]
    public static partial void LoopRecovered(ILogger logger, string loop);

    [LoggerMessage(8, LogLevel.Information, "Node {Node} was asked to claim no more. It finishes the {Running} jobs that it runs, and waits to be let go on.")]
    public static partial void Draining(ILogger logger, Guid node, int running);

    [LoggerMessage(9, LogLevel.Information, "Node {Node} was let go on and claims again.")]
    public static partial void DrainEnded(ILogger logger, Guid node);

    // 100-199: attempts

    [LoggerMessage(100, LogLevel.Warning, "Job {JobId} ({JobType}, queue {Queue}) failed in attempt {Attempt} of {MaxAttempts}.")]
    public static partial void AttemptFailed(ILogger logger, Exception exception, long jobId, string jobType, string queue, int attempt, int maxAttempts);

    [LoggerMessage(101, LogLevel.Information, "Job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) ended itself as {Outcome}: {Reason}")]
    public static partial void EndedByHandler(ILogger logger, long jobId, string jobType, string queue, int attempt, Outcome outcome, string reason);

    [LoggerMessage(102, LogLevel.Information, "Job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) stopped as asked ({StopReason}): {Reason}")]
    public static partial void Stopped(ILogger logger, long jobId, string jobType, string queue, int attempt, StopReason stopReason, string? reason);

    [LoggerMessage(103, LogLevel.Warning, "Job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) lost its lease: its node was taken for dead and the job was taken back. Its result was not saved. See NodeExpiry, or look for what froze the process.")]
    public static partial void Stale(ILogger logger, long jobId, string jobType, string queue, int attempt);

    [LoggerMessage(104, LogLevel.Warning, "Job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) threw after it had completed itself in its own transaction. The job stays complete; the exception changes nothing.")]
    public static partial void FailedAfterCompletion(ILogger logger, Exception exception, long jobId, string jobType, string queue, int attempt);

    [LoggerMessage(105, LogLevel.Warning, "A service of the scope of job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) failed to dispose. The job's end is not affected.")]
    public static partial void ScopeDisposeFailed(ILogger logger, Exception exception, long jobId, string jobType, string queue, int attempt);

    [LoggerMessage(106, LogLevel.Information, "Job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) was superseded: a newer job holds its key by now.")]
    public static partial void Superseded(ILogger logger, long jobId, string jobType, string queue, int attempt);

    [LoggerMessage(107, LogLevel.Warning, "Job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) did not stop within the grace time and was handed back while its handler still runs. What the handler still does is not saved; it will run again elsewhere.")]
    public static partial void GivenUp(ILogger logger, long jobId, string jobType, string queue, int attempt);

    [LoggerMessage(108, LogLevel.Debug, "Job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) snoozes for {Delay}.")]
    public static partial void Snoozed(ILogger logger, long jobId, string jobType, string queue, int attempt, TimeSpan delay);

    [LoggerMessage(109, LogLevel.Error, "Job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) did not stop although its timeout was over for {Grace}, and was given up while its handler still runs; its slot is lost until the handler returns. Let handlers heed their token, or mark the type as isolated.")]
    public static partial void TimeoutIgnored(ILogger logger, long jobId, string jobType, string queue, int attempt, TimeSpan grace);

    [LoggerMessage(110, LogLevel.Warning, "Job {JobId} ({JobType}, queue {Queue}, attempt {Attempt}) committed its transaction, but could not raise a notification of user {UserId} after it: {Reason} Nobody will see the notification.")]
    public static partial void NotificationLost(ILogger logger, long jobId, string jobType, string queue, int attempt, long userId, string reason);

    // 200-299: upkeep

    [LoggerMessage(200, LogLevel.Warning, "Node {Node} ({Name}) is dead: it had not renewed itself in time. Its jobs go back.")]
    public static partial void NodeBuried(ILogger logger, Guid node, string name);

    [LoggerMessage(201, LogLevel.Warning, "Took back the jobs of lease {Lease}: {Back} run again, {Ended} ended, {Skipped} are completing just now and are looked at again.")]
    public static partial void Rescued(ILogger logger, Guid lease, int back, int ended, int skipped);

    [LoggerMessage(202, LogLevel.Information, "Schedule {Schedule} skipped {Skipped} missed ticks and fired {Fired}.")]
    public static partial void TicksSkipped(ILogger logger, string schedule, int skipped, int fired);

    [LoggerMessage(204, LogLevel.Error, "Schedule {Schedule} cannot be read, so its tick was put off. Submit it again with a valid cron expression and time zone, or cancel it.")]
    public static partial void ScheduleUnreadable(ILogger logger, Exception exception, string schedule);

    [LoggerMessage(203, LogLevel.Debug, "Removed {Count} old jobs.")]
    public static partial void Pruned(ILogger logger, int count);

    // 300-399: child processes

    [LoggerMessage(300, LogLevel.Information, "{Worker}: {Line}")]
    public static partial void WorkerLine(ILogger logger, string worker, string line);

    [LoggerMessage(301, LogLevel.Error, "Worker process {Worker} cannot start (try {Tries} in a row); it is tried again, and the server goes on. {Reason}")]
    public static partial void WorkerCannotStart(ILogger logger, string worker, int tries, string reason);

    [LoggerMessage(302, LogLevel.Error, "{How} Another takes its place; its jobs go back at once.")]
    public static partial void WorkerDied(ILogger logger, string how);

    [LoggerMessage(303, LogLevel.Warning, "Worker process {Worker} (pid {ProcessId}) did not end within the grace time of {Grace} and is killed; its jobs go back without using an attempt.")]
    public static partial void WorkerKilled(ILogger logger, string worker, int processId, TimeSpan grace);

    [LoggerMessage(304, LogLevel.Information, "Worker process {Worker} (pid {ProcessId}) is replaced: {Reason}.")]
    public static partial void WorkerRecycles(ILogger logger, string worker, int processId, string reason);

    [LoggerMessage(305, LogLevel.Error, "Worker process {Worker} (pid {ProcessId}) has given no sign of life for {Silence}, though that needs none of its handlers' threads: it is stopped, or hangs. It is killed, and another takes its place.")]
    public static partial void WorkerFrozen(ILogger logger, string worker, int processId, TimeSpan silence);
}
