using System.Text;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// What there is to do, and the bell that says so.
internal sealed partial class PostgresStore
{
    // From queue to queue along the index: as many steps as there are queues, however long their lines are.
    private const string LookOut = """
        with recursive line as (
            (select r.queue from millrace.ready r order by r.queue limit 1)
            union all
            select (select r.queue from millrace.ready r where r.queue > line.queue order by r.queue limit 1)
            from line
            where line.queue is not null
        ),
        open as (
            select line.queue
            from line
            where line.queue is not null
                and not exists (
                    select
                    from millrace.queue q
                    where q.name = line.queue and q.is_paused and coalesce(q.resume_at > coalesce(@now, clock_timestamp()), true))
        )
        select coalesce(@now, clock_timestamp()),
               array(select queue from open where exists (select from millrace.ready r where r.queue = open.queue and not r.is_suspect)),
               array(select queue from open where exists (select from millrace.ready r where r.queue = open.queue and r.is_suspect)),
               (select min(due) from millrace.scheduled),
               (select min(case when paused_at is null then next_due else greatest(next_due, resume_at) end) from millrace.schedule where next_due is not null and (paused_at is null or resume_at is not null)),
               exists (select from millrace.cancel_request)
        """;

    private const string Survey = """
        with live as materialized (
            select distinct unnest(n.types) as type
            from millrace.node n
            where n.dead_at is null and n.expires_at > coalesce(@now, clock_timestamp())
        ),
        leases as materialized (
            select l.id, l.node, l.node = @node as is_own, n.id is null or n.dead_at is not null as is_of_the_dead
            from millrace.lease l
            left join millrace.node n on n.id = l.node
        )
        select array(select n.id from millrace.node n where n.dead_at is null and n.expires_at <= coalesce(@now, clock_timestamp()) order by n.id),
               array(select n.name from millrace.node n where n.dead_at is null and n.expires_at <= coalesce(@now, clock_timestamp()) order by n.id),
               array(select n.beat from millrace.node n where n.dead_at is null and n.expires_at <= coalesce(@now, clock_timestamp()) order by n.id),
               array(select id from leases where is_of_the_dead order by id),
               array(select node from leases where is_of_the_dead order by id),
               array(select id from leases where is_own and not is_of_the_dead order by id),
               exists (select from millrace.node n where n.id = @node and n.drain_at is not null),
               exists (select from millrace.waiting w where w.reason = 'key')
                   or exists (select from millrace.waiting w where w.reason = 'type' and w.type in (select type from live))
                   or exists (select from millrace.unique_key k where k.until <= coalesce(@now, clock_timestamp()))
                   or exists (select from millrace.cancel_request)
                   or exists (select from millrace.progress)
                   or exists (
                       select
                       from (select e.at from millrace.event e order by e.id limit 1) oldest
                       where oldest.at < coalesce(@now, clock_timestamp()) - interval '10 minutes')
                   or exists (select from millrace.schedule_owner o where not exists (select from millrace.node n where n.id = o.node and n.dead_at is null))
                   or exists (select from millrace.node n where n.dead_at < coalesce(@now, clock_timestamp()) - interval '1 day')
                   or exists (select from millrace.queue q where q.resume_at <= coalesce(@now, clock_timestamp()))
                   or exists (select from millrace.schedule s where s.resume_at <= coalesce(@now, clock_timestamp()) and (s.next_due is null or s.next_due > s.resume_at))
                   or exists (select from millrace.operation o where o.ended is null and o.kind <> 'undo' and coalesce(o.touched, o.at) < coalesce(@now, clock_timestamp()) - @patience * interval '1 second')
                   or coalesce((select m.bucket from millrace.stat_minute m order by m.bucket limit 1) < date_trunc('hour', coalesce(@now, clock_timestamp()) - interval '48 hours', 'UTC'), false)
                   or coalesce((select h.bucket from millrace.stat_hour h order by h.bucket limit 1) < coalesce(@now, clock_timestamp()) - interval '400 days', false)
                   or coalesce((select o.at from millrace.operation o order by o.at limit 1) < coalesce(@now, clock_timestamp()) - interval '90 days', false)
                   or exists (
                       with recursive line as (
                           (select r.queue from millrace.ready r order by r.queue limit 1)
                           union all
                           select (select r.queue from millrace.ready r where r.queue > line.queue order by r.queue limit 1)
                           from line
                           where line.queue is not null
                       )
                       select
                       from line
                       cross join lateral (
                           select r.type
                           from millrace.ready r
                           where r.queue = line.queue
                           order by r.priority, r.pass, r.id
                           limit 2000) head
                       where head.type not in (select type from live))
        """;

    // Nobody is idle (or listens, for the events' ring "@"): nothing is sent, and the commit need not take the lock that all senders of notifications share.
    private const string Ring = """
        select pg_notify(@bell, q.name)
        from unnest(@queues) as q(name)
        where exists (
            select
            from millrace.node n
            where n.dead_at is null
                and n.expires_at > coalesce(@now, clock_timestamp())
                and (n.is_idle and q.name = any(n.queues) or n.is_listening and q.name = '@'))
        """;

    private static readonly TimeSpan RingPause = TimeSpan.FromMilliseconds(5);

    private readonly Lock ringing = new();
    private readonly Timer bellTimer;

    // Guarded by ringing.
    private readonly HashSet<string> lateRings = new(StringComparer.Ordinal);
    private long lastRing = long.MinValue;
    private bool isTimerSet;

    // Looks are statements of their own, outside a transaction: an idle node makes little else, and begin and commit would triple it.
    public Task<Outlook> LookOutAsync(CancellationToken cancellationToken) =>
        WorkAsync("look out for work", async session => (await ReadAsync(session.Connection, LookOut, [Now()], OutlookAt, cancellationToken).ConfigureAwait(false))[0], cancellationToken);

    public Task<Survey> SurveyAsync(Guid node, CancellationToken cancellationToken) =>
        WorkAsync("survey", async session => (await ReadAsync(session.Connection, Survey, [Now(), Uuid("node", node), Double("patience", IJobOperations.AbandonedAfter.TotalSeconds)], SurveyAt, cancellationToken).ConfigureAwait(false))[0], cancellationToken);

    private static Outlook OutlookAt(NpgsqlDataReader reader) => new()
    {
        Now = TimeAt(reader, 0),
        ReadyQueues = reader.GetFieldValue<string[]>(1),
        SuspectQueues = reader.GetFieldValue<string[]>(2),
        NextDue = TimeOrNullAt(reader, 3),
        NextTick = TimeOrNullAt(reader, 4),
        HasCancelRequests = reader.GetBoolean(5),
    };

    private static Survey SurveyAt(NpgsqlDataReader reader)
    {
        var (ids, names, beats) = (reader.GetFieldValue<Guid[]>(0), reader.GetFieldValue<string[]>(1), reader.GetFieldValue<long[]>(2));
        return new Survey
        {
            Expired = [.. ids.Select((id, i) => new NodeSighting(id, names[i], beats[i]))],
            LeasesOfTheDead = [.. reader.GetFieldValue<Guid[]>(3).Zip(reader.GetFieldValue<Guid[]>(4), static (lease, node) => new DeadLease(lease, node))],
            OwnLeases = reader.GetFieldValue<Guid[]>(5),
            IsDraining = reader.GetBoolean(6),
            NeedsTidying = reader.GetBoolean(7),
        };
    }

    public async Task RingAsync(IReadOnlyCollection<string> queues, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(queues);
        if (queues.Count == 0 || !HasBell)
            return;
        await WorkAsync("ring", session => session.RunAsync(Ring, RingValues([.. queues]), cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private NpgsqlParameter[] RingValues(string[] queues) => [Now(), Text("bell", bell), Texts("queues", queues)];

    // Inside our own statements a ring arrives with the commit.
    private void AddRing(Session session, NpgsqlBatch batch, IEnumerable<NewJob> jobs)
    {
        if (TakeRing(SoonIn(jobs)) is { Length: > 0 } queues)
            session.Add(batch, Ring, RingValues(queues));
    }

    private Task RingInsideAsync(NpgsqlConnection connection, IEnumerable<NewJob> jobs, CancellationToken cancellationToken) =>
        RingInsideAsync(connection, SoonIn(jobs), cancellationToken);

    private async Task RingInsideAsync(NpgsqlConnection connection, string[] queues, CancellationToken cancellationToken)
    {
        if (TakeRing(queues) is { Length: > 0 } allowed)
            await ExecuteAsync(connection, Ring, RingValues(allowed), cancellationToken).ConfigureAwait(false);
    }

    // An idle node sleeps until the next due time it knows of: a new one that comes sooner is worth a ring too.
    private string[] SoonIn(IEnumerable<NewJob> jobs)
    {
        var soon = (clock.Now ?? clock.Time.GetUtcNow()) + TimeSpan.FromSeconds(1);
        return [.. jobs.Where(job => job.Due is { } due ? due <= soon : job.Delay <= TimeSpan.FromSeconds(1)).Select(static job => job.Queue).Distinct(StringComparer.Ordinal)];
    }

    // Not more than one ring in a few milliseconds; what comes too soon is rung by the timer. Real time, also under a test's clock: this
    // spares the database and decides nothing.
    private string[] TakeRing(string[] queues)
    {
        if (queues.Length == 0 || !HasBell)
            return [];
        lock (ringing)
        {
            var now = TimeProvider.System.GetTimestamp();
            if (lastRing == long.MinValue || TimeProvider.System.GetElapsedTime(lastRing, now) >= RingPause)
            {
                lastRing = now;
                return queues;
            }

            lateRings.UnionWith(queues);
            if (!isTimerSet && !isDisposed)
            {
                isTimerSet = true;
                bellTimer.Change(RingPause, Timeout.InfiniteTimeSpan);
            }

            return [];
        }
    }

    private async Task RingLateAsync()
    {
        string[] queues;
        lock (ringing)
        {
            queues = [.. lateRings];
            lateRings.Clear();
            isTimerSet = false;
            lastRing = TimeProvider.System.GetTimestamp();
        }

        try
        {
            await RingAsync(queues, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StoreException or ObjectDisposedException)
        {
            // A ring is a hint: idle nodes look for themselves once a second.
        }
    }

    // A channel's name has at most 63 bytes, and so has the schema's alone.
    private static string BellOf(string schema)
    {
        var name = "millrace:" + schema;
        if (name.Length <= 63)
            return name;
        var hash = 14695981039346656037UL;
        foreach (var letter in Encoding.ASCII.GetBytes(schema))
            hash = (hash ^ letter) * 1099511628211UL;
        return $"millrace:{schema[..32]}:{hash:x16}";
    }
}
