using System.Diagnostics;

namespace Millrace.Storage.Tests;

/// <summary>The three queries of the manual, verbatim, over a long history (DESIGN §4.5). The times are printed, not asserted: machines differ, plans do not.</summary>
[Trait("Speed", "Slow")]
public sealed class PlanTests() : Contract(new PostgresDatabase())
{
    private const string RecentFailures = "SELECT type, tag, result, finished FROM worker_jobs WHERE success = false ORDER BY finished DESC LIMIT 20;";
    private const string AverageTimes = "SELECT type, AVG(EXTRACT(EPOCH FROM (finished - started))) as avg_seconds FROM worker_jobs WHERE finished IS NOT NULL GROUP BY type;";
    private const string IsPending = "SELECT * FROM worker_jobs WHERE tag = 'sync-user-42' AND started IS NULL LIMIT 1;";
    private const int Attempts = 200_000;

    /// <summary>One in fifty failed; every job took as many milliseconds as the number of its type says.</summary>
    private Task HistoryAsync() => Database.QueryAsync($"""
        insert into millrace.job (id, nonce, type, tag, queue, data, due, created)
            select i, i, 'type-' || i % 10, 'tag-' || i % 5000, 'default', '{"{}"}', now(), now() from generate_series(1, {Attempts}) i;
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, started, finished, success, outcome, error)
            select i, 1, 1, true, 'type-' || i % 10, 'tag-' || i % 5000,
                timestamptz '2026-01-01' + i * interval '1 second', timestamptz '2026-01-01' + i * interval '1 second' + (i % 10) * interval '1 millisecond',
                i % 50 <> 0, case when i % 50 = 0 then 'discarded' else 'succeeded' end, case when i % 50 = 0 then 'Error ' || i end
            from generate_series(1, {Attempts}) i;
        analyze
        """);

    private async Task<IReadOnlyList<object?[]>> TimedAsync(string sql)
    {
        await using var connection = await Database.ConnectAsync();
        await TestDatabase.QueryAsync(connection, null, sql);
        var watch = Stopwatch.StartNew();
        var rows = await TestDatabase.QueryAsync(connection, null, sql);
        TestContext.Current.TestOutputHelper?.WriteLine($"{watch.Elapsed.TotalMilliseconds:0.0} ms with {Attempts:N0} attempts: {sql}");
        return rows;
    }

    private async Task<string> PlanAsync(string sql)
    {
        var plan = string.Join('\n', (await Database.QueryAsync("explain (analyze, costs off, timing off) " + sql)).Select(row => row[0]));
        TestContext.Current.TestOutputHelper?.WriteLine(plan);
        return plan;
    }

    [Fact]
    public async Task Recent_failures_come_from_the_index_of_failures()
    {
        await HistoryAsync();
        var rows = await TimedAsync(RecentFailures);
        rows.Select(row => (string)row[1]!).ShouldBe(Enumerable.Range(0, 20).Select(i => $"tag-{(Attempts - 50 * i) % 5000}"));
        rows[0][0].ShouldBe("type-0");
        ((string)rows[0][2]!).ShouldContain($"Error {Attempts}");

        var plan = await PlanAsync(RecentFailures);
        plan.ShouldContain("attempt_failure");
        plan.ShouldNotContain("Seq Scan on attempt");
        plan.ShouldNotContain("Seq Scan on job");
    }

    [Fact]
    public async Task Average_times_by_type_are_right()
    {
        await HistoryAsync();
        var rows = await TimedAsync(AverageTimes);
        rows.ToDictionary(row => (string)row[0]!, row => Math.Round(Convert.ToDouble(row[1], System.Globalization.CultureInfo.InvariantCulture), 6))
            .ShouldBe(Enumerable.Range(0, 10).ToDictionary(i => $"type-{i}", i => i / 1000.0), ignoreOrder: true);
    }

    [Fact]
    public async Task The_look_up_for_deduplication_reads_no_whole_table()
    {
        await HistoryAsync();
        await SubmitAllAsync([.. Enumerable.Range(0, 5_000).Select(i => Some.Job("type-1", tag: $"sync-user-{i}", id: Attempts + 1 + i, delay: Some.Minute))]);
        await Database.AnalyzeAsync();
        var row = (await TimedAsync(IsPending)).ShouldHaveSingleItem();
        row[0].ShouldBe(Attempts + 1L + 42);

        var plan = await PlanAsync(IsPending);
        plan.ShouldNotContain("Seq Scan on attempt");
        plan.ShouldNotContain("Seq Scan on job");
    }

    [Fact]
    public async Task A_claim_reads_the_line_in_order_whatever_the_statistics_say()
    {
        var node = await NodeAsync();
        await Database.AnalyzeAsync();
        await SubmitAllAsync(Some.Jobs(50_000));
        await node.ClaimAsync(10);
        var before = await ScansAsync();
        for (var i = 0; i < 20; i++)
            (await node.ClaimAsync(10)).Count.ShouldBe(10);
        var after = await ScansAsync();
        (after - before).ShouldBeLessThan(20, "sequential scans of ready");
    }

    [Fact]
    public async Task Pruning_reads_what_is_old_and_no_more_whatever_the_statistics_say()
    {
        await HistoryAsync();
        // The statistics know of nothing that is old.
        await Database.QueryAsync("update millrace.attempt set remove_at = now() - interval '1 hour' where job_id <= 2000");
        var sql = Postgres.PostgresStore.LockOld
            .Replace("@now", "now()", StringComparison.Ordinal).Replace("@limit", "1000", StringComparison.Ordinal).Replace("@window", "900", StringComparison.Ordinal);
        await using var connection = await Database.ConnectAsync();
        await TestDatabase.QueryAsync(connection, null, "set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off; set enable_mergejoin = off");
        var plan = string.Join('\n', (await TestDatabase.QueryAsync(connection, null, "explain (analyze, costs off, timing off) " + sql)).Select(row => row[0]));
        TestContext.Current.TestOutputHelper?.WriteLine(plan);

        plan.ShouldContain("Index Scan using job_pkey on job j (actual rows=1000 loops=1)");
        plan.ShouldContain("Index Scan using attempt_remove_at on attempt o (actual rows=1000 loops=1)");
    }

    private async Task<long> ScansAsync()
    {
        // A session hands its numbers in when it ends or is idle for a while; asking it to is the only way not to wait.
        await Database.QueryAsync("select pg_stat_force_next_flush()");
        return (long)(await Database.QueryAsync("select seq_scan from pg_stat_user_tables where relname = 'ready'"))[0][0]!;
    }
}
