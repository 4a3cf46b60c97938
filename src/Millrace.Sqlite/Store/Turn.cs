using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    public Task<TurnAnswer> TurnAsync(Turn turn, CancellationToken cancellationToken) => WriteAsync(session => Take(session, turn), cancellationToken);

    private const string HasNotesSql = """
        select exists (select 1 from millrace_cancel_request), exists (select 1 from millrace_progress)
        """;

    private const string NextDueSql = "select min(due) from millrace_scheduled";

    private TurnAnswer Take(Session session, Turn turn)
    {
        var now = Now();
        var ends = new EndVerdict[turn.Ends.Count];
        foreach (var id in turn.EndedLeases)
            session.Execute(DeleteOwnLeaseSql, ("@id", id.ToText()), ("@node", turn.Node.ToText()));
        if (turn.Ends.Count + turn.Settled.Count + turn.EmptyLeases.Count + turn.LeasesToShrink.Count > 0)
        {
            var leases = new TurnLeases(session, turn.Node);
            // Both are rare: one look for the turn instead of statements for each run.
            var (hasRequests, hasProgress) = session.Query(HasNotesSql, row => (row.GetBoolean(0), row.GetBoolean(1)))[0];
            for (var i = 0; i < ends.Length; i++)
                ends[i] = End(session, turn.Node, turn.Ends[i], leases, hasRequests, hasRequests || hasProgress, now);
            foreach (var end in turn.Settled)
                Settle(session, end, now);
            foreach (var id in turn.EmptyLeases.Concat(turn.LeasesToShrink).Distinct())
                if (leases.Find(id) is { } lease)
                    Shrink(session, lease, i => leases.HasEnded(lease, i) || HasEnded(session, lease.JobIds[i], lease.Runs[i]));
        }

        var claims = new List<Claim>();
        var last = default(ClaimCursor?);
        // Without its lock it would look dead to everybody else, and its jobs would be taken back.
        var nodeIsLost = !NodeLives(session, turn.Node) || !locks.IsAlive(turn.Node);
        if (turn.Want > 0 && !nodeIsLost)
            last = Claim(session, turn, claims, now);
        return new TurnAnswer
        {
            Ends = ends,
            Claims = claims,
            Now = now.ToTime(),
            NextDue = session.Number(NextDueSql)?.ToTime(),
            Last = last,
            NodeIsLost = nodeIsLost,
        };
    }

    private const string NodeLivesSql = "select 1 from millrace_node where id = @id and dead_at is null";

    private static bool NodeLives(Session session, Guid node) => session.Any(NodeLivesSql, ("@id", node.ToText()));

    // The cross join keeps the order of the tables: the line first, in its order, and each job by its id. The priority is that of the line: a
    // person may have changed it.
    private const string LineSql = """
        select r.pass, r.run, r.attempt, r.crashes, j.id, j.type, j.tag, j.user_id, j.queue, r.priority, j.data, j.due, j.created, j.policy,
               j.headers, j.trace, j.parent, j.schedule, j.key
        from millrace_ready r
        cross join millrace_job j on j.id = r.id
        where r.queue = @queue
          and (r.priority, r.pass, r.id) > (@priority, @pass, @id)
          and r.is_suspect = 0
          and r.type in (select value from json_each(@types))
        order by r.priority, r.pass, r.id
        limit @want
        """;

    private const string SuspectSql = """
        select r.pass, r.run, r.attempt, r.crashes, j.id, j.type, j.tag, j.user_id, j.queue, r.priority, j.data, j.due, j.created, j.policy,
               j.headers, j.trace, j.parent, j.schedule, j.key
        from millrace_ready r
        cross join millrace_job j on j.id = r.id
        where r.queue = @queue
          and r.is_suspect = 1
          and r.type in (select value from json_each(@types))
        order by r.priority, r.pass, r.id
        limit 1
        """;

    private const string LeaveLineSql = """
        delete from millrace_ready
        where queue = @queue
          and priority = @priority
          and pass = @pass
          and id = @id
        """;

    private const string IsPausedSql = "select 1 from millrace_queue where name = @name and is_paused = 1 and (resume_at is null or resume_at > @now)";

    private static ClaimCursor? Claim(Session session, Turn turn, List<Claim> claims, long now)
    {
        var passes = new List<long>();
        if (FindLease(session, turn.Lease) is { } made)
        {
            if (made.Node == turn.Node)
                ReadClaims(session, made, claims, passes);
        }
        else if (!session.Any(IsPausedSql, ("@name", turn.Queue), ("@now", now)))
        {
            foreach (var (claim, pass) in Line(session, turn, now))
            {
                session.Execute(LeaveLineSql, ("@queue", claim.Queue), ("@priority", (long)claim.Priority), ("@pass", pass), ("@id", claim.JobId));
                claims.Add(claim);
                passes.Add(pass);
            }

            if (claims.Count > 0)
                InsertLease(session, new Lease
                {
                    Id = turn.Lease, Node = turn.Node, ClaimedAt = now, IsAlone = turn.SuspectsOnly || turn.IsAlone, IsSuspect = turn.SuspectsOnly,
                    JobIds = [.. claims.Select(claim => claim.JobId)], Runs = [.. claims.Select(claim => claim.Run)],
                    Attempts = [.. claims.Select(claim => claim.Attempt)], Crashes = [.. claims.Select(claim => claim.Crashes)], Passes = [.. passes],
                });
        }

        return claims.Count == 0 ? null : new ClaimCursor(claims[^1].Priority, passes[^1], claims[^1].JobId);
    }

    private static List<(Claim Claim, long Pass)> Line(Session session, Turn turn, long now)
    {
        var types = Values.ToTextList(turn.Types);
        if (turn.SuspectsOnly)
            return session.Query(SuspectSql, row => ReadClaim(row, turn.Lease, now), ("@queue", turn.Queue), ("@types", types));
        var after = turn.After ?? new ClaimCursor(short.MinValue, long.MinValue, long.MinValue);
        return session.Query(LineSql, row => ReadClaim(row, turn.Lease, now),
            ("@queue", turn.Queue), ("@priority", (long)after.Priority), ("@pass", after.Pass), ("@id", after.Id), ("@types", types), ("@want", (long)turn.Want));
    }

    private const string LeasedJobSql = """
        select @pass, @run, @attempt, @crashes, j.id, j.type, j.tag, j.user_id, j.queue, j.priority, j.data, j.due, j.created, j.policy,
               j.headers, j.trace, j.parent, j.schedule, j.key
        from millrace_job j
        where j.id = @id
        """;

    /// <summary>A repeated turn gets what its first try claimed (rule 7).</summary>
    private static void ReadClaims(Session session, Lease lease, List<Claim> claims, List<long> passes)
    {
        for (var i = 0; i < lease.JobIds.Length; i++)
        {
            if (HasEnded(session, lease.JobIds[i], lease.Runs[i]))
                continue;
            foreach (var (claim, pass) in session.Query(LeasedJobSql, row => ReadClaim(row, lease.Id, lease.ClaimedAt),
                ("@pass", lease.Passes[i]), ("@run", (long)lease.Runs[i]), ("@attempt", (long)lease.Attempts[i]), ("@crashes", (long)lease.Crashes[i]), ("@id", lease.JobIds[i])))
            {
                claims.Add(claim);
                passes.Add(pass);
            }
        }
    }

    private static (Claim Claim, long Pass) ReadClaim(SqliteDataReader row, Guid lease, long claimed)
    {
        var pass = row.GetInt64(0);
        return (new Claim
        {
            Lease = lease,
            Ready = pass.ToTime(),
            Claimed = claimed.ToTime(),
            Run = row.GetInt32(1),
            Attempt = row.GetInt32(2),
            Crashes = row.GetInt32(3),
            JobId = row.GetInt64(4),
            Type = row.GetString(5),
            Tag = row.MaybeText(6),
            UserId = row.GetInt64(7),
            Queue = row.GetString(8),
            Priority = row.GetInt16(9),
            Data = row.GetString(10),
            Due = row.Time(11),
            Created = row.Time(12),
            Policy = row.MaybeText(13),
            Headers = row.MaybeText(14),
            Trace = row.MaybeText(15),
            Parent = row.MaybeNumber(16),
            Schedule = row.MaybeText(17),
            Key = row.MaybeText(18),
        }, pass);
    }
}
