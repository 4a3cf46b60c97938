using Millrace.Storage;

namespace Millrace.Submitting;

/// <summary>The job of a schedule, out of turn: for <see cref="IJobOperations.RunScheduleAsync"/>.</summary>
internal static class ScheduleRun
{
    /// <param name="schedule">The schedule, whose ticks stay as they are.</param>
    /// <param name="id">A new one.</param>
    public static NewJob Of(Schedule schedule, long id) => schedule.Template with
    {
        Id = id,
        Nonce = JobWriter.NewNonce(),
        Due = null,
        Delay = TimeSpan.Zero,
        Schedule = schedule.Name,
    };
}
