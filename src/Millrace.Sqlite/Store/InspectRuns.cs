using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

// Runs, whatever job they are of.
internal sealed partial class SqliteInspection
{
    // Where a helping ends, backwards along the primary key, and when the job at its end was submitted.
    private const string EndOfRunsSql = """
        with candidate as materialized (
            select a.job_id, a.run
            from millrace_attempt a
            where (a.job_id, a.run) < (@before_job, @before_run)
            order by a.job_id desc, a.run desc
            limit @chunk
        )
        select (select count(*) from candidate), last.job_id, last.run, (select j.created from millrace_job j where j.id = last.job_id)
        from (select c.job_id, c.run from candidate c order by c.job_id, c.run limit 1) last
        """;

    private const string SlowRunsSql = """
        select a.job_id, a.run, a.attempt, a.tag, a.started, a.finished, a.outcome, a.node
        from millrace_attempt a
        where (a.job_id, a.run) < (@before_job, @before_run)
          and (a.job_id, a.run) >= (@last_job, @last_run)
          and a.type = @type
          and a.finished >= @since
          and not exists (select 1 from millrace_deleted_job d where d.job_id = a.job_id)
        order by a.finished - a.started desc, a.job_id desc, a.run desc
        limit @limit
        """;

    private const int FirstRuns = 1_000;

    public Task<SlowRuns> ReadSlowRunsAsync(SlowRunQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 200, nameof(query));
        return LookAsync(session => SlowRunsOf(session, query), cancellationToken);
    }

    private static SlowRuns SlowRunsOf(Session session, SlowRunQuery query)
    {
        var (time, helpings) = (TimeProvider.System, new Helpings(MostCandidates, query.Patience));
        var began = time.GetTimestamp();
        var (slowest, seen, before) = (new SlowestRuns(query.Limit), 0L, query.Before ?? new RunPlace(long.MaxValue, int.MaxValue));
        DateTimeOffset? reached = null;
        for (var helping = FirstRuns; helping > 0;)
        {
            var served = time.GetTimestamp();
            var ends = session.Query(EndOfRunsSql, row => (Count: row.GetInt64(0), Last: new RunPlace(row.GetInt64(1), row.GetInt32(2)), Created: row.MaybeTime(3)),
                ("@before_job", before.JobId), ("@before_run", before.Run), ("@chunk", (long)helping));
            if (ends is not [var end])
                return new SlowRuns(slowest.Runs, seen, null, null);
            slowest.Add(session.Query(SlowRunsSql, ReadSlowRun,
                ("@before_job", before.JobId), ("@before_run", before.Run), ("@last_job", end.Last.JobId), ("@last_run", end.Last.Run),
                ("@type", query.Type), ("@since", query.Since.ToMicros()), ("@limit", (long)query.Limit)));
            seen += end.Count;
            reached = end.Created ?? reached;
            if (end.Count < helping || reached < query.Since)
                return new SlowRuns(slowest.Runs, seen, null, null);
            before = end.Last;
            helping = helpings.Next(seen, helping, time.GetElapsedTime(served), time.GetElapsedTime(began));
        }

        return new SlowRuns(slowest.Runs, seen, reached, before);
    }

    private static SlowRun ReadSlowRun(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetInt32(1), row.GetInt32(2), row.MaybeText(3), row.Time(4), row.Time(5), OutcomeExtensions.ToOutcome(row.GetString(6)), row.MaybeGuid(7));
}
