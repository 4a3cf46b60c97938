using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Telemetry;
using Millrace.Working;

namespace Millrace.Tending;

/// <summary>Fires the ticks of schedules. Any node does it; the schedule's row, locked, makes each tick one job.</summary>
internal sealed class Ticker(MillraceInstance instance) : ITender
{
    private readonly Queue<long> ids = new();
    private readonly Alarm alarm = new(instance.Time);

    public string Name => "tick";

    public Signal Wake => instance.WakeUps.Schedules;

    /// <summary>Told by the look-out.</summary>
    public void NextTickIs(DateTimeOffset tick, DateTimeOffset now)
    {
        if (alarm.IsSooner(tick, now))
            Wake.Set();
    }

    public async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        // The plan is pure and gets no database: enough ids for the largest catch-up are at hand before.
        while (ids.Count < TickPlanner.MostJobs)
            ids.Enqueue(await instance.Submitter.NextIdAsync(cancellationToken).ConfigureAwait(false));

        while (await instance.Store.TickAsync(Plan, cancellationToken).ConfigureAwait(false) is { } answer)
        {
            if (answer.Skipped > 0)
                Log.TicksSkipped(instance.Log, answer.Schedule, answer.Skipped, answer.Fired);
            instance.WakeUps.Ready(answer.Queues);
            if (answer.Queues.Count > 0)
                await instance.RingQuietlyAsync(answer.Queues).ConfigureAwait(false);
            while (ids.Count < TickPlanner.MostJobs)
                ids.Enqueue(await instance.Submitter.NextIdAsync(cancellationToken).ConfigureAwait(false));
        }
        var now = await instance.Store.ReadClockAsync(cancellationToken).ConfigureAwait(false);
        var schedules = await instance.Store.ReadSchedulesAsync(cancellationToken).ConfigureAwait(false);
        var next = schedules.Min(NextLook);
        var pause = next is { } due ? due - now : TimeSpan.MaxValue;
        return alarm.Plan(pause <= TimeSpan.Zero ? TimeSpan.FromMilliseconds(50) : pause < TimeSpan.FromMinutes(1) ? pause : TimeSpan.FromMinutes(1));
    }

    // The cursor of a paused schedule stands still, in the past before long: there is nothing to do about it until the pause ends.
    private static DateTimeOffset? NextLook(Schedule schedule) => schedule.Pause switch
    {
        null => schedule.NextDue,
        { Until: { } until } when schedule.NextDue < until => until,
        { Until: not null } => schedule.NextDue,
        _ => null,
    };

    private TickPlan Plan(Schedule schedule, DateTimeOffset now)
    {
        try
        {
            return TickPlanner.Plan(schedule, now, ids.Dequeue, JobWriter.NewNonce);
        }
        catch (InvalidScheduleException exception)
        {
            // Written by another version, or by hand. It must not keep the other schedules from firing (G11): it is looked at again later.
            Log.ScheduleUnreadable(instance.Log, exception, schedule.Name);
            return TickPlanner.Postpone(schedule, now);
        }
    }
}
