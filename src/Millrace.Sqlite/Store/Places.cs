using Microsoft.Data.Sqlite;

namespace Millrace.Sqlite;

/// <summary>A pending job on its way from one place to another.</summary>
internal sealed record Pending(long Id, string Queue, long Priority, string Type, int Run, int Attempt, int Crashes, bool IsSuspect)
{
    /// <summary>When it is due; where it waits for nothing, its place in line.</summary>
    public required long Due { get; init; }

    /// <summary>Why it waits, for a row of millrace_waiting; null in the other places.</summary>
    public string? Reason { get; init; }
}

internal sealed partial class SqliteStore
{
    private const string InsertReadySql = """
        insert into millrace_ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
        values (@queue, @priority, @pass, @id, @type, @run, @attempt, @crashes, @is_suspect)
        """;

    private const string InsertScheduledSql = """
        insert into millrace_scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
        values (@due, @id, @queue, @priority, @type, @run, @attempt, @crashes, @is_suspect)
        """;

    private const string InsertWaitingSql = """
        insert into millrace_waiting (id, reason, since, due, queue, priority, type, run, attempt, crashes, is_suspect)
        values (@id, @reason, @since, @due, @queue, @priority, @type, @run, @attempt, @crashes, @is_suspect)
        """;

    /// <summary>Puts a job where its due time says: in line, or among those that wait for their time.</summary>
    private static void Put(Session session, Pending job, long now)
    {
        if (job.Due <= now)
            session.Execute(InsertReadySql,
                ("@queue", job.Queue), ("@priority", job.Priority), ("@pass", job.Due), ("@id", job.Id), ("@type", job.Type),
                ("@run", (long)job.Run), ("@attempt", (long)job.Attempt), ("@crashes", (long)job.Crashes), ("@is_suspect", job.IsSuspect));
        else
            session.Execute(InsertScheduledSql,
                ("@due", job.Due), ("@id", job.Id), ("@queue", job.Queue), ("@priority", job.Priority), ("@type", job.Type),
                ("@run", (long)job.Run), ("@attempt", (long)job.Attempt), ("@crashes", (long)job.Crashes), ("@is_suspect", job.IsSuspect));
    }

    private static void PutWaiting(Session session, Pending job, string reason, long now) => session.Execute(InsertWaitingSql,
        ("@id", job.Id), ("@reason", reason), ("@since", now), ("@due", job.Due), ("@queue", job.Queue), ("@priority", job.Priority), ("@type", job.Type),
        ("@run", (long)job.Run), ("@attempt", (long)job.Attempt), ("@crashes", (long)job.Crashes), ("@is_suspect", job.IsSuspect));

    private const string FindPendingSql = """
        select id, queue, priority, type, run, attempt, crashes, is_suspect, due, reason
        from millrace_waiting
        where id = @id
        union all
        select id, queue, priority, type, run, attempt, crashes, is_suspect, due, null
        from millrace_scheduled
        where id = @id
        union all
        select id, queue, priority, type, run, attempt, crashes, is_suspect, pass, null
        from millrace_ready
        where id = @id
        """;

    private static Pending? FindPending(Session session, long id) => session.First(FindPendingSql, ReadPending, ("@id", id));

    private static Pending ReadPending(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetString(3), row.GetInt32(4), row.GetInt32(5), row.GetInt32(6), row.GetBoolean(7))
    {
        Due = row.GetInt64(8),
        Reason = row.MaybeText(9),
    };

    private const string LeaveWaitingSql = "delete from millrace_waiting where id = @id";
    private const string LeaveScheduledSql = "delete from millrace_scheduled where id = @id";
    private const string LeaveReadySql = "delete from millrace_ready where id = @id";

    private static void LeavePlace(Session session, long id)
    {
        if (session.Execute(LeaveWaitingSql, ("@id", id)) == 0 && session.Execute(LeaveScheduledSql, ("@id", id)) == 0)
            session.Execute(LeaveReadySql, ("@id", id));
    }

    private const string PolicyOfSql = "select type, tag, policy, key from millrace_job where id = @id";

    /// <summary>Ends a pending job before its next run: it shows started = finished = now (rule 21).</summary>
    private static void EndPending(Session session, Pending job, Outcome outcome, string? error, long now, long? removeAt = null)
    {
        var (type, tag, policy, key) = session.Query(PolicyOfSql, row => (row.GetString(0), row.MaybeText(1), row.MaybeText(2), row.MaybeText(3)), ("@id", job.Id))[0];
        LeavePlace(session, job.Id);
        InsertAttempt(session, new EndedRun(job.Id, job.Run, job.Attempt, type, tag)
        {
            Outcome = outcome, Started = now, Finished = now, Error = error, RemoveAt = removeAt ?? RemoveAt(policy, now),
        });
        Forget(session, job.Id);
        FreeKey(session, key, job.Id, now);
    }

    private const string PostponeWaitingSql = "update millrace_waiting set due = @due where id = @id";

    private static void Postpone(Session session, Pending job, long due, long now)
    {
        // It still waits for a node that knows its type, or for a person; and after that for its time.
        if (job.Reason is not null)
        {
            session.Execute(PostponeWaitingSql, ("@due", due), ("@id", job.Id));
            return;
        }

        LeavePlace(session, job.Id);
        Put(session, job with { Due = due }, now);
    }
}
