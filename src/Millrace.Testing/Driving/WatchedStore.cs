using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.ExceptionServices;
using Millrace.Storage;

namespace Millrace.Testing;

/// <summary>The real store, and somebody who writes down what is submitted to it. A proxy, so that the contract can grow without this file.</summary>
internal class WatchedStore : DispatchProxy
{
    // Set right after the proxy is made, before anybody can call it.
    private IJobStore? inner;
    private Timeline? timeline;
    private ConcurrentQueue<long>? submitted;

    /// <param name="inner">The real one.</param>
    /// <param name="timeline">Gets a line for everything that is submitted.</param>
    /// <param name="submitted">Gets the ids. Those of a transaction that is rolled back are among them.</param>
    public static IJobStore Watch(IJobStore inner, Timeline timeline, ConcurrentQueue<long> submitted)
    {
        var proxy = Create<IJobStore, WatchedStore>();
        var watched = (WatchedStore)(object)proxy;
        watched.inner = inner;
        watched.timeline = timeline;
        watched.submitted = submitted;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? method, object?[]? args)
    {
        ArgumentNullException.ThrowIfNull(method);
        try
        {
            var answer = method.Invoke(inner, args);
            return (method.Name, args) switch
            {
                (nameof(IJobStore.SubmitAsync), [IReadOnlyList<NewJob> jobs, ..]) => WatchAsync((Task<IReadOnlyList<SubmitAnswer>>)answer!, jobs),
                (nameof(IJobStore.PutScheduleAsync), [Schedule schedule, ..]) => WatchAsync((Task<bool>)answer!, schedule),
                (nameof(IJobStore.TickAsync), _) => WatchAsync((Task<TickAnswer?>)answer!),
                _ => answer,
            };
        }
        catch (TargetInvocationException exception) when (exception.InnerException is { } cause)
        {
            ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    private async Task<IReadOnlyList<SubmitAnswer>> WatchAsync(Task<IReadOnlyList<SubmitAnswer>> submission, IReadOnlyList<NewJob> jobs)
    {
        var answers = await submission.ConfigureAwait(false);
        foreach (var (job, answer) in jobs.Zip(answers))
        {
            if (answer.State is SubmitState.Created or SubmitState.Replaced)
                submitted?.Enqueue(answer.Id);
            timeline?.Add(Describe(job, answer));
        }
        return answers;
    }

    private async Task<bool> WatchAsync(Task<bool> submission, Schedule schedule)
    {
        var isNew = await submission.ConfigureAwait(false);
        timeline?.Add($"schedule \"{schedule.Name}\" {(isNew ? "stored" : "kept as it was")}: {schedule.Cron} ({schedule.Zone})");
        return isNew;
    }

    private async Task<TickAnswer?> WatchAsync(Task<TickAnswer?> tick)
    {
        var answer = await tick.ConfigureAwait(false);
        if (answer is not null)
            timeline?.Add($"schedule \"{answer.Schedule}\" ticked: {answer.Fired} jobs{(answer.Skipped > 0 ? $", {answer.Skipped} ticks skipped" : "")}");
        return answer;
    }

    private static string Describe(NewJob job, SubmitAnswer answer)
    {
        var tag = job.Tag is null ? "" : $", tag \"{job.Tag}\"";
        var due = job.Due is { } time ? $", due {Timeline.Show(time)}" : job.Delay > TimeSpan.Zero ? $", due in {job.Delay}" : "";
        return answer.State switch
        {
            SubmitState.Kept => $"job {answer.Id} kept instead of another {job.Type}{tag}",
            SubmitState.Postponed => $"job {answer.Id} postponed by another {job.Type}{tag}{due}",
            SubmitState.IdTaken => $"a submission of {job.Type} met a taken id",
            _ => $"job {answer.Id} submitted: {job.Type}{tag}{due} {Timeline.Short(job.Data)}",
        };
    }
}
