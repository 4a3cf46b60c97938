using System.Collections.Concurrent;
using FolderIndex.Jobs;

namespace FolderIndex;

/// <summary>The other side of <see cref="PublishReport"/>: a service that is too busy for each report the first two times.</summary>
internal sealed class ReportInbox
{
    private readonly ConcurrentDictionary<long, int> posts = new();

    /// <summary>The last report that was accepted; null before.</summary>
    public Report? Last { get; private set; }

    public IResult Receive(long scan, Report report)
    {
        if (posts.AddOrUpdate(scan, 1, (_, count) => count + 1) <= 2)
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        Last = report;
        return Results.NoContent();
    }
}
