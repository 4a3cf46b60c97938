using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

/// <summary>Where jobs stand, as parts of statements over candidates <c>c</c>, and as records (PROTOCOL, rule 21).</summary>
internal static class Standing
{
    /// <summary>A job as it stands in a list, in the order in which <see cref="RowAt"/> reads it.</summary>
    public const string Row = """
        j.id, j.type, j.tag, j.user_id, j.queue, v.priority, v.state, w.reason, v.run, v.attempt, v.due, j.created, v.started, v.finished, last.outcome,
               left(j.data, 2000), left(last.error, 500), j.schedule, j.parent, v.node, p.percent, d.operation
        """;

    /// <summary>A job with its place, its latest ended run, and what follows from them. The last run decides about finality. Each is looked up by its id: "limit 1" keeps the planner from reading whole tables instead.</summary>
    public const string Joins = """
        cross join lateral (select x.id, x.type, x.tag, x.user_id, x.queue, x.priority, x.data, x.due, x.created, x.policy, x.headers, x.trace, x.parent, x.schedule, x.key from millrace.job x where x.id = c.id limit 1) j
        left join millrace.deleted_job d on d.job_id = j.id
        left join lateral (select x.id, x.reason, x.due, x.priority, x.run, x.attempt from millrace.waiting x where x.id = c.id limit 1) w on true
        left join lateral (select x.id, x.due, x.priority, x.run, x.attempt from millrace.scheduled x where x.id = c.id limit 1) s on true
        left join lateral (select x.id, x.priority, x.run, x.attempt from millrace.ready x where x.id = c.id limit 1) r on true
        left join running u on u.job_id = j.id
        left join lateral (
            select a.run, a.attempt, a.outcome, a.started, a.finished, a.node, a.result, a.error
            from millrace.attempt a
            where a.job_id = c.id
            order by a.run desc
            limit 1) last on true
        left join millrace.progress p on p.job_id = j.id and p.run = u.run
        cross join lateral (
            select case
                       when w.id is not null then case when w.reason = 'quarantine' then 'quarantined' else 'waiting' end
                       when s.id is not null then case when s.attempt > 1 then 'retrying' else 'scheduled' end
                       when r.id is not null then 'ready'
                       when u.run is not null then 'running'
                       when last.outcome in ('succeeded', 'discarded') then last.outcome
                       when last.outcome in ('cancelled', 'replaced', 'superseded') then 'cancelled'
                       else 'ready'
                   end as state,
                   coalesce(w.run, s.run, r.run, u.run, last.run, 1) as run,
                   coalesce(w.attempt, s.attempt, r.attempt, u.attempt, last.attempt, 1) as attempt,
                   coalesce(w.priority, s.priority, r.priority, j.priority) as priority,
                   coalesce(s.due, w.due, j.due) as due,
                   coalesce(u.claimed_at, last.started) as started,
                   case when u.run is null then last.finished end as finished,
                   coalesce(u.node, last.node) as node) v
        """;

    /// <summary>What a node runs of the candidates: listed by a lease and not ended. Two steps, or all that leases list would be looked up.</summary>
    public const string Running = """
        listed as materialized (
            select u.job_id, u.run, u.attempt, l.node, l.claimed_at
            from millrace.lease l
            cross join lateral unnest(l.job_ids, l.runs, l.attempts) as u(job_id, run, attempt)
            where u.job_id in (select id from candidate)
        ),
        running as materialized (
            select job_id, run, attempt, node, claimed_at
            from listed
            where not exists (select from millrace.attempt a where a.job_id = listed.job_id and a.run = listed.run)
        )
        """;

    public static JobRow RowAt(NpgsqlDataReader reader, int first)
    {
        var word = reader.GetString(first + 6);
        return new JobRow
        {
            Id = reader.GetInt64(first),
            Type = reader.GetString(first + 1),
            Tag = TextAt(reader, first + 2),
            UserId = reader.GetInt64(first + 3),
            Queue = reader.GetString(first + 4),
            Priority = reader.GetInt16(first + 5),
            State = Matching.StateOf(word),
            WaitsFor = TextAt(reader, first + 7),
            Run = reader.GetInt32(first + 8),
            Attempt = reader.GetInt32(first + 9),
            Due = TimeAt(reader, first + 10),
            Created = TimeAt(reader, first + 11),
            Started = TimeOrNullAt(reader, first + 12),
            Finished = TimeOrNullAt(reader, first + 13),
            LastOutcome = TextAt(reader, first + 14) is { } outcome ? OutcomeExtensions.ToOutcome(outcome) : null,
            Data = reader.GetString(first + 15),
            Error = TextAt(reader, first + 16),
            Schedule = TextAt(reader, first + 17),
            Parent = LongOrNullAt(reader, first + 18),
            Node = UuidAt(reader, first + 19),
            Progress = reader.IsDBNull(first + 20) ? null : reader.GetDouble(first + 20),
            DeletedBy = LongOrNullAt(reader, first + 21),
        };
    }

    public static JobDetail DetailAt(NpgsqlDataReader reader)
    {
        const int Own = 22;
        var row = RowAt(reader, 0);
        return new JobDetail
        {
            Row = row,
            Record = new JobRecord
            {
                Id = row.Id,
                Type = row.Type,
                Tag = row.Tag,
                UserId = row.UserId,
                Queue = row.Queue,
                Priority = row.Priority,
                Due = row.Due,
                Created = row.Created,
                State = row.State,
                WaitsFor = row.WaitsFor,
                Attempt = row.Attempt,
                LastOutcome = row.LastOutcome,
                Parent = row.Parent,
                Schedule = row.Schedule,
                Progress = row.Progress,
                Data = reader.GetString(Own),
                Result = TextAt(reader, Own + 1),
                Error = TextAt(reader, Own + 2),
                Headers = TextAt(reader, Own + 3),
                ProgressMessage = TextAt(reader, Own + 4),
            },
            Version = JobChanges.VersionOf(JobChanges.StateOf(reader.GetString(6)), row.Run, row.Priority),
            Policy = TextAt(reader, Own + 5),
            Trace = TextAt(reader, Own + 6),
            Key = TextAt(reader, Own + 7),
            RemoveAt = TimeOrNullAt(reader, Own + 8),
            NodeName = TextAt(reader, Own + 9),
            CancelRequest = reader.IsDBNull(Own + 10) ? null : new CancelRequest(row.Id, TextAt(reader, Own + 11), TextAt(reader, Own + 12)),
        };
    }
}
