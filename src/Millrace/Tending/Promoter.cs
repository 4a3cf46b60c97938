using Millrace.Working;

namespace Millrace.Tending;

/// <summary>Moves scheduled jobs to the line when their time has come, and sleeps until exactly then.</summary>
internal sealed class Promoter(MillraceInstance instance) : ITender
{
    private const int BatchSize = 1000;

    private readonly Alarm alarm = new(instance.Time);

    public string Name => "promote";

    public Signal Wake => instance.WakeUps.Scheduled;

    /// <summary>Told by everybody who has seen the database.</summary>
    public void NextDueIs(DateTimeOffset due, DateTimeOffset now)
    {
        if (alarm.IsSooner(due, now))
            Wake.Set();
    }

    public async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        var answer = await instance.Store.PromoteAsync(BatchSize, cancellationToken).ConfigureAwait(false);
        instance.WakeUps.Ready(answer.Queues);
        if (answer.Moved >= BatchSize)
            return alarm.Plan(TimeSpan.Zero);
        // Other processes schedule jobs too; the look-out tells of them within its interval. A minute is the net below it.
        var next = answer.NextDue is { } due ? due - answer.Now : TimeSpan.MaxValue;
        return alarm.Plan(next < TimeSpan.FromMinutes(1) ? next : TimeSpan.FromMinutes(1));
    }
}
