using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Runs, whatever job they are of.
internal sealed partial class PostgresInspection
{
    // Backwards along the primary key, a helping at a time. The last job's time tells whether to go on.
    private const string ReadSlowRuns = """
        with candidate as materialized (
            select a.job_id, a.run, a.attempt, a.type, a.tag, a.started, a.finished, a.outcome, a.node
            from millrace.attempt a
            where (a.job_id, a.run) < (@before_job, @before_run)
            order by a.job_id desc, a.run desc
            limit @chunk
        ),
        last as (
            select c.job_id, c.run
            from candidate c
            order by c.job_id, c.run
            limit 1
        ),
        slow as (
            select c.job_id, c.run, c.attempt, c.tag, c.started, c.finished, c.outcome, c.node
            from candidate c
            where c.type = @type
                and c.finished >= @since
                and not exists (select from millrace.deleted_job d where d.job_id = c.job_id)
            order by c.finished - c.started desc, c.job_id desc, c.run desc
            limit @limit
        )
        select seen.count, last.job_id, last.run, (select j.created from millrace.job j where j.id = last.job_id),
               slow.job_id, slow.run, slow.attempt, slow.tag, slow.started, slow.finished, slow.outcome, slow.node
        from (select count(*) as count from candidate) seen
        left join last on true
        left join slow on true
        """;

    private const int FirstRuns = 1_000;

    public Task<SlowRuns> ReadSlowRunsAsync(SlowRunQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 200, nameof(query));
        return Matching.IsStorable(query.Type)
            ? LookAsync("search for slow runs", look => SlowRunsAsync(look, query, cancellationToken), cancellationToken)
            : Task.FromResult(new SlowRuns([], 0, null, null));
    }

    private static async Task<SlowRuns> SlowRunsAsync(Look look, SlowRunQuery query, CancellationToken cancellationToken)
    {
        var (time, helpings) = (TimeProvider.System, new Helpings(Matching.MostCandidates, query.Patience));
        var began = time.GetTimestamp();
        var (slowest, seen, before) = (new SlowestRuns(query.Limit), 0L, query.Before ?? new RunPlace(long.MaxValue, int.MaxValue));
        DateTimeOffset? reached = null;
        for (var helping = FirstRuns; helping > 0;)
        {
            var served = time.GetTimestamp();
            List<RunHelping> found;
            try
            {
                found = await look.ReadAsync(
                    ReadSlowRuns,
                    [Long("before_job", before.JobId), Int("before_run", before.Run), Text("type", query.Type), At("since", query.Since), Int("chunk", helping), Int("limit", query.Limit)],
                    HelpingAt, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (seen > 0 && IsTimeUp(exception) && !cancellationToken.IsCancellationRequested)
            {
                break;
            }

            slowest.Add(found.Select(static one => one.Run).OfType<SlowRun>());
            seen += found[0].Count;
            reached = found[0].Created ?? reached;
            if (found[0].Count < helping || found[0].Last is not { } last || reached < query.Since)
                return new SlowRuns(slowest.Runs, seen, null, null);
            before = last;
            helping = helpings.Next(seen, helping, time.GetElapsedTime(served), time.GetElapsedTime(began));
        }

        return new SlowRuns(slowest.Runs, seen, reached, before);
    }

    /// <param name="Count">How many candidates there were.</param>
    /// <param name="Last">The last of them.</param>
    /// <param name="Created">When the job of that one was submitted.</param>
    /// <param name="Run">One that is slow.</param>
    private sealed record RunHelping(long Count, RunPlace? Last, DateTimeOffset? Created, SlowRun? Run);

    private static RunHelping HelpingAt(NpgsqlDataReader reader) => new(
        reader.GetInt64(0),
        LongOrNullAt(reader, 1) is { } last ? new RunPlace(last, reader.GetInt32(2)) : null,
        TimeOrNullAt(reader, 3),
        LongOrNullAt(reader, 4) is { } job
            ? new SlowRun(job, reader.GetInt32(5), reader.GetInt32(6), TextAt(reader, 7), TimeAt(reader, 8), TimeAt(reader, 9), OutcomeExtensions.ToOutcome(reader.GetString(10)), UuidAt(reader, 11))
            : null);
}
