using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    // A step per queue along the primary key, however many rows are ready.
    private const string ReadyQueuesSql = """
        with recursive line(queue) as (
            select min(queue) from millrace_ready
            union all
            select (select min(r.queue) from millrace_ready r where r.queue > line.queue) from line where line.queue is not null
        )
        select line.queue
        from line
        where line.queue is not null
          and exists (select 1 from millrace_ready r where r.queue = line.queue and r.is_suspect = 0)
          and not exists (select 1 from millrace_queue q where q.name = line.queue and q.is_paused = 1 and (q.resume_at is null or q.resume_at > @now))
        order by line.queue
        """;

    private const string SuspectQueuesSql = """
        select distinct r.queue
        from millrace_ready r
        where r.is_suspect = 1
          and not exists (select 1 from millrace_queue q where q.name = r.queue and q.is_paused = 1 and (q.resume_at is null or q.resume_at > @now))
        order by r.queue
        """;

    private const string NextTickSql = """
        select min(case when paused_at is null then next_due else max(next_due, resume_at) end)
        from millrace_schedule
        where next_due is not null
          and (paused_at is null or resume_at is not null)
        """;

    private const string AnyRequestSql = "select 1 from millrace_cancel_request";

    public Task<Outlook> LookOutAsync(CancellationToken cancellationToken) => ReadAsync(LookOut, cancellationToken);

    private Outlook LookOut(Session session)
    {
        var now = Now();
        return new Outlook
        {
            ReadyQueues = session.Query(ReadyQueuesSql, row => row.GetString(0), ("@now", now)),
            SuspectQueues = session.Query(SuspectQueuesSql, row => row.GetString(0), ("@now", now)),
            NextDue = session.Number(NextDueSql)?.ToTime(),
            NextTick = session.Number(NextTickSql)?.ToTime(),
            HasCancelRequests = session.Any(AnyRequestSql),
            Now = now.ToTime(),
        };
    }

    private const string LivingSql = "select id, name, beat from millrace_node where dead_at is null order by id";

    private const string LeasesOfTheDeadSql = """
        select l.id, l.node
        from millrace_lease l
        left join millrace_node n on n.id = l.node
        where n.id is null or n.dead_at is not null
        order by l.claimed_at, l.id
        """;

    private const string OwnLeasesSql = "select id from millrace_lease where node = @node order by claimed_at, id";

    private const string IsDrainingSql = "select 1 from millrace_node where id = @id and drain_at is not null";

    public Task<Survey> SurveyAsync(Guid node, CancellationToken cancellationToken) => ReadAsync(session => new Survey
    {
        Expired = [.. session.Query(LivingSql, row => new NodeSighting(row.Guid(0), row.GetString(1), row.GetInt64(2), IsCertain: true)).Where(other => !locks.IsAlive(other.Id))],
        LeasesOfTheDead = session.Query(LeasesOfTheDeadSql, row => new DeadLease(row.Guid(0), row.Guid(1))),
        OwnLeases = session.Query(OwnLeasesSql, row => row.Guid(0), ("@node", node.ToText())),
        IsDraining = session.Any(IsDrainingSql, ("@id", node.ToText())),
        NeedsTidying = NeedsTidying(session, Now()),
    }, cancellationToken);

    // No bell: a node in this process is told by the engine itself, one in another process looks out for itself.
    public Task RingAsync(IReadOnlyCollection<string> queues, CancellationToken cancellationToken) => Task.CompletedTask;
}
