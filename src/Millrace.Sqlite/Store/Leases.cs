using Microsoft.Data.Sqlite;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    private const string LeaseByIdSql = """
        select id, node, claimed_at, is_alone, is_suspect, job_ids, runs, attempts, crashes, passes
        from millrace_lease
        where id = @id
        """;

    private static Lease? FindLease(Session session, Guid id) => session.First(LeaseByIdSql, ReadLease, ("@id", id.ToText()));

    // There are few leases, and the lists are compared as text: ",7," is in ",5,7,9,".
    private const string LeasesOfJobSql = """
        select id, node, claimed_at, is_alone, is_suspect, job_ids, runs, attempts, crashes, passes
        from millrace_lease
        where instr(',' || substr(job_ids, 2, length(job_ids) - 2) || ',', ',' || @id || ',') > 0
        """;

    private const string HasEndedSql = "select 1 from millrace_attempt where job_id = @id and run = @run";

    /// <summary>The run that goes on: listed by a lease, and not ended (rule 9).</summary>
    private static (Lease Lease, int Index)? FindRunning(Session session, long jobId)
    {
        foreach (var lease in session.Query(LeasesOfJobSql, ReadLease, ("@id", jobId)))
            for (var i = 0; i < lease.JobIds.Length; i++)
                if (lease.JobIds[i] == jobId && !HasEnded(session, jobId, lease.Runs[i]))
                    return (lease, i);
        return null;
    }

    private static bool HasEnded(Session session, long jobId, int run) => session.Any(HasEndedSql, ("@id", jobId), ("@run", (long)run));

    private const string InsertLeaseSql = """
        insert into millrace_lease (id, node, claimed_at, is_alone, is_suspect, job_ids, runs, attempts, crashes, passes)
        values (@id, @node, @claimed_at, @is_alone, @is_suspect, @job_ids, @runs, @attempts, @crashes, @passes)
        """;

    private static void InsertLease(Session session, Lease lease) => session.Execute(InsertLeaseSql,
        ("@id", lease.Id.ToText()), ("@node", lease.Node.ToText()), ("@claimed_at", lease.ClaimedAt), ("@is_alone", lease.IsAlone), ("@is_suspect", lease.IsSuspect),
        ("@job_ids", Values.ToList(lease.JobIds)), ("@runs", Values.ToList(lease.Runs)), ("@attempts", Values.ToList(lease.Attempts)),
        ("@crashes", Values.ToList(lease.Crashes)), ("@passes", Values.ToList(lease.Passes)));

    private const string ShrinkLeaseSql = """
        update millrace_lease
        set job_ids = @job_ids, runs = @runs, attempts = @attempts, crashes = @crashes, passes = @passes
        where id = @id
        """;

    private const string DeleteOwnLeaseSql = "delete from millrace_lease where id = @id and node = @node";

    private const string DeleteLeaseSql = "delete from millrace_lease where id = @id";

    /// <summary>Takes the runs that have ended out of the lists, and the lease away when none is left.</summary>
    private static void Shrink(Session session, Lease lease, Func<int, bool> hasEnded)
    {
        var left = Enumerable.Range(0, lease.JobIds.Length).Where(i => !hasEnded(i)).ToArray();
        if (left.Length == 0)
            session.Execute(DeleteLeaseSql, ("@id", lease.Id.ToText()));
        else if (left.Length < lease.JobIds.Length)
            session.Execute(ShrinkLeaseSql,
                ("@id", lease.Id.ToText()),
                ("@job_ids", Values.ToList(left.Select(i => lease.JobIds[i]))), ("@runs", Values.ToList(left.Select(i => lease.Runs[i]))),
                ("@attempts", Values.ToList(left.Select(i => lease.Attempts[i]))), ("@crashes", Values.ToList(left.Select(i => lease.Crashes[i]))),
                ("@passes", Values.ToList(left.Select(i => lease.Passes[i]))));
    }

    private static Lease ReadLease(SqliteDataReader row) => new()
    {
        Id = row.Guid(0),
        Node = row.Guid(1),
        ClaimedAt = row.GetInt64(2),
        IsAlone = row.GetBoolean(3),
        IsSuspect = row.GetBoolean(4),
        JobIds = Values.FromList(row.GetString(5)),
        Runs = Values.FromIntList(row.GetString(6)),
        Attempts = Values.FromIntList(row.GetString(7)),
        Crashes = Values.FromIntList(row.GetString(8)),
        Passes = Values.FromList(row.GetString(9)),
    };

    /// <summary>The leases a turn speaks of, read once, and what the turn itself has ended in them.</summary>
    private sealed class TurnLeases(Session session, Guid node)
    {
        private readonly Dictionary<Guid, Lease?> leases = [];
        private readonly HashSet<(Guid, int)> ended = [];

        /// <summary>Null when it is gone or another node's.</summary>
        public Lease? Find(Guid id)
        {
            if (!leases.TryGetValue(id, out var lease))
            {
                lease = FindLease(session, id);
                leases[id] = lease = lease?.Node == node ? lease : null;
            }

            return lease;
        }

        public void MarkEnded(Lease lease, int index) => ended.Add((lease.Id, index));

        public bool HasEnded(Lease lease, int index) => ended.Contains((lease.Id, index));
    }
}
