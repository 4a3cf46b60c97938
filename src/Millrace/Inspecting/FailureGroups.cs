using Millrace.Storage;

namespace Millrace.Inspecting;

/// <summary>Failures that have one cause, as far as their texts tell.</summary>
/// <param name="Fingerprint">Stable over restarts: 16 characters from a hash of type, kind of error, message without what varies, and the topmost frame of the application's own code.</param>
/// <param name="Type">The type of the jobs.</param>
/// <param name="Title">The error in a line, with what varies left out.</param>
/// <param name="Sample">The newest error, its beginning.</param>
/// <param name="SampleJob">The job of that one.</param>
/// <param name="Count">How many attempts.</param>
/// <param name="Jobs">How many jobs.</param>
/// <param name="First">The first of those that were read.</param>
/// <param name="Last">The newest.</param>
/// <param name="Trend">Counts over equal spans from since to now, oldest first.</param>
/// <param name="Filter">The filter that finds its jobs.</param>
internal sealed record FailureGroup(
    string Fingerprint, string Type, string Title, string Sample, long SampleJob, long Count, long Jobs, DateTimeOffset First, DateTimeOffset Last, IReadOnlyList<long> Trend, string Filter)
{
    /// <summary>Groups failures, the one with the most first.</summary>
    /// <param name="failures">Newest first.</param>
    /// <param name="since">Where the trend begins.</param>
    /// <param name="now">Where it ends.</param>
    /// <param name="spans">How many counts a trend has.</param>
    public static IReadOnlyList<FailureGroup> Group(IReadOnlyList<FailureRow> failures, DateTimeOffset since, DateTimeOffset now, int spans = 24) => throw new NotImplementedException();
}
