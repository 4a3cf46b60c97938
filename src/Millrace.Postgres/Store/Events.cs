using System.Text;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Ids come from a sequence and commits come in any order: a reader that went on after the greatest id it saw would lose those that become
// visible later. So whoever raises first takes a shared lock, for nobody to wait for, whose number says after which id its own will come. It
// goes with the transaction, after the rows have become visible. A reader asks, in this order, for the last id that was given and for these
// locks, and then reads, with a newer snapshot, up to the last id, or the smallest number among the locks: whoever has such an id and holds no
// lock has ended, and whoever takes a lock later gets a greater id.
internal sealed partial class PostgresStore
{
    // The lock's number is the lower half of the id, because there is no room for more beside the number of the schema.
    private const string AnnounceEvents = """
        select pg_advisory_xact_lock_shared(@feed, (case when is_called then last_value & 2147483647 else 0 end)::int)
        from millrace.event_id
        """;

    private const string RaiseEvents = """
        insert into millrace.event (at, user_id, kind, job_id, type, message)
        select coalesce(@now, clock_timestamp()), e.user_id, 'notification', e.job_id, e.type, e.message
        from unnest(@users, @jobs, @types, @messages) as e(user_id, job_id, type, message)
        """;

    private const string ReadEventPosition = """
        select case when is_called then last_value else 0 end
        from millrace.event_id
        """;

    // Nothing here is read through a snapshot, and the expressions of a row are computed from left to right: the last id first.
    private const string ReadEventHorizon = """
        with given as materialized (
            select case when is_called then last_value else 0 end as last
            from millrace.event_id
        )
        select given.last,
               case when given.last <= @after then '{}' else array(
                   select l.objid::bigint
                   from pg_locks l
                   where given.last is not null
                       and l.locktype = 'advisory'
                       and l.objsubid = 2
                       and l.classid::bigint = @feed
                       and l.database = (select d.oid from pg_database d where d.datname = current_database())) end
        from given
        """;

    private const string ReadEvents = """
        select e.id, e.kind, e.user_id, e.job_id, e.type, e.at, e.message, e.percent
        from millrace.event e
        where e.id > @after
            and e.id <= @horizon
            and e.user_id = any(@users)
        order by e.id
        limit @limit
        """;

    public async Task RaiseAsync(IReadOnlyList<NewEvent> events, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count == 0)
            return;
        NpgsqlParameter[] values =
        [
            Now(), Longs("users", [.. events.Select(static raised => raised.UserId)]), Longs("jobs", [.. events.Select(static raised => raised.JobId)]),
            Texts("types", [.. events.Select(static raised => raised.JobType)]), Texts("messages", [.. events.Select(static raised => raised.Message)]),
        ];
        await WorkAsync("raise events", session => RaiseAsync(session, RaiseEvents, values, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    // The announcement is a statement before the one that takes ids.
    private async Task<bool> RaiseAsync(Session session, string text, NpgsqlParameter[] values, CancellationToken cancellationToken)
    {
        await using var batch = session.Begin();
        session.Add(batch, AnnounceEvents, Int("feed", feed));
        session.Add(batch, text, values);
        if (TakeRing(["@"]) is { Length: > 0 } names)
            session.Add(batch, Ring, RingValues(names));
        await using var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false);
        await session.FinishAsync(reader, cancellationToken).ConfigureAwait(false);
        return true;
    }

    public Task<long> ReadEventPositionAsync(CancellationToken cancellationToken) =>
        WorkAsync("read the position of events", async session =>
            await OneAsync<long>(session.Connection, ReadEventPosition, [], cancellationToken).ConfigureAwait(false) ?? 0, cancellationToken);

    public Task<EventPage> ReadEventsAsync(long after, IReadOnlyCollection<long> userIds, int limit, CancellationToken cancellationToken) =>
        WorkAsync("read events", async session =>
        {
            // Two statements, each with a snapshot of its own: outside a transaction, where no isolation level can make it one.
            var (last, locks) = (await ReadAsync(
                session.Connection, ReadEventHorizon, [Long("after", after), Int("feed", feed)],
                static reader => (reader.GetInt64(0), reader.GetFieldValue<long[]>(1)), cancellationToken).ConfigureAwait(false))[0];
            if (last <= after)
                return new EventPage([], last, HasMore: false);
            var horizon = HorizonOf(last, locks);
            if (horizon <= after)
                return new EventPage([], after, HasMore: true);
            var events = await ReadAsync(
                session.Connection, ReadEvents, [Long("after", after), Long("horizon", horizon), Longs("users", [.. userIds]), Int("limit", limit)],
                EventAt, cancellationToken).ConfigureAwait(false);
            return events.Count < limit ? new EventPage(events, horizon, HasMore: horizon < last) : new EventPage(events, events[^1].Id, HasMore: true);
        }, cancellationToken);

    // 31 bits are left of each number: the nearest id with these, before or after the last one. One after it is of somebody who came later.
    private static long HorizonOf(long last, long[] locks)
    {
        var horizon = last;
        foreach (var bits in locks)
        {
            var back = (last - bits) & int.MaxValue;
            if (back < 1 << 30)
                horizon = Math.Min(horizon, last - back);
        }

        return horizon;
    }

    private static JobEvent EventAt(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetInt64(0),
        Kind = reader.GetString(1) == "progress" ? JobEventKind.Progress : JobEventKind.Notification,
        UserId = reader.GetInt64(2),
        JobId = reader.GetInt64(3),
        JobType = reader.GetString(4),
        At = TimeAt(reader, 5),
        Message = TextAt(reader, 6),
        Percent = reader.IsDBNull(7) ? null : reader.GetDouble(7),
    };

    // Two schemas of one database have a sequence each.
    private static int FeedOf(string schema)
    {
        var hash = 2166136261u;
        foreach (var letter in Encoding.ASCII.GetBytes("millrace events " + schema))
            hash = (hash ^ letter) * 16777619u;
        return (int)(hash & int.MaxValue);
    }
}
