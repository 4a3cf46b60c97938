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
        var found = Search(session, Match(session, listing.Filter), 0, listing.BeforeId ?? long.MaxValue, listing.Limit, "desc");
        return new JobPage(Rows(session, found.Ids), found.Next, found.IsPartial);
    }

    public Task<IdPage> ReadMatchesAsync(JobFilter filter, long afterId, long upToId, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 1000);
        return LookAsync(session =>
        {
            var found = Search(session, Match(session, filter), afterId, After(upToId), limit, "asc");
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
    private static Found Search(Session session, Matching matching, long after, long before, int limit, string order)
    {
        var ids = new List<long>();
        foreach (var chunk in Chunks(session, matching, after, before, order))
        {
            // One more than asked for tells whether there is a next page.
            ids.AddRange(session.QueryOnce(matching.IdsSql(order), static row => row.GetInt64(0), matching.Values(chunk.After, chunk.Before, chunk.Size, limit + 1 - ids.Count)));
            if (ids.Count > limit)
                return new Found(ids[..limit], ids[limit - 1], IsPartial: false);
            if (chunk.IsLast)
                return new Found(ids, chunk.End, IsPartial: chunk.End is not null);
        }

        return new Found(ids, null, IsPartial: false);
    }

    /// <summary>A part of the candidates. Its last one, where the search has to end after it and others follow.</summary>
    private sealed record Chunk(long After, long Before, int Size, bool IsLast, long? End);

    /// <summary>The candidates in growing parts.</summary>
    private static IEnumerable<Chunk> Chunks(Session session, Matching matching, long after, long before, string order)
    {
        (after, before) = (Math.Max(after, matching.LeastId - 1), Math.Min(before, After(matching.GreatestId)));
        var examined = 0L;
        for (var size = matching.FirstChunk; ; size = Math.Max(size, Math.Min(size * 2, 16_000)))
        {
            var (count, end) = session.QueryOnce(matching.EndSql(order), static row => (row.GetInt64(0), row.MaybeNumber(1)), matching.Values(after, before, size, 0))[0];
            if (count < size)
            {
                yield return new Chunk(after, before, size, IsLast: true, End: null);
                yield break;
            }

            examined += count;
            var isEnough = examined >= MostCandidates || session.Limit?.IsNear == true;
            yield return new Chunk(after, before, size, isEnough, isEnough ? end : null);
            if (isEnough)
                yield break;
            if (order == "desc")
                before = end ?? before;
            else
                after = end ?? after;
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

    public Task<MatchCount> CountMatchesAsync(JobFilter filter, OperationKind kind, long upToId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var allowed = JobChanges.Allowed(kind);
        ArgumentOutOfRangeException.ThrowIfEqual((int)allowed, (int)StateSet.None, nameof(kind));
        return LookAsync(session => CountMatches(session, filter, allowed, upToId), cancellationToken);
    }

    private static MatchCount CountMatches(Session session, JobFilter filter, StateSet allowed, long upToId)
    {
        upToId = Math.Min(upToId, session.Number(NewestIdSql) ?? 0);
        var matching = Match(session, filter);
        var groups = new Dictionary<(StateSet State, string Type, string Queue), long>();
        var samples = new List<long>();
        var isCapped = false;
        foreach (var chunk in Chunks(session, matching, 0, After(upToId), "desc"))
        {
            var room = JobCounts.Cap - groups.Values.Sum();
            foreach (var (key, count) in session.QueryOnce(matching.CountSql("desc"), ReadGroup, matching.Values(chunk.After, chunk.Before, chunk.Size, room)))
                groups[key] = groups.GetValueOrDefault(key) + count;
            if (samples.Count < 5 && groups.Keys.Any(key => (key.State & allowed) != 0))
                samples.AddRange(session.QueryOnce(matching.SamplesSql("desc"), static row => row.GetInt64(0),
                    matching.Values(chunk.After, chunk.Before, chunk.Size, 5 - samples.Count).Append(("@states", (long)allowed))));
            isCapped = chunk.End is not null;
            if (groups.Values.Sum() >= JobCounts.Cap)
            {
                isCapped = true;
                break;
            }
        }

        var changed = groups.Where(group => (group.Key.State & allowed) != 0).ToList();
        return new MatchCount(
            changed.Sum(group => group.Value), groups.Values.Sum() - changed.Sum(group => group.Value),
            changed.GroupBy(group => group.Key.State).ToDictionary(group => group.Key, group => group.Sum(one => one.Value)),
            MostOf(changed, key => key.Type), MostOf(changed, key => key.Queue), Rows(session, samples), upToId, isCapped);
    }

    private static ((StateSet State, string Type, string Queue) Key, long Count) ReadGroup(SqliteDataReader row) =>
        (((StateSet)row.GetInt32(0), row.GetString(1), row.GetString(2)), row.GetInt64(3));

    private static Dictionary<string, long> MostOf(
        IEnumerable<KeyValuePair<(StateSet State, string Type, string Queue), long>> groups, Func<(StateSet State, string Type, string Queue), string> name) =>
        groups.GroupBy(group => name(group.Key), StringComparer.Ordinal).Select(group => (group.Key, Count: group.Sum(one => one.Value)))
            .OrderByDescending(group => group.Count).ThenBy(group => group.Key, StringComparer.Ordinal).Take(10).ToDictionary(group => group.Key, group => group.Count);

    // ---- the pulse

    public Task<string> ReadPulseAsync(CancellationToken cancellationToken) => LookAsync(session =>
        // Changes with each commit of another connection, and this one never commits anything. It counts from the opening of the connection.
        string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}.{session.Id}.{session.Number("pragma data_version")}"), cancellationToken);
}
