namespace Millrace;

/// <summary>What a <see cref="JobEvent"/> tells.</summary>
public enum JobEventKind
{
    /// <summary>A handler called <see cref="JobContext.NotifyUserAsync"/>.</summary>
    Notification,

    /// <summary>A running job of the user said how far it is (<see cref="JobContext.ReportProgressAsync"/>).</summary>
    Progress,
}

/// <summary>Something that a job told a user while it ran. Kept for about 10 minutes, for whoever listens (<see cref="IJobEvents"/>).</summary>
public sealed record JobEvent
{
    /// <summary>Grows: of two events of a database, the one that was raised later has the greater id. Not without gaps.</summary>
    public required long Id { get; init; }

    /// <summary>What it tells.</summary>
    public required JobEventKind Kind { get; init; }

    /// <summary>Whom it is for. 0 is the system.</summary>
    public required long UserId { get; init; }

    /// <summary>The job that raised it.</summary>
    public required long JobId { get; init; }

    /// <summary>The stored name of that job's type.</summary>
    public required string JobType { get; init; }

    /// <summary>When, by the database's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The words, sanitised; null for progress without words.</summary>
    public string? Message { get; init; }

    /// <summary>For progress: 0 to 100. Null for a notification.</summary>
    public double? Percent { get; init; }
}
