using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;
using Npgsql;

namespace Millrace.Bench.Workloads;

/// <summary>A database with millions of finished and scheduled jobs, made in the server. Their type has no handler.</summary>
internal static class Filling
{
    private const string Name = "millrace_deep";

    public static async Task<string> MakeAsync(string server, int finished, int scheduled)
    {
        var database = await Server.NewDatabaseAsync(server, Name);
        await All.Millrace.PrepareAsync(database);
        await Server.ExecuteAsync(
            database,
            $$"""
            insert into millrace.job (id, nonce, type, user_id, queue, data, due, created)
            select g, g, 'old', g % 1000, 'default', '{"number":' || g || ',"text":"' || repeat('x', 70) || '"}', t, t
            from generate_series(1, {{finished}}) g, lateral (select now() - interval '7 days' * (1 - g::double precision / {{finished}}) as t) at
            """,
            // One in a hundred has failed. Kept for ever, or a job of the product's own might remove them in the middle of a run.
            $"""
            insert into millrace.attempt (job_id, run, attempt, charged, type, started, finished, success, outcome, error)
            select g, 1, 1, true, 'old', t, t + interval '10 ms', g % 100 <> 0, case when g % 100 <> 0 then 'succeeded' else 'discarded' end, case when g % 100 = 0 then 'It failed.' end
            from generate_series(1, {finished}) g, lateral (select now() - interval '7 days' * (1 - g::double precision / {finished}) as t) at
            """,
            $$"""
            insert into millrace.job (id, nonce, type, queue, data, due, created)
            select g, g, 'old', 'default', '{"number":' || g || ',"text":"' || repeat('x', 70) || '"}', now() + interval '1 day' + g * interval '1 second', now()
            from generate_series({{finished + 1}}, {{finished + scheduled}}) g
            """,
            "insert into millrace.scheduled (due, id, queue, priority, type, run, attempt) select due, id, queue, priority, type, 1, 1 from millrace.job where due > now()",
            $"select setval('millrace.job_id', {finished + scheduled})",
            "vacuum analyze",
            "checkpoint");
        return database;
    }

    /// <summary>Their time to be removed has come.</summary>
    public static Task MakeOldAsync(string database, int count) => Server.ExecuteAsync(
        database,
        $"""
        update millrace.attempt
        set remove_at = now() - interval '1 hour'
        where (job_id, run) in (select job_id, run from millrace.attempt where type = 'old' and remove_at is null order by job_id limit {count})
        """,
        "vacuum analyze millrace.attempt",
        "checkpoint");

    /// <summary>What a drain left of them.</summary>
    public static Task RemoveOldAsync(string database) => Server.ExecuteAsync(
        database,
        "delete from millrace.job j using millrace.attempt a where a.job_id = j.id and a.type = 'old' and a.remove_at is not null",
        "delete from millrace.attempt where type = 'old' and remove_at is not null",
        "vacuum analyze");

    public static Task DropAsync(string database) =>
        Server.ExecuteAsync(new NpgsqlConnectionStringBuilder(database) { Database = "postgres" }.ConnectionString, $"drop database if exists {Name} with (force)");
}
