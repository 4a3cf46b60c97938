using Microsoft.Data.Sqlite;
using Millrace.Sqlite;

namespace Millrace.Storage.Tests;

/// <summary>What the doctor says about a SQLite file, and what looking at one may cost.</summary>
public sealed class SqliteReportTests() : Contract(new SqliteDatabase())
{
    private SqliteDatabase File => (SqliteDatabase)Database;

    private Task<StoreReport> ReportAsync() => Store.Inspection.ReportAsync(Stop);

    private async Task<Finding> FindingAsync(string code) => (await ReportAsync()).Findings.Where(finding => finding.Code == code).ShouldHaveSingleItem();

    // The tests' files are not synced, for speed.
    private static IEnumerable<Finding> Own(StoreReport report) => report.Findings.Where(finding => finding.Code != "synchronous_normal");

    [Fact]
    public async Task A_new_file_is_as_it_should_be()
    {
        await NodeAsync();
        await SubmitAllAsync(Some.Jobs(10));
        var report = await ReportAsync();
        Own(report).ShouldBeEmpty();
        report.Findings.ShouldHaveSingleItem().ShouldSatisfyAllConditions(finding => finding.Code.ShouldBe("synchronous_normal"), finding => finding.Severity.ShouldBe(Severity.Notice));
        report.Server.ShouldStartWith("SQLite 3.");
        (report.SchemaVersion, report.KnownVersion).ShouldBe((6, 6));
        var figures = report.Figures.ToDictionary();
        (figures["journal mode"], figures["quick check"], figures["jobs whose place was checked"], figures["living nodes"]).ShouldBe(("wal", "ok", "10", "1"));
        foreach (var name in new[] { "file", "file size", "free pages", "journal size", "synchronous" })
            figures.ShouldContainKey(name);
    }

    [Fact]
    public async Task A_file_without_a_schema_has_version_0_and_looking_makes_none()
    {
        var path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(File.File)!, "other.db");
        await using var store = new SqliteStore(new SqliteFile(path, new SqliteOptions()), new StoreClock(Clock));
        (await Should.ThrowAsync<StoreException>(() => store.Inspection.ReportAsync(Stop))).Fault.ShouldBe(StoreFault.Unavailable);
        System.IO.File.Exists(path).ShouldBeFalse("looking makes no file");

        await using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            await connection.OpenAsync(Stop);
            await TestDatabase.QueryAsync(connection, null, "create table orders (id integer)");
        }

        var report = await store.Inspection.ReportAsync(Stop);

        report.SchemaVersion.ShouldBe(0);
        report.Findings.Select(finding => finding.Code).ShouldBe(["schema_missing", "wal_off"]);
        (await Should.ThrowAsync<StoreException>(() => store.Inspection.ListAsync(new JobListing(), Stop))).Fault.ShouldBe(StoreFault.Rejected);
    }

    [Fact]
    public async Task An_older_schema_is_said_and_nothing_else_is_asked_of_it()
    {
        await Database.QueryAsync("delete from millrace_migration where number >= 3");
        await Database.QueryAsync("drop table millrace_operation");
        await Database.QueryAsync("drop table millrace_deleted_job");
        var report = await ReportAsync();
        report.SchemaVersion.ShouldBe(2);
        Own(report).ShouldHaveSingleItem().Code.ShouldBe("schema_old");
    }

    [Fact]
    public async Task A_newer_schema_is_said()
    {
        await Database.QueryAsync("insert into millrace_migration (number, name, applied_at) select max(number) + 1, 'later', 0 from millrace_migration");
        (await FindingAsync("schema_new")).Severity.ShouldBe(Severity.Notice);
        await Database.QueryAsync("insert into millrace_migration (number, name, applied_at) select max(number) + 1, 'much later', 0 from millrace_migration");
        (await FindingAsync("schema_new")).Severity.ShouldBe(Severity.Error);
    }

    [Fact]
    public async Task A_schema_that_was_changed_by_hand_is_noticed_and_an_index_can_be_mended()
    {
        await Database.QueryAsync("drop table millrace_once");
        await Database.QueryAsync("alter table millrace_node drop column drain_by");
        await Database.QueryAsync("drop index millrace_job_tag");
        await Database.QueryAsync("drop view worker_jobs");
        var findings = Own(await ReportAsync()).ToList();
        findings.Select(finding => finding.Code).ShouldBe(["table_missing", "column_missing", "index_missing", "view_missing"], ignoreOrder: true);
        findings.Single(finding => finding.Code == "column_missing").Evidence.ShouldContain("millrace_node.drain_by");
        foreach (var finding in findings.Where(finding => finding.Fix is not null))
            await Database.QueryAsync(finding.Fix!);
        Own(await ReportAsync()).Select(finding => finding.Code).ShouldBe(["table_missing", "column_missing"], ignoreOrder: true);
    }

    [Fact]
    public async Task Jobs_that_nobody_will_run_are_noticed()
    {
        var node = await NodeAsync("send");
        await SubmitAllAsync(Some.Job(queue: "forgotten"), Some.Job("rare", queue: "mail"), Some.Job(queue: "mail", delay: 10 * Some.Minute));
        await Store.TidyAsync(Stop);
        (await FindingAsync("queue_without_worker")).ShouldSatisfyAllConditions(finding => finding.Evidence.ShouldContain("\"forgotten\""), finding => finding.Severity.ShouldBe(Severity.Warning));
        (await FindingAsync("type_without_handler")).Evidence.ShouldContain("\"rare\"");
        node.LiveFor(TimeSpan.FromMinutes(6));
        (await FindingAsync("queue_without_worker")).Severity.ShouldBe(Severity.Error);
    }

    [Fact]
    public async Task What_a_living_node_would_have_done_by_now_is_noticed()
    {
        var doomed = await NodeAsync();
        await RunningAsync(doomed);
        await SubmitAsync(Some.Job(delay: Some.Second));
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        await Store.Operations.PauseQueueAsync("mail", true, Some.Noon + Some.Second, new Author("alice", "code"), Stop);
        await doomed.DieAsync();
        Clock.Advance(3 * Some.Minute);
        (await FindingAsync("lease_of_the_dead")).Evidence.ShouldContain("test:1");
        (await FindingAsync("promotion_late")).Evidence.ShouldContain("minute: 1,");
        (await FindingAsync("schedule_late")).Evidence.ShouldContain("\"report\"");
        await Database.QueryAsync((await FindingAsync("pause_lapsed")).Fix!);
        (await ReportAsync()).Findings.ShouldNotContain(finding => finding.Code == "pause_lapsed");
    }

    [Fact]
    public async Task Quarantine_is_noticed()
    {
        var (node, doomed) = (await NodeAsync(), await NodeAsync());
        var claim = await RunningAsync(doomed);
        await doomed.DieAsync();
        await node.SweepAsync(Some.Quarantine);
        (await FindingAsync("quarantine")).Evidence.ShouldBe($"Jobs in quarantine: {claim.JobId} (send).");
    }

    [Fact]
    public async Task A_clock_that_was_set_back_is_noticed()
    {
        await SubmitAsync(Some.Job());
        await using var store = OpenStore(new FakeTimeProvider(Some.Noon - TimeSpan.FromHours(2)));
        (await store.Inspection.ReportAsync(Stop)).Findings.ShouldContain(finding => finding.Code == "clock");
    }

    [Fact]
    public async Task A_job_in_two_places_or_in_none_is_noticed()
    {
        await NodeAsync();
        var jobs = Some.Jobs(5);
        await SubmitAllAsync(jobs);
        await Database.QueryAsync($"insert into millrace_scheduled (due, id, queue, priority, type, run, attempt) values ({long.MaxValue}, {jobs[1].Id}, 'default', 0, 'send', 1, 1)");
        await Database.QueryAsync($"delete from millrace_ready where id = {jobs[3].Id}");
        await Database.QueryAsync($"delete from millrace_job where id = {jobs[4].Id}");
        (await FindingAsync("place")).Evidence.ShouldBe($"2 of 4 jobs are not in exactly one place: {jobs[3].Id} (nowhere), {jobs[1].Id} (ready, scheduled).");
        await Database.QueryAsync((await FindingAsync("stray_rows")).Fix!);
        (await ReportAsync()).Findings.ShouldNotContain(finding => finding.Code == "stray_rows");
        (await CountAsync("ready")).ShouldBe(3);
    }

    [Fact]
    public async Task A_damaged_file_is_noticed()
    {
        await NodeAsync();
        await SubmitAllAsync(Some.Jobs(200));
        await Database.QueryAsync("pragma writable_schema = on");
        await Database.QueryAsync("update sqlite_master set rootpage = (select rootpage from sqlite_master where name = 'millrace_once') where name = 'millrace_job_log'");
        await using var store = OpenStore();
        var report = await store.Inspection.ReportAsync(Stop);
        report.Findings.ShouldContain(finding => finding.Code == "damaged" && finding.Severity == Severity.Error);
    }

    [Theory]
    [InlineData("/data/app.db", "nfs4", true)]
    [InlineData("/data/local/app.db", "ext4", false)]
    [InlineData("/my files/app.db", "cifs", true)]
    [InlineData("/app.db", "overlay", false)]
    public void A_network_file_system_is_known_by_its_mount(string path, string kind, bool isNetwork)
    {
        string[] mounts = ["overlay / overlay rw 0 0", "server:/x /data nfs4 rw 0 0", "/dev/sda1 /data/local ext4 rw 0 0", "//s/x /my\\040files cifs rw 0 0", "nonsense"];
        var found = Mounts.FileSystemOf(path, mounts).ShouldNotBeNull();
        (found, Mounts.IsNetwork(found)).ShouldBe((kind, isNetwork));
    }

    // ---- looking

    [Fact]
    public async Task A_look_that_takes_too_long_is_stopped_and_the_next_one_works()
    {
        await SubmitAllAsync(Some.Jobs(10));
        var store = (SqliteStore)Store;
        const string endless = "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n";
        var fault = await Should.ThrowAsync<StoreException>(() => store.LookAsync(session => session.Number(endless), Stop));
        fault.Fault.ShouldBe(StoreFault.Unavailable);
        fault.Message.ShouldContain("took longer than 2 s");
        (await Store.Inspection.ListAsync(new JobListing(), Stop)).Jobs.Count.ShouldBe(10);
    }

    [Theory]
    [InlineData(50)]
    [InlineData(60_000)]
    public async Task A_part_of_a_look_that_takes_too_long_leaves_the_rest_alone(int milliseconds)
    {
        var store = (SqliteStore)Store;
        var (isDone, rest) = await store.LookAsync(session => (
            session.Limit!.TryWithin(TimeSpan.FromMilliseconds(milliseconds), () => session.Number("with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n")),
            session.Number("select 7")), Stop);
        (isDone, rest).ShouldBe((false, 7));
    }

    [Fact]
    public async Task A_look_that_nobody_waits_for_any_more_is_stopped()
    {
        var store = (SqliteStore)Store;
        using var leaving = new CancellationTokenSource();
        var (begun, ended) = (new TaskCompletionSource(), new TaskCompletionSource<Exception>());
        var look = store.LookAsync(session =>
        {
            begun.SetResult();
            try
            {
                return session.Number("with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n");
            }
            catch (SqliteException exception)
            {
                ended.SetResult(exception);
                throw;
            }
        }, leaving.Token);
        await begun.Task;
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => look);
        (await ended.Task).Message.ShouldContain("interrupted");
    }

    [Fact]
    public async Task Looking_never_waits_for_a_writer_and_cannot_write()
    {
        await SubmitAsync(Some.Job());
        await using var transaction = await BeginAsync();
        await SubmitAsync(Some.Job(), transaction);
        (await Store.Inspection.ListAsync(new JobListing(), Stop)).Jobs.ShouldHaveSingleItem();
        await transaction.RollbackAsync(Stop);
        var store = (SqliteStore)Store;
        (await Should.ThrowAsync<StoreException>(() => store.LookAsync(session => session.Execute("delete from millrace_job where id > @id", ("@id", 0L)), Stop)))
            .Fault.ShouldBe(StoreFault.ReadOnly);
        (await CountAsync("job")).ShouldBe(1);
    }

    [Fact]
    public async Task The_pulse_changes_with_a_commit_of_any_process()
    {
        var pulse = await Store.Inspection.ReadPulseAsync(Stop);
        (await Store.Inspection.ReadPulseAsync(Stop)).ShouldBe(pulse);
        foreach (var change in new Func<Task>[]
        {
            () => SubmitAsync(Some.Job()), () => OpenStore().SubmitAsync([Some.Job()], null, Stop), () => Database.QueryAsync("update millrace_job set user_id = 1"),
        })
        {
            await change();
            var next = await Store.Inspection.ReadPulseAsync(Stop);
            next.ShouldNotBe(pulse);
            pulse = next;
        }
    }
}
