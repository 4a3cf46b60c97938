using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

// Roll-ups of ended attempts: written by minute and node, folded into hours over all nodes.
internal sealed partial class SqliteStore
{
    private static readonly TimeSpan MinutesAge = TimeSpan.FromHours(48);

    private static readonly TimeSpan HoursAge = TimeSpan.FromDays(400);

    private static readonly long Hour = TimeSpan.FromHours(1).ToMicros();

    private const string SaveMinuteSql = """
        insert into millrace_stat_minute (bucket, queue, type, outcome, node, count, wait, run)
        values (@bucket, @queue, @type, @outcome, @node, @count, @wait, @run)
        on conflict (bucket, queue, type, outcome, node) do update
            set count = @count, wait = @wait, run = @run
            where (millrace_stat_minute.count, millrace_stat_minute.wait, millrace_stat_minute.run) is not (@count, @wait, @run)
        """;

    public Task SaveStatsAsync(IReadOnlyList<StatRow> rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return rows.Count == 0 ? Task.CompletedTask : WriteAsync(session => SaveStats(session, SaveMinuteSql, rows), cancellationToken);
    }

    private static int SaveStats(Session session, string sql, IReadOnlyCollection<StatRow> rows)
    {
        foreach (var row in rows)
            session.Execute(sql,
                ("@bucket", row.Bucket.ToMicros()), ("@queue", row.Queue), ("@type", row.Type), ("@outcome", row.Outcome.ToWord()), ("@node", row.Node.ToText()),
                ("@count", row.Count), ("@wait", row.Wait.ToBytes()), ("@run", row.Run.ToBytes()));
        return rows.Count;
    }

    // ---- folding

    private const string OldestMinuteSql = "select min(bucket) from millrace_stat_minute";

    private const string HourSql = """
        select bucket, queue, type, outcome, count, wait, run
        from millrace_stat_minute
        where bucket >= @from
          and bucket < @to
        union all
        select bucket, queue, type, outcome, count, wait, run
        from millrace_stat_hour
        where bucket = @from
        """;

    private const string SaveHourSql = """
        insert into millrace_stat_hour (bucket, queue, type, outcome, node, count, wait, run)
        values (@bucket, @queue, @type, @outcome, @node, @count, @wait, @run)
        on conflict (bucket, queue, type, outcome, node) do update set count = @count, wait = @wait, run = @run
        """;

    private const string DropMinutesSql = "delete from millrace_stat_minute where bucket >= @from and bucket < @to";

    private const string DropHoursSql = """
        delete from millrace_stat_hour
        where bucket in (select bucket from millrace_stat_hour where bucket < @old order by bucket limit 1)
        """;

    /// <summary>Folds one hour, if one is old enough. A minute that comes late is added to its hour by the next call.</summary>
    /// <returns>Whether there was one.</returns>
    private static bool FoldHour(Session session, long now)
    {
        if (session.Number(OldestMinuteSql) is not { } oldest || oldest - (oldest % Hour) is var hour && hour + Hour > now - MinutesAge.ToMicros())
            return false;
        var sums = new StatSums(Hour);
        foreach (var row in session.Query(HourSql, ReadStat, ("@from", hour), ("@to", hour + Hour)))
            sums.Add(row);
        SaveStats(session, SaveHourSql, sums.Rows);
        session.Execute(DropMinutesSql, ("@from", hour), ("@to", hour + Hour));
        return true;
    }

    private static int DropHours(Session session, long now) => session.Execute(DropHoursSql, ("@old", now - HoursAge.ToMicros()));

    internal static RawStat ReadStat(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt64(4), row.GetFieldValue<byte[]>(5), row.GetFieldValue<byte[]>(6));
}

/// <summary>A row of millrace_stat_minute or millrace_stat_hour.</summary>
internal sealed record RawStat(long Bucket, string Queue, string Type, string Outcome, long Count, byte[] Wait, byte[] Run);

/// <summary>Roll-ups added up into longer buckets.</summary>
/// <param name="step">How long a bucket is, in microseconds.</param>
internal sealed class StatSums(long step)
{
    private readonly SortedDictionary<(long Bucket, string Queue, string Type, Outcome Outcome), (long Count, Histogram Wait, Histogram Run)> sums = new(ByOrdinal);

    /// <summary>By bucket, queue, type and outcome.</summary>
    public List<StatRow> Rows => [.. sums.Select(sum => new StatRow
    {
        Bucket = sum.Key.Bucket.ToTime(), Queue = sum.Key.Queue, Type = sum.Key.Type, Outcome = sum.Key.Outcome, Count = sum.Value.Count, Wait = sum.Value.Wait, Run = sum.Value.Run,
    })];

    public void Add(RawStat row)
    {
        var key = (row.Bucket - (row.Bucket % step), row.Queue, row.Type, OutcomeExtensions.ToOutcome(row.Outcome));
        if (!sums.TryGetValue(key, out var sum))
            sum = (0, new Histogram(), new Histogram());
        sum.Wait.Add(row.Wait);
        sum.Run.Add(row.Run);
        sums[key] = sum with { Count = sum.Count + row.Count };
    }

    private static readonly Comparer<(long Bucket, string Queue, string Type, Outcome Outcome)> ByOrdinal = Comparer<(long Bucket, string Queue, string Type, Outcome Outcome)>.Create(static (a, b) =>
        a.Bucket != b.Bucket ? a.Bucket.CompareTo(b.Bucket)
        : string.CompareOrdinal(a.Queue, b.Queue) is not 0 and var queue ? queue
        : string.CompareOrdinal(a.Type, b.Type) is not 0 and var type ? type
        : a.Outcome.CompareTo(b.Outcome));
}

internal sealed partial class SqliteInspection
{
    // Hours are what was folded; what was not yet is in the minutes.
    private const string MinuteStatsSql = """
        select bucket, iif(@by_queue, queue, ''), iif(@by_type, type, ''), outcome, count, wait, run
        from millrace_stat_minute
        where bucket >= @from
          and bucket < @to
          and (@queue is null or queue = @queue)
          and (@type is null or type = @type)
        """;

    private const string HourStatsSql = """
        select bucket, iif(@by_queue, queue, ''), iif(@by_type, type, ''), outcome, count, wait, run
        from millrace_stat_hour
        where bucket >= @from
          and bucket < @to
          and (@queue is null or queue = @queue)
          and (@type is null or type = @type)
        """;

    public Task<IReadOnlyList<StatRow>> ReadStatsAsync(StatQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.Step < TimeSpan.FromMinutes(1) || query.Step.Ticks % TimeSpan.TicksPerMinute != 0)
            throw new ArgumentOutOfRangeException(nameof(query), query.Step, "A step is a whole number of minutes, at least one.");
        return LookAsync<IReadOnlyList<StatRow>>(session => Stats(session, query), cancellationToken);
    }

    private static List<StatRow> Stats(Session session, StatQuery query)
    {
        var step = query.Step.ToMicros();
        var sums = new StatSums(step);
        var (from, to) = (UpTo(query.From.ToMicros(), step), UpTo(query.To.ToMicros(), step));
        Add(MinuteStatsSql);
        if (query.Step >= TimeSpan.FromHours(1))
            Add(HourStatsSql);
        return sums.Rows;

        void Add(string sql)
        {
            foreach (var row in session.Query(sql, SqliteStore.ReadStat, ("@by_queue", query.ByQueue), ("@by_type", query.ByType), ("@from", from), ("@to", to), ("@queue", query.Queue), ("@type", query.Type)))
                sums.Add(row);
        }
    }

    // The beginning of the first bucket that does not begin before this time.
    private static long UpTo(long time, long step) => (time + step - 1) / step * step;
}
