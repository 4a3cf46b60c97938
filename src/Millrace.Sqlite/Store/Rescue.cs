using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    private const string BurySql = """
        update millrace_node
        set dead_at = @now
        where id = @id
          and beat = @beat
          and dead_at is null
        """;

    public Task<bool> BuryAsync(NodeSighting node, CancellationToken cancellationToken) =>
        WriteAsync(session => !locks.IsAlive(node.Id)
            && session.Execute(BurySql, ("@now", Now()), ("@id", node.Id.ToText()), ("@beat", node.Beat)) == 1, cancellationToken);

    public Task<RescueAnswer> RescueAsync(Guid lease, Guid rescuer, Func<LeasedRun, RescueVerdict> decide, CancellationToken cancellationToken) =>
        WriteAsync(session => Rescue(session, lease, rescuer, decide, Now()), cancellationToken);

    private static RescueAnswer Rescue(Session session, Guid id, Guid rescuer, Func<LeasedRun, RescueVerdict> decide, long now)
    {
        if (FindLease(session, id) is not { } lease || (lease.Node != rescuer && NodeLives(session, lease.Node)))
            return new RescueAnswer(0, 0, 0, []);
        var back = 0;
        var runs = new List<RescuedRun>();
        var queues = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < lease.JobIds.Length; i++)
        {
            if (HasEnded(session, lease.JobIds[i], lease.Runs[i]) || FindLeasedJob(session, lease.JobIds[i]) is not { } job)
                continue;
            var outcome = RescueRun(session, lease, i, job, rescuer, decide, now);
            runs.Add(new RescuedRun(job.Queue, job.Type, outcome, now.ToTime()));
            if (outcome.IsFinal())
                continue;
            back++;
            queues.Add(job.Queue);
        }

        // Nothing is skipped (rule 13): a completion in flight in a user's transaction would hold the file, and this transaction could not have begun.
        session.Execute(DeleteLeaseSql, ("@id", id.ToText()));
        return new RescueAnswer(back, runs.Count - back, 0, [.. queues]) { Runs = runs };
    }

    private const string LeasedJobsSql = "select queue, priority, type, tag, policy, key from millrace_job where id = @id";

    private static LeasedJob? FindLeasedJob(Session session, long id) => session.First(LeasedJobsSql, row => new LeasedJob(
        row.GetString(0), row.GetInt64(1), row.GetString(2), row.MaybeText(3), row.MaybeText(4), row.MaybeText(5)), ("@id", id));

    private sealed record LeasedJob(string Queue, long Priority, string Type, string? Tag, string? Policy, string? Key);

    /// <summary>How the run ended: the job may run again unless that is final.</summary>
    private static Outcome RescueRun(Session session, Lease lease, int i, LeasedJob job, Guid rescuer, Func<LeasedRun, RescueVerdict> decide, long now)
    {
        var (id, run, attempt) = (lease.JobIds[i], lease.Runs[i], lease.Attempts[i]);
        var verdict = decide(new LeasedRun(id, run, attempt, lease.Crashes[i], job.Type, job.Policy, lease.IsAlone));
        var (outcome, error) = (verdict.Outcome, verdict.Error);
        if (session.Any(HasRequestSql, ("@id", id)))
            outcome = Outcome.Cancelled;
        else if (SuccessorOf(session, job.Key, id) is { } successor)
            (outcome, error) = (Outcome.Superseded, SupersededBy(successor, error));
        InsertAttempt(session, new EndedRun(id, run, attempt, job.Type, job.Tag)
        {
            Charged = verdict.Charged,
            Node = lease.Node,
            RescuedBy = rescuer,
            Started = lease.ClaimedAt,
            Finished = now,
            Outcome = outcome,
            Error = error,
            RemoveAt = outcome == verdict.Outcome ? now + verdict.RemoveAfter?.ToMicros() : RemoveAt(job.Policy, now),
        });
        if (outcome.IsFinal())
        {
            Forget(session, id);
            FreeKey(session, job.Key, id, now);
            return outcome;
        }

        var next = new Pending(id, job.Queue, job.Priority, job.Type, run + 1, attempt + (verdict.Charged ? 1 : 0), verdict.Crashes, verdict.IsSuspect)
        {
            // What is not held against the job does not cost it its place.
            Due = verdict.Charged || verdict.IsQuarantined ? now : lease.Passes[i],
        };
        if (verdict.IsQuarantined)
            PutWaiting(session, next, "quarantine", now);
        else
            Put(session, next, now);
        return outcome;
    }
}
