using Millrace.Storage;

namespace Millrace.Dashboard.Showing;

/// <summary>Adds roll-ups up for charts. Pure.</summary>
internal static class StatShow
{
    public static IReadOnlyList<StatPointAnswer> Points(IEnumerable<StatRow> rows, bool byQueue, bool byType, Redaction redaction) =>
    [
        .. rows.GroupBy(row => (row.Bucket, Queue: byQueue ? row.Queue : "", Type: byType ? row.Type : ""))
            .OrderBy(group => group.Key.Bucket).ThenBy(group => group.Key.Queue, StringComparer.Ordinal).ThenBy(group => group.Key.Type, StringComparer.Ordinal)
            .Select(group => Point([.. group], group.Key.Bucket, byQueue ? redaction.Text(group.Key.Queue) : null, byType ? redaction.Text(group.Key.Type) : null)),
    ];

    public static SlowestAnswer Slowest(SlowRuns slow, DateTimeOffset since, Redaction redaction) => new(
        since,
        [
            .. slow.Runs.Select(run => new SlowRunAnswer(
                JobShow.Id(run.JobId), run.Run, run.Attempt, redaction.Maybe(run.Tag), run.Outcome.ToWord(), run.Started, run.Finished, Math.Round((run.Finished - run.Started).TotalMilliseconds, 1))),
        ],
        slow.Examined, slow.Reached, slow.Next is { } next ? new RunPlaceAnswer(JobShow.Id(next.JobId), next.Run) : null);

    public static TypeStatsAnswer OfType(IReadOnlyCollection<StatRow> rows) => new(
        Count(rows, Outcome.Succeeded), Count(rows, Outcome.Discarded), Count(rows, Outcome.Failed), Spread(rows, row => row.Run), Spread(rows, row => row.Wait));

    private static StatPointAnswer Point(IReadOnlyCollection<StatRow> rows, DateTimeOffset at, Shown? queue, Shown? type)
    {
        var (succeeded, failed, retried) = (Count(rows, Outcome.Succeeded), Count(rows, Outcome.Discarded), Count(rows, Outcome.Failed));
        var cancelled = Count(rows, Outcome.Cancelled) + Count(rows, Outcome.Replaced) + Count(rows, Outcome.Superseded);
        var interrupted = Count(rows, Outcome.Interrupted);
        return new StatPointAnswer
        {
            At = at,
            Queue = queue,
            Type = type,
            Succeeded = succeeded,
            Failed = failed,
            Retried = retried,
            Cancelled = cancelled,
            Interrupted = interrupted,
            Other = rows.Sum(row => row.Count) - succeeded - failed - retried - cancelled - interrupted,
            Wait = Spread(rows, row => row.Wait),
            Run = Spread(rows, row => row.Run),
        };
    }

    private static long Count(IEnumerable<StatRow> rows, Outcome outcome) => rows.Where(row => row.Outcome == outcome).Sum(row => row.Count);

    private static SpreadAnswer? Spread(IEnumerable<StatRow> rows, Func<StatRow, Histogram> of)
    {
        var all = new Histogram();
        foreach (var row in rows)
            all.Add(of(row));
        return all.Percentile(0.5) is { } middle && all.Percentile(0.95) is { } slow && all.Percentile(0.99) is { } slowest
            ? new SpreadAnswer(middle.TotalMilliseconds, slow.TotalMilliseconds, slowest.TotalMilliseconds)
            : null;
    }
}
