using Millrace.Storage;

namespace Millrace.Sqlite;

// Queues, schedules, workers, types.
internal sealed partial class SqliteInspection
{
    public Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken) => store.ReadClockAsync(cancellationToken);

    // ---- nodes

    private const string LivingSql = "select id, name, types, queues, drain_at from millrace_node where dead_at is null order by started_at, id";

    private sealed record LivingNode(Guid Id, string Name, HashSet<string> Types, HashSet<string> Queues, bool IsDraining);

    private List<LivingNode> Living(Session session) =>
        [.. session.Query(LivingSql, row => new LivingNode(row.Guid(0), row.GetString(1), [.. Values.FromTextList(row.GetString(2))], [.. Values.FromTextList(row.GetString(3))], !row.IsDBNull(4)))
            .Where(node => store.IsAlive(node.Id))];

    private const string WorkersSql = """
        select id, name, kind, server, started_at, dead_at, drain_at, drain_by, drain_reason, queues, types, application, version, cpu, memory, pool_queue
        from millrace_node
        where dead_at is null or dead_at > @since
        order by started_at, id
        limit 1000
        """;

    private const string RunningSql = $"""
        with {Standing.Leased}
        select l.node, l.id, coalesce(j.type, ''), l.attempt, l.claimed_at, p.percent
        from leased l
        left join millrace_job j on j.id = l.id
        left join millrace_progress p on p.job_id = l.id and p.run = l.run
        order by l.claimed_at, l.id
        """;

    public Task<IReadOnlyList<WorkerRecord>> ReadWorkersAsync(CancellationToken cancellationToken) => LookAsync<IReadOnlyList<WorkerRecord>>(Workers, cancellationToken);

    private List<WorkerRecord> Workers(Session session)
    {
        var running = session.Query(RunningSql, row => (Node: row.Guid(0), Row: new RunningRow(
            row.GetInt64(1), row.GetString(2), row.GetInt32(3), row.Time(4), row.IsDBNull(5) ? null : row.GetDouble(5)))).ToLookup(row => row.Node, row => row.Row);
        var workers = session.Query(WorkersSql, row => new WorkerRecord
        {
            Id = row.Guid(0),
            Name = row.GetString(1),
            Kind = row.GetString(2) == "worker" ? NodeKind.Worker : NodeKind.Server,
            Server = row.MaybeGuid(3),
            Started = row.Time(4),
            IsAlive = row.IsDBNull(5),
            Died = row.MaybeTime(5),
            Drain = row.IsDBNull(6) ? null : new Pause(row.Time(6), row.MaybeText(7), row.MaybeText(8), null),
            Queues = Values.FromTextList(row.GetString(9)),
            Types = Values.FromTextList(row.GetString(10)),
            Application = row.MaybeText(11),
            Version = row.MaybeText(12),
            Load = row.MaybeNumber(14) is { } memory ? new ProcessLoad(row.IsDBNull(13) ? null : row.GetDouble(13), memory, row.MaybeNumber(15) ?? 0) : null,
        }, ("@since", store.Now() - TimeSpan.FromHours(1).ToMicros()));
        return [.. workers.Select(worker => worker with
        {
            IsAlive = worker.IsAlive && store.IsAlive(worker.Id),
            // Nodes do not say so in this store, which nobody rings: what they run says it.
            IsIdle = worker.IsAlive && worker.Queues.Count > 0 && !running[worker.Id].Any(),
            RunningCount = running[worker.Id].Count(),
            Running = [.. running[worker.Id].Take(200)],
        })];
    }

    // ---- queues

    // A step for each queue and priority along the primary key, however many rows are ready.
    private const string LinesSql = """
        with recursive line (queue, priority) as (
            select * from (select queue, priority from millrace_ready order by queue, priority limit 1)
            union all
            select (select r.queue from millrace_ready r where (r.queue, r.priority) > (line.queue, line.priority) order by r.queue, r.priority limit 1),
                   (select r.priority from millrace_ready r where (r.queue, r.priority) > (line.queue, line.priority) order by r.queue, r.priority limit 1)
            from line
            where line.queue is not null
        )
        select queue, priority, (select min(r.pass) from millrace_ready r where r.queue = line.queue and r.priority = line.priority)
        from line
        where queue is not null
        """;

    /// <summary>The longest wait in each queue, by priority. Several rows for a queue with several.</summary>
    private static List<(string Queue, long Priority, long? Oldest)> Lines(Session session) => session.Query(LinesSql, row => (row.GetString(0), row.GetInt64(1), row.MaybeNumber(2)));

    private const string CountReadySql = "select count(*) from (select 1 from millrace_ready where queue = @queue limit @cap)";

    private const string CountScheduledSql = "select queue, count(*) from (select queue from millrace_scheduled limit @cap) group by queue";

    private const string CountWaitingSql = "select queue, count(*) from (select queue from millrace_waiting limit @cap) group by queue";

    private const string CountRunningSql = $"""
        with {Standing.Leased}
        select j.queue, count(*), sum(j.due >= @since)
        from leased l
        cross join millrace_job j on j.id = l.id
        group by j.queue
        """;

    // From the end of each line: its newest stand there.
    private const string NewestReadySql = """
        select count(*), min(pass)
        from (select pass from millrace_ready where queue = @queue and priority = @priority and pass >= @since order by pass desc limit @most)
        """;

    private const string PausesSql = """
        select name, coalesce(paused_at, 0), paused_by, pause_reason, resume_at
        from millrace_queue
        where is_paused = 1
          and (resume_at is null or resume_at > @now)
        """;

    private const string RatesSql = """
        select queue, sum(iif(bucket > @minutes, count, 0)), sum(iif(outcome in ('failed', 'discarded', 'interrupted'), count, 0))
        from millrace_stat_minute
        where bucket > @hour
        group by queue
        """;

    public Task<IReadOnlyList<QueueRecord>> ReadQueuesAsync(CancellationToken cancellationToken) => LookAsync<IReadOnlyList<QueueRecord>>(Queues, cancellationToken);

    private List<QueueRecord> Queues(Session session)
    {
        var now = store.Now();
        var lines = Lines(session);
        var oldest = lines.GroupBy(line => line.Queue).ToDictionary(line => line.Key, line => line.Min(part => part.Oldest));
        var arrivals = new Arrivals(now.ToTime());
        var (scheduled, waiting, running) = (CountBy(session, CountScheduledSql), CountBy(session, CountWaitingSql), CountRunning(session, arrivals));
        CountArrivals(session, arrivals, lines.Select(line => (line.Queue, line.Priority)));
        var (pauses, rates, living) = (Pauses(session, now), Rates(session, now), Living(session));
        var names = oldest.Keys.Concat(scheduled.Keys).Concat(waiting.Keys).Concat(running.Keys).Concat(pauses.Keys).Concat(living.SelectMany(node => node.Queues));
        return [.. names.Distinct().Order(StringComparer.Ordinal).Take(1000).Select(name => new QueueRecord
        {
            Name = name,
            Ready = oldest.ContainsKey(name) ? session.Number(CountReadySql, ("@queue", name), ("@cap", (long)JobCounts.Cap)) ?? 0 : 0,
            OldestReady = oldest.GetValueOrDefault(name)?.ToTime(),
            Scheduled = scheduled.GetValueOrDefault(name),
            Waiting = waiting.GetValueOrDefault(name),
            Running = running.GetValueOrDefault(name),
            EndsPerMinute = rates.GetValueOrDefault(name).EndsPerMinute,
            ArrivalsPerMinute = arrivals.PerMinute(name),
            FailedLastHour = rates.GetValueOrDefault(name).FailedLastHour,
            Nodes = living.Count(node => !node.IsDraining && node.Queues.Contains(name)),
            Pause = pauses.GetValueOrDefault(name),
        })];
    }

    private static Dictionary<string, long> CountRunning(Session session, Arrivals arrivals)
    {
        var rows = session.Query(CountRunningSql, row => (Queue: row.GetString(0), Count: row.GetInt64(1), Young: row.GetInt64(2)), ("@since", arrivals.Since.ToMicros()));
        foreach (var row in rows)
            arrivals.AddRunning(row.Queue, row.Young);
        return rows.ToDictionary(row => row.Queue, row => row.Count);
    }

    private static void CountArrivals(Session session, Arrivals arrivals, IEnumerable<(string Queue, long Priority)> lines)
    {
        foreach (var (queue, priority) in lines)
        {
            var newest = session.Query(NewestReadySql, row => (Count: row.GetInt64(0), Oldest: row.MaybeTime(1)),
                ("@queue", queue), ("@priority", priority), ("@since", arrivals.Since.ToMicros()), ("@most", (long)Arrivals.Most));
            if (newest is [{ Oldest: { } oldest } one])
                arrivals.AddReady(queue, one.Count, oldest);
        }

        foreach (var row in Stats(session, new StatQuery { From = arrivals.Since, To = arrivals.Since.AddMinutes(6), Step = TimeSpan.FromMinutes(1), ByQueue = true }))
            arrivals.AddEnded(row);
    }

    private static Dictionary<string, long> CountBy(Session session, string sql) =>
        session.Query(sql, row => (row.GetString(0), row.GetInt64(1)), ("@cap", (long)JobCounts.Cap)).ToDictionary();

    private static Dictionary<string, Pause> Pauses(Session session, long now) =>
        session.Query(PausesSql, row => (row.GetString(0), new Pause(row.Time(1), row.MaybeText(2), row.MaybeText(3), row.MaybeTime(4))), ("@now", now)).ToDictionary();

    /// <summary>How fast each queue is, over the last five minutes, and how often something in it failed within the hour.</summary>
    private static Dictionary<string, (double EndsPerMinute, long FailedLastHour)> Rates(Session session, long now) =>
        session.Query(RatesSql, row => (row.GetString(0), (row.GetInt64(1) / 5.0, row.GetInt64(2))),
            ("@minutes", now - TimeSpan.FromMinutes(5).ToMicros()), ("@hour", now - TimeSpan.FromHours(1).ToMicros())).ToDictionary();

    // ---- schedules

    private const string SchedulesSql = """
        select name, version, cron, zone, is_persistent, missed_ticks, type, tag, user_id, queue, priority, data, policy, headers, next_due, last_tick,
               key, on_conflict, scope, key_window, paused_at, paused_by, pause_reason, resume_at, created,
               (select count(*) from millrace_schedule_owner o where o.name = millrace_schedule.name and millrace_schedule.is_persistent = 0)
        from millrace_schedule
        order by name
        limit 1000
        """;

    public Task<IReadOnlyList<ScheduleRecord>> ReadSchedulesAsync(CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<ScheduleRecord>>(session => session.Query(SchedulesSql, row => new ScheduleRecord(SqliteStore.ReadSchedule(row), row.Time(24), row.GetInt32(25))), cancellationToken);

    private const string ScheduleRunsSql = """
        select j.id
        from millrace_job j
        where j.schedule = @name
          and not exists (select 1 from millrace_deleted_job d where d.job_id = j.id)
        order by j.id desc
        limit @limit
        """;

    public Task<IReadOnlyList<JobRow>> ReadScheduleRunsAsync(string name, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 200);
        return LookAsync<IReadOnlyList<JobRow>>(session =>
            Rows(session, session.Query(ScheduleRunsSql, row => row.GetInt64(0), ("@name", name), ("@limit", (long)limit))), cancellationToken);
    }
}
