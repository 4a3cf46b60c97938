namespace Millrace.Postgres;

/// <summary>
/// The statements of <c>Change.cs</c>: each takes what it finds of many jobs, does one thing to them, and notes what they were for an undo. Written once for all places; what differs between
/// them is filled in when the program starts.
/// </summary>
internal static class Takes
{
    public const string LockJobs = """
        select j.id, j.key
        from millrace.job j
        where j.id = any(@ids)
        order by j.id
        for no key update of j
        """;

    public const string FindDeleted = """
        select job_id
        from millrace.deleted_job
        where job_id = any(@ids)
        """;

    public const string FindChanged = """
        select job_id
        from millrace.operation_job
        where operation = @operation and job_id = any(@ids)
        """;

    // As UndoAsync reads it.
    private const string Before = """
        json_strip_nulls(json_build_object(
                       'place', '{place}', 'run', g.run, 'attempt', g.attempt, 'crashes', g.crashes, 'is_suspect', g.is_suspect, 'priority', g.priority,
                       'pass', {pass}, 'due', {due}, 'since', {since}, 'reason', {reason}, 'holds_key', k.key is not null, 'scope', k.scope, 'until', k.until))::text
        """;

    private const string Taken = """
        gone as (
            delete from millrace.{place} p
            where p.id = any(@ids)
            returning p.*
        ),
        noted as (
            insert into millrace.operation_job (operation, job_id, before)
            select @operation, g.id, {before}
            from gone g
            join millrace.job j on j.id = g.id
            left join millrace.unique_key k on k.key = j.key and k.job_id = g.id
        )
        """;

    // remove_at: as long as the submission said, or an hour; of one that is deleted, not longer than it can be undone.
    public static readonly string[] EndPlaces = InPlaces($$"""
        with clock as materialized (
            select coalesce(@now, clock_timestamp()) as now
        ),
        {{Taken}},
        ended as (
            insert into millrace.attempt (job_id, run, attempt, charged, type, tag, started, finished, outcome, error, remove_at)
            select j.id, g.run, g.attempt, false, j.type, j.tag, clock.now, clock.now, 'cancelled', @error,
                   least(
                       clock.now + nullif(coalesce((j.policy::json ->> 'removeDelay')::double precision, 3600), -1) * interval '1 second',
                       case when @is_delete then clock.now + @window * interval '1 second' end)
            from gone g
            join millrace.job j on j.id = g.id
            cross join clock
            on conflict (job_id, run) do nothing
        ),
        deleted as (
            insert into millrace.deleted_job (job_id, operation, at)
            select g.id, @operation, clock.now
            from gone g, clock
            where @is_delete
            on conflict (job_id) do nothing
        )
        select g.id, g.queue
        from gone g
        """, "waiting", "scheduled", "ready");

    public static readonly string[] LineUpPlaces = InPlaces($$"""
        with {{Taken}},
        lined_up as (
            insert into millrace.ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
            select g.queue, g.priority, (extract(epoch from coalesce(@now, clock_timestamp())) * 1000000)::bigint, g.id, g.type, g.run,
                   case when @is_retry then 1 else g.attempt end, case when @is_retry then 0 else g.crashes end, not @is_retry and g.is_suspect
            from gone g
        )
        select g.id, g.queue
        from gone g
        """, "waiting", "scheduled");

    // Deleted and inserted, not updated: a claim deletes by the place of a row, which an update would change under its hands.
    public static readonly string[] ReprioritisePlaces = InPlaces($$"""
        with {{Taken.Replace("where p.id = any(@ids)", "where p.id = any(@ids) and p.priority <> @priority", StringComparison.Ordinal)}},
        back as (
            insert into millrace.{place} ({extra}queue, priority, id, type, run, attempt, crashes, is_suspect)
            select {extra}queue, @priority, id, type, run, attempt, crashes, is_suspect
            from gone
        )
        select g.id, g.queue
        from gone g
        """, "waiting", "scheduled", "ready");

    public static string[] InPlaces(string text, params string[] places) => [.. places.Select(place => text
        .Replace("{before}", Before, StringComparison.Ordinal)
        .Replace("{place}", place, StringComparison.Ordinal)
        .Replace("{pass}", place == "ready" ? "g.pass" : "null", StringComparison.Ordinal)
        .Replace("{due}", place == "ready" ? "null" : "g.due", StringComparison.Ordinal)
        .Replace("{since}", place == "waiting" ? "g.since" : "null", StringComparison.Ordinal)
        .Replace("{reason}", place == "waiting" ? "g.reason" : "null", StringComparison.Ordinal)
        .Replace("{p.extra}", place switch { "ready" => "p.pass, ", "scheduled" => "p.due, ", _ => "p.reason, p.since, p.due, " }, StringComparison.Ordinal)
        .Replace("{extra}", place switch { "ready" => "pass, ", "scheduled" => "due, ", _ => "reason, since, due, " }, StringComparison.Ordinal))];

    private const string Finished = """
        old as materialized (
            select j.id, j.queue, j.priority, j.type, last.run, last.attempt, last.outcome, last.remove_at, k.key is not null as holds_key
            from unnest(@ids) as e(id)
            join millrace.job j on j.id = e.id
            left join millrace.unique_key k on k.key = j.key and k.job_id = j.id
            cross join lateral (
                select a.run, a.attempt, a.outcome, a.remove_at
                from millrace.attempt a
                where a.job_id = j.id
                order by a.run desc
                limit 1) last
            where last.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded')
                and not exists (select from millrace.ready p where p.id = j.id)
                and not exists (select from millrace.scheduled p where p.id = j.id)
                and not exists (select from millrace.waiting p where p.id = j.id)
                and not exists (
                    select
                    from millrace.lease l
                    cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
                    where l.job_ids @> array[j.id] and u.job_id = j.id and u.run > last.run)
        ),
        noted as (
            insert into millrace.operation_job (operation, job_id, before)
            select @operation, old.id, json_strip_nulls(json_build_object(
                       'place', 'finished', 'run', old.run, 'attempt', old.attempt, 'priority', old.priority, 'outcome', old.outcome, 'remove_at', old.remove_at,
                       'holds_key', old.id = any(@held)))::text
            from old
        )
        """;

    public const string DeleteFinished = $"""
        with clock as materialized (
            select coalesce(@now, clock_timestamp()) as now
        ),
        {Finished},
        ending as (
            update millrace.attempt a
            set remove_at = least(a.remove_at, clock.now + @window * interval '1 second')
            from old, clock
            where a.job_id = old.id and a.run = old.run
        ),
        deleted as (
            insert into millrace.deleted_job (job_id, operation, at)
            select old.id, @operation, clock.now
            from old, clock
        )
        select old.id, old.queue
        from old
        """;

    public const string RetryFinished = $"""
        with {Finished},
        kept as (
            update millrace.attempt a
            set remove_at = null
            from old
            where a.job_id = old.id and a.remove_at is not null
        ),
        lined_up as (
            insert into millrace.ready (queue, priority, pass, id, type, run, attempt)
            select old.queue, old.priority, (extract(epoch from coalesce(@now, clock_timestamp())) * 1000000)::bigint, old.id, old.type, old.run + 1, 1
            from old
        )
        select old.id, old.queue
        from old
        """;

    public const string FreeKeysOfJobs = """
        with free as materialized (
            select k.key
            from millrace.unique_key k
            where k.job_id = any(@ids) and coalesce(k.until <= coalesce(@now, clock_timestamp()), true)
            for no key update skip locked
        )
        delete from millrace.unique_key k
        using free
        where k.key = free.key
        """;

    public const string FindHeld = """
        select k.job_id
        from millrace.unique_key k
        where k.job_id = any(@ids)
        """;

    // Of jobs with one key only one can have it: who has it already, or the newest.
    public static readonly string RetakeKeys = PostgresStore.RetakeKey.Replace("values (@key, @id)", """
        select distinct on (j.key) j.key, j.id
        from millrace.job j
        left join millrace.unique_key h on h.key = j.key and h.job_id = j.id
        where j.id = any(@ids) and j.key is not null
        order by j.key, h.job_id is null, j.id desc
        """, StringComparison.Ordinal);

    public const string LockLeasesOfJobs = """
        select l.id
        from millrace.lease l
        where l.job_ids && @ids
        order by l.id
        for update
        """;

    private const string RunningOf = """
        running as materialized (
            select distinct u.job_id, u.run, u.attempt, l.id as lease
            from millrace.lease l
            cross join lateral unnest(l.job_ids, l.runs, l.attempts) as u(job_id, run, attempt)
            where l.job_ids && @ids
                and u.job_id = any(@ids)
                and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
        )
        """;

    public const string FindRunning = $"""
        with {RunningOf}
        select job_id
        from running
        """;

    // Only under leases that are locked. Here a job may have been claimed again while we waited for its former lease: its new run could end beside us, and go back in line without having seen the wish.
    public const string AskRunning = $"""
        with {RunningOf},
        held as materialized (
            select job_id, run, attempt
            from running
            where lease = any(@leases)
        ),
        asked as (
            insert into millrace.cancel_request (job_id, at, by, reason)
            select held.job_id, coalesce(@now, clock_timestamp()), @by, @reason
            from held
            on conflict (job_id) do nothing
            returning job_id
        ),
        noted as (
            insert into millrace.operation_job (operation, job_id, before)
            select @operation, held.job_id, json_build_object('place', 'running', 'run', held.run, 'attempt', held.attempt, 'priority', j.priority)::text
            from held
            join asked on asked.job_id = held.job_id
            join millrace.job j on j.id = held.job_id
        )
        select held.job_id, exists (select from asked where asked.job_id = held.job_id)
        from held
        """;

    // Who is not pending now: finished, or gone. The others are between two places.
    public const string FindSettled = """
        select e.id
        from unnest(@ids) as e(id)
        where not exists (select from millrace.ready p where p.id = e.id)
            and not exists (select from millrace.scheduled p where p.id = e.id)
            and not exists (select from millrace.waiting p where p.id = e.id)
            and not exists (
                select
                from millrace.lease l
                cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
                where l.job_ids @> array[e.id] and u.job_id = e.id and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
        """;

    public const string FindReady = """
        select id
        from millrace.ready
        where id = any(@ids)
        """;

    public const string FindKeyed = """
        select id
        from millrace.job
        where id = any(@ids) and key is not null
        """;
}
