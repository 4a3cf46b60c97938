using System.Globalization;
using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

/// <summary>
/// What people look at, through a connection and a thread of its own: a look never waits for a writer, nor the other way round, and ends after <see cref="TimeLimit.Most"/>.
/// Each call sees one moment.
/// </summary>
internal sealed partial class SqliteInspection(SqliteStore store) : IJobInspection
{
    private const int MostCandidates = 100_000;

    private Task<T> LookAsync<T>(Func<Session, T> look, CancellationToken cancellationToken) => store.LookAsync(look, cancellationToken);

    // ---- lists

    public Task<JobPage> ListAsync(JobListing listing, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(listing);
        ArgumentOutOfRangeException.ThrowIfLessThan(listing.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(listing.Limit, 200);
        return LookAsync(session => List(session, listing), cancellationToken);
    }

    private static JobPage List(Session session, JobListing listing)
    {
        var found = Search(session, Match(session, listing.Filter), 0, listing.BeforeId ?? long.MaxValue, listing.Limit, listing.Patience, "desc");
        return new JobPage(Rows(session, found.Ids), found.Next, found.IsPartial);
    }

    public Task<IdPage> ReadMatchesAsync(JobFilter filter, long afterId, long upToId, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 1000);
        return LookAsync(session =>
        {
            var found = Search(session, Match(session, filter), afterId, After(upToId), limit, TimeLimit.Enough, "asc");
            return new IdPage(found.Ids, found.Next);
        }, cancellationToken);
    }

    private static Matching Match(Session session, JobFilter filter)
    {
        var matching = new Matching(filter);
        if (matching.IsOfFailures && !session.Any(Matching.ManyFailuresSql, ("@few", (long)Matching.FewFailures)))
            matching.SearchFailures();
        return matching;
    }

    private sealed record Found(List<long> Ids, long? Next, bool IsPartial);

    /// <summary>Goes through candidates in the order of their ids until there are enough that match, none are left, or it has looked at too many.</summary>
    private static Found Search(Session session, Matching matching, long after, long before, int limit, TimeSpan patience, string order)
    {
        var (ids, end) = (new List<long>(), (long?)null);
        foreach (var chunk in Chunks(session, matching, after, before, new Helpings(MostCandidates, patience), order))
        {
            // One more than asked for tells whether there is a next page.
            ids.AddRange(session.QueryOnce(matching.IdsSql(order), static row => row.GetInt64(0), matching.Values(chunk.After, chunk.Before, chunk.Size, limit + 1 - ids.Count)));
            if (ids.Count > limit)
                return new Found(ids[..limit], ids[limit - 1], IsPartial: false);
            end = chunk.End;
        }

        return new Found(ids, end, IsPartial: end is not null);
    }

    /// <summary>A part of the candidates, and its last one where others may follow.</summary>
    private sealed record Chunk(long After, long Before, int Size, long? End);

    /// <summary>The candidates in parts, as long as there is time for whoever goes through them.</summary>
    private static IEnumerable<Chunk> Chunks(Session session, Matching matching, long after, long before, Helpings helpings, string order)
    {
        var (time, began) = (TimeProvider.System, TimeProvider.System.GetTimestamp());
        (after, before) = (Math.Max(after, matching.LeastId - 1), Math.Min(before, After(matching.GreatestId)));
        var examined = 0L;
        for (var size = matching.FirstChunk; size > 0;)
        {
            var served = time.GetTimestamp();
            var (count, end) = session.QueryOnce(matching.EndSql(order), static row => (row.GetInt64(0), row.MaybeNumber(1)), matching.Values(after, before, size, 0))[0];
            var isLast = count < size;
            yield return new Chunk(after, before, size, isLast ? null : end);
            if (isLast)
                yield break;
            examined += count;
            if (order == "desc")
                before = end ?? before;
            else
                after = end ?? after;
            size = helpings.Next(examined, size, time.GetElapsedTime(served), time.GetElapsedTime(began));
        }
    }

    private static long After(long id) => id == long.MaxValue ? id : id + 1;

    // ---- rows

    private const string RowsSql = $"""
        with {Standing.Leased}
        select j.id, j.type, j.tag, j.user_id, j.queue, {Standing.Priority}, {Standing.State}, w.reason, {Standing.Run}, {Standing.Attempt}, {Standing.Due}, j.created,
               {Standing.Started}, {Standing.Finished}, a.outcome, substr(j.data, 1, 2000), substr(a.error, 1, 500), j.schedule, j.parent, {Standing.Node}, p.percent, d.operation
        from json_each(@ids) c
        cross join millrace_job j on j.id = c.value
        {Standing.JoinAll}
        left join millrace_progress p on p.job_id = j.id and p.run = (select l.run from leased l where l.id = j.id)
        left join millrace_deleted_job d on d.job_id = j.id
        order by c.key
        """;

    /// <summary>These jobs as they stand in lists, in the order of the ids.</summary>
    internal static List<JobRow> Rows(Session session, IReadOnlyCollection<long> ids) =>
        ids.Count == 0 ? [] : session.Query(RowsSql, ReadRow, ("@ids", Values.ToList(ids)));

    private static JobRow ReadRow(SqliteDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Type = row.GetString(1),
        Tag = row.MaybeText(2),
        UserId = row.GetInt64(3),
        Queue = row.GetString(4),
        Priority = row.GetInt16(5),
        State = Coarse((StateSet)row.GetInt32(6)),
        WaitsFor = row.MaybeText(7),
        Run = row.GetInt32(8),
        Attempt = row.GetInt32(9),
        Due = row.Time(10),
        Created = row.Time(11),
        Started = row.MaybeTime(12),
        Finished = row.MaybeTime(13),
        LastOutcome = row.MaybeText(14) is { } outcome ? OutcomeExtensions.ToOutcome(outcome) : null,
        Data = Cut(row.GetString(15), 2000),
        Error = row.MaybeText(16) is { } error ? Cut(error, 500) : null,
        Schedule = row.MaybeText(17),
        Parent = row.MaybeNumber(18),
        Node = row.MaybeGuid(19),
        Progress = row.IsDBNull(20) ? null : row.GetDouble(20),
        DeletedBy = row.MaybeNumber(21),
    };

    private static JobState Coarse(StateSet state) => state switch
    {
        StateSet.Ready => JobState.Ready,
        StateSet.Scheduled or StateSet.Retrying => JobState.Scheduled,
        StateSet.Waiting or StateSet.Quarantined => JobState.Waiting,
        StateSet.Running => JobState.Running,
        StateSet.Succeeded => JobState.Succeeded,
        StateSet.Cancelled => JobState.Cancelled,
        _ => JobState.Discarded,
    };

    // SQLite counts code points, .NET halves of them.
    private static string Cut(string text, int length) =>
        text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];

    // ---- counts

    private const string CountPlacesSql = """
        select (select count(*) from (select 1 from millrace_ready limit @cap)),
               (select count(*) from (select 1 from millrace_scheduled where attempt <= 1 limit @cap)),
               (select count(*) from (select 1 from millrace_scheduled where attempt > 1 limit @cap)),
               (select count(*) from (select 1 from millrace_waiting where reason <> 'quarantine' limit @cap)),
               (select count(*) from (select 1 from millrace_waiting where reason = 'quarantine' limit @cap))
        """;

    private const string CountLeasedSql = $"with {Standing.Leased} select count(*) from leased";

    private const string CountEndsSql = """
        select outcome, sum(count)
        from millrace_stat_minute
        where bucket > @since
        group by outcome
        """;

    public Task<JobCounts> CountAsync(CancellationToken cancellationToken) => LookAsync(Count, cancellationToken);

    private JobCounts Count(Session session)
    {
        var now = store.Now();
        var counts = new Dictionary<StateSet, long>();
        StateSet[] places = [StateSet.Ready, StateSet.Scheduled, StateSet.Retrying, StateSet.Waiting, StateSet.Quarantined];
        var counted = session.Query(CountPlacesSql, row => places.Select((_, i) => row.GetInt64(i)).ToArray(), ("@cap", (long)JobCounts.Cap))[0];
        for (var i = 0; i < places.Length; i++)
            counts[places[i]] = counted[i];
        counts[StateSet.Running] = session.Number(CountLeasedSql) ?? 0;
        foreach (var state in new[] { StateSet.Succeeded, StateSet.Discarded, StateSet.Cancelled })
            counts[state] = 0;
        foreach (var (outcome, count) in session.Query(CountEndsSql, row => (OutcomeExtensions.ToOutcome(row.GetString(0)), row.GetInt64(1)), ("@since", now - TimeSpan.FromDays(1).ToMicros())))
            if (outcome.IsFinal())
                counts[FinishedAs(outcome)] += count;
        return new JobCounts { ByState = counts, OldestReady = Lines(session).Min(line => line.Oldest)?.ToTime(), Now = now.ToTime() };
    }

    private static StateSet FinishedAs(Outcome outcome) => outcome switch
    {
        Outcome.Succeeded => StateSet.Succeeded,
        Outcome.Discarded => StateSet.Discarded,
        _ => StateSet.Cancelled,
    };

    // ---- what a change would touch

    private const string NewestIdSql = "select max(id) from millrace_job";

    public Task<MatchCount> CountMatchesAsync(MatchQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var allowed = JobChanges.Allowed(query.Kind);
        ArgumentOutOfRangeException.ThrowIfEqual((int)allowed, (int)StateSet.None, nameof(query));
        return LookAsync(session => CountMatches(session, query, allowed), cancellationToken);
    }

    // In the order in which the change will go through them.
    private static MatchCount CountMatches(Session session, MatchQuery query, StateSet allowed)
    {
        var upToId = Math.Min(query.UpToId, session.Number(NewestIdSql) ?? 0);
        var matching = Match(session, query.Filter);
        var groups = new Dictionary<(StateSet State, string Type, string Queue), long>();
        var (samples, next, isFull) = (new List<long>(), (long?)null, false);
        foreach (var chunk in Chunks(session, matching, query.AfterId, After(upToId), new Helpings(long.MaxValue, query.Patience), "asc"))
        {
            var room = query.Most - groups.Values.Sum();
            foreach (var (key, count) in session.QueryOnce(matching.CountSql("asc"), ReadGroup, matching.Values(chunk.After, chunk.Before, chunk.Size, room)))
                groups[key] = groups.GetValueOrDefault(key) + count;
            if (samples.Count < 5 && groups.Keys.Any(key => (key.State & allowed) != 0))
                samples.AddRange(session.QueryOnce(matching.SamplesSql("asc"), static row => row.GetInt64(0),
                    matching.Values(chunk.After, chunk.Before, chunk.Size, 5 - samples.Count).Append(("@states", (long)allowed))));
            next = chunk.End;
            if (isFull = groups.Values.Sum() >= query.Most)
                break;
        }

        var changed = groups.Where(group => (group.Key.State & allowed) != 0).ToList();
        return new MatchCount(
            changed.Sum(group => group.Value), groups.Values.Sum() - changed.Sum(group => group.Value),
            changed.GroupBy(group => group.Key.State).ToDictionary(group => group.Key, group => group.Sum(one => one.Value)),
            MostOf(changed, key => key.Type), MostOf(changed, key => key.Queue), Rows(session, samples), upToId, isFull || next is not null, isFull ? null : next);
    }

    public Task<IReadOnlyList<JobRow>> ReadRowsAsync(IReadOnlyCollection<long> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ids.Count, 1000, nameof(ids));
        return LookAsync<IReadOnlyList<JobRow>>(session => Rows(session, [.. ids.Distinct().Order()]), cancellationToken);
    }

    private static ((StateSet State, string Type, string Queue) Key, long Count) ReadGroup(SqliteDataReader row) =>
        (((StateSet)row.GetInt32(0), row.GetString(1), row.GetString(2)), row.GetInt64(3));

    private static Dictionary<string, long> MostOf(
        IEnumerable<KeyValuePair<(StateSet State, string Type, string Queue), long>> groups, Func<(StateSet State, string Type, string Queue), string> name) =>
        groups.GroupBy(group => name(group.Key), StringComparer.Ordinal).Select(group => (group.Key, Count: group.Sum(one => one.Value)))
            .OrderByDescending(group => group.Count).ThenBy(group => group.Key, StringComparer.Ordinal).Take(MatchCount.MostNames).ToDictionary(group => group.Key, group => group.Count);

    // ---- the pulse

    public Task<string> ReadPulseAsync(CancellationToken cancellationToken) => LookAsync(session =>
        // Changes with each commit of another connection, and this one never commits anything. It counts from the opening of the connection.
        string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}.{session.Id}.{session.Number("pragma data_version")}"), cancellationToken);
}
