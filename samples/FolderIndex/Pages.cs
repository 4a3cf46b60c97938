using System.Data.Common;

namespace FolderIndex;

/// <summary>What the browser gets.</summary>
internal static class Pages
{
    private const string RecentSql = """
        select id, type, attempt, state, started, finished
        from worker_jobs
        where finished is not null
        order by finished desc
        limit 20
        """;

    /// <summary>How much is indexed, how much is left, and which jobs ended last.</summary>
    public static async Task<IResult> OverviewAsync(
        DemoOptions demo, IndexDatabase index, Scans scans, ReportInbox inbox, [FromKeyedServices("millrace")] DbDataSource database, CancellationToken cancellationToken)
    {
        var (files, words) = await index.CountAsync(demo.Folder, cancellationToken);
        var pending = await scans.CountPendingAsync(demo.Folder, cancellationToken);
        var recent = await database.QueryAsync(
            RecentSql,
            row => new { Id = row.GetInt64(0), Type = row.GetString(1), Attempt = row.GetInt32(2), State = row.GetString(3), Started = row.GetValue(4), Finished = row.GetValue(5) },
            cancellationToken);
        return Results.Json(new { demo.Folder, files, words, pending, LastReport = inbox.Last, recent });
    }

    /// <summary>Submits a scan; while one is going on, that one is kept.</summary>
    public static async Task<IResult> RescanAsync(DemoOptions demo, Scans scans, CancellationToken cancellationToken)
    {
        var (id, outcome) = await scans.SubmitAsync(demo.Folder, cancellationToken);
        return Results.Accepted(value: new { id, Outcome = outcome.ToString() });
    }
}
