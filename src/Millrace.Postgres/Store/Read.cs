using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

internal sealed partial class PostgresStore
{
    // Where a job is, from its rows in the places. The last run decides about finality.
    private const string Records = """
        select j.id, j.type, j.tag, j.user_id, j.queue, j.priority, j.data, coalesce(s.due, w.due, j.due), j.created,
               case when w.id is not null then 'waiting' when s.id is not null then 'scheduled' when r.id is not null then 'ready' when running.run is not null then 'running'
                    else last.outcome end,
               w.reason, coalesce(w.attempt, s.attempt, r.attempt, running.attempt, last.attempt, 1), last.outcome, last.result, last.error,
               j.headers, j.parent, j.schedule, p.percent, p.message
        from chosen
        join millrace.job j on j.id = chosen.id
        left join millrace.waiting w on w.id = j.id
        left join millrace.scheduled s on s.id = j.id
        left join millrace.ready r on r.id = j.id
        left join lateral (
            select u.run, u.attempt
            from millrace.lease l
            cross join lateral unnest(l.job_ids, l.runs, l.attempts) as u(job_id, run, attempt)
            where l.job_ids @> array[j.id]
                and u.job_id = j.id
                and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
            limit 1) running on true
        left join lateral (
            select a.run, a.attempt, a.outcome, a.result, a.error
            from millrace.attempt a
            where a.job_id = j.id
            order by a.run desc
            limit 1) last on true
        left join millrace.progress p on p.job_id = j.id and running.run is not null and p.run = running.run
        order by j.id
        """;

    private const string Find = $"""
        with chosen as materialized (
            select @id::bigint as id
        )
        {Records}
        """;

    private const string Filter = """
        j.id > @after
                and (@type::text is null or j.type = @type)
                and (@tag::text is null or j.tag = @tag)
                and (@queue::text is null or j.queue = @queue)
        """;

    private const string ListAll = $"""
        with chosen as materialized (
            select j.id
            from millrace.job j
            where {Filter}
            order by j.id
            limit @limit
        )
        {Records}
        """;

    private const string ListTagged = $"""
        with tagged as materialized (
            select j.id, j.type, j.tag, j.queue
            from millrace.job j
            where j.tag = @tag
        ),
        chosen as materialized (
            select j.id
            from tagged j
            where {Filter}
            order by j.id
            limit @limit
        )
        {Records}
        """;

    private const string ListIn = $"""
        with chosen as materialized (
            select j.id
            from millrace.job j
            where {Filter}
                and exists (select from millrace.place p where p.id = j.id)
            order by j.id
            limit @limit
        )
        {Records}
        """;

    private static readonly string ListReady = ListIn.Replace("millrace.place", "millrace.ready", StringComparison.Ordinal);

    private static readonly string ListScheduled = ListIn.Replace("millrace.place", "millrace.scheduled", StringComparison.Ordinal);

    private static readonly string ListWaiting = ListIn.Replace("millrace.place", "millrace.waiting", StringComparison.Ordinal);

    private const string ListRunning = $"""
        with running as materialized (
            select distinct u.job_id as id
            from millrace.lease l
            cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
            where not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
        ),
        chosen as materialized (
            select j.id
            from running
            join millrace.job j on j.id = running.id
            where {Filter}
            order by j.id
            limit @limit
        )
        {Records}
        """;

    private const string ListFinished = $"""
        with chosen as materialized (
            select j.id
            from millrace.job j
            where {Filter}
                and (select a.outcome from millrace.attempt a where a.job_id = j.id order by a.run desc limit 1) = any(@outcomes)
                and not exists (select from millrace.ready p where p.id = j.id)
                and not exists (select from millrace.scheduled p where p.id = j.id)
                and not exists (select from millrace.waiting p where p.id = j.id)
                and not exists (
                    select
                    from millrace.lease l
                    cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
                    where l.job_ids @> array[j.id]
                        and u.job_id = j.id
                        and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
            order by j.id
            limit @limit
        )
        {Records}
        """;

    private const string ReadAttempts = """
        select job_id, run, attempt, charged, outcome, started, finished, node, result, error
        from millrace.attempt
        where job_id = @id
        order by run
        """;

    private const string ReadLog = """
        select job_id, run, line, at, level, category, message, properties, exception
        from millrace.job_log
        where job_id = @id
        order by run, line
        limit 10000
        """;

    // From line to line along the index; within one, counting stops at 100,000.
    private const string ReadDepths = """
        with recursive lane as (
            (select r.queue, r.priority from millrace.ready r order by r.queue, r.priority limit 1)
            union all
            select next.queue, next.priority
            from lane
            cross join lateral (
                select r.queue, r.priority
                from millrace.ready r
                where (r.queue, r.priority) > (lane.queue, lane.priority)
                order by r.queue, r.priority
                limit 1) next
        ),
        lined_up as (
            select line.queue, counted.count, (
                       select min(first.pass)
                       from lane
                       cross join lateral (
                           select r.pass
                           from millrace.ready r
                           where r.queue = lane.queue and r.priority = lane.priority
                           order by r.pass
                           limit 1) first
                       where lane.queue = line.queue) as oldest
            from (select distinct queue from lane) line
            cross join lateral (
                select count(*)
                from (select from millrace.ready r where r.queue = line.queue limit 100000) head) counted
        ),
        put_off as (
            select s.queue, least(count(*), 100000) as count
            from (select queue from millrace.scheduled limit 1000000) s
            group by s.queue
        )
        select coalesce(l.queue, p.queue), coalesce(l.count, 0), timestamptz 'epoch' + l.oldest * interval '1 microsecond', coalesce(p.count, 0)
        from lined_up l
        full join put_off p on p.queue = l.queue
        order by 1
        """;

    public Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken) =>
        WorkAsync("read the clock", async session => (await ReadAsync(
            session.Connection, ReadClock, [Now()], static reader => TimeAt(reader, 0), cancellationToken).ConfigureAwait(false))[0], cancellationToken);

    public Task<JobRecord?> FindAsync(long jobId, CancellationToken cancellationToken) =>
        WorkAsync("find a job", async session => (await ReadAsync(
            session.Connection, Find, [Long("id", jobId)], RecordAt, cancellationToken).ConfigureAwait(false)).FirstOrDefault(), cancellationToken);

    public Task<IReadOnlyList<JobRecord>> ListAsync(JobQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 200);
        var text = query.State switch
        {
            null => query.Tag is null ? ListAll : ListTagged,
            JobState.Ready => ListReady,
            JobState.Scheduled => ListScheduled,
            JobState.Waiting => ListWaiting,
            JobState.Running => ListRunning,
            _ => ListFinished,
        };
        NpgsqlParameter[] values =
        [
            Text("type", query.Type), Text("tag", query.Tag), Text("queue", query.Queue), Long("after", query.AfterId), Int("limit", query.Limit),
            Texts("outcomes", query.State switch
            {
                JobState.Succeeded => ["succeeded"],
                JobState.Discarded => ["discarded"],
                _ => ["cancelled", "replaced", "superseded"],
            }),
        ];
        return WorkAsync<IReadOnlyList<JobRecord>>("list jobs", async session =>
            await ReadAsync(session.Connection, text, values, RecordAt, cancellationToken).ConfigureAwait(false), cancellationToken);
    }

    public Task<IReadOnlyList<AttemptRecord>> ReadAttemptsAsync(long jobId, CancellationToken cancellationToken) =>
        WorkAsync<IReadOnlyList<AttemptRecord>>("read attempts", async session =>
            await ReadAsync(session.Connection, ReadAttempts, [Long("id", jobId)], AttemptAt, cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task<IReadOnlyList<LogLine>> ReadLogAsync(long jobId, CancellationToken cancellationToken) =>
        WorkAsync<IReadOnlyList<LogLine>>("read a log", async session =>
            await ReadAsync(session.Connection, ReadLog, [Long("id", jobId)], LineAt, cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task<IReadOnlyList<QueueDepth>> ReadDepthsAsync(CancellationToken cancellationToken) =>
        WorkAsync<IReadOnlyList<QueueDepth>>("read the depth of queues", async session => await ReadAsync(
            session.Connection, ReadDepths, [],
            static reader => new QueueDepth(reader.GetString(0), reader.GetInt64(1), TimeOrNullAt(reader, 2), reader.GetInt64(3)),
            cancellationToken).ConfigureAwait(false), cancellationToken);

    internal static AttemptRecord AttemptAt(NpgsqlDataReader reader) => new()
    {
        JobId = reader.GetInt64(0),
        Run = reader.GetInt32(1),
        Attempt = reader.GetInt32(2),
        IsCharged = reader.GetBoolean(3),
        Outcome = OutcomeExtensions.ToOutcome(reader.GetString(4)),
        Started = TimeAt(reader, 5),
        Finished = TimeAt(reader, 6),
        Node = UuidAt(reader, 7),
        Result = TextAt(reader, 8),
        Error = TextAt(reader, 9),
    };

    internal static LogLine LineAt(NpgsqlDataReader reader) => new(
        reader.GetInt64(0), reader.GetInt32(1), reader.GetInt32(2), TimeAt(reader, 3), (Microsoft.Extensions.Logging.LogLevel)reader.GetInt16(4),
        reader.GetString(5), reader.GetString(6), TextAt(reader, 7), TextAt(reader, 8));

    private static JobRecord RecordAt(NpgsqlDataReader reader)
    {
        var state = TextAt(reader, 9) switch
        {
            "waiting" => JobState.Waiting,
            "scheduled" => JobState.Scheduled,
            "running" => JobState.Running,
            "succeeded" => JobState.Succeeded,
            "discarded" => JobState.Discarded,
            "cancelled" or "replaced" or "superseded" => JobState.Cancelled,
            _ => JobState.Ready,
        };
        return new JobRecord
        {
            Id = reader.GetInt64(0),
            Type = reader.GetString(1),
            Tag = TextAt(reader, 2),
            UserId = reader.GetInt64(3),
            Queue = reader.GetString(4),
            Priority = reader.GetInt16(5),
            Data = reader.GetString(6),
            Due = TimeAt(reader, 7),
            Created = TimeAt(reader, 8),
            State = state,
            WaitsFor = TextAt(reader, 10),
            Attempt = reader.GetInt32(11),
            LastOutcome = TextAt(reader, 12) is { } word ? OutcomeExtensions.ToOutcome(word) : null,
            Result = TextAt(reader, 13),
            Error = TextAt(reader, 14),
            Headers = TextAt(reader, 15),
            Parent = reader.IsDBNull(16) ? null : reader.GetInt64(16),
            Schedule = TextAt(reader, 17),
            Progress = reader.IsDBNull(18) ? null : reader.GetDouble(18),
            ProgressMessage = TextAt(reader, 19),
        };
    }
}
