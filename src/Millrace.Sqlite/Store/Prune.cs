using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    // Only where the last run has ended for good, in no place, with nothing after it (rule 4). A job that was made to run again has no
    // remove_at any more. Nor those whose deletion can still be undone: a change of many jobs may take longer than that time, and it begins with its end. One
    // whose own time is up before goes all the same.
    private const string PrunableSql = """
        select a.job_id
        from millrace_attempt a
        where a.remove_at <= @now
          and not exists (select 1 from millrace_attempt b where b.job_id = a.job_id and b.run > a.run)
          and not exists (select 1 from millrace_ready r where r.id = a.job_id)
          and not exists (select 1 from millrace_scheduled s where s.id = a.job_id)
          and not exists (select 1 from millrace_waiting w where w.id = a.job_id)
          and a.job_id not in (select job.value from millrace_lease l join json_each(l.job_ids) job)
          and not exists (
              select 1
              from millrace_deleted_job d
              join millrace_operation o on o.id = d.operation
              where d.job_id = a.job_id
                and a.remove_at >= d.at + @window
                and o.undone_by is null
                and coalesce(o.undo_until > @now, o.ended is null))
        order by a.remove_at
        limit @limit
        """;

    private const string PruneAttemptsSql = "delete from millrace_attempt where job_id = @id";
    private const string PruneLogSql = "delete from millrace_job_log where job_id = @id";
    private const string PruneOnceSql = "delete from millrace_once where job_id = @id";
    private const string PruneKeySql = "delete from millrace_unique_key where job_id = @id and (until is null or until <= @now)";
    private const string PruneUndoSql = "delete from millrace_operation_job where job_id = @id";
    private const string PruneJobSql = "delete from millrace_job where id = @id";

    public Task<int> PruneAsync(int limit, CancellationToken cancellationToken) => WriteAsync(session => Prune(session, limit, Now()), cancellationToken);

    private static int Prune(Session session, int limit, long now)
    {
        var ids = session.Query(PrunableSql, row => row.GetInt64(0), ("@now", now), ("@window", IJobOperations.UndoWindow.ToMicros()), ("@limit", (long)limit));
        foreach (var id in ids)
        {
            session.Execute(PruneAttemptsSql, ("@id", id));
            session.Execute(PruneLogSql, ("@id", id));
            session.Execute(PruneOnceSql, ("@id", id));
            session.Execute(PruneUndoSql, ("@id", id));
            session.Execute(UndeleteSql, ("@id", id));
            session.Execute(PruneKeySql, ("@id", id), ("@now", now));
            Forget(session, id);
            session.Execute(PruneJobSql, ("@id", id));
        }

        return ids.Count;
    }
}
