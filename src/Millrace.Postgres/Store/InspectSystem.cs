using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// What runs the jobs: queues, schedules, nodes, types.
internal sealed partial class PostgresInspection
{
    /// <summary>From line to line along the index of <c>ready</c>: as many steps as there are queues and priorities, however long the lines are.</summary>
    private const string Lanes = """
        lane as (
            (select r.queue, r.priority, r.pass from millrace.ready r order by r.queue, r.priority, r.pass limit 1)
            union all
            select next.queue, next.priority, next.pass
            from lane
            cross join lateral (
                select r.queue, r.priority, r.pass
                from millrace.ready r
                where (r.queue, r.priority) > (lane.queue, lane.priority)
                order by r.queue, r.priority, r.pass
                limit 1) next
        )
        """;

    /// <summary>What leases list and has not ended.</summary>
    private const string AllRunning = """
        running as materialized (
            select u.job_id, u.run, u.attempt, l.node, l.claimed_at
            from millrace.lease l
            cross join lateral unnest(l.job_ids, l.runs, l.attempts) as u(job_id, run, attempt)
            where not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
        )
        """;

    private const string ReadQueues = $"""
        with recursive {Lanes},
        {AllRunning},
        lined_up as (
            select line.queue, timestamptz 'epoch' + line.oldest * interval '1 microsecond' as oldest, (
                       select count(*)
                       from (select from millrace.ready r where r.queue = line.queue limit 100000) head) as count
            from (select lane.queue, min(lane.pass) as oldest from lane group by lane.queue) line
        ),
        put_off as (
            select s.queue, least(count(*), 100000) as count
            from (select queue from millrace.scheduled limit 1000000) s
            group by s.queue
        ),
        held as (
            select w.queue, least(count(*), 100000) as count
            from (select queue from millrace.waiting limit 1000000) w
            group by w.queue
        ),
        busy as (
            select j.queue, count(*) as count, count(*) filter (where j.due >= @since) as young
            from running
            join millrace.job j on j.id = running.job_id
            group by j.queue
        ),
        served as (
            select q.name as queue, count(*) filter (where n.drain_at is null) as count
            from millrace.node n
            cross join lateral unnest(n.queues) as q(name)
            where n.dead_at is null and n.expires_at > @now
            group by q.name
        ),
        paused as (
            select q.name as queue, coalesce(q.paused_at, @now) as since, q.paused_by, q.pause_reason, q.resume_at
            from millrace.queue q
            where q.is_paused and coalesce(q.resume_at > @now, true)
        ),
        ended as (
            select m.queue, coalesce(sum(m.count) filter (where m.bucket > @now - interval '5 minutes'), 0) as recent,
                   coalesce(sum(m.count) filter (where m.outcome in ('failed', 'discarded', 'interrupted')), 0) as failed
            from millrace.stat_minute m
            where m.bucket > @now - interval '1 hour'
            group by m.queue
        ),
        known as (
            select queue from lined_up
            union select queue from put_off
            union select queue from held
            union select queue from busy
            union select queue from served
            union select queue from paused
        )
        select known.queue, coalesce(lined_up.count, 0), lined_up.oldest, coalesce(put_off.count, 0), coalesce(held.count, 0), coalesce(busy.count, 0),
               coalesce(ended.recent, 0)::double precision / 5, coalesce(ended.failed, 0)::bigint, coalesce(served.count, 0)::integer,
               paused.since, paused.paused_by, paused.pause_reason, paused.resume_at, coalesce(busy.young, 0)
        from known
        left join lined_up on lined_up.queue = known.queue
        left join put_off on put_off.queue = known.queue
        left join held on held.queue = known.queue
        left join busy on busy.queue = known.queue
        left join served on served.queue = known.queue
        left join paused on paused.queue = known.queue
        left join ended on ended.queue = known.queue
        order by known.queue collate "C"
        limit 1000
        """;

    // From the end of each line: its newest stand there.
    private const string ReadArrivals = $"""
        with recursive {Lanes}
        select lane.queue, newest.count, timestamptz 'epoch' + newest.oldest * interval '1 microsecond'
        from lane
        cross join lateral (
            select count(*) as count, min(line.pass) as oldest
            from (
                select r.pass
                from millrace.ready r
                where r.queue = lane.queue and r.priority = lane.priority and r.pass >= (extract(epoch from @since) * 1000000)::bigint
                order by r.pass desc
                limit @most) line) newest
        where newest.count > 0
        """;

    private const string ReadSchedules = $"""
        select {PostgresStore.ScheduleColumns}, created, (
                   select count(*)
                   from millrace.schedule_owner o
                   where o.name = schedule.name and not is_persistent)::integer
        from millrace.schedule
        order by name collate "C"
        limit 1000
        """;

    private const string ReadScheduleRuns = $"""
        with candidate as materialized (
            select j.id
            from millrace.job j
            where j.schedule = @name and not exists (select from millrace.deleted_job d where d.job_id = j.id)
            order by j.id desc
            limit @limit
        ),
        {Standing.Running}
        select {Standing.Row}
        from candidate c
        {Standing.Joins}
        order by j.id desc
        """;

    private const string ReadWorkers = """
        select n.id, n.name, n.kind, n.server, n.started_at, n.dead_at is null and n.expires_at > @now, n.expires_at, n.dead_at, n.is_idle, n.queues, n.types,
               n.drain_at, n.drain_by, n.drain_reason, null::timestamptz, n.application, n.version, n.cpu, n.memory, n.pool_queue
        from millrace.node n
        where n.dead_at is null or n.dead_at > @now - interval '1 hour'
        order by n.started_at, n.id
        limit 1000
        """;

    private const string ReadRunning = $"""
        with {AllRunning},
        numbered as materialized (
            select running.job_id, running.run, running.attempt, running.node, running.claimed_at,
                   row_number() over (partition by running.node order by running.claimed_at, running.job_id) as place,
                   count(*) over (partition by running.node) as total
            from running
        )
        select b.node, b.total, b.job_id, j.type, b.attempt, b.claimed_at, p.percent
        from numbered b
        join millrace.job j on j.id = b.job_id
        left join millrace.progress p on p.job_id = b.job_id and p.run = b.run
        where b.place <= 200
        order by b.node, b.place
        """;

    private const string ReadTypes = """
        with live as materialized (
            select known.type, count(distinct n.id) as nodes, array_remove(array_agg(distinct q.name order by q.name), null) as queues
            from millrace.node n
            cross join lateral unnest(n.types) as known(type)
            left join lateral unnest(n.queues) as q(name) on true
            where n.dead_at is null and n.expires_at > @now
            group by known.type
        )
        select t.name, t.aliases, t.queue, t.max_attempts, (extract(epoch from t.timeout) * 1000000)::bigint, t.retry, t.is_isolated, t.schema, t.first_seen, t.last_seen,
               coalesce(live.nodes, 0)::integer, coalesce(live.queues, array[]::text[])
        from millrace.job_type t
        left join live on live.type = t.name
        order by t.name collate "C"
        limit 1000
        """;

    // A snapshot tells which transactions have ended: two of them are the same only when none that wrote anything has ended in between, anywhere on this server.
    private const string ReadPulse = "select pg_current_snapshot()::text";

    public Task<IReadOnlyList<QueueRecord>> ReadQueuesAsync(CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<QueueRecord>>("read queues", async look =>
        {
            var arrivals = new Arrivals(look.Now);
            var queues = await look.ReadAsync(ReadQueues, [look.At(), At("since", arrivals.Since)], reader => QueueAt(reader, arrivals), cancellationToken).ConfigureAwait(false);
            await look.ReadAsync(ReadArrivals, [At("since", arrivals.Since), Int("most", Arrivals.Most)], reader =>
            {
                arrivals.AddReady(reader.GetString(0), reader.GetInt64(1), TimeAt(reader, 2));
                return true;
            }, cancellationToken).ConfigureAwait(false);
            foreach (var row in await StatsAsync(look, new StatQuery { From = arrivals.Since, To = arrivals.Since.AddMinutes(6), Step = TimeSpan.FromMinutes(1), ByQueue = true }, cancellationToken).ConfigureAwait(false))
                arrivals.AddEnded(row);
            return [.. queues.Select(queue => queue with { ArrivalsPerMinute = arrivals.PerMinute(queue.Name) })];
        }, cancellationToken);

    public Task<IReadOnlyList<ScheduleRecord>> ReadSchedulesAsync(CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<ScheduleRecord>>("read schedules", async look => await look.ReadAsync(
            ReadSchedules, [], static reader => new ScheduleRecord(PostgresStore.ScheduleAt(reader), TimeAt(reader, 24), reader.GetInt32(25)), cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task<IReadOnlyList<JobRow>> ReadScheduleRunsAsync(string name, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 200);
        return LookAsync<IReadOnlyList<JobRow>>("read the runs of a schedule", async look => Matching.IsStorable(name)
            ? await look.ReadAsync(ReadScheduleRuns, [Text("name", name), Int("limit", limit)], static reader => Standing.RowAt(reader, 0), cancellationToken).ConfigureAwait(false)
            : [], cancellationToken);
    }

    public Task<IReadOnlyList<WorkerRecord>> ReadWorkersAsync(CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<WorkerRecord>>("read nodes", async look =>
        {
            var running = (await look.ReadAsync(
                ReadRunning, [],
                static reader => (Node: reader.GetGuid(0), Total: reader.GetInt64(1), Row: new RunningRow(
                    reader.GetInt64(2), reader.GetString(3), reader.GetInt32(4), TimeAt(reader, 5), reader.IsDBNull(6) ? null : reader.GetDouble(6))),
                cancellationToken).ConfigureAwait(false)).ToLookup(static row => row.Node);
            var workers = await look.ReadAsync(ReadWorkers, [look.At()], WorkerAt, cancellationToken).ConfigureAwait(false);
            return [.. workers.Select(worker => worker with
            {
                RunningCount = (int)running[worker.Id].Select(static row => row.Total).FirstOrDefault(),
                Running = [.. running[worker.Id].Select(static row => row.Row)],
            })];
        }, cancellationToken);

    public Task<IReadOnlyList<TypeRecord>> ReadTypesAsync(CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<TypeRecord>>("read types", async look => await look.ReadAsync(ReadTypes, [look.At()], static reader => new TypeRecord(
            new TypeDescription
            {
                Name = reader.GetString(0),
                Aliases = reader.GetFieldValue<string[]>(1),
                Queue = reader.GetString(2),
                MaxAttempts = reader.GetInt32(3),
                Timeout = LongOrNullAt(reader, 4) is { } micros ? TimeSpan.FromMicroseconds(micros) : null,
                Retry = TextAt(reader, 5),
                IsIsolated = reader.GetBoolean(6),
                Schema = TextAt(reader, 7),
            },
            TimeAt(reader, 8), TimeAt(reader, 9), reader.GetInt32(10), reader.GetFieldValue<string[]>(11)), cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task<string> ReadPulseAsync(CancellationToken cancellationToken) =>
        LookAsync("feel the pulse", look => look.OneAsync(ReadPulse, [], static reader => reader.GetString(0), cancellationToken), cancellationToken);

    public Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken) =>
        LookAsync("read the clock", static look => Task.FromResult(look.Now), cancellationToken);

    private static QueueRecord QueueAt(NpgsqlDataReader reader, Arrivals arrivals)
    {
        arrivals.AddRunning(reader.GetString(0), reader.GetInt64(13));
        return new QueueRecord
        {
            Name = reader.GetString(0),
            Ready = reader.GetInt64(1),
            OldestReady = TimeOrNullAt(reader, 2),
            Scheduled = reader.GetInt64(3),
            Waiting = reader.GetInt64(4),
            Running = reader.GetInt64(5),
            EndsPerMinute = reader.GetDouble(6),
            FailedLastHour = reader.GetInt64(7),
            Nodes = reader.GetInt32(8),
            Pause = PauseAt(reader, 9),
        };
    }

    private static WorkerRecord WorkerAt(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetGuid(0),
        Name = reader.GetString(1),
        Kind = reader.GetString(2) == "server" ? NodeKind.Server : NodeKind.Worker,
        Server = UuidAt(reader, 3),
        Started = TimeAt(reader, 4),
        IsAlive = reader.GetBoolean(5),
        Expires = TimeAt(reader, 6),
        Died = TimeOrNullAt(reader, 7),
        IsIdle = reader.GetBoolean(8),
        Queues = reader.GetFieldValue<string[]>(9),
        Types = reader.GetFieldValue<string[]>(10),
        Drain = PauseAt(reader, 11),
        Application = TextAt(reader, 15),
        Version = TextAt(reader, 16),
        Load = LongOrNullAt(reader, 18) is { } memory ? new ProcessLoad(reader.IsDBNull(17) ? null : reader.GetDouble(17), memory, LongOrNullAt(reader, 19) ?? 0) : null,
    };
}
