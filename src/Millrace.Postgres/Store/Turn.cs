using System.Text.Json;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// One exchange: runs that ended, and room for more. One round trip and one commit, in the order that rule 6 gives.
internal sealed partial class PostgresStore
{
    // First, in a statement of its own: what follows then sees cancels and rescues that committed meanwhile.
    private const string LockLeases = """
        select l.id
        from millrace.lease l
        where l.id = any(@leases)
        order by l.id
        for update
        """;

    // A hash join: the lists of a lease and the ends are some hundred rows each, and compared pair by pair they would cost more than all the rest.
    private const string JoinByHash = "set local enable_nestloop = off";

    private const string JoinByKey = "set local enable_nestloop = on";

    private const string EndFinallyHead = """
        with listed as materialized (
            select l.id as lease, u.job_id, u.run
            from millrace.lease l
            cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
            where l.id = any(@leases) and l.node = @node
        )
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, node, started, finished, success, outcome, result, error, remove_at)
        select e.job_id, e.run, e.attempt, e.charged, e.type, e.tag, @node, e.started, e.finished,
               case e.outcome when 'succeeded' then true when 'discarded' then false end, e.outcome, e.result, e.error, e.remove_at
        from unnest(@lease_of, @jobs, @runs, @attempts, @charged, @types, @tags, @started, @finished, @outcomes, @results, @errors, @remove_ats)
             as e(lease, job_id, run, attempt, charged, type, tag, started, finished, outcome, result, error, remove_at)
        join listed on listed.lease = e.lease and listed.job_id = e.job_id and listed.run = e.run
        order by e.job_id, e.run
        {on conflict}
        returning job_id, run
        """;

    // First without "on conflict": that would insert each row in two steps, for a tenth more WAL. When a run has ended already (a repeated
    // turn, or a completion in a user's transaction) the whole turn is taken back and sent again, in the words that allow for it.
    private static readonly string EndFinally = EndFinallyHead.Replace("{on conflict}\n", "", StringComparison.Ordinal);

    private static readonly string EndFinallyAgain = EndFinallyHead.Replace("{on conflict}", "on conflict (job_id, run) do nothing", StringComparison.Ordinal);

    // A requested cancel is honoured where the job would be pending again.
    private const string EndForNow = """
        with clock as materialized (
            select coalesce(@now, clock_timestamp()) as now
        ),
        listed as materialized (
            select l.id as lease, l.is_suspect, u.job_id, u.run
            from millrace.lease l
            cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
            where l.id = any(@leases) and l.node = @node
        ),
        given as materialized (
            select e.job_id, e.run, e.attempt, e.charged, e.type, e.tag, e.started, e.finished, e.queue, e.priority, e.crashes, e.again,
                   e.outcome = 'released' and listed.is_suspect as is_suspect,
                   case when c.job_id is null then e.outcome else 'cancelled' end as outcome,
                   coalesce(e.error, case when c.job_id is not null then 'Cancelled' || coalesce(' by ' || c.by, '') || coalesce(': ' || c.reason, '.') end) as error,
                   case when c.job_id is not null then e.remove_at end as remove_at
            from unnest(@lease_of, @jobs, @runs, @attempts, @charged, @types, @tags, @started, @finished, @outcomes, @errors, @remove_ats, @queues, @priorities, @crashes, @agains)
                 as e(lease, job_id, run, attempt, charged, type, tag, started, finished, outcome, error, remove_at, queue, priority, crashes, again)
            join listed on listed.lease = e.lease and listed.job_id = e.job_id and listed.run = e.run
            left join millrace.cancel_request c on c.job_id = e.job_id
        ),
        ended as (
            insert into millrace.attempt (job_id, run, attempt, charged, type, tag, node, started, finished, success, outcome, error, remove_at)
            select job_id, run, attempt, charged, type, tag, @node, started, finished, case outcome when 'failed' then false end, outcome, error, remove_at
            from given
            order by job_id, run
            on conflict (job_id, run) do nothing
            returning job_id, run, outcome
        ),
        later as (
            insert into millrace.scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
            select clock.now + g.again * interval '1 microsecond', g.job_id, g.queue, g.priority, g.type, g.run + 1, g.attempt + g.charged::integer, g.crashes, g.is_suspect
            from ended join given g on g.job_id = ended.job_id and g.run = ended.run, clock
            where ended.outcome <> 'cancelled' and g.again > 0
        ),
        at_once as (
            insert into millrace.ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
            select g.queue, g.priority, (extract(epoch from clock.now) * 1000000)::bigint, g.job_id, g.type, g.run + 1, g.attempt + g.charged::integer, g.crashes, g.is_suspect
            from ended join given g on g.job_id = ended.job_id and g.run = ended.run, clock
            where ended.outcome <> 'cancelled' and g.again <= 0
        )
        select job_id, run, outcome
        from ended
        """;

    // Only keys of jobs that this turn really finished: a stale end must not free the key of a job that goes on elsewhere. A key that a
    // submitter holds is skipped and swept later (rule 12); one with a window is kept until the window is over.
    private const string FreeKeys = """
        with free as materialized (
            select k.key
            from unnest(@jobs, @runs) as e(job_id, run)
            join millrace.attempt a on a.job_id = e.job_id and a.run = e.run
            join millrace.unique_key k on k.job_id = e.job_id
            where a.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded')
                and coalesce(k.until <= coalesce(@now, clock_timestamp()), true)
                and not exists (select from millrace.attempt n where n.job_id = a.job_id and n.run > a.run)
                and not exists (select from millrace.ready p where p.id = a.job_id)
                and not exists (select from millrace.scheduled p where p.id = a.job_id)
                and not exists (select from millrace.waiting p where p.id = a.job_id)
            for no key update of k skip locked
        )
        delete from millrace.unique_key k
        using free
        where k.key = free.key
        """;

    // These two tables are all but empty, and then nothing is looked for. Scalar sub-selects, because "exists" would be turned into a join
    // that starts from all the ends.
    private const string ForgetRequests = """
        with asked as (
            delete from millrace.cancel_request c
            where exists (select from millrace.cancel_request)
                and c.job_id = any(@jobs)
                and (
                    select count(*)
                    from unnest(@jobs, @runs) as e(job_id, run)
                    join millrace.attempt a on a.job_id = e.job_id and a.run = e.run
                    where e.job_id = c.job_id and a.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded')) > 0
        )
        delete from millrace.progress p
        where exists (select from millrace.progress)
            and p.job_id = any(@jobs)
            and (
                select count(*)
                from unnest(@jobs, @runs) as e(job_id, run)
                join millrace.attempt a on a.job_id = e.job_id and a.run = e.run
                where e.job_id = p.job_id and p.run <= a.run) > 0
        """;

    // Never a lease that still lists a run without an end: the node may be wrong about what it thinks has ended.
    private const string DeleteLeases = """
        delete from millrace.lease l
        where l.id = any(@empty)
            and l.node = @node
            and not exists (
                select
                from unnest(l.job_ids, l.runs) as u(job_id, run)
                where not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
        """;

    private const string ShrinkLeases = """
        update millrace.lease l
        set (job_ids, runs, attempts, crashes, passes) = (
            select coalesce(array_agg(u.job_id order by u.place), '{}'), coalesce(array_agg(u.run order by u.place), '{}'),
                   coalesce(array_agg(u.attempt order by u.place), '{}'), coalesce(array_agg(u.crashes order by u.place), '{}'),
                   coalesce(array_agg(u.pass order by u.place), '{}')
            from unnest(l.job_ids, l.runs, l.attempts, l.crashes, l.passes) with ordinality as u(job_id, run, attempt, crashes, pass, place)
            where not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
        where l.id = any(@shrink) and l.node = @node
        """;

    // A materialized CTE, not "id in (select … limit)", which may lock more than asked. Deleted by ctid: rows of ready are never updated, so
    // the place that was locked is the place to delete, and the planner has no join to get wrong. The guards are evaluated once.
    private const string ClaimHead = """
        with claimed as materialized (
            select r.ctid as place, r.id, r.run, r.attempt, r.crashes, r.is_suspect, r.priority, r.pass
            from millrace.ready r
            where r.queue = @queue
                and {which}
                and r.type = any(@types)
                and exists (select from millrace.node n where n.id = @node and n.dead_at is null and n.expires_at > coalesce(@now, clock_timestamp()))
                and not exists (select from millrace.queue q where q.name = @queue and q.is_paused)
                and not exists (select from millrace.lease l where l.id = @lease)
            order by {order}
            limit @want
            for update skip locked
        ),
        taken as (
            delete from millrace.ready r
            where r.ctid = any(array(select place from claimed))
        )
        insert into millrace.lease (id, node, claimed_at, size, job_ids, runs, attempts, crashes, passes, is_suspect)
        select @lease, @node, coalesce(@now, clock_timestamp()), count(*), array_agg(c.id), array_agg(c.run), array_agg(c.attempt), array_agg(c.crashes), array_agg(c.pass), bool_or(c.is_suspect)
        from (select id, run, attempt, crashes, pass, is_suspect from claimed order by priority, pass, id) c
        having count(*) > 0
        """;

    private static readonly string Claim = ClaimHead
        .Replace("{which}", "not r.is_suspect", StringComparison.Ordinal)
        .Replace("{order}", "r.priority, r.pass, r.id", StringComparison.Ordinal);

    private static readonly string ClaimAfter = ClaimHead
        .Replace("{which}", "(r.priority, r.pass, r.id) > (@after_priority, @after_pass, @after_id)\n        and not r.is_suspect", StringComparison.Ordinal)
        .Replace("{order}", "r.priority, r.pass, r.id", StringComparison.Ordinal);

    private static readonly string ClaimSuspect = ClaimHead
        .Replace("{which}", "r.is_suspect", StringComparison.Ordinal)
        .Replace("{order}", "r.id", StringComparison.Ordinal);

    // Read by the lease's id: a repeated turn is given what its first try claimed.
    private const string ReadClaims = """
        select u.place, u.job_id, u.run, u.attempt, u.crashes, u.pass, j.type, j.tag, j.user_id, j.priority, j.data, j.due, j.created,
               j.policy, j.headers, j.trace, j.parent, j.schedule, j.key, l.claimed_at
        from millrace.lease l
        cross join lateral unnest(l.job_ids, l.runs, l.attempts, l.crashes, l.passes) with ordinality as u(job_id, run, attempt, crashes, pass, place)
        join millrace.job j on j.id = u.job_id
        where l.id = @lease and l.node = @node
        """;

    private const string Glance = """
        select coalesce(@now, clock_timestamp()),
               (select min(due) from millrace.scheduled),
               exists (select from millrace.node n where n.id = @node and n.dead_at is null and n.expires_at > coalesce(@now, clock_timestamp()))
        """;

    private const string LookAtEnds = """
        select a.job_id, a.run, a.outcome, coalesce(a.node = @node and a.rescued_by is null, false)
        from unnest(@jobs, @runs) as e(job_id, run)
        join millrace.attempt a on a.job_id = e.job_id and a.run = e.run
        """;

    public async Task<TurnAnswer> TurnAsync(Turn turn, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(turn);
        try
        {
            return await TurnAsync("end and claim runs", turn, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException exception) when (exception.Fault == StoreFault.Rejected && turn.Ends.Count + turn.Settled.Count > 0)
        {
            // Here one end holds something the database does not take. It must not keep the others from being stored.
            return await TurnOneByOneAsync(turn, exception, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TurnAnswer> TurnOneByOneAsync(Turn turn, StoreException rejected, CancellationToken cancellationToken)
    {
        var verdicts = new EndVerdict[turn.Ends.Count];
        for (var i = 0; i < verdicts.Length; i++)
        {
            var end = turn.Ends[i];
            // What is left out, step by step: the log lines; then what the handler said. A job that it wanted to follow cannot be left out in silence.
            AttemptEnd[] tries =
            [
                end,
                end with { Log = [] },
                end with
                {
                    Log = [],
                    Then = [],
                    Result = null,
                    Outcome = end.Then.Count > 0 ? Outcome.Discarded : end.Outcome,
                    Error = $"The end of this run could not be stored as it was: {(rejected.InnerException as PostgresException)?.MessageText ?? "the database rejected it"}.",
                },
            ];
            verdicts[i] = await EndOneAsync(turn, tries, cancellationToken).ConfigureAwait(false);
        }

        var rest = await TurnAsync(
            "claim runs",
            turn with { Ends = [], Settled = [.. turn.Settled.Select(static end => end with { Log = [] })] },
            cancellationToken).ConfigureAwait(false);
        return rest with { Ends = verdicts };
    }

    private async Task<EndVerdict> EndOneAsync(Turn turn, AttemptEnd[] tries, CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            var alone = new Turn { Node = turn.Node, Queue = turn.Queue, Types = [], Ends = [tries[i]] };
            try
            {
                var answer = await TurnAsync("end a run", alone, cancellationToken).ConfigureAwait(false);
                return answer.Ends[0];
            }
            catch (StoreException exception) when (exception.Fault == StoreFault.Rejected && i < tries.Length - 1)
            {
                // The next try says less.
            }
        }
    }

    private async Task<TurnAnswer> TurnAsync(string task, Turn turn, CancellationToken cancellationToken)
    {
        try
        {
            return await WorkAsync(task, session => TurnAsync(session, turn, EndFinally, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException exception) when (exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "attempt" })
        {
            return await WorkAsync(task, session => TurnAsync(session, turn, EndFinallyAgain, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TurnAnswer> TurnAsync(Session session, Turn turn, string endFinally, CancellationToken cancellationToken)
    {
        var careful = turn.Ends.Where(NeedsCare).ToArray();
        var verdicts = new Dictionary<(long, int), EndVerdict>(turn.Ends.Count);
        foreach (var end in careful)
        {
            if (await EndCarefullyAsync(session, turn.Node, end, cancellationToken).ConfigureAwait(false) is { } verdict)
                verdicts[(end.Claim.JobId, end.Claim.Run)] = verdict;
        }

        var finals = turn.Ends.Where(static end => !NeedsCare(end) && end.Outcome.IsFinal()).ToArray();
        var returns = turn.Ends.Where(static end => !NeedsCare(end) && !end.Outcome.IsFinal()).ToArray();
        TurnAnswer answer;
        await using (var batch = session.Begin())
        {
            AddEnds(session, batch, turn, endFinally, finals, returns);
            AddClaim(session, batch, turn);
            session.Add(batch, Glance, Now(), Uuid("node", turn.Node));
            await using var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false);
            answer = await ReadTurnAsync(session, reader, turn, finals.Length > 0, returns.Length > 0, verdicts, cancellationToken).ConfigureAwait(false);
        }

        if (verdicts.Count < turn.Ends.Count)
            await LookAtEndsAsync(session, turn, verdicts, cancellationToken).ConfigureAwait(false);
        return answer with
        {
            Ends = [.. turn.Ends.Select(end => verdicts.GetValueOrDefault((end.Claim.JobId, end.Claim.Run), EndVerdict.Stale))],
        };
    }

    // An end that stores more jobs, or that needs a look at its key before it is known how it ends.
    private static bool NeedsCare(AttemptEnd end) => end.Then.Count > 0 || (end.Claim.Key is not null && !end.Outcome.IsFinal());

    private void AddEnds(Session session, NpgsqlBatch batch, Turn turn, string endFinally, AttemptEnd[] finals, AttemptEnd[] returns)
    {
        Guid[] leases = [.. turn.Ends.Select(static end => end.Claim.Lease).Concat(turn.EmptyLeases).Concat(turn.LeasesToShrink).Distinct()];
        if (leases.Length > 0)
            session.Add(batch, LockLeases, Uuids("leases", leases));
        if (finals.Length > 0 || returns.Length > 0)
        {
            session.Add(batch, JoinByHash);
            if (finals.Length > 0)
                session.Add(batch, endFinally, EndValues(turn.Node, finals));
            if (returns.Length > 0)
                session.Add(batch, EndForNow, [.. EndValues(turn.Node, returns), .. ReturnValues(returns)]);
            session.Add(batch, JoinByKey);
        }

        AddAftermath(session, batch, [.. turn.Ends, .. turn.Settled]);
        if (turn.EmptyLeases.Count > 0)
            session.Add(batch, DeleteLeases, Uuid("node", turn.Node), Uuids("empty", [.. turn.EmptyLeases]));
        if (turn.LeasesToShrink.Count > 0)
            session.Add(batch, ShrinkLeases, Uuid("node", turn.Node), Uuids("shrink", [.. turn.LeasesToShrink]));
    }

    // What an end leaves behind: its key, wishes to cancel it, its progress, its log.
    private void AddAftermath(Session session, NpgsqlBatch batch, AttemptEnd[] ends)
    {
        if (ends.Length == 0)
            return;
        var keyed = ends.Where(static end => end.Claim.Key is not null && end.Outcome.IsFinal()).ToArray();
        if (keyed.Length > 0)
            session.Add(batch, FreeKeys, Now(), Longs("jobs", [.. keyed.Select(static end => end.Claim.JobId)]), Ints("runs", [.. keyed.Select(static end => end.Claim.Run)]));
        session.Add(batch, ForgetRequests, Longs("jobs", [.. ends.Select(static end => end.Claim.JobId)]), Ints("runs", [.. ends.Select(static end => end.Claim.Run)]));
        LogLine[] lines = [.. ends.SelectMany(static end => end.Log)];
        if (lines.Length > 0)
            session.Add(batch, SaveLines, LineValues(lines));
    }

    private void AddClaim(Session session, NpgsqlBatch batch, Turn turn)
    {
        if (turn.Want <= 0)
            return;
        var text = turn.SuspectsOnly ? ClaimSuspect : turn.After is null ? Claim : ClaimAfter;
        var command = new List<NpgsqlParameter>
        {
            Now(), Uuid("node", turn.Node), Uuid("lease", turn.Lease), Text("queue", turn.Queue), Texts("types", [.. turn.Types]),
            Int("want", turn.SuspectsOnly ? 1 : turn.Want),
        };
        if (!turn.SuspectsOnly && turn.After is { } after)
            command.AddRange([Short("after_priority", after.Priority), Long("after_pass", after.Pass), Long("after_id", after.Id)]);
        session.Add(batch, text, [.. command]);
        session.Add(batch, ReadClaims, Uuid("lease", turn.Lease), Uuid("node", turn.Node));
    }

    private async Task<TurnAnswer> ReadTurnAsync(
        Session session, NpgsqlDataReader reader, Turn turn, bool hasFinals, bool hasReturns, Dictionary<(long, int), EndVerdict> verdicts, CancellationToken cancellationToken)
    {
        if (turn.Ends.Count + turn.EmptyLeases.Count + turn.LeasesToShrink.Count > 0)
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        if (hasFinals)
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                verdicts[(reader.GetInt64(0), reader.GetInt32(1))] = EndVerdict.Accepted;
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        }

        if (hasReturns)
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                verdicts[(reader.GetInt64(0), reader.GetInt32(1))] = reader.GetString(2) == "cancelled" ? EndVerdict.Cancelled : EndVerdict.Accepted;
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        }

        var claims = turn.Want > 0 ? await ReadClaimsAsync(reader, turn, cancellationToken).ConfigureAwait(false) : [];
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        var answer = new TurnAnswer
        {
            Ends = [],
            Claims = claims,
            Now = TimeAt(reader, 0),
            NextDue = TimeOrNullAt(reader, 1),
            NodeIsLost = !reader.GetBoolean(2),
            Last = claims is [.., { } last] ? new ClaimCursor(last.Priority, MicrosecondsOf(last.Ready), last.JobId) : null,
        };
        await session.FinishAsync(reader, cancellationToken).ConfigureAwait(false);
        return answer;
    }

    private static async Task<Claim[]> ReadClaimsAsync(NpgsqlDataReader reader, Turn turn, CancellationToken cancellationToken)
    {
        var claims = new List<(long Place, Claim Claim)>(turn.Want);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            claims.Add((reader.GetInt64(0), ClaimAt(reader, turn)));
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        claims.Sort(static (one, other) => one.Place.CompareTo(other.Place));
        return [.. claims.Select(static claim => claim.Claim)];
    }

    private static Claim ClaimAt(NpgsqlDataReader reader, Turn turn) => new()
    {
        Lease = turn.Lease,
        JobId = reader.GetInt64(1),
        Run = reader.GetInt32(2),
        Attempt = reader.GetInt32(3),
        Crashes = reader.GetInt32(4),
        Ready = DateTimeOffset.UnixEpoch.AddTicks(reader.GetInt64(5) * TimeSpan.TicksPerMicrosecond),
        Type = reader.GetString(6),
        Tag = TextAt(reader, 7),
        UserId = reader.GetInt64(8),
        Queue = turn.Queue,
        Priority = reader.GetInt16(9),
        Data = reader.GetString(10),
        Due = TimeAt(reader, 11),
        Created = TimeAt(reader, 12),
        Policy = TextAt(reader, 13),
        Headers = TextAt(reader, 14),
        Trace = TextAt(reader, 15),
        Parent = reader.IsDBNull(16) ? null : reader.GetInt64(16),
        Schedule = TextAt(reader, 17),
        Key = TextAt(reader, 18),
        Claimed = TimeAt(reader, 19),
    };

    private static long MicrosecondsOf(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    // Zero rows are an answer: a lost answer to an earlier try (then the row is mine), or the lease was lost.
    private async Task LookAtEndsAsync(Session session, Turn turn, Dictionary<(long, int), EndVerdict> verdicts, CancellationToken cancellationToken)
    {
        var open = turn.Ends.Where(end => !verdicts.ContainsKey((end.Claim.JobId, end.Claim.Run))).ToArray();
        var rows = await ReadAsync(
            session.Connection,
            LookAtEnds,
            [Uuid("node", turn.Node), Longs("jobs", [.. open.Select(static end => end.Claim.JobId)]), Ints("runs", [.. open.Select(static end => end.Claim.Run)])],
            static reader => (Run: (reader.GetInt64(0), reader.GetInt32(1)), Outcome: reader.GetString(2), IsMine: reader.GetBoolean(3)),
            cancellationToken).ConfigureAwait(false);
        foreach (var end in open)
        {
            var run = (end.Claim.JobId, end.Claim.Run);
            var row = rows.Find(row => row.Run == run);
            verdicts[run] = !row.IsMine ? EndVerdict.Stale
                : row.Outcome == "cancelled" && end.Outcome != Outcome.Cancelled ? EndVerdict.Cancelled
                : row.Outcome == "superseded" ? EndVerdict.Superseded
                : EndVerdict.Accepted;
        }
    }

    private static NpgsqlParameter[] EndValues(Guid node, AttemptEnd[] ends)
    {
        var count = ends.Length;
        var (leaseOf, jobs, runs, attempts, charged) = (new Guid[count], new long[count], new int[count], new int[count], new bool[count]);
        var (types, tags, outcomes, results, errors) = (new string?[count], new string?[count], new string?[count], new string?[count], new string?[count]);
        var (started, finished, removeAts) = (new DateTime[count], new DateTime[count], new DateTime?[count]);
        for (var i = 0; i < count; i++)
        {
            var (end, claim) = (ends[i], ends[i].Claim);
            (leaseOf[i], jobs[i], runs[i], attempts[i], charged[i]) = (claim.Lease, claim.JobId, claim.Run, claim.Attempt, end.Charged);
            (types[i], tags[i], outcomes[i], results[i], errors[i]) = (claim.Type, claim.Tag, end.Outcome.ToWord(), end.Result, end.Error);
            (started[i], finished[i], removeAts[i]) = (end.Started.UtcDateTime, end.Finished.UtcDateTime, RemoveAt(end));
        }

        return
        [
            Uuid("node", node), Uuids("leases", [.. leaseOf.Distinct()]), Uuids("lease_of", leaseOf), Longs("jobs", jobs), Ints("runs", runs), Ints("attempts", attempts),
            Bools("charged", charged), Texts("types", types), Texts("tags", tags), Times("started", started), Times("finished", finished),
            Texts("outcomes", outcomes), Texts("results", results), Texts("errors", errors), Times("remove_ats", removeAts),
        ];
    }

    private NpgsqlParameter[] ReturnValues(AttemptEnd[] ends) =>
    [
        Now(),
        Texts("queues", [.. ends.Select(static end => end.Claim.Queue)]),
        Shorts("priorities", [.. ends.Select(static end => end.Claim.Priority)]),
        Ints("crashes", [.. ends.Select(static end => end.Claim.Crashes)]),
        Longs("agains", [.. ends.Select(static end => end.Again.Ticks / TimeSpan.TicksPerMicrosecond)]),
    ];

    // An end that was not final has no time to be removed; when a wish to cancel makes it final, the submission's own delay counts, or an hour.
    private static DateTime? RemoveAt(AttemptEnd end) =>
        end.RemoveAfter is { } after ? Later(end.Finished, after)
        : end.Outcome.IsFinal() ? null
        : RemoveDelayOf(end.Claim.Policy) is { } delay ? Later(end.Finished, delay) : null;

    private static DateTime? Later(DateTimeOffset time, TimeSpan delay) =>
        delay < DateTimeOffset.MaxValue - time ? (time + delay).UtcDateTime : null;

    private static TimeSpan? RemoveDelayOf(string? policy)
    {
        if (policy is null)
            return TimeSpan.FromHours(1);
        using var document = JsonDocument.Parse(policy);
        if (!document.RootElement.TryGetProperty("removeDelay", out var delay) || !delay.TryGetDouble(out var seconds))
            return TimeSpan.FromHours(1);
        return seconds < 0 ? null : TimeSpan.FromSeconds(seconds);
    }
}
