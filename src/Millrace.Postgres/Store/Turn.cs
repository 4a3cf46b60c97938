using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// One exchange: runs that ended, and room for more. One round trip and one commit, in the order that rule 6 gives.
internal sealed partial class PostgresStore
{
    // A materialized CTE, not "id in (select … limit)", which may lock more than asked. Deleted by ctid: rows of ready are never updated, so
    // the place that was locked is the place to delete, and the planner has no join to get wrong. The guards are evaluated once.
    private const string ClaimHead = """
        with claimed as materialized (
            select r.ctid as place, r.id, r.run, r.attempt, r.crashes, r.priority, r.pass
            from millrace.ready r
            where r.queue = @queue
                and {which}
                and r.type = any(@types)
                and exists (select from millrace.node n where n.id = @node and n.dead_at is null and n.expires_at > coalesce(@now, clock_timestamp()))
                and not exists (select from millrace.queue q where q.name = @queue and q.is_paused and coalesce(q.resume_at > coalesce(@now, clock_timestamp()), true))
                and not exists (select from millrace.lease l where l.id = @lease)
            order by {order}
            limit @want
            for update skip locked
        ),
        taken as (
            delete from millrace.ready r
            where r.ctid = any(array(select place from claimed))
        ),
        leased as (
            insert into millrace.lease (id, node, claimed_at, job_ids, runs, attempts, crashes, passes, is_alone, is_suspect)
            select @lease, @node, coalesce(@now, clock_timestamp()), array_agg(c.id), array_agg(c.run), array_agg(c.attempt), array_agg(c.crashes), array_agg(c.pass), @is_alone, @is_suspect
            from claimed c
            having count(*) > 0
            returning claimed_at
        )
        select record_send(row(c.id, c.run, c.attempt, c.crashes, c.pass, j.type, j.tag, j.user_id, c.priority, j.data, j.due, j.created,
               j.policy, j.headers, j.trace, j.parent, j.schedule, j.key, leased.claimed_at))
        from leased, claimed c
        join millrace.job j on j.id = c.id
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
        select record_send(row(u.job_id, u.run, u.attempt, u.crashes, u.pass, j.type, j.tag, j.user_id, j.priority, j.data, j.due, j.created,
               j.policy, j.headers, j.trace, j.parent, j.schedule, j.key, l.claimed_at))
        from millrace.lease l
        cross join lateral unnest(l.job_ids, l.runs, l.attempts, l.crashes, l.passes) as u(job_id, run, attempt, crashes, pass)
        join millrace.job j on j.id = u.job_id
        where l.id = @lease and l.node = @node
        """;

    // Guarded by turns: the large leases that were claimed over the connection that is open.
    private readonly HashSet<Guid> claimedHere = [];

    private const string Glance = """
        select coalesce(@now, clock_timestamp()),
               (select min(due) from millrace.scheduled),
               exists (select from millrace.node n where n.id = @node and n.dead_at is null)
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
        var verdicts = new Verdicts(turn.Ends);
        List<AttemptEnd> finals = new(turn.Ends.Count);
        List<AttemptEnd> returns = [];
        for (var place = 0; place < turn.Ends.Count; place++)
        {
            var end = turn.Ends[place];
            if (!NeedsCare(end))
                (end.Outcome.IsFinal() ? finals : returns).Add(end);
            else if (await EndCarefullyAsync(session, turn.Node, end, cancellationToken).ConfigureAwait(false) is { } verdict)
                verdicts.Give(place, verdict);
        }

        var hasBegun = finals.Count >= ManyEnds && !turn.IsRepeated && ReferenceEquals(endFinally, EndFinally);
        var opening = hasBegun ? await BeginManyAsync(session, turn, cancellationToken).ConfigureAwait(false) : null;
        if (opening is { IsAlive: true })
        {
            await CopyEndsAsync(session, turn, opening, verdicts, cancellationToken).ConfigureAwait(false);
            finals = [];
        }

        TurnAnswer answer;
        await using (var batch = hasBegun ? session.Continue() : session.Begin())
        {
            if (!hasBegun)
                AddLocks(session, batch, turn);
            AddEnds(session, batch, turn, endFinally, finals, returns, mayLeaveRequests: opening?.HasRequests ?? true);
            AddClaim(session, batch, turn);
            session.Add(batch, Glance, Now(), Uuid("node", turn.Node));
            await using var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false);
            answer = await ReadTurnAsync(session, reader, turn, !hasBegun, finals.Count > 0, returns.Count > 0, verdicts, cancellationToken).ConfigureAwait(false);
        }

        claimedHere.ExceptWith(turn.EndedLeases);
        if (answer.Claims.Count >= ManyEnds)
            claimedHere.Add(turn.Lease);
        if (!verdicts.AreComplete)
            await LookAtEndsAsync(session, turn, verdicts, cancellationToken).ConfigureAwait(false);
        return answer with { Ends = verdicts.All() };
    }

    private void AddClaim(Session session, NpgsqlBatch batch, Turn turn)
    {
        if (turn.Want <= 0)
            return;
        var text = turn.SuspectsOnly ? ClaimSuspect : turn.After is null ? Claim : ClaimAfter;
        var command = new List<NpgsqlParameter>
        {
            Now(), Uuid("node", turn.Node), Uuid("lease", turn.Lease), Text("queue", turn.Queue), Texts("types", [.. turn.Types]),
            Int("want", turn.SuspectsOnly ? 1 : turn.Want), Bool("is_alone", turn.SuspectsOnly || turn.IsAlone), Bool("is_suspect", turn.SuspectsOnly),
        };
        if (!turn.SuspectsOnly && turn.After is { } after)
            command.AddRange([Short("after_priority", after.Priority), Long("after_pass", after.Pass), Long("after_id", after.Id)]);
        session.Add(batch, text, [.. command]);
        if (turn.IsRepeated)
            session.Add(batch, ReadClaims, Uuid("lease", turn.Lease), Uuid("node", turn.Node));
    }

    private async Task<TurnAnswer> ReadTurnAsync(
        Session session, NpgsqlDataReader reader, Turn turn, bool hasLocks, bool hasFinals, bool hasReturns, Verdicts verdicts, CancellationToken cancellationToken)
    {
        if (hasLocks && turn.Ends.Count + turn.EmptyLeases.Count + turn.LeasesToShrink.Count > 0)
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        if (hasFinals)
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                verdicts.Give(reader.GetInt64(0), reader.GetInt32(1), EndVerdict.Accepted);
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        }

        if (hasReturns)
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                verdicts.Give(reader.GetInt64(0), reader.GetInt32(1), reader.GetString(2) == "cancelled" ? EndVerdict.Cancelled : EndVerdict.Accepted);
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
        // A repeated turn reads what its lease lists, whether this try has claimed it or the one before.
        if (turn.IsRepeated)
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        var claims = new List<Claim>(turn.Want);
        var isInOrder = true;
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var claim = ClaimOf(reader.GetFieldValue<byte[]>(0), turn);
            isInOrder &= claims is not [.., { } before] || Compare(before, claim) <= 0;
            claims.Add(claim);
        }

        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        // They come in line, but nothing in the statement says so.
        if (!isInOrder)
            claims.Sort(Compare);
        return [.. claims];
    }

    private static int Compare(Claim one, Claim other)
    {
        var order = one.Priority.CompareTo(other.Priority);
        if (order == 0)
            order = one.Ready.CompareTo(other.Ready);
        return order == 0 ? one.JobId.CompareTo(other.JobId) : order;
    }

    private static Claim ClaimOf(byte[] sent, Turn turn)
    {
        var row = new SentRecord(sent);
        // In the order of the statement.
        return new Claim
        {
            Lease = turn.Lease,
            Queue = turn.Queue,
            JobId = row.Long(),
            Run = row.Int(),
            Attempt = row.Int(),
            Crashes = row.Int(),
            Ready = DateTimeOffset.UnixEpoch.AddTicks(row.Long() * TimeSpan.TicksPerMicrosecond),
            Type = row.Text(),
            Tag = row.TextOrNull(),
            UserId = row.Long(),
            Priority = row.Short(),
            Data = row.Text(),
            Due = row.Time(),
            Created = row.Time(),
            Policy = row.TextOrNull(),
            Headers = row.TextOrNull(),
            Trace = row.TextOrNull(),
            Parent = row.LongOrNull(),
            Schedule = row.TextOrNull(),
            Key = row.TextOrNull(),
            Claimed = row.Time(),
        };
    }

    private static long MicrosecondsOf(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
