using Millrace.Storage;

namespace Millrace.Sqlite;

// What people hold up: queues, schedules, nodes. A pause whose end has come counts as none.
internal sealed partial class SqliteStore
{
    // ---- queues

    private const string PauseSql = """
        insert into millrace_queue (name, is_paused, paused_at, paused_by, pause_reason, resume_at)
        values (@name, 1, @now, @by, @reason, @until)
        on conflict (name) do update set is_paused = 1, paused_at = @now, paused_by = @by, pause_reason = @reason, resume_at = @until
        """;

    private const string ResumeSql = """
        update millrace_queue
        set is_paused = 0, paused_at = null, paused_by = null, pause_reason = null, resume_at = null
        where name = @name
        """;

    private const string PauseOfQueueSql = """
        select coalesce(paused_at, 0), paused_by, pause_reason, resume_at
        from millrace_queue
        where name = @name
          and is_paused = 1
          and (resume_at is null or resume_at > @now)
        """;

    // By code: there is nobody to record.
    public Task PauseQueueAsync(string queue, bool isPaused, CancellationToken cancellationToken) => WriteAsync(session =>
    {
        var now = Now();
        if (!isPaused)
            session.Execute(ResumeSql, ("@name", queue));
        else if (FindPause(session, PauseOfQueueSql, queue, now) is not { Until: null })
            session.Execute(PauseSql, ("@name", queue), ("@now", now), ("@by", null), ("@reason", null), ("@until", null));
        return isPaused;
    }, cancellationToken);

    public Task<bool> PauseQueueAsync(string queue, bool isPaused, DateTimeOffset? until, Author author, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        ArgumentNullException.ThrowIfNull(author);
        return WriteAsync(session => PauseQueue(session, queue, isPaused, isPaused ? until : null, author, Now()), cancellationToken);
    }

    private static bool PauseQueue(Session session, string queue, bool isPaused, DateTimeOffset? until, Author author, long now)
    {
        var before = FindPause(session, PauseOfQueueSql, queue, now);
        if (IsSo(before, isPaused, until))
            return false;
        if (isPaused)
            session.Execute(PauseSql, ("@name", queue), ("@now", now), ("@by", author.Name), ("@reason", author.Reason), ("@until", until?.ToMicros()));
        else
            session.Execute(ResumeSql, ("@name", queue));
        Record(session, isPaused ? OperationKind.PauseQueue : OperationKind.ResumeQueue, author, $"queue {queue}", before, isPaused, until, now);
        return true;
    }

    private static Pause? FindPause(Session session, string sql, string name, long now) =>
        session.Query(sql, row => row.MaybePause(0), ("@name", name), ("@now", now)) is [var pause] ? pause : null;

    // A pause with another end is another pause.
    private static bool IsSo(Pause? before, bool isPaused, DateTimeOffset? until) => before is null ? !isPaused : isPaused && before.Until?.ToMicros() == until?.ToMicros();

    private static void Record(Session session, OperationKind kind, Author author, string target, Pause? before, bool isPaused, DateTimeOffset? until, long now) =>
        Insert(session, kind, author, target, now, done: 0, before: AuditText.Of(before), after: AuditText.Of(isPaused ? new Pause(now.ToTime(), author.Name, author.Reason, until) : null));

    // ---- schedules

    // Ticks of an earlier pause that nobody has decided about yet stay in the pause.
    private const string PauseScheduleSql = """
        update millrace_schedule
        set paused_at = iif(paused_at is not null and next_due <= @now, paused_at, @now), paused_by = @by, pause_reason = @reason, resume_at = @until
        where name = @name
        """;

    // Its pause is over, and not forgotten: whoever plans the next tick skips those that fell into it, and then it is.
    private const string ResumeScheduleSql = "update millrace_schedule set resume_at = @now where name = @name";

    private const string PauseOfScheduleSql = """
        select paused_at, paused_by, pause_reason, resume_at
        from millrace_schedule
        where name = @name
          and paused_at is not null
          and (resume_at is null or resume_at > @now)
        """;

    private const string HasScheduleSql = "select 1 from millrace_schedule where name = @name";

    public Task<bool?> PauseScheduleAsync(string name, bool isPaused, DateTimeOffset? until, Author author, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(author);
        return WriteAsync(session => PauseSchedule(session, name, isPaused, isPaused ? until : null, author, Now()), cancellationToken);
    }

    private static bool? PauseSchedule(Session session, string name, bool isPaused, DateTimeOffset? until, Author author, long now)
    {
        if (!session.Any(HasScheduleSql, ("@name", name)))
            return null;
        var before = FindPause(session, PauseOfScheduleSql, name, now);
        if (IsSo(before, isPaused, until))
            return false;
        if (isPaused)
            session.Execute(PauseScheduleSql, ("@name", name), ("@now", now), ("@by", author.Name), ("@reason", author.Reason), ("@until", until?.ToMicros()));
        else
            session.Execute(ResumeScheduleSql, ("@name", name), ("@now", now));
        Record(session, isPaused ? OperationKind.PauseSchedule : OperationKind.ResumeSchedule, author, $"schedule {name}", before, isPaused, until, now);
        return true;
    }

    public Task<SubmitAnswer?> RunScheduleAsync(string name, NewJob job, Author author, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(author);
        return WriteAsync(session => RunSchedule(session, name, job with { Schedule = name }, author, Now()), cancellationToken);
    }

    private const string HasRunSql = "select 1 from millrace_operation where job_id = @id and kind = 'run_schedule'";

    private static SubmitAnswer? RunSchedule(Session session, string name, NewJob job, Author author, long now)
    {
        if (!session.Any(HasScheduleSql, ("@name", name)))
            return null;
        var answer = Submit(session, [job], now)[0];
        // A call that is repeated because its answer was lost is recorded once.
        var isRecorded = answer.State == SubmitState.IdTaken || (answer.State == SubmitState.Created && session.Any(HasRunSql, ("@id", answer.Id)));
        if (!isRecorded)
            Insert(session, OperationKind.RunSchedule, author, $"schedule {name}", now, done: 1, jobId: answer.Id, after: AuditText.Of(answer));
        return answer;
    }

    // ---- nodes

    // A server with its worker processes, which run its jobs.
    private const string DrainSql = """
        update millrace_node
        set drain_at = @at, drain_by = @by, drain_reason = @reason
        where id = @id
           or (server = @id and dead_at is null)
        """;

    private const string DrainOfSql = "select name, drain_at from millrace_node where id = @id and dead_at is null";

    public Task<bool?> DrainAsync(Guid node, bool isDraining, Author author, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(author);
        return WriteAsync(session => Drain(session, node, isDraining, author, Now()), cancellationToken);
    }

    private bool? Drain(Session session, Guid node, bool isDraining, Author author, long now)
    {
        var known = session.Query(DrainOfSql, row => (Name: row.GetString(0), IsDraining: !row.IsDBNull(1)), ("@id", node.ToText()));
        if (known.Count == 0 || !locks.IsAlive(node))
            return null;
        if (known[0].IsDraining == isDraining)
            return false;
        session.Execute(DrainSql, ("@id", node.ToText()), ("@at", isDraining ? now : null), ("@by", isDraining ? author.Name : null), ("@reason", isDraining ? author.Reason : null));
        Insert(session, isDraining ? OperationKind.Drain : OperationKind.Undrain, author, $"worker {known[0].Name}", now, done: 0);
        return true;
    }

    // ---- pauses whose end has come

    private const string LapsedSql = """
        select 1 from millrace_queue where resume_at <= @now
        union all
        select 1 from millrace_schedule where resume_at <= @now and (next_due is null or next_due > @now)
        """;

    private const string EndPausesSql = """
        update millrace_queue
        set is_paused = 0, paused_at = null, paused_by = null, pause_reason = null, resume_at = null
        where resume_at <= @now
        """;

    // One that has ticks to decide about keeps its pause until the next tick: it says which of them to skip.
    private const string EndSchedulePausesSql = """
        update millrace_schedule
        set paused_at = null, paused_by = null, pause_reason = null, resume_at = null
        where resume_at <= @now
          and (next_due is null or next_due > @now)
        """;

    private static int EndPauses(Session session, long now) => session.Execute(EndPausesSql, ("@now", now)) + session.Execute(EndSchedulePausesSql, ("@now", now));
}
