using System.Diagnostics;

namespace Millrace.Storage.Tests;

/// <summary>
/// What looking costs on PostgreSQL with 200,000 jobs and 200,000 attempts: which indexes are used, and that no whole table is read. From the server's own counters, so it is about what was
/// done and not about what was planned. The times are printed, not asserted: machines differ.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class LookPlanTests() : Contract(new PostgresDatabase())
{
    private const int Finished = 150_000;
    private const int Live = 50_000;

    /// <summary>One in fifty failed; 20,000 jobs are ready, 20,000 scheduled, 10,000 wait; one schedule, one parent with a few children.</summary>
    private async Task HistoryAsync(bool isAnalyzed = true)
    {
        await Database.QueryAsync($$"""
            insert into millrace.job (id, nonce, type, tag, queue, data, due, created, schedule, parent)
                select i, i, 'type-' || i % 10, 'tag-' || i % 5000, 'queue-' || i % 3, '{"customer":{"id":' || i || '} }', now(), now(), case when i % 1000 = 0 then 'nightly' end, case when i % 20000 = 7 then 1 end
                from generate_series(1, {{Finished + Live}}) i;
            insert into millrace.attempt (job_id, run, attempt, charged, type, tag, started, finished, success, outcome, error, remove_at)
                select i, 1, 1, true, 'type-' || i % 10, 'tag-' || i % 5000, now() - (200000 - i) * interval '1 second', now() - (200000 - i) * interval '1 second',
                    i % 50 <> 0, case when i % 50 = 0 then 'discarded' else 'succeeded' end, case when i % 50 = 0 then 'Error ' || i end, now() + interval '1 day'
                from generate_series(1, {{Finished}}) i;
            insert into millrace.attempt (job_id, run, attempt, charged, type, tag, started, finished, success, outcome, error)
                select i, 1, 1, true, 'type-' || i % 10, 'tag-' || i % 5000, now(), now(), null, 'snoozed', null from generate_series({{Finished + 20_001}}, {{Finished + 22_000}}) i;
            insert into millrace.attempt (job_id, run, attempt, charged, type, tag, started, finished, success, outcome, error)
                select i, 0, 1, false, 'type-' || i % 10, 'tag-' || i % 5000, now(), now(), null, 'released', null from generate_series(1, 48000) i;
            insert into millrace.ready (queue, priority, pass, id, type, run, attempt)
                select 'queue-' || i % 3, 0, i, i, 'type-' || i % 10, 2, 1 from generate_series({{Finished + 1}}, {{Finished + 20_000}}) i;
            insert into millrace.scheduled (due, id, queue, priority, type, run, attempt)
                select now() + interval '1 day', i, 'queue-' || i % 3, 0, 'type-' || i % 10, 2, 1 + i % 2 from generate_series({{Finished + 20_001}}, {{Finished + 40_000}}) i;
            insert into millrace.waiting (id, reason, since, due, queue, priority, type, run, attempt)
                select i, case when i % 1000 = 0 then 'quarantine' else 'type' end, now(), now(), 'queue-' || i % 3, 0, 'type-' || i % 10, 2, 1 from generate_series({{Finished + 40_001}}, {{Finished + Live}}) i;
            insert into millrace.node (id, name, kind, started_at, expires_at, types, queues)
                select ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid, 'node:' || i, 'worker', now(), timestamptz '2100-01-01', array['type-1'], array['queue-1'] from generate_series(1, 50) i;
            insert into millrace.lease (id, node, claimed_at, job_ids, runs, attempts, crashes, passes)
                select gen_random_uuid(), ('00000000-0000-0000-0000-' || lpad((i % 50 + 1)::text, 12, '0'))::uuid, now(), array_agg(j), array_agg(2), array_agg(1), array_agg(0), array_agg(0::bigint)
                from generate_series(1, 200) i cross join lateral generate_series(i * 100, i * 100 + 99) j group by i;
            insert into millrace.stat_minute (bucket, queue, type, outcome, node, count, wait, run)
                select date_trunc('minute', now()) - m * interval '1 minute', 'queue-1', 'type-' || t, 'succeeded', ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 10, '', ''
                from generate_series(0, 1440) m, generate_series(1, 10) t, generate_series(1, 4) n;
            """);
        if (isAnalyzed)
            await Database.AnalyzeAsync();
    }

    /// <param name="Indexes">How often each index was looked into.</param>
    /// <param name="Read">Rows that were read from job and attempt without an index.</param>
    /// <param name="Fetched">Entries that were read from the indexes of job and attempt.</param>
    private sealed record Cost(IReadOnlyDictionary<string, long> Indexes, long Read, long Fetched);

    private async Task<Cost> CountersAsync()
    {
        var indexes = await Database.QueryAsync("select indexrelname, idx_scan, idx_tup_read, relname from pg_stat_user_indexes where schemaname = 'millrace'");
        var read = await Database.QueryAsync("select coalesce(sum(seq_tup_read), 0)::bigint from pg_stat_user_tables where schemaname = 'millrace' and relname in ('job', 'attempt')");
        return new Cost(
            indexes.ToDictionary(row => (string)row[0]!, row => (long)row[1]!), (long)read[0][0]!, indexes.Where(row => (string)row[3]! is "job" or "attempt").Sum(row => (long)row[2]!));
    }

    // A session hands its numbers in when it ends, so each look is made by a process of its own.
    private async Task<Cost> CostAsync<T>(string name, Func<IJobInspection, Task<T>> look)
    {
        var before = await CountersAsync();
        var store = Database.Open(new StoreClock(TimeProvider.System));
        await using (store)
        {
            await look(store.Inspection);
            var watch = Stopwatch.StartNew();
            await look(store.Inspection);
            TestContext.Current.TestOutputHelper?.WriteLine($"{watch.Elapsed.TotalMilliseconds,7:0.0} ms  {name}");
        }

        while ((long)(await Database.QueryAsync("select count(*) from pg_stat_activity where application_name = 'millrace dashboard' and datname = current_database()"))[0][0]! > 0)
            await Task.Yield();
        var after = await CountersAsync();
        return new Cost(after.Indexes.ToDictionary(pair => pair.Key, pair => pair.Value - before.Indexes[pair.Key]), after.Read - before.Read, after.Fetched - before.Fetched);
    }

    private static JobFilter Filter(params IFilterTerm[] terms) => new(terms);

    private static Func<IJobInspection, Task<JobPage>> List(params IFilterTerm[] terms) => look => look.ListAsync(new JobListing { Filter = Filter(terms) }, Stop);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_list_comes_from_the_narrowest_index(bool isAnalyzed)
    {
        await HistoryAsync(isAnalyzed);
        foreach (var (name, index, most, look) in new (string, string, long, Func<IJobInspection, Task<JobPage>>)[]
                 {
                     ("all", "job_pkey", 1_000, List()),
                     ("state:ready", "ready_id_key", 1_000, List(new StateTerm(StateSet.Ready))),
                     ("state:retrying", "scheduled_id_key", 4_000, List(new StateTerm(StateSet.Retrying))),
                     ("state:running", "lease_pkey", 100_000, List(new StateTerm(StateSet.Running))),
                     ("state:quarantined", "waiting_pkey", 40_000, List(new StateTerm(StateSet.Quarantined))),
                     ("state:failed", "attempt_failure", 30_000, List(new StateTerm(StateSet.Discarded))),
                     ("state:failed finished>-60000s", "attempt_failure", 2_000, List(new StateTerm(StateSet.Discarded), new TimeTerm(TimeField.Finished, TimeProvider.System.GetUtcNow().AddSeconds(-60_000), null))),
                     ("state:succeeded", "attempt_pkey", 4_000, List(new StateTerm(StateSet.Succeeded))),
                     ("tag:tag-42", "job_tag", 2_000, List(new TextTerm(TextField.Tag, TextMatch.Exact, ["tag-42"]))),
                     ("cron:nightly", "job_schedule", 2_000, List(new TextTerm(TextField.Schedule, TextMatch.Exact, ["nightly"]))),
                     ("parent:1", "job_parent", 1_000, List(new NumberTerm(NumberField.Parent, 1, 1))),
                     ("id:4711", "job_pkey", 100, List(new NumberTerm(NumberField.Id, 4711, 4711))),
                     ("type:type-3 queue:queue-1", "job_pkey", 20_000, List(new TextTerm(TextField.Type, TextMatch.Exact, ["type-3"]), new TextTerm(TextField.Queue, TextMatch.Exact, ["queue-1"]))),
                     ("args.customer.id:*77", "job_pkey", 100_000, List(new DataTerm(["customer", "id"], TextMatch.Pattern, "*77"))),
                 })
        {
            var cost = await CostAsync(name, look);
            if (index != "lease_pkey")
                cost.Indexes[index].ShouldBeGreaterThan(0, name);
            cost.Read.ShouldBe(0, $"{name} reads a whole table");
            cost.Fetched.ShouldBeLessThanOrEqualTo(2 * most, name);
        }
    }

    [Fact]
    public async Task A_search_for_what_is_rare_stops_and_can_be_gone_on_with()
    {
        await HistoryAsync();
        var rare = new JobListing { Filter = Filter(new DataTerm(["customer", "id"], TextMatch.Exact, "4711")) };
        var cost = await CostAsync("args.customer.id:4711", look => look.ListAsync(rare, Stop));
        cost.Read.ShouldBe(0);
        var (found, pages, partial) = (new List<long>(), 0, 0);
        for (long? before = null; pages == 0 || before is not null; pages++)
        {
            var page = await Store.Inspection.ListAsync(rare with { BeforeId = before }, Stop);
            found.AddRange(page.Jobs.Select(job => job.Id));
            partial += page.IsPartial ? 1 : 0;
            page.IsPartial.ShouldBe(page.Next is not null);
            before = page.Next;
        }

        found.ShouldBe([4711]);
        // 100,000 at most in one go, fewer on a slow machine.
        pages.ShouldBeGreaterThanOrEqualTo(2);
        partial.ShouldBe(pages - 1);

        var (read, after) = (new List<long>(), (long?)0);
        while (after is { } id)
        {
            var page = await Store.Inspection.ReadMatchesAsync(rare.Filter, id, long.MaxValue, 500, Stop);
            read.AddRange(page.Ids);
            after = page.Next;
        }

        read.ShouldBe([4711]);
    }

    [Fact]
    public async Task Counting_and_the_rest_read_no_whole_history()
    {
        await HistoryAsync();
        foreach (var (name, index, most, look) in new (string, string, long, Func<IJobInspection, Task<object>>)[]
                 {
                     ("count", "stat_minute_pkey", 40_000, async look => await look.CountAsync(Stop)),
                     ("preview of state:failed", "attempt_failure", 200_000, async look => await look.CountMatchesAsync(new MatchQuery(Filter(new StateTerm(StateSet.Discarded)), OperationKind.Retry), Stop)),
                     ("preview of tag:tag-42", "job_tag", 10_000, async look => await look.CountMatchesAsync(new MatchQuery(Filter(new TextTerm(TextField.Tag, TextMatch.Exact, ["tag-42"])), OperationKind.Delete), Stop)),
                     ("matches of state:scheduled", "scheduled_id_key", 10_000, async look => await look.ReadMatchesAsync(Filter(new StateTerm(StateSet.Scheduled)), 0, long.MaxValue, 500, Stop)),
                     ("find", "job_pkey", 1_000, async look => (await look.FindAsync(1, Stop))!),
                     ("facts", "ready_pkey", 1_000, async look => (await look.ReadFactsAsync(Finished + 10_000, Stop))!),
                     ("rows of 200 ids", "job_pkey", 2_000, async look => await look.ReadRowsAsync([.. Enumerable.Range(1, 200).Select(i => i * 1_000L)], Stop)),
                     ("attempts", "attempt_pkey", 10, async look => await look.ReadAttemptsAsync(4711, Stop)),
                     ("queues", "ready_pkey", 60_000, async look => await look.ReadQueuesAsync(Stop)),
                     ("runs of a schedule", "job_schedule", 1_000, async look => await look.ReadScheduleRunsAsync("nightly", 50, Stop)),
                     ("workers", "lease_pkey", 60_000, async look => await look.ReadWorkersAsync(Stop)),
                     ("slow runs of a day", "attempt_pkey", 120_000, async look => await look.ReadSlowRunsAsync(new SlowRunQuery("type-3", TimeProvider.System.GetUtcNow().AddDays(-1)), Stop)),
                     ("slow runs of a type that is not", "attempt_pkey", 120_000, async look => await look.ReadSlowRunsAsync(new SlowRunQuery("none", DateTimeOffset.UnixEpoch), Stop)),
                     ("failures", "attempt_failure", 4_000, async look => await look.ReadFailuresAsync(DateTimeOffset.UnixEpoch, 1_000, Stop)),
                     ("stats of a day", "stat_minute_pkey", 10, async look => await look.ReadStatsAsync(new StatQuery { From = TimeProvider.System.GetUtcNow().AddDays(-1), To = TimeProvider.System.GetUtcNow(), Step = TimeSpan.FromMinutes(5) }, Stop)),
                     ("pulse", "", 10, async look => await look.ReadPulseAsync(Stop)),
                     ("report", "job_pkey", 60_000, async look => await look.ReportAsync(Stop)),
                 })
        {
            var cost = await CostAsync(name, look);
            if (index.Length > 0 && index != "lease_pkey")
                cost.Indexes[index].ShouldBeGreaterThan(0, name);
            cost.Read.ShouldBe(0, $"{name} reads a whole table");
            cost.Fetched.ShouldBeLessThanOrEqualTo(2 * most, name);
        }
    }
}
