using Millrace.Bench.Measuring;

namespace Millrace.Bench.Contenders;

internal sealed class MillracePostgres : IContender
{
    /// <summary>Nothing in line, and no lease that lists a run without an end: an emptied lease may be deleted later.</summary>
    public const string NothingIsLeft = """
        select not exists (
                   select
                   from millrace.lease l
                   cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
                   where not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
               and not exists (select from millrace.ready)
        """;

    public const string CountAttempts = "select count(*) from millrace.attempt where outcome = 'succeeded' and type in ('noop', 'ping')";

    public const string CountJobs = "select count(*) from millrace.job where type in ('noop', 'ping')";

    public const string LateRateOfAttempts = """
        with fifth as (
            select percentile_disc(0.2) within group (order by finished) as at, max(finished) as last from millrace.attempt where type = 'noop'
        )
        select (select count(*) from millrace.attempt a where a.type = 'noop' and a.finished > fifth.at) / nullif(extract(epoch from fifth.last - fifth.at), 0)::double precision
        from fifth
        """;

    public string Name => "millrace";

    public string Title => "Millrace, PostgreSQL";

    public string Settings => "none: all defaults";

    public string IsFinished => NothingIsLeft;

    public string CountSucceeded => CountAttempts;

    public string CountStored => CountJobs;

    public string LateRate => LateRateOfAttempts;

    public Task PrepareAsync(string database) => MakeTablesAsync(database);

    public async Task<ISubmitter> OpenSubmitterAsync(string database) => await OpenAsync(database);

    public Task<IWorker> BuildWorkerAsync(string database) => Task.FromResult<IWorker>(new MillraceEngine(millrace => millrace.UsePostgres(database), hasWorkers: true));

    /// <summary>A client alone.</summary>
    public static async Task<MillraceEngine> OpenAsync(string database)
    {
        var engine = new MillraceEngine(millrace => millrace.UsePostgres(database), hasWorkers: false);
        await engine.StartAsync();
        return engine;
    }

    /// <summary>By Millrace's own migrations.</summary>
    public static async Task MakeTablesAsync(string database)
    {
        await using (await OpenAsync(database))
        {
            // Its start has made them.
        }

        await Server.ExecuteAsync(database, "analyze");
    }
}
