using System.Data.Common;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

/// <summary>
/// What people may look at, over connections of its own. Each call is one read-only transaction, so all it says is of one moment, and each statement in it is bounded, so that looking
/// never holds up a job. Its bounds are set in the transaction: behind a pooler, and on the application's own data source, a session is not ours.
/// </summary>
internal sealed partial class PostgresInspection(PostgresStore store) : IJobInspection
{
    /// <summary>How long one statement may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Not the settings of the engine's session: these statements are planned each time, for the values they have. No sequential scans all the same, where an index can be used: the statistics
    // of tables whose rows come and go say little. No sorts and merges either, where there is another way: they read the whole history to get to the end of it. Statements over many rows stay with one process of the server: the others are for the jobs.
    private const string Bounds = """
        select coalesce(@now, clock_timestamp()),
               set_config('statement_timeout', @patience, true),
               set_config('lock_timeout', '0', true),
               set_config('enable_seqscan', 'off', true),
               set_config('enable_mergejoin', 'off', true),
               set_config('enable_sort', 'off', true),
               set_config('max_parallel_workers_per_gather', '0', true),
               set_config('jit', 'off', true)
        """;

    /// <summary>One look at the database.</summary>
    private sealed record Look(PostgresStore Store, NpgsqlConnection Connection, DateTimeOffset Now)
    {
        // A value, where the engine's statements ask the clock: what is compared with a column can then be looked up in an index.
        public NpgsqlParameter At() => Values.At("now", Now);

        public async Task<List<T>> ReadAsync<T>(string text, NpgsqlParameter[] values, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
        {
            await using var command = new NpgsqlCommand(Store.SqlOf(text), Connection);
            command.Parameters.AddRange(values);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                rows.Add(read(reader));
            return rows;
        }

        public async Task<T> OneAsync<T>(string text, NpgsqlParameter[] values, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
            (await ReadAsync(text, values, read, cancellationToken).ConfigureAwait(false))[0];
    }

    private async Task<T> LookAsync<T>(string task, Func<Look, Task<T>> look, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var now = await BeginAsync(connection, cancellationToken).ConfigureAwait(false);
            var answer = await look(new Look(store, connection, now)).ConfigureAwait(false);
            await using var end = new NpgsqlCommand("rollback", connection);
            await end.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            return answer;
        }
        catch (Exception exception) when (IsTimeUp(exception) && !cancellationToken.IsCancellationRequested)
        {
            throw new StoreException(
                StoreFault.Unavailable,
                $"{store.Name}: could not {task} within {Patience.TotalSeconds:0} seconds, which is as long as looking may take. Nothing was changed. Ask for less (a state, a tag, a queue, a shorter time), or try again when the database has less to do.",
                exception);
        }
        catch (Exception exception) when (exception is not StoreException && store.Translate(exception, task, commitIsInFlight: false) is { } fault)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw fault;
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await store.LookSource().OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is DbException or System.Net.Sockets.SocketException or IOException or TimeoutException)
        {
            throw store.CannotConnect(exception);
        }
    }

    private async Task<DateTimeOffset> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("begin isolation level repeatable read read only"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Bounds) { Parameters = { store.Now(), Text("patience", $"{Patience.TotalMilliseconds:0}ms") } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return TimeAt(reader, 0);
    }

    // The server's word, or ours when not even that came in time.
    private static bool IsTimeUp(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } or NpgsqlException { InnerException: TimeoutException };

    // ---- lists

    public Task<JobPage> ListAsync(JobListing listing, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(listing);
        ArgumentOutOfRangeException.ThrowIfLessThan(listing.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(listing.Limit, 200);
        var matching = new Matching(listing.Filter) { IsDescending = true };
        return LookAsync("list jobs", async look =>
        {
            var found = await SearchAsync(look, matching, Standing.Row, 0, listing.BeforeId ?? long.MaxValue, listing.Limit + 1, listing.Patience, static reader => Standing.RowAt(reader, 2), cancellationToken).ConfigureAwait(false);
            if (found.Rows.Count <= listing.Limit)
                return new JobPage(found.Rows, found.StoppedAt, found.StoppedAt is not null && found.Rows.Count < listing.Limit);
            found.Rows.RemoveAt(listing.Limit);
            return new JobPage(found.Rows, found.Rows[^1].Id, IsPartial: false);
        }, cancellationToken);
    }

    public Task<IdPage> ReadMatchesAsync(JobFilter filter, long afterId, long upToId, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 1000);
        var matching = new Matching(filter);
        return LookAsync("search jobs", async look =>
        {
            var found = await SearchAsync(look, matching, "j.id", afterId, After(upToId), limit + 1, Patience / 2, static reader => reader.GetInt64(2), cancellationToken).ConfigureAwait(false);
            if (found.Rows.Count <= limit)
                return new IdPage(found.Rows, found.StoppedAt);
            found.Rows.RemoveAt(limit);
            return new IdPage(found.Rows, found.Rows[^1]);
        }, cancellationToken);
    }

    private static long After(long id) => id == long.MaxValue ? id : id + 1;

    /// <param name="Rows">What matched.</param>
    /// <param name="StoppedAt">The last candidate that was looked at, when there may be more; null when all were.</param>
    private sealed record Found<T>(List<T> Rows, long? StoppedAt);

    // Candidates in growing helpings, so that a page that fills at once costs little, and one that does not stops in time.
    private async Task<Found<T>> SearchAsync<T>(
        Look look, Matching matching, string columns, long low, long high, int limit, TimeSpan patience, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        if (!matching.CanMatch)
            return new Found<T>(rows, null);
        var (time, helpings) = (TimeProvider.System, new Helpings(Matching.MostCandidates, patience));
        var began = time.GetTimestamp();
        var text = matching.Search(await ChooseAsync(look, matching, cancellationToken).ConfigureAwait(false), columns);
        var (seen, helping) = (0, limit);
        while (true)
        {
            var served = time.GetTimestamp();
            NpgsqlParameter[] values = [.. matching.Values(low, high), Int("chunk", helping), Int("limit", limit - rows.Count)];
            List<(long Count, long? Last, bool HasRow, T? Row)> found;
            try
            {
                found = await look.ReadAsync(
                    text, values, reader => (reader.GetInt64(0), LongOrNullAt(reader, 1), !reader.IsDBNull(2), reader.IsDBNull(2) ? default : read(reader)), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (seen > 0 && IsTimeUp(exception) && !cancellationToken.IsCancellationRequested)
            {
                return new Found<T>(rows, matching.IsDescending ? high : low);
            }

            foreach (var one in found)
            {
                if (one is { HasRow: true, Row: { } row })
                    rows.Add(row);
            }

            if (rows.Count >= limit || found[0].Count < helping || found[0].Last is not { } last)
                return new Found<T>(rows, null);
            seen += helping;
            (low, high) = matching.IsDescending ? (low, last) : (last, high);
            helping = helpings.Next(seen, helping, time.GetElapsedTime(served), time.GetElapsedTime(began));
            if (helping == 0)
                return new Found<T>(rows, last);
        }
    }

    // Measured, not guessed: how rare a tag is the statistics may say wrongly, and then the search would read all jobs or all of that tag.
    private static async Task<MatchSource> ChooseAsync(Look look, Matching matching, CancellationToken cancellationToken)
    {
        foreach (var source in matching.Sources)
        {
            if (Candidates.Measure(source) is not { } measure)
                return source;
            var count = await look.OneAsync(measure, matching.SourceValues(), static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false);
            if (count <= Candidates.Few)
                return source;
        }

        return MatchSource.All;
    }

    // ---- counts

    // Live states up to the cap, but all of scheduled in one walk, which tells retries from first attempts. Finished ones from the roll-ups.
    private const string CountStates = $"""
        with recursive {Lanes},
        {AllRunning}
        select (select count(*) from (select from millrace.ready limit 100000) c),
               least(delayed.firsts, 100000),
               least(delayed.retries, 100000),
               (select count(*) from (select from millrace.waiting where reason <> 'quarantine' limit 100000) c),
               (select count(*) from (select from millrace.waiting where reason = 'quarantine' limit 100000) c),
               (select count(*) from (select from running limit 100000) c),
               (select timestamptz 'epoch' + min(pass) * interval '1 microsecond' from lane),
               coalesce(m.succeeded, 0)::bigint, coalesce(m.discarded, 0)::bigint, coalesce(m.cancelled, 0)::bigint
        from (
            select sum(count) filter (where outcome = 'succeeded') as succeeded,
                   sum(count) filter (where outcome = 'discarded') as discarded,
                   sum(count) filter (where outcome in ('cancelled', 'replaced', 'superseded')) as cancelled
            from millrace.stat_minute
            where bucket > @now - interval '1 day') m
        cross join (
            select count(*) filter (where s.attempt <= 1) as firsts, count(*) filter (where s.attempt > 1) as retries
            from (select attempt from millrace.scheduled limit 1000000) s) delayed
        """;

    public Task<JobCounts> CountAsync(CancellationToken cancellationToken) =>
        LookAsync("count jobs", look => look.OneAsync(CountStates, [look.At()], reader => new JobCounts
        {
            ByState = new Dictionary<StateSet, long>
            {
                [StateSet.Ready] = reader.GetInt64(0),
                [StateSet.Scheduled] = reader.GetInt64(1),
                [StateSet.Retrying] = reader.GetInt64(2),
                [StateSet.Waiting] = reader.GetInt64(3),
                [StateSet.Quarantined] = reader.GetInt64(4),
                [StateSet.Running] = reader.GetInt64(5),
                [StateSet.Succeeded] = reader.GetInt64(7),
                [StateSet.Discarded] = reader.GetInt64(8),
                [StateSet.Cancelled] = reader.GetInt64(9),
            },
            OldestReady = TimeOrNullAt(reader, 6),
            Now = look.Now,
        }, cancellationToken), cancellationToken);

    private const int FirstCounted = 1_000;
    private const int MostSamples = 5;

    public async Task<MatchCount> CountMatchesAsync(MatchQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var allowed = JobChanges.Allowed(query.Kind);
        ArgumentOutOfRangeException.ThrowIfEqual((int)allowed, (int)StateSet.None, nameof(query));
        var tally = new Tally(allowed);
        var (upToId, next) = await LookAsync("count jobs", async look =>
        {
            var newest = await look.OneAsync("select coalesce(max(id), 0) from millrace.job", [], static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false);
            var known = query with { UpToId = Math.Min(query.UpToId, newest) };
            return (known.UpToId, await CountAsync(look, new Matching(query.Filter), tally, known, cancellationToken).ConfigureAwait(false));
        }, cancellationToken).ConfigureAwait(false);
        // By a look of its own: the other one's transaction is over when the count was stopped by the server.
        var samples = await ReadRowsAsync(tally.Samples, cancellationToken).ConfigureAwait(false);
        var isFull = tally.Count >= query.Most;
        return new MatchCount(
            tally.Count, tally.Skipped, tally.ByState, Tally.Most(tally.ByType), Tally.Most(tally.ByQueue), samples, upToId, next is not null, isFull ? null : next);
    }

    // In the order in which the change will go through them. What comes back is where it stopped before the end.
    private static async Task<long?> CountAsync(Look look, Matching matching, Tally tally, MatchQuery query, CancellationToken cancellationToken)
    {
        if (!matching.CanMatch)
            return null;
        var (time, helpings) = (TimeProvider.System, new Helpings(long.MaxValue, query.Patience));
        var began = time.GetTimestamp();
        var text = matching.Count(await ChooseAsync(look, matching, cancellationToken).ConfigureAwait(false));
        var (low, seen, helping) = (query.AfterId, 0L, FirstCounted);
        while (true)
        {
            var served = time.GetTimestamp();
            helping = (int)Math.Min(helping, query.Most - tally.Count);
            if (helping == 0)
                return low;
            List<(long Count, long? Last, string? State, string? Type, string? Queue, long Matched, long[] Some)> found;
            try
            {
                found = await look.ReadAsync(
                    text,
                    [.. matching.Values(low, After(query.UpToId)), Int("chunk", helping)],
                    static reader => (reader.GetInt64(0), LongOrNullAt(reader, 1), TextAt(reader, 2), TextAt(reader, 3), TextAt(reader, 4), LongOrNullAt(reader, 5) ?? 0, reader.IsDBNull(6) ? [] : reader.GetFieldValue<long[]>(6)),
                    cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (seen > 0 && IsTimeUp(exception) && !cancellationToken.IsCancellationRequested)
            {
                return low;
            }

            foreach (var group in found)
            {
                if (group is { State: { } state, Type: { } type, Queue: { } queue })
                    tally.Add(JobChanges.StateOf(state), type, queue, group.Matched, group.Some);
            }

            if (found[0].Count < helping || found[0].Last is not { } last)
                return null;
            (low, seen) = (last, seen + helping);
            helping = helpings.Next(seen, helping, time.GetElapsedTime(served), time.GetElapsedTime(began));
            if (helping == 0)
                return low;
        }
    }

    private const string ReadRows = $"""
        with candidate as materialized (
            select chosen.id
            from unnest(@ids) as chosen(id)
        ),
        {Standing.Running}
        select {Standing.Row}
        from candidate c
        {Standing.Joins}
        order by j.id
        """;

    public Task<IReadOnlyList<JobRow>> ReadRowsAsync(IReadOnlyCollection<long> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ids.Count, 1000, nameof(ids));
        return ids.Count == 0 ? Task.FromResult<IReadOnlyList<JobRow>>([]) : LookAsync<IReadOnlyList<JobRow>>("read jobs", async look =>
            await look.ReadAsync(ReadRows, [Longs("ids", [.. ids.Distinct()])], static reader => Standing.RowAt(reader, 0), cancellationToken).ConfigureAwait(false), cancellationToken);
    }

    private sealed class Tally(StateSet allowed)
    {
        public long Count { get; private set; }

        public long Skipped { get; private set; }

        public Dictionary<StateSet, long> ByState { get; } = [];

        public Dictionary<string, long> ByType { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, long> ByQueue { get; } = new(StringComparer.Ordinal);

        /// <summary>The first that would be changed.</summary>
        public List<long> Samples { get; } = [];

        public void Add(StateSet state, string type, string queue, long count, long[] some)
        {
            if (!allowed.HasFlag(state))
            {
                Skipped += count;
                return;
            }

            Count += count;
            Samples.AddRange(some.Take(MostSamples - Samples.Count));
            ByState[state] = ByState.GetValueOrDefault(state) + count;
            ByType[type] = ByType.GetValueOrDefault(type) + count;
            ByQueue[queue] = ByQueue.GetValueOrDefault(queue) + count;
        }

        public static Dictionary<string, long> Most(Dictionary<string, long> counts) =>
            counts.OrderByDescending(static pair => pair.Value).ThenBy(static pair => pair.Key, StringComparer.Ordinal).Take(MatchCount.MostNames).ToDictionary(StringComparer.Ordinal);
    }
}
