namespace Millrace;

/// <summary>
/// What running jobs tell users: notifications (<see cref="JobContext.NotifyUserAsync"/>) and the progress of users' jobs. The database is the bus, so it is heard in any process
/// and on any node. While nobody subscribes, nothing is read; all subscribers of a process share one reader. Safe to use from any thread.
/// </summary>
public interface IJobEvents
{
    /// <summary>
    /// Gives a user's events from now on, in the order of their ids, each once. "Now" is when the database answers the first request of the enumeration, milliseconds after
    /// its first <c>MoveNextAsync</c>; nothing that was raised before is given. Who must know the moment takes <see cref="ReadPositionAsync"/> first and subscribes after it.
    /// </summary>
    /// <remarks>
    /// An event arrives within milliseconds where the database has a bell (PostgreSQL, in a process that runs jobs) and within half a second elsewhere. An outage of the database
    /// is waited for, and nothing is missed by it. The enumeration ends when it is cancelled, or with the application's services.
    /// A subscriber that falls behind is kept up to 1,000 events. Then the oldest progress is dropped to make room; when all that waits are notifications, the enumeration gives
    /// them and then throws <see cref="JobEventsOverflowException"/>.
    /// </remarks>
    /// <param name="userId">Whose events. 0 is the system, of whose jobs no progress is told.</param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    IAsyncEnumerable<JobEvent> SubscribeAsync(long userId, CancellationToken cancellationToken = default);

    /// <summary>Gives a user's events after an id, first those that are stored and then as they are raised: to go on without a gap after a break. Events are stored for 10 minutes; older ones are not given.</summary>
    /// <param name="userId">Whose events.</param>
    /// <param name="after">The <see cref="JobEvent.Id"/> of the last event that was seen, or a <see cref="ReadPositionAsync"/>. 0 or less for all that are stored. An id that the database has not given yet means from now on.</param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    /// <inheritdoc cref="SubscribeAsync(long, CancellationToken)"/>
    IAsyncEnumerable<JobEvent> SubscribeAsync(long userId, long after, CancellationToken cancellationToken = default);

    /// <summary>Where the events stand: a subscription after it gives everything that is raised once this has returned.</summary>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<long> ReadPositionAsync(CancellationToken cancellationToken = default);
}

/// <summary>A subscriber was so slow that more than 1,000 notifications waited for it. Subscribe again after <see cref="ResumeAfter"/>: within 10 minutes nothing is lost.</summary>
public sealed class JobEventsOverflowException : Exception
{
    internal JobEventsOverflowException(long userId, int capacity, long resumeAfter)
        : base($"The subscriber to the events of user {userId} is too slow: {capacity:N0} notifications waited for it and more came. Those were given, the later ones were not. "
            + $"Subscribe again after id {resumeAfter}, within the 10 minutes for which events are stored, and do slow work outside the enumeration.")
    {
        UserId = userId;
        ResumeAfter = resumeAfter;
    }

    /// <summary>Whose events they are.</summary>
    public long UserId { get; }

    /// <summary>The id of the last event that was given.</summary>
    public long ResumeAfter { get; }
}
