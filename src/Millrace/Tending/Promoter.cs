using Millrace.Working;

namespace Millrace.Tending;

/// <summary>Moves scheduled jobs to the line when their time has come, and sleeps until exactly then.</summary>
internal sealed class Promoter(MillraceInstance instance) : ITender
{
    private const int BatchSize = 1000;

    // The next due time that we know of, as ticks of our own monotonic clock; the database's clock decides, ours only wakes us.
    private long nextDueAt = long.MaxValue;

    public string Name => "promote";

    public Signal Wake => instance.WakeUps.Scheduled;

    /// <summary>Told by everybody who has seen the database. Only an earlier time than the known one changes anything.</summary>
    public void NextDueIs(DateTimeOffset due, DateTimeOffset now)
    {
        var at = instance.Time.GetTimestamp() + (long)(Math.Max(0, (due - now).TotalSeconds) * instance.Time.TimestampFrequency);
        if (at >= Volatile.Read(ref nextDueAt))
            return;
        Volatile.Write(ref nextDueAt, at);
        Wake.Set();
    }

    public async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        // Woken because the next due time came nearer, not because it is there: sleep on.
        var left = Left();
        if (left > TimeSpan.FromMilliseconds(1) && left < TimeSpan.FromSeconds(1))
        {
            Volatile.Write(ref nextDueAt, long.MaxValue);
            return left;
        }
        Volatile.Write(ref nextDueAt, long.MaxValue);
        var answer = await instance.Store.PromoteAsync(BatchSize, cancellationToken).ConfigureAwait(false);
        instance.WakeUps.Ready(answer.Queues);
        if (answer.Moved >= BatchSize)
            return TimeSpan.Zero;
        var next = answer.NextDue is { } due ? due - answer.Now : TimeSpan.MaxValue;
        // Other processes schedule jobs too; the look-out tells within its interval. This is the net below it.
        return next < TimeSpan.FromMinutes(1) ? next : TimeSpan.FromMinutes(1);
    }

    private TimeSpan Left()
    {
        var at = Volatile.Read(ref nextDueAt);
        return at == long.MaxValue ? TimeSpan.Zero : TimeSpan.FromSeconds((at - instance.Time.GetTimestamp()) / (double)instance.Time.TimestampFrequency);
    }
}
