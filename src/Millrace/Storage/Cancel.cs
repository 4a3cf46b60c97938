namespace Millrace.Storage;

/// <summary>A wish to stop a running job.</summary>
/// <param name="JobId">The job.</param>
/// <param name="By">Who asked; null when unknown.</param>
/// <param name="Reason">Why; null when not said.</param>
public sealed record CancelRequest(long JobId, string? By, string? Reason);
