namespace Millrace.Storage;

/// <summary>Which clock a store's statements use: the database's own in production, the test's in tests.</summary>
/// <param name="time">The application's clock.</param>
public sealed class StoreClock(TimeProvider time)
{
    /// <summary>The application's clock.</summary>
    public TimeProvider Time => time;

    /// <summary>What to pass as <c>@now</c>: null for the system's clock, so that the database's decides between machines; a test's clock as it stands.</summary>
    public DateTimeOffset? Now => ReferenceEquals(time, TimeProvider.System) ? null : time.GetUtcNow();
}
