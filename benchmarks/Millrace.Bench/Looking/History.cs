using System.Globalization;
using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;
using Npgsql;

namespace Millrace.Bench.Looking;

/// <summary>
/// A week of a busy application, made in the server: types and queues of different size, tags, errors of some dozen causes, first attempts that failed, roll-ups that say the same as the attempts, and all that
/// stands in line. None of it is in the queue of the workers that are measured beside it.
/// </summary>
internal sealed record History(string Database, int Finished, int Ready)
{
    private const string Name = "millrace_looks";

    /// <summary>Jobs that wait for their time; one in ten of them for its second attempt.</summary>
    public int Scheduled => Ready / 2;

    /// <summary>Jobs that wait for a node that knows their type; the last of them for a person.</summary>
    public int Waiting => 2_000;

    public int Running => 80;

    public int Jobs => Finished + Ready + Scheduled + Waiting + Running;

    /// <summary>Nothing of the measured workers' own is in line or runs. What the history holds is of other queues and other nodes.</summary>
    public const string NothingIsLeft = """
        select not exists (
                   select
                   from millrace.lease l
                   cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
                   where l.node not in (select n.id from millrace.node n where n.name like 'shop-%')
                       and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
               and not exists (select from millrace.ready r where r.queue = 'default')
        """;

    public static async Task<History> MakeAsync(string server, int attempts, int ready)
    {
        var history = new History(new NpgsqlConnectionStringBuilder(server) { Database = Name }.ConnectionString, attempts / 101 * 100, ready);
        await Server.NewDatabaseAsync(server, Name);
        await All.Millrace.PrepareAsync(history.Database);
        await Server.ExecuteAsync(history.Database, [.. Words, .. history.Past(), .. history.Present(), RollUp("minute", "interval '48 hours'", ">="), RollUp("hour", "interval '48 hours'", "<"), "vacuum analyze", "checkpoint"]);
        return history;
    }

    public Task DropAsync() =>
        Server.ExecuteAsync(new NpgsqlConnectionStringBuilder(Database) { Database = "postgres" }.ConnectionString, $"drop database if exists {Name} with (force)");

    // ---- what things are called

    private static readonly string[] Words =
    [
        """
        create function shop_type(g bigint) returns text language sql immutable as $$
            select (array['indexFile', 'indexFile', 'indexFile', 'indexFile', 'indexFile', 'indexFile', 'sendReceipt', 'sendReceipt', 'sendReceipt', 'sendReceipt',
                          'syncCustomer', 'syncCustomer', 'syncCustomer', 'resizeImage', 'resizeImage', 'chargeCard', 'exportReport', 'importFeed', 'auditTrail', 'purgeCache'])[1 + g % 20] $$
        """,
        """
        create function shop_queue(type text) returns text language sql immutable as $$
            select case when type in ('sendReceipt', 'syncCustomer') then 'mail' when type in ('chargeCard', 'auditTrail') then 'payments' when type = 'resizeImage' then 'images' else 'files' end $$
        """,
        // A few jobs of a customer have one tag; a feed has one for very many.
        """
        create function shop_tag(g bigint) returns text language sql immutable as $$
            select case when g % 20 = 17 then 'feed-' || (g / 20) % 10 when g % 2 = 0 then 'customer-' || (g / 2) % 50000 end $$
        """,
        """
        create function shop_data(g bigint) returns text language sql immutable as $$
            select '{"number":' || g || ',"customer":{"id":' || (g / 2) % 50000 || ',"region":"eu"},"text":"' || repeat('x', 50) || '"}' $$
        """,
        """
        create function shop_error(g bigint) returns text language sql immutable as $$
            select (array['System.TimeoutException: The mail server did not answer within ' || g % 90 || ' s.', 'System.InvalidOperationException: The card of order ' || g || ' was declined.',
                          'System.IO.IOException: The file "/srv/files/' || g || '.pdf" is in use.', 'System.Net.Http.HttpRequestException: Response status code does not indicate success: 503.',
                          'System.FormatException: "' || g % 1000 || '" is not a number.'])[1 + (g / 100) % 5]
                || E'\n   at Shop.' || shop_type(g) || 'Job.' || (array['RunAsync', 'LoadAsync', 'SendAsync'])[1 + (g / 500) % 3] || '(JobContext job) in /src/Shop/Jobs.cs:line ' || g % 200
                || E'\n   at Millrace.Working.AttemptRunner.RunAsync()' || repeat(E'\n   at System.Runtime.CompilerServices.TaskAwaiter.ThrowForNonSuccess(Task task)', 8) $$
        """,
        """
        create function shop_node(g bigint) returns uuid language sql immutable as $$ select ('00000000-0000-0000-0000-00000000000' || 1 + g % 4)::uuid $$
        """,
        // Buckets next to each other, as many as ten, in the bytes of a histogram: pairs of a bucket and a count of variable length.
        """
        create function shop_histogram(first int, total bigint) returns bytea language sql immutable as $$
            select coalesce(string_agg(decode(lpad(to_hex(first + b), 2, '0') || case
                when n < 128 then lpad(to_hex(n), 2, '0')
                when n < 16384 then to_hex((n & 127) | 128) || lpad(to_hex(n >> 7), 2, '0')
                else to_hex((n & 127) | 128) || to_hex((n >> 7) & 127 | 128) || lpad(to_hex(n >> 14), 2, '0') end, 'hex'), ''::bytea order by b), ''::bytea)
            from generate_series(0, 9) b, lateral (select total / 10 + case when b < total % 10 then 1 else 0 end as n) part
            where n > 0 $$
        """,
    ];

    // ---- what was

    private IEnumerable<string> Past() =>
    [
        $"""
        insert into millrace.job (id, nonce, type, tag, user_id, queue, data, due, created, schedule, parent)
        select g, g, type, shop_tag(g), g % 1000, shop_queue(type), shop_data(g), t, t, case when g % 1000 = 19 then 'purge' when g % 100000 = 16 then 'report' end, case when g % 200 = 16 then g - 1 end
        from generate_series(1, {Jobs}) g,
            lateral (select shop_type(g) as type, now() - interval '7 days' * (1 - least(1, g::double precision / {Finished})) - interval '2 seconds' as t) of
        """,
        // One in a hundred failed at first; half of those for good, some were cancelled. Kept for a month, or a job of the product's own might remove them in the middle of a run.
        $"""
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, node, started, finished, success, outcome, error, remove_at)
        select j.id, 1 + again, 1 + again, true, j.type, j.tag, shop_node(j.id), j.created + interval '1 second', j.created + interval '1 second' + j.id % 100 * interval '10 ms' + again * interval '1 second',
            case when is_cancelled then null else not is_failed end,
            case when is_cancelled then 'cancelled' when not is_failed then 'succeeded' when again = 0 then 'failed' else 'discarded' end,
            case when is_failed then shop_error(j.id) end, case when j.id % 100 <> 0 or again = 1 then now() + interval '30 days' end
        from millrace.job j
        cross join lateral generate_series(0, case when j.id % 100 = 0 then 1 else 0 end) as of(again)
        cross join lateral (select j.id % 200 = 0 or (j.id % 100 = 0 and again = 0) as is_failed, j.id % 10000 = 77 as is_cancelled) ended
        where j.id <= {Finished}
        """,
        $"""
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, node, started, finished, success, outcome, error)
        select j.id, 1, 1, true, j.type, j.tag, shop_node(j.id), at, at, false, 'failed', shop_error(j.id)
        from millrace.job j
        cross join lateral (select now() - j.id % 86400 * interval '1 second' as at) failed
        where j.id > {Finished + Ready} and j.id <= {Finished + Ready + Scheduled} and j.id % 10 = 0
        """,
        $"""
        insert into millrace.job_log (job_id, run, line, at, level, category, message)
        select {Finished} - j, 1, line, now(), 2, 'Shop.Jobs', 'Line ' || line || ' of what it had to say.' from generate_series(0, 49) j, generate_series(1, 200) line
        """,
    ];

    private static string RollUp(string unit, string kept, string beforeOrAfter) => $"""
        insert into millrace.stat_{unit} (bucket, queue, type, outcome, node, count, wait, run)
        select bucket, shop_queue(type), type, outcome, node, count, shop_histogram(10, count), shop_histogram(16, count)
        from (
            select date_trunc('{unit}', a.finished) as bucket, a.type, a.outcome, {(unit == "minute" ? "a.node" : "'00000000-0000-0000-0000-000000000000'::uuid")} as node, count(*) as count
            from millrace.attempt a
            where a.finished {beforeOrAfter} date_trunc('hour', now() - {kept})
            group by 1, 2, 3, 4) ended
        """;

    // ---- what is

    private IEnumerable<string> Present() =>
    [
        $"""
        insert into millrace.ready (queue, priority, pass, id, type, run, attempt)
        select j.queue, (j.id % 2)::smallint, (extract(epoch from j.created) * 1000000)::bigint + j.id, j.id, j.type, 1, 1
        from millrace.job j
        where j.id > {Finished} and j.id <= {Finished + Ready}
        """,
        $"""
        insert into millrace.scheduled (due, id, queue, priority, type, run, attempt)
        select now() + interval '1 day' + j.id % 1000 * interval '1 minute', j.id, j.queue, 0, j.type, case when j.id % 10 = 0 then 2 else 1 end, case when j.id % 10 = 0 then 2 else 1 end
        from millrace.job j
        where j.id > {Finished + Ready} and j.id <= {Finished + Ready + Scheduled}
        """,
        $"""
        insert into millrace.waiting (id, reason, since, due, queue, priority, type, run, attempt)
        select j.id, case when j.id % 100 = 0 then 'quarantine' else 'type' end, now(), j.due, j.queue, 0, 'retired', 1, 1
        from millrace.job j
        where j.id > {Finished + Ready + Scheduled} and j.id <= {Finished + Ready + Scheduled + Waiting}
        """,
        """
        insert into millrace.node (id, name, kind, started_at, expires_at, types, queues)
        select shop_node(n - 1), 'shop-' || n, 'server', now() - interval '1 day', timestamptz '2100-01-01', (select array_agg(distinct shop_type(g)) from generate_series(0, 19) g), array['files', 'mail', 'payments', 'images']
        from generate_series(1, 4) n
        """,
        $"""
        insert into millrace.lease (id, node, claimed_at, job_ids, runs, attempts, crashes, passes)
        select gen_random_uuid(), shop_node(j.id % 4), now(), array_agg(j.id), array_agg(1), array_agg(1), array_agg(0), array_agg(0::bigint)
        from millrace.job j
        where j.id > {Jobs - Running}
        group by j.id % 4, j.id / 10
        """,
        $"insert into millrace.progress (job_id, run, at, percent, message) select g, 1, now(), g % 100, 'Some of it' from generate_series({Jobs - Running + 1}, {Jobs}) g",
        """
        insert into millrace.schedule (name, version, cron, zone, is_persistent, missed_ticks, type, user_id, queue, priority, data, created, next_due)
        select name, 1, '0 0 3 * * *', 'Etc/UTC', true, 'last', type, 0, 'files', 0, '{}', now(), now() + interval '1 day'
        from (values ('purge', 'purgeCache'), ('report', 'exportReport')) as named(name, type)
        union all
        select 'feed-' || n, 1, '0 0 4 * * *', 'Etc/UTC', true, 'last', 'importFeed', 0, 'files', 0, '{}', now(), now() + interval '1 day' from generate_series(1, 20) n
        """,
        """
        insert into millrace.job_type (name, aliases, queue, max_attempts, is_isolated, schema, first_seen, last_seen)
        select distinct type, array[]::text[], shop_queue(type), 10, false, '{"type":"object","properties":{"number":{"type":"integer"},"text":{"type":"string"}}}', now(), now()
        from (select shop_type(g) as type from generate_series(0, 19) g) named
        """,
        $"""
        insert into millrace.operation (kind, at, by, via, reason, target, job_id, expected, done, ended)
        select case when n % 2 = 0 then 'retry' else 'cancel' end, now() - n * interval '10 minutes', 'ana', 'dashboard', 'It was time', 'job ' || n, case when n % 2 = 0 then n end, 100, 100, now() - n * interval '10 minutes'
        from generate_series(1, 2000) n
        """,
        "insert into millrace.operation_job (operation, job_id, before) select o, j, '{}' from generate_series(1, 200) o, generate_series(1, 100) j",
        string.Create(CultureInfo.InvariantCulture, $"select setval('millrace.job_id', {Jobs})"),
    ];
}
