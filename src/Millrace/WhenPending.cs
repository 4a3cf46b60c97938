namespace Millrace;

/// <summary>What a submission does when a job with the same tag is still pending. Decided by the database, so two submitters cannot race.</summary>
public enum WhenPending
{
    /// <summary>Submit another job. The tag takes no part in deduplication.</summary>
    Submit,

    /// <summary>Keep the pending job and submit nothing. The answer carries the pending job's id.</summary>
    Keep,

    /// <summary>Cancel the pending job (its outcome is <see cref="Outcome.Replaced"/>) and submit the new one.</summary>
    Replace,

    /// <summary>Keep the pending job and move its due time to the one of this submission (debounce).</summary>
    Postpone,
}

/// <summary>How long a tag that was submitted with <see cref="WhenPending.Keep"/>, <see cref="WhenPending.Replace"/> or <see cref="WhenPending.Postpone"/> stays taken.</summary>
public readonly record struct Unique
{
    private Unique(UniqueScope scope, TimeSpan window)
    {
        Scope = scope;
        Window = window;
    }

    /// <summary>While the job waits to run, also between retries. The default.</summary>
    public static Unique WhilePending => default;

    /// <summary>While the job waits or runs. A submission that meets a running job is kept out, whatever <see cref="WhenPending"/> says.</summary>
    public static Unique WhilePendingOrRunning => new(UniqueScope.PendingOrRunning, TimeSpan.Zero);

    /// <summary>For a time after the submission, even when the job has finished by then, and longer while it is pending or runs.</summary>
    /// <param name="window">More than zero, at most 366 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">The window is outside that range.</exception>
    public static Unique Within(TimeSpan window)
    {
        if (window <= TimeSpan.Zero || window > TimeSpan.FromDays(366))
            throw new ArgumentOutOfRangeException(nameof(window), window, "A window of uniqueness must be more than zero and at most 366 days.");
        return new Unique(UniqueScope.Window, window);
    }

    /// <summary>Which of the three forms this is.</summary>
    public UniqueScope Scope { get; }

    /// <summary>The time given to <see cref="Within"/>; zero for the other forms.</summary>
    public TimeSpan Window { get; }
}

/// <summary>The forms of <see cref="Unique"/>.</summary>
public enum UniqueScope
{
    /// <summary>See <see cref="Unique.WhilePending"/>.</summary>
    Pending,

    /// <summary>See <see cref="Unique.WhilePendingOrRunning"/>.</summary>
    PendingOrRunning,

    /// <summary>See <see cref="Unique.Within"/>.</summary>
    Window,
}
