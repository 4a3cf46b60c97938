using System.Globalization;
using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

// The state of the file and of what is in it, for doctors. Looks at any version of the schema, and at a file without one.
internal sealed partial class SqliteInspection
{
    /// <summary>Longer waits are reported: shorter ones are a matter of the next look.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>A wait that somebody has noticed by now.</summary>
    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(5);

    private const int Samples = 20;

    public Task<StoreReport> ReportAsync(CancellationToken cancellationToken) => store.ExamineAsync(Report, cancellationToken);

    private StoreReport Report(Session session)
    {
        var report = new ReportSheet();
        var applied = SqliteStore.HasMigrations(session) ? SqliteStore.AppliedMigrations(session) : [];
        var (version, known) = (applied.DefaultIfEmpty(0).Max(), SqliteStore.NewestMigration);
        AddFigures(session, report);
        CheckFile(session, report);
        CheckSchema(session, report, version, known);
        // The statements below are for the tables of this version.
        if (version >= known && !report.Findings.Exists(finding => finding.Code is "table_missing" or "column_missing"))
        {
            CheckClock(session, report);
            Within(TimeSpan.FromMilliseconds(400), session, report, "work", () => CheckWork(session, report));
            Within(TimeSpan.FromMilliseconds(900), session, report, "places", () => CheckPlaces(session, report));
            Within(TimeSpan.FromMilliseconds(300), session, report, "stray rows", () => CheckStrays(session, report));
        }

        // Last, with what is left of the time: it reads the whole file.
        Within(TimeLimit.Most, session, report, "quick check", () => CheckIntegrity(session, report));
        return new StoreReport
        {
            Server = $"SQLite {session.Connection.ServerVersion}",
            SchemaVersion = (int)version,
            KnownVersion = (int)known,
            Figures = report.Figures,
            Findings = [.. report.Findings.OrderByDescending(finding => finding.Severity)],
        };
    }

    // A part that takes too long leaves the others alone, and says so.
    private static void Within(TimeSpan time, Session session, ReportSheet report, string name, Action check)
    {
        if (session.Limit?.TryWithin(time, check) == false)
            report.Add(name, "stopped: it took too long");
    }

    // ---- the file

    private const string PagesSql = "select page_count, page_size, freelist_count, journal_mode from pragma_page_count, pragma_page_size, pragma_freelist_count, pragma_journal_mode";

    private static (long Pages, long PageSize, long Free, string Journal) Pages(Session session) =>
        session.Query(PagesSql, row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetString(3)))[0];

    private void AddFigures(Session session, ReportSheet report)
    {
        var (pages, size, free, journal) = Pages(session);
        report.Add("file", store.Database.Path);
        report.Add("file size", Bytes(pages * size));
        report.Add("free pages", $"{free} of {pages}");
        report.Add("journal mode", journal);
        report.Add("journal size", Bytes(JournalSize()));
        report.Add("synchronous", store.Database.Synchronous.ToString().ToLowerInvariant());
    }

    private long JournalSize() => new FileInfo(store.Database.Path + "-wal") is { Exists: true } journal ? journal.Length : 0;

    private static string Bytes(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MB");

    private void CheckFile(Session session, ReportSheet report)
    {
        var (pages, size, free, journal) = Pages(session);
        if (!string.Equals(journal, "wal", StringComparison.OrdinalIgnoreCase))
            report.Find("wal_off", Severity.Warning, $"The journal mode is {journal}.", "Millrace sets it when it opens the file; another program has changed it since, or Millrace has not run yet.",
                "Start the application, which sets it again, or run the statement while nobody else uses the file.", "pragma journal_mode = wal");
        if (Mounts.FileSystemOf(store.Database.Path) is { } fileSystem && Mounts.IsNetwork(fileSystem))
            report.Find("network_file_system", Severity.Error, $"The file lies on a file system of the kind {fileSystem}.", "It is mounted from another machine. Neither SQLite's locks nor those of the nodes hold there.",
                "Move the file, with its -wal and -shm, to a local disk while all processes are stopped; or use PostgreSQL.");
        if (JournalSize() > 256L << 20)
            report.Find("journal_large", Severity.Warning, $"The write-ahead log has {Bytes(JournalSize())}.", "A transaction that has been reading for long keeps it from starting again at its beginning.",
                "Find the reader (a backup, an open transaction, a debugger) and end it; then run the statement.", "pragma wal_checkpoint(truncate)");
        if (free * size > 64L << 20 && free > pages / 2)
            report.Find("free_pages", Severity.Notice, $"{Bytes(free * size)} of {Bytes(pages * size)} are free pages.", "Many jobs were removed at once. The pages are used again; the file does not become smaller by itself.",
                "Nothing, or run vacuum while the application is stopped.");
        if (store.Database.Synchronous == SqliteSynchronous.Normal)
            report.Find("synchronous_normal", Severity.Notice, "SqliteOptions.Synchronous is Normal.", "It was chosen: commits reach the disk with the next checkpoint.",
                "Choose Full if what was submitted has to survive a power cut.");
    }

    private static void CheckIntegrity(Session session, ReportSheet report)
    {
        var lines = session.Query("pragma quick_check(5)", row => row.GetString(0));
        report.Add("quick check", lines is ["ok"] ? "ok" : "damaged");
        if (lines is not ["ok"])
            report.Find("damaged", Severity.Error, string.Join(' ', lines), "The file was written past SQLite: a copy while it was open, a disk fault, a lost journal.",
                "Stop all processes, keep a copy of the file with -wal and -shm, and restore a backup, or try sqlite3's command .recover.");
    }

    // ---- the schema

    private static void CheckSchema(Session session, ReportSheet report, long version, long known)
    {
        if (version == 0)
            report.Find("schema_missing", Severity.Error, "The file has no tables of Millrace.", "No process has started on it yet, or it is another file than the application's.",
                "Check the path; then run \"millrace db migrate\", or start the application.");
        else if (version < known)
            report.Find("schema_old", Severity.Warning, $"The schema has version {version}; this version of Millrace knows {known}.", "The application was not started since it was upgraded, or applies no changes.",
                "Run \"millrace db migrate\", or start the application with SchemaChanges set to Apply.");
        else if (version > known)
            report.Find("schema_new", version > known + 1 ? Severity.Error : Severity.Notice, $"The schema has version {version}; this version of Millrace knows {known}.", "A newer version was started on this file.",
                "Upgrade this program.");
        foreach (var (kind, name, fix) in version == 0 ? [] : ExpectedSchema.Missing(session.Connection, version))
            report.Find($"{kind}_missing", fix is null ? Severity.Error : Severity.Warning, $"The {kind} {name} is missing.", "It was dropped by hand, or the file was put together from parts.",
                fix is null ? "Restore a backup, or make it as the migrations do." : "Run the statement.", fix);
    }

    // ---- the clock

    private const string NewestSql = """
        select max(at)
        from (
            select created as at from millrace_job where id = (select max(id) from millrace_job)
            union all
            select max(started_at) from millrace_node)
        """;

    private void CheckClock(Session session, ReportSheet report)
    {
        var now = store.Now();
        if (session.Number(NewestSql) is { } newest && newest > now + Patience.ToMicros())
            report.Find("clock", Severity.Warning, $"The newest entry is from {newest.ToTime():u}; this machine's clock says {now.ToTime():u}.", "The clock was set back, or the file comes from another machine.",
                "Synchronise the clock. Jobs that are due later than they look wait until then.");
    }

    // ---- the work

    private const string DeadLeasesSql = """
        select l.node, coalesce(max(n.name), l.node), min(l.claimed_at), count(*), sum(json_array_length(l.job_ids)), max(n.dead_at)
        from millrace_lease l
        left join millrace_node n on n.id = l.node
        group by l.node
        """;

    private const string LateTickSql = """
        select name
        from millrace_schedule
        where next_due < @late
          and (paused_at is null or resume_at < @late)
        order by name
        limit 20
        """;

    private const string QuarantineSql = "select id, type from millrace_waiting where reason = 'quarantine' order by id limit 20";

    private const string StrangeTypesSql = """
        select type, count(*)
        from (select type from millrace_waiting where reason = 'type' limit 10000)
        group by type
        order by type
        limit 20
        """;

    private const string LateScheduledSql = "select count(*), min(due) from (select due from millrace_scheduled where due < @late order by due limit 1000)";

    private const string LapsedPauseSql = "select name from millrace_queue where is_paused = 1 and resume_at < @late order by name limit 20";

    private void CheckWork(Session session, ReportSheet report)
    {
        var now = store.Now();
        var late = now - Patience.ToMicros();
        var (living, pauses) = (Living(session), Pauses(session, now));
        report.Add("living nodes", $"{living.Count}");
        foreach (var queue in Queues(session).Where(queue => queue.Ready + queue.Scheduled > 0 && queue.Nodes == 0 && !pauses.ContainsKey(queue.Name)).Take(Samples))
            report.Find("queue_without_worker", queue.OldestReady < (now - LongWait.ToMicros()).ToTime() ? Severity.Error : Severity.Warning,
                $"The queue \"{queue.Name}\" has {queue.Ready} ready and {queue.Scheduled} scheduled jobs and no living node that works on it{(queue.OldestReady is { } since ? $"; the oldest waits since {since:u}" : "")}.",
                "No process with workers for it runs, all of them are draining, or its name is misspelt.", "Start a process whose WorkerOptions.Queues has it.");
        foreach (var (type, count) in session.Query(StrangeTypesSql, row => (Type: row.GetString(0), Count: row.GetInt64(1))).Where(row => !living.Any(node => node.Types.Contains(row.Type))))
            report.Find("type_without_handler", Severity.Warning, $"Jobs of the type \"{type}\" that wait for a node which knows it: {count}.", "No living process has a handler for it: it was removed, renamed without an alias, or not deployed yet.",
                "Start a process with the handler, add the old name to Aliases of [Job], or cancel the jobs.");
        foreach (var (node, claimed, leases, jobs) in DeadLeases(session, living, late).Take(Samples))
            report.Find("lease_of_the_dead", Severity.Error, $"The node {node} is dead, and its leases ({leases}, of {jobs} jobs, the oldest from {claimed.ToTime():u}) were not taken back.",
                "No living node tends: none is running, or its loops fail.", "Start a process with Millrace: it takes them back within seconds. If one runs, look at its log and at its health check.");
        foreach (var name in session.Query(LateTickSql, row => row.GetString(0), ("@late", late)))
            report.Find("schedule_late", Severity.Warning, $"A tick of the schedule \"{name}\" was due more than a minute ago and has not fired.", "No process is running that could, or it cannot read the expression or the time zone.",
                "Start a process with Millrace; otherwise look for the schedule's name in its log.");
        var (overdue, first) = session.Query(LateScheduledSql, row => (row.GetInt64(0), row.MaybeNumber(1)), ("@late", late))[0];
        if (first is { } due)
            report.Find("promotion_late", Severity.Warning, $"Scheduled jobs that have been due for more than a minute: {overdue}, the first since {due.ToTime():u}.", "No process is running that could make them ready.",
                "Start a process with Millrace.");
        foreach (var name in session.Query(LapsedPauseSql, row => row.GetString(0), ("@late", late)))
            report.Find("pause_lapsed", Severity.Notice, $"The pause of queue \"{name}\" is over, and still recorded.", "No process has tidied up since. The pause has no effect any more.", "Nothing, or run the statement.",
                $"update millrace_queue set is_paused = 0, paused_at = null, paused_by = null, pause_reason = null, resume_at = null where is_paused = 1 and resume_at <= {now.ToString(CultureInfo.InvariantCulture)}");
        if (session.Query(QuarantineSql, row => (Id: row.GetInt64(0), Type: row.GetString(1))) is { Count: > 0 } quarantined)
            report.Find("quarantine", Severity.Warning, $"Jobs in quarantine{(quarantined.Count == Samples ? $", the first {Samples}" : "")}: {string.Join(", ", quarantined.Select(job => $"{job.Id} ({job.Type})"))}.",
                "Their processes died while they ran, three times.", "Look at the error of the last attempt (millrace show ID); then retry or cancel them.");
    }

    private static IEnumerable<(string Name, long Claimed, long Leases, long Jobs)> DeadLeases(Session session, List<LivingNode> living, long late) =>
        session.Query(DeadLeasesSql, row => (Node: row.Guid(0), Name: row.GetString(1), Claimed: row.GetInt64(2), Leases: row.GetInt64(3), Jobs: row.GetInt64(4), DeadAt: row.MaybeNumber(5)))
            .Where(lease => lease.Claimed < late && (lease.DeadAt ?? 0) < late && !living.Any(node => node.Id == lease.Node))
            .Select(lease => (lease.Name, lease.Claimed, lease.Leases, lease.Jobs));

    // ---- each job is in exactly one place

    private const string PlaceFaultsSql = $"""
        with {Standing.Leased}
        select j.id,
               substr(iif(r.id is null, '', ', ready') || iif(s.id is null, '', ', scheduled') || iif(w.id is null, '', ', waiting') || iif({Standing.IsRunning}, ', running', '')
                   || iif(a.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded')
                       and a.run >= coalesce(r.run, s.run, w.run, iif({Standing.IsRunning}, (select l.run from leased l where l.id = j.id), 0)), ', finished', ''), 3) as places
        from (select id from millrace_job where id < @before order by id desc limit @chunk) c
        cross join millrace_job j on j.id = c.id
        {Standing.JoinAll}
        where places not in ('ready', 'scheduled', 'waiting', 'running', 'finished')
        limit 20
        """;

    private const string ChunkSql = "select count(*), min(id) from (select id from millrace_job where id < @before order by id desc limit @chunk)";

    private const string TwiceLeasedSql = $"with {Standing.Leased} select id from leased group by id having count(*) > 1 limit 20";

    private const string StrayRowsSql = """
        select 'millrace_ready', count(*) from (select 1 from millrace_ready p where not exists (select 1 from millrace_job j where j.id = p.id) limit 1000)
        union all
        select 'millrace_scheduled', count(*) from (select 1 from millrace_scheduled p where not exists (select 1 from millrace_job j where j.id = p.id) limit 1000)
        union all
        select 'millrace_waiting', count(*) from (select 1 from millrace_waiting p where not exists (select 1 from millrace_job j where j.id = p.id) limit 1000)
        """;

    /// <summary>The newest jobs first, as many as there is time for.</summary>
    private static void CheckPlaces(Session session, ReportSheet report)
    {
        var faults = session.Query(TwiceLeasedSql, row => (Id: row.GetInt64(0), Places: "running, running"));
        var (before, looked, isDone) = (long.MaxValue, 0L, false);
        // It ends by itself in good time: what it has found would be lost with it.
        var enough = (session.Limit?.Spent ?? default) + TimeSpan.FromMilliseconds(400);
        while (!isDone && session.Limit?.Spent < enough && faults.Count < Samples)
        {
            const long Size = 5000;
            faults.AddRange(session.Query(PlaceFaultsSql, row => (row.GetInt64(0), row.GetString(1)), ("@before", before), ("@chunk", Size)));
            var (count, last) = session.Query(ChunkSql, row => (row.GetInt64(0), row.MaybeNumber(1)), ("@before", before), ("@chunk", Size))[0];
            (looked, before, isDone) = (looked + count, last ?? 0, count < Size);
        }

        report.Add("jobs whose place was checked", $"{looked}{(isDone ? "" : ", the newest")}");
        if (faults.Count > 0)
            report.Find("place", Severity.Error,
                $"{(faults.Count >= Samples ? "At least " : "")}{faults.Count} of {looked} jobs are not in exactly one place: {string.Join(", ", faults.Take(Samples).Select(fault => $"{fault.Id} ({(fault.Places.Length == 0 ? "nowhere" : fault.Places)})"))}.",
                "A table was changed or restored by hand; or this is a fault in Millrace.",
                "Keep a copy of the file, and report the rows of these jobs. A job that is nowhere runs again after \"millrace retry ID\".");
    }

    private static void CheckStrays(Session session, ReportSheet report)
    {
        foreach (var (table, count) in session.Query(StrayRowsSql, row => (Table: row.GetString(0), Count: row.GetInt64(1))).Where(row => row.Count > 0))
            report.Find("stray_rows", Severity.Error, $"Rows of {table} that belong to no job: {(count == 1000 ? "at least " : "")}{count}.", "Jobs were deleted by hand.", "Run the statement.",
                $"delete from {table} where id not in (select id from millrace_job)");
    }
}

/// <summary>A report while it is written.</summary>
internal sealed class ReportSheet
{
    public List<KeyValuePair<string, string>> Figures { get; } = [];

    public List<Finding> Findings { get; } = [];

    public void Add(string name, string value) => Figures.Add(new(name, value));

    public void Find(string code, Severity severity, string evidence, string cause, string remedy, string? fix = null) => Findings.Add(new Finding(code, severity, evidence, cause, remedy, fix));
}
