using Millrace.Storage;

namespace Millrace.Tending;

/// <summary>The times of a cron expression without those that fall into a pause: from its beginning up to its end, at which ticks fire again.</summary>
internal sealed class OpenTimes(CronTimes times, Pause? pause)
{
    /// <summary>See <see cref="CronTimes.Next"/>.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        var next = times.Next(after);
        if (!Holds(next))
            return next;
        return pause?.Until is { } end ? times.Next(end.AddTicks(-1)) : null;
    }

    /// <summary>See <see cref="CronTimes.Last"/>.</summary>
    public DateTimeOffset? Last(DateTimeOffset after, DateTimeOffset end)
    {
        var last = times.Last(after, end);
        return pause is not null && Holds(last) ? times.Last(after, pause.Since.AddTicks(-1)) : last;
    }

    private bool Holds(DateTimeOffset? tick) => tick >= pause?.Since && !(tick >= pause.Until);
}
