namespace Millrace;

/// <summary>What one submission says about its jobs. Null leaves a decision to configuration, then to <see cref="JobAttribute"/>, then to <see cref="MillraceOptions"/>.</summary>
public sealed record JobOptions
{
    internal static readonly JobOptions None = new();

    /// <summary>A mark to find the job by, and to deduplicate with (see <see cref="WhenPending"/>). At most 200 bytes; null for none.</summary>
    public string? Tag { get; init; }

    /// <summary>Whose job it is. 0 (the default) is the system.</summary>
    public long UserId { get; init; }

    /// <summary>The queue; null for the type's own.</summary>
    public string? Queue { get; init; }

    /// <summary>Lower runs first within a queue. 0 by default.</summary>
    public short Priority { get; init; }

    /// <summary>When it may run, at the earliest. Null (the default): after <see cref="Delay"/>.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>How long after the submission it may run, by the database's clock. Zero by default. Not together with <see cref="Due"/>.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>How many attempts in all, 1 to 1,000.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>How long one attempt may run before its token is cancelled. More than zero; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> for no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>When a failed attempt is tried again.</summary>
    public RetryPolicy? Retry { get; init; }

    /// <summary>How long the finished job is kept. Zero or more; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> keeps it.</summary>
    public TimeSpan? RemoveDelay { get; init; }

    /// <summary>What to do when a job with this <see cref="Tag"/> is still pending. Anything but <see cref="WhenPending.Submit"/> (the default) needs a tag.</summary>
    public WhenPending WhenPending { get; init; }

    /// <summary>How long the tag stays taken. While the job is pending, by default. Used together with <see cref="WhenPending"/>.</summary>
    public Unique Unique { get; init; }

    /// <summary>
    /// Makes the submission recurring: a cron expression of six fields (with seconds) or five. The schedule is named by the <see cref="Tag"/>, or by
    /// the type when there is none; submitting it again replaces it. Null (the default): the job runs once.
    /// </summary>
    public string? CronSchedule { get; init; }

    /// <summary>The time zone of <see cref="CronSchedule"/>, by its IANA name such as <c>Europe/Berlin</c>. UTC by default.</summary>
    public string? TimeZone { get; init; }

    /// <summary>
    /// Whether a recurring submission is kept until it is cancelled. Otherwise (the default) it disappears when the last server that submitted it has stopped,
    /// and must be submitted again at start.
    /// </summary>
    public bool Persistent { get; init; }

    /// <summary>What a recurring submission does about ticks that nobody was there to fire.</summary>
    public MissedTicks MissedTicks { get; init; }

    /// <summary>Small strings that travel with the job: tenant, culture and the like. At most 4 KB in all. Null for none.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }
}
