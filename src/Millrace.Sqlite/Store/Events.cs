using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

// One writer at a time: ids become visible in their order.
internal sealed partial class SqliteStore
{
    private const string RaiseSql = """
        insert into millrace_event (at, user_id, kind, job_id, type, message)
        values (@now, @user_id, 'notification', @job_id, @type, @message)
        """;

    private const string RaiseProgressSql = """
        insert into millrace_event (at, user_id, kind, job_id, type, percent, message)
        select @now, user_id, 'progress', id, type, @percent, @message
        from millrace_job
        where id = @id and user_id <> 0
        """;

    private const string EventPositionSql = "select seq from sqlite_sequence where name = 'millrace_event'";

    private const string ReadEventsSql = """
        select id, kind, user_id, job_id, type, at, message, percent
        from millrace_event
        where id > @after
          and user_id in (select value from json_each(@users))
        order by id
        limit @limit
        """;

    public Task RaiseAsync(IReadOnlyList<NewEvent> events, CancellationToken cancellationToken) =>
        events.Count == 0 ? Task.CompletedTask : WriteAsync(session => Raise(session, events, Now()), cancellationToken);

    private static int Raise(Session session, IReadOnlyList<NewEvent> events, long now)
    {
        foreach (var raised in events)
            session.Execute(RaiseSql, ("@now", now), ("@user_id", raised.UserId), ("@job_id", raised.JobId), ("@type", raised.JobType), ("@message", raised.Message));
        return events.Count;
    }

    private static void RaiseProgress(Session session, long jobId, double percent, string? message, long now) =>
        session.Execute(RaiseProgressSql, ("@now", now), ("@percent", percent), ("@message", message), ("@id", jobId));

    public Task<long> ReadEventPositionAsync(CancellationToken cancellationToken) => ReadAsync(EventPosition, cancellationToken);

    private static long EventPosition(Session session) => session.Number(EventPositionSql) ?? 0;

    public Task<EventPage> ReadEventsAsync(long after, IReadOnlyCollection<long> userIds, int limit, CancellationToken cancellationToken) =>
        ReadAsync(session => ReadEvents(session, after, userIds, limit), cancellationToken);

    private static EventPage ReadEvents(Session session, long after, IReadOnlyCollection<long> userIds, int limit)
    {
        var last = EventPosition(session);
        if (last <= after)
            return new EventPage([], last, HasMore: false);
        var events = session.Query(ReadEventsSql, EventAt, ("@after", after), ("@users", Values.ToList(userIds)), ("@limit", (long)limit));
        return events.Count < limit ? new EventPage(events, last, HasMore: false) : new EventPage(events, events[^1].Id, HasMore: true);
    }

    private static JobEvent EventAt(SqliteDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Kind = row.GetString(1) == "progress" ? JobEventKind.Progress : JobEventKind.Notification,
        UserId = row.GetInt64(2),
        JobId = row.GetInt64(3),
        JobType = row.GetString(4),
        At = row.Time(5),
        Message = row.MaybeText(6),
        Percent = row.IsDBNull(7) ? null : row.GetDouble(7),
    };
}
