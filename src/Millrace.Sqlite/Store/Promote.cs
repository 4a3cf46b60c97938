using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    private const string DueSql = """
        select id, queue, priority, type, run, attempt, crashes, is_suspect, due, null
        from millrace_scheduled
        where due <= @now
        order by due, id
        limit @limit
        """;

    private const string PromoteSql = "delete from millrace_scheduled where due = @due and id = @id";

    public Task<PromoteAnswer> PromoteAsync(int limit, CancellationToken cancellationToken) =>
        WriteAsync(session => Promote(session, limit, Now()), cancellationToken);

    private static PromoteAnswer Promote(Session session, int limit, long now)
    {
        var due = session.Query(DueSql, ReadPending, ("@now", now), ("@limit", (long)limit));
        foreach (var job in due)
        {
            session.Execute(PromoteSql, ("@due", job.Due), ("@id", job.Id));
            Put(session, job, now);
        }

        string[] queues = [.. due.Select(job => job.Queue).Distinct().Order(StringComparer.Ordinal)];
        return new PromoteAnswer(due.Count, queues, session.Number(NextDueSql)?.ToTime(), now.ToTime());
    }
}
