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
            var found = await SearchAsync(look, matching, Standing.Row, 0, listing.BeforeId ?? long.MaxValue, listing.Limit + 1, static reader => Standing.RowAt(reader, 2), cancellationToken).ConfigureAwait(false);
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
            var found = await SearchAsync(look, matching, "j.id", afterId, After(upToId), limit + 1, static reader => reader.GetInt64(2), cancellationToken).ConfigureAwait(false);
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
        Look look, Matching matching, string columns, long low, long high, int limit, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        var source = await ChooseAsync(look, matching, cancellationToken).ConfigureAwait(false);
        var text = matching.Search(source, columns);
        var (seen, helping) = (0, limit);
        var began = TimeProvider.System.GetTimestamp();
        while (matching.CanMatch)
        {
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
            if (seen >= Matching.MostCandidates || TimeProvider.System.GetElapsedTime(began) > Patience / 2)
                return new Found<T>(rows, last);
            helping = Math.Min(helping * 8, Matching.MostCandidates - seen);
        }

        return new Found<T>(rows, null);
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
        {AllRunning},
        delayed as materialized (
            select s.attempt > 1 as is_retry
            from millrace.scheduled s
            limit 1000000
        )
        select (select count(*) from (select from millrace.ready limit 100000) c),
               (select count(*) from (select from delayed where not is_retry limit 100000) c),
               (select count(*) from (select from delayed where is_retry limit 100000) c),
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
        """;

    private static readonly int[] CountHelpings = [2_000, 18_000, 40_000];

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

    public Task<MatchCount> CountMatchesAsync(JobFilter filter, OperationKind kind, long upToId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var allowed = JobChanges.Allowed(kind);
        ArgumentOutOfRangeException.ThrowIfEqual((int)allowed, (int)StateSet.None, nameof(kind));
        return LookAsync("count jobs", async look =>
        {
            var newest = await look.OneAsync("select coalesce(max(id), 0) from millrace.job", [], static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false);
            upToId = Math.Min(upToId, newest);
            var tally = new Tally(allowed);
            var isCapped = await CountAsync(look, new Matching(filter), tally, upToId, cancellationToken).ConfigureAwait(false);
            var samples = tally.Count == 0 ? [] : (await SearchAsync(
                look, new Matching(filter, allowed), Standing.Row, 0, After(upToId), 5, static reader => Standing.RowAt(reader, 2), cancellationToken).ConfigureAwait(false)).Rows;
            return new MatchCount(tally.Count, tally.Skipped, tally.ByState, Tally.Most(tally.ByType), Tally.Most(tally.ByQueue), samples, upToId, isCapped);
        }, cancellationToken);
    }

    // In the order in which the change will go through them. True when it stopped before the end.
    private static async Task<bool> CountAsync(Look look, Matching matching, Tally tally, long upToId, CancellationToken cancellationToken)
    {
        if (!matching.CanMatch)
            return false;
        var text = matching.Count(await ChooseAsync(look, matching, cancellationToken).ConfigureAwait(false));
        var began = TimeProvider.System.GetTimestamp();
        var low = 0L;
        for (var i = 0; ; i++)
        {
            var helping = (int)Math.Min(CountHelpings[Math.Min(i, CountHelpings.Length - 1)], JobCounts.Cap - tally.Count);
            if (helping == 0 || TimeProvider.System.GetElapsedTime(began) > Patience)
                return true;
            List<(long Count, long? Last, string? State, string? Type, string? Queue, long Matched)> found;
            try
            {
                found = await look.ReadAsync(
                    text,
                    [.. matching.Values(low, After(upToId)), Int("chunk", helping)],
                    static reader => (reader.GetInt64(0), LongOrNullAt(reader, 1), TextAt(reader, 2), TextAt(reader, 3), TextAt(reader, 4), LongOrNullAt(reader, 5) ?? 0),
                    cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (tally.Count > 0 && IsTimeUp(exception) && !cancellationToken.IsCancellationRequested)
            {
                return true;
            }

            foreach (var group in found)
            {
                if (group is { State: { } state, Type: { } type, Queue: { } queue })
                    tally.Add(JobChanges.StateOf(state), type, queue, group.Matched);
            }

            if (found[0].Count < helping || found[0].Last is not { } last)
                return false;
            low = last;
        }
    }

    private sealed class Tally(StateSet allowed)
    {
        public long Count { get; private set; }

        public long Skipped { get; private set; }

        public Dictionary<StateSet, long> ByState { get; } = [];

        public Dictionary<string, long> ByType { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, long> ByQueue { get; } = new(StringComparer.Ordinal);

        public void Add(StateSet state, string type, string queue, long count)
        {
            if (!allowed.HasFlag(state))
            {
                Skipped += count;
                return;
            }

            Count += count;
            ByState[state] = ByState.GetValueOrDefault(state) + count;
            ByType[type] = ByType.GetValueOrDefault(type) + count;
            ByQueue[queue] = ByQueue.GetValueOrDefault(queue) + count;
        }

        public static Dictionary<string, long> Most(Dictionary<string, long> counts) =>
            counts.OrderByDescending(static pair => pair.Value).ThenBy(static pair => pair.Key, StringComparer.Ordinal).Take(10).ToDictionary(StringComparer.Ordinal);
    }
}
