namespace Millrace.Storage;

/// <summary>A notification of a user, to be stored.</summary>
/// <param name="UserId">The user.</param>
/// <param name="JobId">The job whose handler raises it.</param>
/// <param name="JobType">The stored name of its type.</param>
/// <param name="Message">The words, sanitised.</param>
public sealed record NewEvent(long UserId, long JobId, string JobType, string Message);

/// <summary>The events of some users after a point, by id.</summary>
/// <param name="Events">At most as many as were asked for.</param>
/// <param name="Position">Everything up to this id has been read: no event with this or a smaller id can appear any more. Where to read on.</param>
/// <param name="HasMore">Whether there is more to read at once, or in a moment: the page was full, or somebody is just storing an event.</param>
public sealed record EventPage(IReadOnlyList<JobEvent> Events, long Position, bool HasMore);
