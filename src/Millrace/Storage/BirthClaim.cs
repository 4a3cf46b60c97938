namespace Millrace.Storage;

/// <summary>
/// Goes with a submission: jobs that the submitting node has free slots for are leased to it in the commit that stores them, instead of standing in line first. What the store does not lease (the queue
/// is paused, the node is not alive, the job is not new) stands in line as always.
/// </summary>
/// <param name="Node">The node that would run them.</param>
/// <param name="Lease">The id of the lease that this makes; new for each call.</param>
/// <param name="Queue">The queue of the jobs.</param>
/// <param name="Jobs">The ids of the jobs. None has a key; all may run at once.</param>
public sealed record BirthClaim(Guid Node, Guid Lease, string Queue, IReadOnlySet<long> Jobs);
