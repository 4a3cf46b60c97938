using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Watching;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Dashboard.Routes;

/// <summary>Schedules.</summary>
internal static class ScheduleRoutes
{
    public static IReadOnlyList<Route> All { get; } =
    [
        Route.Get("schedules", "All schedules, and when they are due next.", ListAsync).Keep(1),
        Route.Get("schedules/ahead", "What all schedules make in the next 24 hours, by five minutes: where they pile up.", AheadAsync).Keep(60),
        Route.Get("schedules/{name}/runs", "The newest jobs of a schedule.", RunsAsync, Take.Name, Take.Limit).Keep(1),
        Route.Post<ReasonRequest, SubmittedAnswer>("schedules/{name}/run", Permission.Operate, "Submit the job of a schedule now. Its ticks stay as they are.", RunAsync, Take.Name),
        Route.Post<PauseRequest, ChangedAnswer>("schedules/{name}/pause", Permission.Operate, "Stop the ticks of a schedule.", (call, body) => PauseAsync(call, true, body.Reason, body.Until), Take.Name),
        Route.Post<ReasonRequest, ChangedAnswer>("schedules/{name}/resume", Permission.Operate, "Let the ticks of a schedule go on.", (call, body) => PauseAsync(call, false, body.Reason, null), Take.Name),
    ];

    private static async Task<SchedulesAnswer> ListAsync(Call call)
    {
        var now = await call.Inspection.ReadClockAsync(call.Aborted).ConfigureAwait(false);
        var schedules = await call.Inspection.ReadSchedulesAsync(call.Aborted).ConfigureAwait(false);
        return new SchedulesAnswer([.. schedules.Select(schedule => call.Panel.General.Schedule(schedule, now))]);
    }

    private static async Task<ScheduleAheadAnswer> AheadAsync(Call call)
    {
        var now = await call.Inspection.ReadClockAsync(call.Aborted).ConfigureAwait(false);
        var schedules = await call.Inspection.ReadSchedulesAsync(call.Aborted).ConfigureAwait(false);
        return call.Panel.General.Ahead(Ahead.Of(schedules.Select(record => record.Schedule), now));
    }

    private static async Task<JobListAnswer> RunsAsync(Call call)
    {
        var jobs = await call.Inspection.ReadScheduleRunsAsync(call.ReadName("Schedule"), (int)call.Read(Take.Limit, 50), call.Aborted).ConfigureAwait(false);
        await call.Panel.Types.RefreshAsync(jobs.Select(job => job.Type), call.Aborted).ConfigureAwait(false);
        return new JobListAnswer(call.Panel.Jobs.Rows(jobs));
    }

    private static async Task<SubmittedAnswer> RunAsync(Call call, ReasonRequest body)
    {
        var name = call.ReadName("Schedule");
        var author = call.Visitor.Author(Call.Reason(body.Reason));
        var schedules = await call.Inspection.ReadSchedulesAsync(call.Aborted).ConfigureAwait(false);
        var schedule = schedules.FirstOrDefault(one => one.Schedule.Name == name)?.Schedule ?? throw Problem.NotFound($"Schedule \"{name}\"");
        var instance = call.Panel.Instance;
        for (var tries = 0; ; tries++)
        {
            var job = ScheduleRun.Of(schedule, await instance.Submitter.NextIdAsync(CancellationToken.None).ConfigureAwait(false));
            var answer = await call.Operations.RunScheduleAsync(name, job, author, CancellationToken.None).ConfigureAwait(false) ?? throw Problem.NotFound($"Schedule \"{name}\"");
            // After a restore of the database a block of ids may hold some that are taken.
            if (answer.State == SubmitState.IdTaken && tries < 5)
                continue;
            instance.WakeUps.Submitted([job]);
            await instance.RingQuietlyAsync([job.Queue]).ConfigureAwait(false);
            return new SubmittedAnswer(JobShow.Id(answer.Id), Words.Of(answer.State));
        }
    }

    private static async Task<ChangedAnswer> PauseAsync(Call call, bool isPaused, string? reason, DateTimeOffset? until)
    {
        var name = call.ReadName("Schedule");
        var author = call.Visitor.Author(Call.Reason(reason));
        var hasChanged = await call.Operations.PauseScheduleAsync(name, isPaused, QueueRoutes.UntilOf(call, until), author, CancellationToken.None).ConfigureAwait(false);
        if (!isPaused)
            call.Panel.Instance.WakeUps.Schedules.Set();
        return new ChangedAnswer(hasChanged ?? throw Problem.NotFound($"Schedule \"{name}\""));
    }
}
