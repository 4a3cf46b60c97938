using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FolderIndex.Jobs;
using Millrace;

namespace FolderIndex;

/// <summary>Submits scans, and asks the view <c>worker_jobs</c> how they are going. All jobs of a folder's scans carry its tag.</summary>
internal sealed class Scans(IJobClient jobs, [FromKeyedServices("millrace")] DbDataSource database)
{
    /// <summary>The links of a scan have a queue of their own, so that they do not stand in line behind the files: it is known early how many those are.</summary>
    public const string Queue = "scan";

    /// <summary>Whose jobs they are: who hears how far they are. 0 would be nobody.</summary>
    public const long User = 1;

    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    /// <summary>Submits a scan of a folder, unless one is going on: then the answer has the id of the link that is pending or runs.</summary>
    public Task<SubmitResult> SubmitAsync(string folder, CancellationToken cancellationToken = default) =>
        jobs.SubmitAsync(new ScanFolder(folder), ChainOptions(folder), cancellationToken);

    /// <summary>For the links of a scan. One after the other they hold the folder's tag, from the first to the last, so there is one scan at a time.</summary>
    public static JobOptions ChainOptions(string folder) => new()
    {
        Tag = Tag(folder), WhenPending = WhenPending.Keep, Unique = Unique.WhilePendingOrRunning, RemoveDelay = Kept,
        UserId = User,
    };

    /// <summary>For the other jobs of a scan: the tag is only there to find them by.</summary>
    public static JobOptions FileOptions(string folder) => new() { Tag = Tag(folder), RemoveDelay = Kept, UserId = User };

    private const string CountPendingSql = """
        select count(*)
        from worker_jobs
        where tag = @tag
          and state in ('ready', 'scheduled', 'running')
        """;

    /// <summary>How many jobs of a folder will still run.</summary>
    public Task<long> CountPendingAsync(string folder, CancellationToken cancellationToken) => CountAsync(CountPendingSql, folder, cancellationToken);

    private const string CountPendingFilesSql = $"""
        {CountPendingSql}
          and type = 'indexFile'
        """;

    /// <summary>Whether files of a folder are still to be indexed.</summary>
    public async Task<bool> HasPendingFilesAsync(string folder, CancellationToken cancellationToken) =>
        await CountAsync(CountPendingFilesSql, folder, cancellationToken) > 0;

    // A job that waits has crashed its process too often: it will not run again by itself.
    private const string StatusSql = """
        select coalesce(sum(case when state in ('ready', 'scheduled', 'running') then 1 else 0 end), 0),
               coalesce(sum(case when state = 'succeeded' and created_at >= scan.began then 1 else 0 end), 0),
               coalesce(sum(case when state in ('waiting', 'discarded', 'cancelled', 'replaced', 'superseded') and created_at >= scan.began then 1 else 0 end), 0)
        from worker_jobs
        cross join (select min(created_at) as began from worker_jobs where id = @scan) scan
        where tag = @tag
        """;

    /// <summary>How many jobs of a folder are pending or running, and how those of one scan ended. A failed attempt that was repeated counts in neither.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="scan">The id of the scan's first job.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<ScanStatus> ReadStatusAsync(string folder, long scan, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            StatusSql, row => new ScanStatus(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken, ("tag", Tag(folder)), ("scan", scan));
        return rows[0];
    }

    private const string FailuresSql = """
        select type, data, result
        from worker_jobs
        where success = false
          and state = 'discarded'
          and tag = @tag
        order by finished desc
        limit 3
        """;

    /// <summary>Why jobs were given up, the latest first: type, data and error.</summary>
    public Task<List<string>> FindFailuresAsync(string folder, CancellationToken cancellationToken) =>
        database.QueryAsync(FailuresSql, row => $"{row.GetString(0)} {row.GetString(1)}: {row.GetString(2)}", cancellationToken, ("tag", Tag(folder)));

    private const string CountOutcomesSql = """
        select cast(result as text), count(*)
        from worker_jobs
        where tag = @tag
          and type = 'indexFile'
          and state = 'succeeded'
          and created_at >= (select min(created_at) from worker_jobs where id = @scan)
        group by cast(result as text)
        """;

    /// <summary>What became of the files of a scan.</summary>
    public async Task<Dictionary<FileOutcome, long>> CountOutcomesAsync(string folder, long scan, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            CountOutcomesSql, row => (Outcome: JsonSerializer.Deserialize<FileOutcome>(row.GetString(0)), Count: row.GetInt64(1)), cancellationToken,
            ("tag", Tag(folder)), ("scan", scan));
        return rows.ToDictionary(row => row.Outcome, row => row.Count);
    }

    private async Task<long> CountAsync(string sql, string folder, CancellationToken cancellationToken) =>
        (await database.QueryAsync(sql, row => row.GetInt64(0), cancellationToken, ("tag", Tag(folder))))[0];

    /// <summary>A tag has room for 200 bytes; a folder whose path is longer is named by its hash.</summary>
    private static string Tag(string folder) =>
        $"scan:{(Encoding.UTF8.GetByteCount(folder) <= 190 ? folder : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder))))}";
}

/// <summary>How a scan is going.</summary>
internal sealed record ScanStatus(long Pending, long Succeeded, long Failed);
