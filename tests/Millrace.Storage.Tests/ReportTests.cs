using Npgsql;

namespace Millrace.Storage.Tests;

/// <summary>What the doctor says about a PostgreSQL database.</summary>
public sealed class ReportTests() : Contract(new PostgresDatabase())
{
    private async Task<StoreReport> ReportAsync() => await Store.Inspection.ReportAsync(Stop);

    private async Task<Finding> FindingAsync(string code) => (await ReportAsync()).Findings.Where(finding => finding.Code == code).ShouldHaveSingleItem();

    // What the server of the tests, or other tests on it, may be blamed for.
    private static IEnumerable<Finding> Own(StoreReport report) =>
        report.Findings.Where(finding => finding.Code is not ("fsync_off" or "full_page_writes_off" or "synchronous_commit_off" or "connections_full" or "autovacuum_off"));

    [Fact]
    public async Task A_new_database_is_as_it_should_be()
    {
        await NodeAsync();
        await SubmitAllAsync(Some.Jobs(10));
        var report = await ReportAsync();
        Own(report).ShouldBeEmpty();
        report.Server.ShouldStartWith("PostgreSQL 1");
        (report.SchemaVersion, report.KnownVersion).ShouldBe((6, 6));
        foreach (var name in new[] { "round trip", "bell", "pooler", "clock skew", "connections", "size", "table job", "jobs whose place was checked" })
            report.Figures.ShouldContain(figure => figure.Key == name, name);
        report.Figures.Single(figure => figure.Key == "jobs whose place was checked").Value.ShouldBe("10");
    }

    [Fact]
    public async Task A_database_without_a_schema_has_version_0()
    {
        await Database.QueryAsync("drop schema millrace cascade");
        var report = await ReportAsync();
        report.SchemaVersion.ShouldBe(0);
        Own(report).ShouldHaveSingleItem().ShouldSatisfyAllConditions(finding => finding.Code.ShouldBe("schema_missing"), finding => finding.Severity.ShouldBe(Severity.Error));
    }

    [Fact]
    public async Task An_older_schema_is_said_and_nothing_else_is_asked_of_it()
    {
        await Database.QueryAsync("delete from millrace.migration where version >= 3; drop table millrace.operation, millrace.operation_job, millrace.stat_minute, millrace.deleted_job; alter table millrace.queue drop column paused_at");
        var report = await ReportAsync();
        report.SchemaVersion.ShouldBe(2);
        Own(report).ShouldHaveSingleItem().Code.ShouldBe("schema_old");
    }

    [Fact]
    public async Task A_schema_that_was_changed_by_hand_is_noticed_and_an_index_can_be_mended()
    {
        await Database.QueryAsync("drop table millrace.once; alter table millrace.node drop column drain_by; drop index millrace.job_tag; drop index millrace.job_schedule");
        await Database.QueryAsync("update pg_index set indisvalid = false where indexrelid = 'millrace.attempt_failure'::regclass");
        var findings = Own(await ReportAsync()).ToList();
        findings.Select(finding => finding.Code).ShouldBe(["table_missing", "column_missing", "index_missing", "index_missing", "index_invalid"], ignoreOrder: true);
        findings.Single(finding => finding.Code == "table_missing").Evidence.ShouldContain("once");
        findings.Single(finding => finding.Code == "column_missing").Evidence.ShouldContain("drain_by");
        foreach (var finding in findings.Where(finding => finding.Fix is not null))
            await Database.QueryAsync(finding.Fix!);
        Own(await ReportAsync()).Select(finding => finding.Code).ShouldBe(["table_missing", "column_missing"], ignoreOrder: true);
    }

    [Fact]
    public async Task Jobs_that_nobody_will_run_are_noticed()
    {
        var node = await NodeAsync("send");
        await SubmitAllAsync(Some.Job(queue: "forgotten"), Some.Job("rare", queue: "mail"), Some.Job(queue: "mail", delay: Some.Minute));
        await Store.TidyAsync(Stop);
        (await FindingAsync("queue_without_worker")).ShouldSatisfyAllConditions(
            finding => finding.Evidence.ShouldContain("\"forgotten\""), finding => finding.Severity.ShouldBe(Severity.Warning));
        (await FindingAsync("type_without_handler")).Evidence.ShouldContain("\"rare\"");
        node.LiveFor(TimeSpan.FromMinutes(6));
        (await FindingAsync("queue_without_worker")).Severity.ShouldBe(Severity.Error);
    }

    [Fact]
    public async Task Leases_that_nobody_takes_back_are_noticed()
    {
        var node = await NodeAsync();
        await RunningAsync(node);
        await node.DieAsync();
        Clock.Advance(2 * Some.Minute);
        (await FindingAsync("lease_of_the_dead")).Evidence.ShouldContain("test:1");
    }

    [Fact]
    public async Task Quarantine_is_noticed()
    {
        var (node, doomed) = (await NodeAsync(), await NodeAsync());
        await RunningAsync(doomed);
        await doomed.DieAsync();
        await node.SweepAsync(Some.Quarantine);
        (await FindingAsync("quarantine")).Evidence.ShouldContain("1 ");
    }

    [Fact]
    public async Task A_pause_that_nobody_cleared_is_noticed()
    {
        await NodeAsync();
        await Store.Operations.PauseQueueAsync("mail", true, Some.Noon + Some.Second, new Author("alice", "code"), Stop);
        Clock.Advance(2 * Some.Minute);
        var finding = await FindingAsync("pause_lapsed");
        await Database.QueryAsync(finding.Fix!);
        // The test's clock stands before the database's.
        (await ReportAsync()).Findings.ShouldNotContain(one => one.Code == "pause_lapsed");
    }

    [Fact]
    public async Task A_job_in_two_places_or_in_none_is_noticed()
    {
        await NodeAsync();
        var jobs = Some.Jobs(5);
        await SubmitAllAsync(jobs);
        await Database.QueryAsync($"""
            insert into millrace.scheduled (due, id, queue, priority, type, run, attempt) values (now(), {jobs[1].Id}, 'default', 0, 'send', 1, 1);
            delete from millrace.ready where id = {jobs[3].Id}
            """);
        var finding = await FindingAsync("place");
        finding.Severity.ShouldBe(Severity.Error);
        finding.Evidence.ShouldBe($"2 of 5 jobs are not in exactly one place: {jobs[1].Id}, {jobs[3].Id}.");
    }

    [Fact]
    public async Task What_is_due_and_stays_where_it_is_is_noticed()
    {
        var node = await NodeAsync("send", "report");
        await SubmitAsync(Some.Job(delay: Some.Second));
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        await Store.PutScheduleAsync(Some.Schedule("paused"), null, null, Stop);
        await Store.Operations.PauseScheduleAsync("paused", true, null, new Author("alice", "code"), Stop);
        node.LiveFor(3 * Some.Minute);
        (await FindingAsync("promotion_late")).Evidence.ShouldStartWith("1 scheduled jobs");
        (await FindingAsync("schedule_late")).Evidence.ShouldStartWith("1 schedules");
    }

    [Fact]
    public async Task Rows_that_belong_to_no_job_are_noticed_and_can_be_removed()
    {
        await NodeAsync();
        var jobs = Some.Jobs(3);
        await SubmitAllAsync(jobs);
        await Database.QueryAsync($"delete from millrace.job where id = {jobs[1].Id}");
        var finding = await FindingAsync("stray_rows");
        finding.Evidence.ShouldBe("1 rows of ready belong to no job.");
        await Database.QueryAsync(finding.Fix!);
        Own(await ReportAsync()).ShouldBeEmpty();
        (await PlacesAsync(jobs[0].Id)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task Dead_rows_and_a_table_without_autovacuum_are_noticed()
    {
        await NodeAsync();
        await Database.QueryAsync("alter table millrace.ready set (autovacuum_enabled = false)");
        await Database.QueryAsync("insert into millrace.ready (queue, priority, pass, id, type, run, attempt) select 'q', 0, i, i, 't', 1, 1 from generate_series(1, 60000) i");
        await Database.QueryAsync("delete from millrace.ready");
        await Database.QueryAsync("select pg_stat_force_next_flush()");
        var dead = await FindingAsync("dead_rows");
        dead.Fix.ShouldBe("vacuum \"millrace\".ready");
        foreach (var finding in new[] { dead, (await ReportAsync()).Findings.First(one => one.Code == "autovacuum_off" && one.Evidence.Contains("ready")) })
            await Database.QueryAsync(finding.Fix!);
        await Database.QueryAsync("select pg_stat_force_next_flush()");
        (await ReportAsync()).Findings.ShouldNotContain(one => one.Code == "dead_rows");
    }

    [Fact]
    public async Task A_look_that_takes_too_long_says_so_and_the_next_one_works()
    {
        await SubmitAsync(Some.Job());
        await using (var transaction = await BeginAsync())
        {
            await using var command = new NpgsqlCommand("lock table millrace.job in access exclusive mode", (NpgsqlConnection)transaction.Connection!, (NpgsqlTransaction)transaction);
            await command.ExecuteNonQueryAsync(Stop);
            var fault = await Should.ThrowAsync<StoreException>(() => Store.Inspection.ListAsync(new JobListing(), Stop));
            fault.Fault.ShouldBe(StoreFault.Unavailable);
            fault.Message.ShouldContain("could not list jobs within 2 seconds");
            await transaction.RollbackAsync(Stop);
        }

        (await Store.Inspection.ListAsync(new JobListing(), Stop)).Jobs.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Looking_uses_two_connections_of_its_own_and_changes_nothing()
    {
        await SubmitAllAsync(Some.Jobs(5));
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Store.Inspection.ListAsync(new JobListing(), Stop)));
        (await Database.QueryAsync("select count(*) from pg_stat_activity where application_name = 'millrace dashboard' and datname = current_database()"))[0][0].ShouldBe(2L);
        // Nothing is left open in them.
        (await Database.QueryAsync("select count(*) from pg_stat_activity where application_name = 'millrace dashboard' and datname = current_database() and xact_start is not null"))[0][0].ShouldBe(0L);
    }
}
