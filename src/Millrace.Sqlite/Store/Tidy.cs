using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    /// <summary>How much of each queue's line is searched for types that no live node knows. They gather at the head, where they cost each claim a look (rule 11).</summary>
    private const int HeadOfLine = 2000;

    private static readonly TimeSpan TombstoneAge = TimeSpan.FromDays(1);

    private static readonly TimeSpan OperationAge = TimeSpan.FromDays(90);

    private static readonly TimeSpan EventAge = TimeSpan.FromMinutes(10);

    public async Task<IReadOnlyList<string>> TidyAsync(CancellationToken cancellationToken)
    {
        var idle = await ReadAsync(session => IdleKeys(session, Now()), cancellationToken).ConfigureAwait(false);
        if (idle.Count > 0)
            await WriteAsync(session => FreeKeys(session, idle, Now()), cancellationToken).ConfigureAwait(false);
        await WriteAsync(session => SetStrangersAside(session, Now()), cancellationToken).ConfigureAwait(false);
        var back = await WriteAsync(session => BringBack(session, LiveTypes(session), Now()), cancellationToken).ConfigureAwait(false);
        back.AddRange(await WriteAsync(session => DecideKeys(session, Now()), cancellationToken).ConfigureAwait(false));
        await WriteAsync(DropNotes, cancellationToken).ConfigureAwait(false);
        while (await WriteAsync(session => DropEvents(session, Now()), cancellationToken).ConfigureAwait(false) == EventsAtOnce)
        {
        }

        await WriteAsync(session => DropOwnerless(session, Now()), cancellationToken).ConfigureAwait(false);
        await WriteAsync(session => EndPauses(session, Now()), cancellationToken).ConfigureAwait(false);
        await WriteAsync(session => EndAbandoned(session, Now()), cancellationToken).ConfigureAwait(false);
        await TidyHistoryAsync(cancellationToken).ConfigureAwait(false);
        await ReadAsync(session => locks.RemoveStale(node => NodeLives(session, node)), cancellationToken).ConfigureAwait(false);
        return [.. back.Select(job => job.Queue).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Folds roll-ups into longer ones, and lets go of what is too old.</summary>
    private async Task TidyHistoryAsync(CancellationToken cancellationToken)
    {
        for (var more = true; more;)
            more = await WriteAsync(session => FoldHour(session, Now()), cancellationToken).ConfigureAwait(false);
        for (var more = true; more;)
            more = await WriteAsync(session => DropHours(session, Now()) > 0, cancellationToken).ConfigureAwait(false);
        await ForgetAsync(Now().ToTime() - OperationAge, cancellationToken).ConfigureAwait(false);
    }

    // ---- what there is to do

    private const string AnyTidyingSql = """
        select 1 from millrace_unique_key where until <= @now
        union all
        select 1 from millrace_waiting where reason = 'key'
        union all
        select 1 from millrace_node where dead_at <= @old
        union all
        select 1 from (select at from millrace_event order by id limit 1) where at < @events
        union all
        select 1 from (select min(bucket) as bucket from millrace_stat_minute) where bucket < @minutes
        union all
        select 1 from (select min(bucket) as bucket from millrace_stat_hour) where bucket < @hours
        union all
        select 1 from (select min(at) as at from millrace_operation) where at < @operations
        union all
        select 1
        from millrace_schedule s
        where s.is_persistent = 0
          and not exists (
              select 1
              from millrace_schedule_owner o
              join millrace_node n on n.id = o.node and n.dead_at is null
              where o.name = s.name)
        limit 1
        """;

    private static bool NeedsTidying(Session session, long now)
    {
        if (session.Any(AnyTidyingSql, ("@now", now), ("@old", now - TombstoneAge.ToMicros()), ("@events", now - EventAge.ToMicros()),
            ("@minutes", now - MinutesAge.ToMicros() - Hour), ("@hours", now - HoursAge.ToMicros()), ("@operations", now - OperationAge.ToMicros())))
            return true;
        if (session.Any(LapsedSql, ("@now", now)) || Abandoned(session, now).Count > 0)
            return true;
        var live = LiveTypes(session);
        return session.Any(WaitingForTypeSql, ("@types", Values.ToTextList(live))) || Strangers(session, live).Count > 0;
    }

    // ---- keys

    // A key is let go when its job has finished: by the end itself as a rule; here when its window is over, or the process died between a
    // completion in the user's transaction and the turn that would have settled it. Searched by the reader, which is in nobody's way.
    private const string IdleKeysSql = """
        select key, job_id
        from millrace_unique_key
        where (until is null or until <= @now)
          and job_id not in (select id from millrace_ready)
          and job_id not in (select id from millrace_scheduled)
          and job_id not in (select id from millrace_waiting)
          and job_id not in (
              select job.value
              from millrace_lease l
              join json_each(l.job_ids) job
              where not exists (
                  select 1
                  from millrace_attempt a
                  where a.job_id = job.value
                    and a.run = json_extract(l.runs, '$[' || job.key || ']')))
        limit 1000
        """;

    private static List<(string Key, long JobId)> IdleKeys(Session session, long now) =>
        session.Query(IdleKeysSql, row => (row.GetString(0), row.GetInt64(1)), ("@now", now));

    private static int FreeKeys(Session session, List<(string Key, long JobId)> keys, long now)
    {
        foreach (var (key, jobId) in keys)
            if (LookAtKey(session, key, UniqueScope.PendingOrRunning, now) is { IsHeld: false } holder && holder.JobId == jobId)
                FreeKey(session, key, jobId, now);
        return keys.Count;
    }

    private const string WaitingForKeySql = """
        select id, queue, priority, type, run, attempt, crashes, is_suspect, due, reason
        from millrace_waiting
        where reason = 'key'
        order by id
        limit 1000
        """;

    private const string KeyOfSql = "select key from millrace_job where id = @id";

    /// <summary>Jobs that wait for a decision about their key. This store never lets one wait; rows may come from a copy of another database (rule 18).</summary>
    /// <returns>Those that may run.</returns>
    private static List<Pending> DecideKeys(Session session, long now)
    {
        var back = new List<Pending>();
        foreach (var job in session.Query(WaitingForKeySql, ReadPending))
        {
            var key = session.First(KeyOfSql, row => row.MaybeText(0) ?? "", ("@id", job.Id));
            if (SuccessorOf(session, key is { Length: > 0 } ? key : null, job.Id) is { } successor)
            {
                EndPending(session, job, Outcome.Superseded, SupersededBy(successor, null), now);
                continue;
            }

            session.Execute(LeaveWaitingSql, ("@id", job.Id));
            Put(session, job, now);
            back.Add(job);
        }

        return back;
    }

    // ---- types

    private const string LiveTypesSql = "select types from millrace_node where dead_at is null";

    private static string[] LiveTypes(Session session) =>
        [.. session.Query(LiveTypesSql, row => row.GetString(0)).SelectMany(Values.FromTextList).Distinct().Order(StringComparer.Ordinal)];

    private const string QueuesInLineSql = """
        with recursive line(queue) as (
            select min(queue) from millrace_ready
            union all
            select (select min(r.queue) from millrace_ready r where r.queue > line.queue) from line where line.queue is not null
        )
        select queue from line where queue is not null
        """;

    private const string StrangersSql = """
        select id, queue, priority, type, run, attempt, crashes, is_suspect, pass, null
        from (
            select id, queue, priority, type, run, attempt, crashes, is_suspect, pass
            from millrace_ready
            where queue = @queue
            order by priority, pass, id
            limit @head
        )
        where type not in (select value from json_each(@types))
        """;

    private static List<Pending> Strangers(Session session, string[] live)
    {
        var types = Values.ToTextList(live);
        var strangers = new List<Pending>();
        foreach (var queue in session.Query(QueuesInLineSql, row => row.GetString(0)))
            strangers.AddRange(session.Query(StrangersSql, ReadPending, ("@queue", queue), ("@head", (long)HeadOfLine), ("@types", types)));
        return strangers;
    }

    private static int SetStrangersAside(Session session, long now)
    {
        var strangers = Strangers(session, LiveTypes(session));
        foreach (var job in strangers)
        {
            session.Execute(LeaveReadySql, ("@id", job.Id));
            PutWaiting(session, job, "type", now);
        }

        return strangers.Count;
    }

    // ---- notes of jobs that do not run any more

    private const string DropRequestsSql = """
        delete from millrace_cancel_request
        where job_id not in (select job.value from millrace_lease l join json_each(l.job_ids) job)
        """;

    private const string DropProgressSql = """
        delete from millrace_progress
        where job_id not in (select job.value from millrace_lease l join json_each(l.job_ids) job)
        """;

    private static int DropNotes(Session session) => session.Execute(DropRequestsSql) + session.Execute(DropProgressSql);

    // ---- what users were told

    private const int EventsAtOnce = 1000;

    // By id, which is as good as by time here and needs no index more.
    private const string DropEventsSql = """
        delete from millrace_event
        where id in (select id from millrace_event order by id limit @limit)
          and at < @old
        """;

    private static int DropEvents(Session session, long now) => session.Execute(DropEventsSql, ("@limit", (long)EventsAtOnce), ("@old", now - EventAge.ToMicros()));

    // ---- what the dead leave behind

    private const string DropSchedulesSql = """
        delete from millrace_schedule
        where is_persistent = 0
          and not exists (
              select 1
              from millrace_schedule_owner o
              join millrace_node n on n.id = o.node and n.dead_at is null
              where o.name = millrace_schedule.name)
        """;

    private const string DropOwnersSql = """
        delete from millrace_schedule_owner
        where name not in (select name from millrace_schedule)
           or node not in (select id from millrace_node where dead_at is null)
        """;

    private const string DropTombstonesSql = """
        delete from millrace_node
        where dead_at <= @old
          and not exists (select 1 from millrace_lease l where l.node = millrace_node.id)
        """;

    private static int DropOwnerless(Session session, long now)
    {
        session.Execute(DropSchedulesSql);
        session.Execute(DropOwnersSql);
        return session.Execute(DropTombstonesSql, ("@old", now - TombstoneAge.ToMicros()));
    }
}
