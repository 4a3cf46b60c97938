using System.Text.Json;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Runs that ended: what is stored of them, and what they leave behind.
internal sealed partial class PostgresStore
{
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
            select e.job_id, e.run, e.attempt, e.charged, e.type, e.tag, e.started, e.finished, e.queue, e.priority, e.pass, e.crashes, e.again,
                   e.outcome = 'released' and listed.is_suspect as is_suspect,
                   case when c.job_id is null then e.outcome else 'cancelled' end as outcome,
                   coalesce(e.error, case when c.job_id is not null then 'Cancelled' || coalesce(' by ' || c.by, '') || coalesce(': ' || c.reason, '.') end) as error,
                   case when c.job_id is not null then e.remove_at end as remove_at
            from unnest(@lease_of, @jobs, @runs, @attempts, @charged, @types, @tags, @started, @finished, @outcomes, @errors, @remove_ats, @queues, @priorities, @passes, @crashes, @agains)
                 as e(lease, job_id, run, attempt, charged, type, tag, started, finished, outcome, error, remove_at, queue, priority, pass, crashes, again)
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
            select g.queue, g.priority, coalesce(g.pass, (extract(epoch from clock.now) * 1000000)::bigint), g.job_id, g.type, g.run + 1, g.attempt + g.charged::integer, g.crashes, g.is_suspect
            from ended join given g on g.job_id = ended.job_id and g.run = ended.run, clock
            where ended.outcome <> 'cancelled' and g.again <= 0
        )
        select job_id, run, outcome
        from ended
        """;

    // A hash join: the lists of a lease and the ends are some hundred rows each, and compared pair by pair they would cost more than all the rest.
    private const string JoinByHash = "set local enable_nestloop = off";

    private const string JoinByKey = "set local enable_nestloop = on";

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

    private const string LookAtEnds = """
        select a.job_id, a.run, a.outcome, coalesce(a.node = @node and a.rescued_by is null, false)
        from unnest(@jobs, @runs) as e(job_id, run)
        join millrace.attempt a on a.job_id = e.job_id and a.run = e.run
        """;

    // An end that stores more jobs, or that needs a look at its key before it is known how it ends.
    private static bool NeedsCare(AttemptEnd end) => end.Then.Count > 0 || (end.Claim.Key is not null && !end.Outcome.IsFinal());

    private static Guid[] LeasesOf(Turn turn)
    {
        HashSet<Guid> leases = [.. turn.EmptyLeases, .. turn.LeasesToShrink];
        var last = Guid.Empty;
        foreach (var end in turn.Ends)
        {
            // They come in runs of one lease.
            if (end.Claim.Lease != last)
                leases.Add(last = end.Claim.Lease);
        }

        return [.. leases];
    }

    private static void AddLocks(Session session, NpgsqlBatch batch, Turn turn)
    {
        if (LeasesOf(turn) is { Length: > 0 } leases)
            session.Add(batch, LockLeases, Uuids("leases", leases), Uuid("node", turn.Node));
    }

    private void AddEnds(Session session, NpgsqlBatch batch, Turn turn, string endFinally, List<AttemptEnd> finals, List<AttemptEnd> returns, bool mayLeaveRequests)
    {
        if (finals.Count > 0 || returns.Count > 0)
        {
            session.Add(batch, JoinByHash);
            if (finals.Count > 0)
                session.Add(batch, endFinally, EndValues(turn.Node, finals));
            if (returns.Count > 0)
                session.Add(batch, EndForNow, [.. EndValues(turn.Node, returns), .. ReturnValues(returns)]);
            session.Add(batch, JoinByKey);
        }

        AddAftermath(session, batch, [.. turn.Ends, .. turn.Settled], mayLeaveRequests);
        // What the database has said holds while it has not been away. One that was may have forgotten it: a standby that was behind took over, or a user's transaction that did not wait for the disk
        // was lost. Whether it was away is not to be seen through PgBouncer.
        var ended = turn.EndedLeases.Where(lease => !isPooled && claimedHere.Contains(lease)).ToArray();
        Guid[] empty = [.. turn.EmptyLeases, .. turn.EndedLeases.Except(ended)];
        if (empty.Length > 0)
            session.Add(batch, DeleteLeases, Uuid("node", turn.Node), Uuids("empty", empty));
        if (ended.Length > 0)
            session.Add(batch, DeleteEndedLeases, Uuid("node", turn.Node), Uuids("ended", ended));
        if (turn.LeasesToShrink.Count > 0)
            session.Add(batch, ShrinkLeases, Uuid("node", turn.Node), Uuids("shrink", [.. turn.LeasesToShrink]));
    }

    // What an end leaves behind: its key, wishes to cancel it, its progress, its log.
    private void AddAftermath(Session session, NpgsqlBatch batch, AttemptEnd[] ends, bool mayLeaveRequests)
    {
        if (ends.Length == 0)
            return;
        List<Claim> keyed = [];
        List<LogLine> lines = [];
        foreach (var end in ends)
        {
            if (end.Claim.Key is not null && end.Outcome.IsFinal())
                keyed.Add(end.Claim);
            if (end.Log.Count > 0)
                lines.AddRange(end.Log);
        }

        if (keyed.Count > 0)
            session.Add(batch, FreeKeys, Now(), Longs("jobs", [.. keyed.Select(static claim => claim.JobId)]), Ints("runs", [.. keyed.Select(static claim => claim.Run)]));
        if (mayLeaveRequests)
            session.Add(batch, ForgetRequests, Longs("jobs", [.. ends.Select(static end => end.Claim.JobId)]), Ints("runs", [.. ends.Select(static end => end.Claim.Run)]));
        if (lines.Count > 0)
            session.Add(batch, SaveLines, LineValues([.. lines]));
    }

    // Zero rows are an answer: a lost answer to an earlier try (then the row is mine), or the lease was lost.
    private async Task LookAtEndsAsync(Session session, Turn turn, Verdicts verdicts, CancellationToken cancellationToken)
    {
        var open = verdicts.Open.ToArray();
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
            var verdict = !row.IsMine ? EndVerdict.Stale
                : row.Outcome == "cancelled" && end.Outcome != Outcome.Cancelled ? EndVerdict.Cancelled
                : row.Outcome == "superseded" ? EndVerdict.Superseded
                : EndVerdict.Accepted;
            verdicts.Give(end.Claim.JobId, end.Claim.Run, verdict);
        }
    }

    private static NpgsqlParameter[] EndValues(Guid node, List<AttemptEnd> ends)
    {
        var count = ends.Count;
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

    private NpgsqlParameter[] ReturnValues(List<AttemptEnd> ends) =>
    [
        Now(),
        Texts("queues", [.. ends.Select(static end => end.Claim.Queue)]),
        Shorts("priorities", [.. ends.Select(static end => end.Claim.Priority)]),
        // A run that was handed back keeps its place in line.
        Longs("passes", [.. ends.Select(static end => end.Outcome == Outcome.Released ? MicrosecondsOf(end.Claim.Ready) : (long?)null)]),
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

    // Many final ends at once, the bulk of a drain: COPY costs a third of what the same rows cost as arrays.

    // Below this the three more round trips cost more than they save.
    private const int ManyEnds = 100;

    private const string CopyEnds = """
        copy millrace.attempt (job_id, run, attempt, charged, type, tag, node, started, finished, success, outcome, result, error, remove_at)
        from stdin (format binary)
        """;

    // A statement of its own, after the lock: whoever has taken runs out of the lease had buried the node before, and who wished to cancel one of them has written it down.
    private const string Look = """
        select exists (select from millrace.node n where n.id = @node and n.dead_at is null),
               exists (select from millrace.cancel_request) or exists (select from millrace.progress)
        """;

    // Begins the turn's transaction, and locks its leases.
    private static async Task<Opening> BeginManyAsync(Session session, Turn turn, CancellationToken cancellationToken)
    {
        await using var begin = session.Begin();
        AddLocks(session, begin, turn);
        session.Add(begin, Look, Uuid("node", turn.Node));
        await using var reader = await session.SendAsync(begin, withCommit: false, cancellationToken).ConfigureAwait(false);
        var leases = new HashSet<Guid>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            leases.Add(reader.GetGuid(0));
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new Opening(leases, reader.GetBoolean(0), reader.GetBoolean(1));
    }

    // What a lease lists is the node's own word here, and good enough at the first sending of a turn of a node that nobody has buried: nothing but their own end has taken its runs out of a lease
    // that is still there. A repeated turn could meet a run that has ended and was pruned since, and so could a node that is dead and does not know it: they are sent in the careful words. A run that
    // was ended before all the same breaks the primary key, and then the whole turn is sent again in those.
    private async Task CopyEndsAsync(Session session, Turn turn, Opening opening, Verdicts verdicts, CancellationToken cancellationToken)
    {
        List<AttemptEnd> accepted = new(turn.Ends.Count);
        for (var place = 0; place < turn.Ends.Count; place++)
        {
            var end = turn.Ends[place];
            if (NeedsCare(end) || !end.Outcome.IsFinal() || !opening.Leases.Contains(end.Claim.Lease))
                continue;
            accepted.Add(end);
            verdicts.Give(place, EndVerdict.Accepted);
        }

        await CopyBuffer.CopyAsync(session.Connection, Sql(CopyEnds), accepted, (row, end) => WriteEnd(row, turn.Node, end), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>How a turn of many ends stands once its leases are locked.</summary>
    /// <param name="Leases">Those that are still there.</param>
    /// <param name="IsAlive">Whether nobody has buried the node.</param>
    /// <param name="HasRequests">Whether any job has a wish to cancel it, or progress. Of the runs of locked leases there can be no new ones.</param>
    private sealed record Opening(HashSet<Guid> Leases, bool IsAlive, bool HasRequests);

    private static void WriteEnd(CopyBuffer row, Guid node, AttemptEnd end)
    {
        var claim = end.Claim;
        row.Row(14);
        row.Write(claim.JobId);
        row.Write(claim.Run);
        row.Write(claim.Attempt);
        row.Write(end.Charged);
        row.Write(claim.Type);
        row.Write(claim.Tag);
        row.Write(node);
        row.Write(end.Started.UtcDateTime);
        row.Write(end.Finished.UtcDateTime);
        if (end.Outcome is Outcome.Succeeded or Outcome.Discarded)
            row.Write(end.Outcome == Outcome.Succeeded);
        else
            row.Null();
        row.Write(end.Outcome.ToWord());
        row.Write(end.Result);
        row.Write(end.Error);
        row.Write(RemoveAt(end));
    }
}
