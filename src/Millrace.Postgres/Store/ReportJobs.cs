using System.Globalization;
using Millrace.Storage;

namespace Millrace.Postgres;

// Whether jobs get on, and are where they should be.
internal sealed partial class PostgresInspection
{
    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(5);

    private async Task CheckQueuesAsync(Report report, CancellationToken cancellationToken)
    {
        var now = await ReadClockAsync(cancellationToken).ConfigureAwait(false);
        foreach (var queue in await ReadQueuesAsync(cancellationToken).ConfigureAwait(false))
        {
            if (queue.Nodes == 0 && queue.Pause is null && queue.Ready + queue.Scheduled > 0)
            {
                var wait = now - queue.OldestReady;
                report.Add(
                    "queue_without_worker", wait > LongWait ? Severity.Error : Severity.Warning,
                    string.Create(CultureInfo.InvariantCulture, $"The queue \"{queue.Name}\" has {queue.Ready:N0} ready and {queue.Scheduled:N0} scheduled jobs and no living node that works on it{(wait is { } oldest ? $"; the oldest has waited {Words(oldest)}" : "")}."),
                    "The processes that work on it are not running, are draining, or were started without this queue.", "Start a worker for it, or add the queue to WorkerOptions.Queues of one that runs.");
            }
        }
    }

    private const string ReadTypesWithoutHandler = """
        select w.type, count(*), min(w.since)
        from (select type, since from millrace.waiting where reason = 'type' limit 100000) w
        group by w.type
        order by count(*) desc
        limit 20
        """;

    // Nobody tends: what is due stays where it is.
    private const string ReadLate = """
        select 'promotion_late', 'scheduled jobs', (select count(*) from (select from millrace.scheduled s where s.due < @now - interval '1 minute' limit 100000) late),
               (select min(s.due) from millrace.scheduled s)
        union all
        select 'schedule_late', 'schedules', count(*), min(t.next_due)
        from millrace.schedule t
        where t.next_due < @now - interval '1 minute' and (t.paused_at is null or t.resume_at < @now - interval '1 minute')
        """;

    private const string ReadStrays = """
        select 'ready', count(*) from (select from (select id from millrace.ready limit 5000) p where (select j.id from millrace.job j where j.id = p.id limit 1) is null limit 1000) stray
        union all
        select 'scheduled', count(*) from (select from (select id from millrace.scheduled limit 5000) p where (select j.id from millrace.job j where j.id = p.id limit 1) is null limit 1000) stray
        union all
        select 'waiting', count(*) from (select from (select id from millrace.waiting limit 5000) p where (select j.id from millrace.job j where j.id = p.id limit 1) is null limit 1000) stray
        """;

    private async Task CheckLateAsync(Report report, CancellationToken cancellationToken)
    {
        var late = await LookAsync("look for what is late", look => look.ReadAsync(
            ReadLate, [look.At()], static reader => (Code: reader.GetString(0), What: reader.GetString(1), Count: reader.GetInt64(2), Since: TimeOrNullAt(reader, 3)), cancellationToken), cancellationToken).ConfigureAwait(false);
        foreach (var one in late.Where(static one => one.Count > 0))
        {
            report.Add(
                one.Code, Severity.Warning, string.Create(CultureInfo.InvariantCulture, $"{one.Count:N0} {one.What} have been due for more than a minute, the first since {one.Since:u}."),
                "No living process tends, or its loops fail.", "Start a process with AddWorkers; if one runs, look at its log for event 6 (a loop fails) and at its health check.");
        }

        var strays = await LookAsync("look for rows that belong to no job", look => look.ReadAsync(
            ReadStrays, [], static reader => (Table: reader.GetString(0), Count: reader.GetInt64(1)), cancellationToken), cancellationToken).ConfigureAwait(false);
        foreach (var stray in strays.Where(static stray => stray.Count > 0))
        {
            report.Add(
                "stray_rows", Severity.Error, $"{(stray.Count == 1000 ? "At least " : "")}{stray.Count} rows of {stray.Table} belong to no job.", "Jobs were deleted by hand.", "Run the statement.",
                store.SqlOf($"delete from millrace.{stray.Table} p where not exists (select from millrace.job j where j.id = p.id)"));
        }
    }

    private const string ReadTroubles = """
        select (select count(*) from (select from millrace.waiting where reason = 'quarantine' limit 100000) q),
               (select count(*) from millrace.queue where is_paused and resume_at < @now - interval '1 minute'),
               (select count(*) from millrace.lease l left join millrace.node n on n.id = l.node where n.id is null or n.dead_at < @now - interval '1 minute' or n.expires_at < @now - interval '1 minute'),
               (select string_agg(distinct coalesce(n.name, l.node::text), ', ')
                from millrace.lease l left join millrace.node n on n.id = l.node where n.id is null or n.dead_at < @now - interval '1 minute' or n.expires_at < @now - interval '1 minute')
        """;

    private async Task CheckJobsAsync(Report report, CancellationToken cancellationToken)
    {
        var (types, (quarantined, lapsed, leases, nodes)) = await LookAsync("look for jobs in trouble", async look => (
            await look.ReadAsync(ReadTypesWithoutHandler, [], static reader => (Type: reader.GetString(0), Count: reader.GetInt64(1), Since: TimeAt(reader, 2)), cancellationToken).ConfigureAwait(false),
            await look.OneAsync(ReadTroubles, [look.At()], static reader => (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), TextAt(reader, 3)), cancellationToken).ConfigureAwait(false)), cancellationToken).ConfigureAwait(false);
        foreach (var type in types)
        {
            report.Add(
                "type_without_handler", Severity.Warning, string.Create(CultureInfo.InvariantCulture, $"{type.Count:N0} jobs of the type \"{type.Type}\" wait since {type.Since:u}: no living node has a handler for it."),
                "The handler was removed or renamed, or the process that has it is not running.", "Start a process with that handler, give the new name the old one as an alias ([Job(Aliases = …)]), or cancel the jobs.");
        }

        if (quarantined > 0)
        {
            report.Add(
                "quarantine", Severity.Warning, string.Create(CultureInfo.InvariantCulture, $"{quarantined:N0} jobs are in quarantine: each took its process down three times."), "A handler that crashes its process: memory, a stack that overflows, native code.",
                "Look at them (millrace list state:quarantined), mend the handler, then retry or cancel them.");
        }

        if (lapsed > 0)
        {
            report.Add(
                "pause_lapsed", Severity.Notice, $"{lapsed} queues are still marked as paused though their time to resume has come.", "No node has tidied up since. Claims go on all the same.", "Nothing: it is cleared by the next upkeep.",
                store.SqlOf("update millrace.queue set is_paused = false, paused_at = null, paused_by = null, pause_reason = null, resume_at = null where resume_at <= clock_timestamp()"));
        }

        if (leases > 0)
        {
            report.Add(
                "lease_of_the_dead", Severity.Error, $"{leases} leases belong to nodes that are dead for more than a minute ({nodes}), and their jobs were not taken back.", "No living node tends: none is running, or its loops fail.",
                "Start a process with AddWorkers; look at its log for event 6 (a loop fails) and at its health check.");
        }
    }

    // The invariant. The newest and the oldest of the jobs, and some of those that stand in line. Each is looked up by its id: "limit 1" keeps the planner from reading whole tables instead.
    private const string FindMisplaced = $"""
        with {AllRunning},
        leased as materialized (
            select job_id, max(run) as run, count(*)::integer as times
            from running
            group by job_id
        ),
        chosen as materialized (
            (select j.id from millrace.job j order by j.id desc limit 2000)
            union
            (select j.id from millrace.job j order by j.id limit 2000)
            union
            (select r.id from (select id from millrace.ready limit 5000) r where (select s.id from millrace.scheduled s where s.id = r.id limit 1) is not null or (select w.id from millrace.waiting w where w.id = r.id limit 1) is not null)
            union
            (select u.job_id from leased u where u.times > 1 or exists (select from millrace.ready r where r.id = u.job_id) or exists (select from millrace.scheduled s where s.id = u.job_id))
        ),
        counted as materialized (
            select c.id, (r.id is not null)::integer + (s.id is not null)::integer + (w.id is not null)::integer + coalesce(u.times, 0) as places,
                   coalesce(last.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded'), false) as is_finished,
                   last.run as ended, coalesce(r.run, s.run, w.run, u.run) as run
            from chosen c
            left join lateral (select x.id, x.run from millrace.ready x where x.id = c.id limit 1) r on true
            left join lateral (select x.id, x.run from millrace.scheduled x where x.id = c.id limit 1) s on true
            left join lateral (select x.id, x.run from millrace.waiting x where x.id = c.id limit 1) w on true
            left join leased u on u.job_id = c.id
            left join lateral (
                select a.outcome, a.run
                from millrace.attempt a
                where a.job_id = c.id
                order by a.run desc
                limit 1) last on true
        ),
        misplaced as (
            select id
            from counted
            where places > 1 or (places = 0 and not is_finished) or (places = 1 and is_finished and ended >= run)
        )
        select (select count(*) from counted), (select count(*) from misplaced), array(select id from misplaced order by id limit 10)
        """;

    private async Task CheckPlacesAsync(Report report, CancellationToken cancellationToken)
    {
        var (looked, count, samples) = await LookAsync("check that each job is in one place", look => look.OneAsync(
            FindMisplaced, [], static reader => (reader.GetInt64(0), reader.GetInt64(1), reader.GetFieldValue<long[]>(2)), cancellationToken), cancellationToken).ConfigureAwait(false);
        report.Figure("jobs whose place was checked", looked.ToString("N0", CultureInfo.InvariantCulture));
        if (count > 0)
        {
            report.Add(
                "place", Severity.Error, string.Create(CultureInfo.InvariantCulture, $"{count:N0} of {looked:N0} jobs are not in exactly one place: {string.Join(", ", samples)}{(count > samples.Length ? ", …" : "")}."),
                "A table was changed or restored by hand; or this is a fault in Millrace.", "Do not mend it by hand. Keep the rows of these jobs in job, ready, scheduled, waiting, lease and attempt, and report them.");
        }
    }
}
