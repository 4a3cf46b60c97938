using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Roll-ups of ended attempts: written by each node for the minutes it has seen, folded into hours over all nodes when they are two days old.
internal sealed partial class PostgresStore
{
    // In one order, so that two nodes cannot block each other.
    private const string SaveStats = """
        insert into millrace.stat_minute as m (bucket, queue, type, outcome, node, count, wait, run)
        select bucket, queue, type, outcome, node, count, wait, run
        from unnest(@buckets, @queues, @types, @outcomes, @nodes, @counts, @waits, @runs) as e(bucket, queue, type, outcome, node, count, wait, run)
        order by bucket, queue, type, outcome, node
        on conflict (bucket, queue, type, outcome, node) do update
        set count = excluded.count, wait = excluded.wait, run = excluded.run
        where (m.count, m.wait, m.run) is distinct from (excluded.count, excluded.wait, excluded.run)
        """;

    private static readonly string SaveHour = SaveStats.Replace("millrace.stat_minute", "millrace.stat_hour", StringComparison.Ordinal);

    // Figures that a crash of the database forgets are written again with the next ones.
    private const string NeedNotWait = "set local synchronous_commit = off";

    public Task SaveStatsAsync(IReadOnlyList<StatRow> rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0)
            return Task.CompletedTask;
        return WorkAsync("save roll-ups", async session =>
        {
            await using var batch = session.Begin();
            session.Add(batch, NeedNotWait);
            session.Add(batch, SaveStats, StatColumns(rows));
            await using var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false);
            await session.FinishAsync(reader, cancellationToken).ConfigureAwait(false);
            return true;
        }, cancellationToken);
    }

    private static NpgsqlParameter[] StatColumns(IReadOnlyList<StatRow> rows) =>
    [
        Times("buckets", [.. rows.Select(static row => row.Bucket.UtcDateTime)]),
        Texts("queues", [.. rows.Select(static row => row.Queue)]),
        Texts("types", [.. rows.Select(static row => row.Type)]),
        Texts("outcomes", [.. rows.Select(static row => row.Outcome.ToWord())]),
        Uuids("nodes", [.. rows.Select(static row => row.Node)]),
        Longs("counts", [.. rows.Select(static row => row.Count)]),
        Bytes("waits", [.. rows.Select(static row => row.Wait.ToBytes())]),
        Bytes("runs", [.. rows.Select(static row => row.Run.ToBytes())]),
    ];

    // ---- folding

    // One node at a time: the others have nothing to wait for.
    private const string TryFold = "select pg_try_advisory_xact_lock(hashtextextended(@key, 7318))";

    private const string ReadOldestHour = """
        select date_trunc('hour', m.bucket, 'UTC'), date_trunc('hour', coalesce(@now, clock_timestamp()) - interval '48 hours', 'UTC')
        from millrace.stat_minute m
        order by m.bucket
        limit 1
        """;

    // With what was folded of this hour before: a node may have been late.
    private const string TakeHour = """
        with gone as (
            delete from millrace.stat_minute
            where bucket >= @hour and bucket < @hour + interval '1 hour'
            returning queue, type, outcome, count, wait, run
        )
        select queue, type, outcome, count, wait, run from gone
        union all
        select queue, type, outcome, count, wait, run from millrace.stat_hour where bucket = @hour
        """;

    private const string RemoveOldHours = """
        with old as materialized (
            select h.ctid as place, h.bucket
            from millrace.stat_hour h
            order by h.bucket
            limit 1000
        )
        delete from millrace.stat_hour h
        where h.ctid = any(array(select place from old where bucket < coalesce(@now, clock_timestamp()) - interval '400 days'))
        """;

    private async Task FoldStatsAsync(CancellationToken cancellationToken)
    {
        // A day of hours at most in one go: upkeep has other things to do.
        for (var hours = 0; hours < 24; hours++)
        {
            if (!await WorkAsync("fold roll-ups", session => FoldHourAsync(session, cancellationToken), cancellationToken).ConfigureAwait(false))
                break;
        }

        await WorkAsync("remove old roll-ups", session => session.RunAsync(RemoveOldHours, [Now()], cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> FoldHourAsync(Session session, CancellationToken cancellationToken)
    {
        var connection = session.Connection;
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        var oldest = await OneAsync<bool>(connection, TryFold, [Text("key", "millrace fold " + options.Schema)], cancellationToken).ConfigureAwait(false) == true
            ? await ReadAsync(connection, ReadOldestHour, [Now()], static reader => (Hour: TimeAt(reader, 0), End: TimeAt(reader, 1)), cancellationToken).ConfigureAwait(false)
            : [];
        if (oldest.Count == 0 || oldest[0].Hour >= oldest[0].End)
        {
            await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
            return false;
        }

        var hour = oldest[0].Hour;
        var sums = new Dictionary<(string, string, string), StatRow>();
        foreach (var row in await ReadAsync(connection, TakeHour, [At("hour", hour)], reader => StatAt(reader, hour, 0), cancellationToken).ConfigureAwait(false))
            StatSum.Add(sums, (row.Queue, row.Type, row.Outcome.ToWord()), row);
        await ExecuteAsync(connection, SaveHour, StatColumns([.. sums.Values]), cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    internal static StatRow StatAt(NpgsqlDataReader reader, DateTimeOffset bucket, int first) => new()
    {
        Bucket = bucket,
        Queue = reader.GetString(first),
        Type = reader.GetString(first + 1),
        Outcome = OutcomeExtensions.ToOutcome(reader.GetString(first + 2)),
        Count = reader.GetInt64(first + 3),
        Wait = Histogram.FromBytes(reader.GetFieldValue<byte[]>(first + 4)),
        Run = Histogram.FromBytes(reader.GetFieldValue<byte[]>(first + 5)),
    };
}

/// <summary>Rows that are added up.</summary>
internal static class StatSum
{
    public static void Add<TKey>(Dictionary<TKey, StatRow> sums, TKey key, StatRow row)
        where TKey : notnull
    {
        if (!sums.TryGetValue(key, out var sum))
        {
            sums[key] = row;
            return;
        }

        sum.Wait.Add(row.Wait);
        sum.Run.Add(row.Run);
        sums[key] = sum with { Count = sum.Count + row.Count };
    }
}

internal sealed partial class PostgresInspection
{
    private const string Minutes = """
        select bucket, queue, type, outcome, count, wait, run
            from millrace.stat_minute
            where bucket >= @from and bucket < @to and (@queue::text is null or queue = @queue) and (@type::text is null or type = @type)
        """;

    // Histograms one after the other are their sum.
    private const string ReadMinutes = $"""
        select case when @by_queue then m.queue else '' end, case when @by_type then m.type else '' end, m.outcome, sum(m.count)::bigint,
               string_agg(m.wait, ''::bytea), string_agg(m.run, ''::bytea), date_bin(@step * interval '1 microsecond', m.bucket, timestamptz '0001-01-01 00:00:00+00')
        from (
            {Minutes}) m
        group by 1, 2, 3, 7
        """;

    // What has not been folded yet is still in the minutes, and nowhere else.
    private static readonly string ReadHours = ReadMinutes.Replace(Minutes, $"{Minutes}\nunion all\n{Minutes.Replace("stat_minute", "stat_hour", StringComparison.Ordinal)}", StringComparison.Ordinal);

    public Task<IReadOnlyList<StatRow>> ReadStatsAsync(StatQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.Step < TimeSpan.FromMinutes(1) || query.Step.Ticks % TimeSpan.TicksPerMinute != 0)
            throw new ArgumentOutOfRangeException(nameof(query), query.Step, "StatQuery.Step must be whole minutes, at least one.");
        return LookAsync("read roll-ups", look => StatsAsync(look, query, cancellationToken), cancellationToken);
    }

    private static async Task<IReadOnlyList<StatRow>> StatsAsync(Look look, StatQuery query, CancellationToken cancellationToken)
    {
        var first = Floor(query.From + query.Step - TimeSpan.FromTicks(1), query.Step);
        var rows = await look.ReadAsync(
            query.Step < TimeSpan.FromHours(1) ? ReadMinutes : ReadHours,
            [
                At("from", first), At("to", query.To), Text("queue", query.Queue), Text("type", query.Type), Bool("by_queue", query.ByQueue), Bool("by_type", query.ByType),
                Long("step", query.Step.Ticks / TimeSpan.TicksPerMicrosecond),
            ],
            static reader => PostgresStore.StatAt(reader, TimeAt(reader, 6), 0),
            cancellationToken).ConfigureAwait(false);
        return [.. rows.OrderBy(static row => row.Bucket).ThenBy(static row => row.Queue, StringComparer.Ordinal).ThenBy(static row => row.Type, StringComparer.Ordinal).ThenBy(static row => row.Outcome)];
    }

    private static DateTimeOffset Floor(DateTimeOffset time, TimeSpan step) => new(time.UtcTicks - time.UtcTicks % step.Ticks, TimeSpan.Zero);
}
