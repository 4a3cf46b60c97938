using System.Data.Common;
using System.Globalization;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Whether the database is as it should be. Each check is a look of its own: one that fails says so, and the others go on.
internal sealed partial class PostgresInspection
{
    private static readonly TimeSpan OldTransaction = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan WideSkew = TimeSpan.FromSeconds(2);

    private sealed class Report
    {
        private readonly List<Finding> findings = [];
        private readonly List<KeyValuePair<string, string>> figures = [];

        public int SchemaVersion { get; set; }

        public int KnownVersion { get; } = PostgresStore.Migrations().Count;

        public string Server { get; set; } = "PostgreSQL";

        public void Add(string code, Severity severity, string evidence, string cause, string remedy, string? fix = null) => findings.Add(new Finding(code, severity, evidence, cause, remedy, fix));

        public void Figure(string name, string value) => figures.Add(new(name, value));

        public StoreReport End() => new()
        {
            Server = Server,
            SchemaVersion = SchemaVersion,
            KnownVersion = KnownVersion,
            Figures = figures,
            Findings = [.. findings.OrderByDescending(static finding => finding.Severity)],
        };
    }

    public async Task<StoreReport> ReportAsync(CancellationToken cancellationToken)
    {
        var report = new Report { SchemaVersion = await ReadVersionAsync(cancellationToken).ConfigureAwait(false) };
        CheckVersion(report);
        List<Func<Report, CancellationToken, Task>> checks = [CheckServerAsync, CheckConnectionAsync, CheckSnapshotsAsync];
        if (report.SchemaVersion > 0)
            checks.AddRange([CheckSchemaAsync, CheckSizesAsync]);
        if (report.SchemaVersion >= report.KnownVersion)
            checks.AddRange([CheckQueuesAsync, CheckJobsAsync, CheckLateAsync, CheckPlacesAsync]);
        foreach (var check in checks)
        {
            try
            {
                await check(report, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException exception)
            {
                report.Add("check_failed", Severity.Notice, exception.Message, "This user may not read what the check needs, the schema is not as expected, or the time was up.", "Look at the message; the other checks were made.");
            }
        }

        return report.End();
    }

    // ---- the server

    private const string ReadServer = """
        select current_setting('server_version'), pg_is_in_recovery(), current_setting('autovacuum'), current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
               current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,
               (select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend')::integer,
               (select count(*) from pg_catalog.pg_stat_activity where application_name like 'millrace%' and datname = current_database())::integer
        """;

    private async Task CheckServerAsync(Report report, CancellationToken cancellationToken)
    {
        var server = await LookAsync("read the settings of the server", look => look.OneAsync(ReadServer, [], static reader => (
            Version: reader.GetString(0), IsStandby: reader.GetBoolean(1), Autovacuum: reader.GetString(2), Fsync: reader.GetString(3), FullPages: reader.GetString(4), Commit: reader.GetString(5),
            Room: reader.GetInt32(6), Connections: reader.GetInt32(7), Ours: reader.GetInt32(8)), cancellationToken), cancellationToken).ConfigureAwait(false);
        report.Server = $"PostgreSQL {server.Version}";
        report.Figure("connections", string.Create(CultureInfo.InvariantCulture, $"{server.Connections} of {server.Room}, {server.Ours} of them Millrace's"));
        if (server.IsStandby)
            report.Add("standby", Severity.Error, "This server is a standby and takes no writes.", "The connection string leads to a standby, or a failover has changed the roles.", "Give the connection string all hosts, \"Host=a,b\": the one that is the primary is found.");
        if (server.Autovacuum == "off")
            report.Add("autovacuum_off", Severity.Warning, "autovacuum is off.", "It is so in the server's configuration.", "Turn it on: the tables of jobs that wait would grow without end.", "alter system set autovacuum = on");
        foreach (var (name, value) in new[] { ("fsync", server.Fsync), ("full_page_writes", server.FullPages) })
        {
            if (value == "off")
                report.Add($"{name}_off", Severity.Error, $"{name} is off: after a power cut the database may be damaged, jobs and all.", "It is so in the server's configuration, most often to load data or to run tests.", "Turn it on and restart the server.", $"alter system set {name} = on");
        }

        if (server.Commit == "off")
            report.Add("synchronous_commit_off", Severity.Notice, "synchronous_commit is off for this user or database.", "It is so in the configuration.", "Nothing for Millrace: it turns it on for what it acknowledges. Jobs submitted in transactions of yours may be lost with them in a crash.");
        if (server.Connections > server.Room * 0.8)
        {
            report.Add(
                "connections_full", server.Connections >= server.Room ? Severity.Error : Severity.Warning, $"{server.Connections} of {server.Room} connections are taken.", "The pools of all clients together are larger than the server.",
                "Make pools smaller (PostgresOptions.HandlerConnections, and those of the application), put PgBouncer in front, or raise max_connections.");
        }
    }

    private const string ReadSnapshots = """
        select a.pid, coalesce(nullif(a.application_name, ''), '?'), coalesce(a.usename::text, '?'), coalesce(a.state, '?'),
               extract(epoch from clock_timestamp() - a.xact_start)::double precision
        from pg_catalog.pg_stat_activity a
        where a.datname = current_database() and a.xact_start is not null and a.pid <> pg_backend_pid() and (a.backend_xmin is not null or a.backend_xid is not null)
        order by a.xact_start
        limit 1
        """;

    private const string ReadOldSlots = """
        select slot_name::text, active, greatest(age(xmin), age(catalog_xmin))::bigint
        from pg_catalog.pg_replication_slots
        where greatest(age(xmin), age(catalog_xmin)) > 1000000
        """;

    private async Task CheckSnapshotsAsync(Report report, CancellationToken cancellationToken)
    {
        var (oldest, slots) = await LookAsync("look for old transactions", async look => (
            await look.ReadAsync(ReadSnapshots, [], static reader => (Pid: reader.GetInt32(0), Application: reader.GetString(1), User: reader.GetString(2), State: reader.GetString(3), Age: TimeSpan.FromSeconds(reader.GetDouble(4))), cancellationToken).ConfigureAwait(false),
            await look.ReadAsync(ReadOldSlots, [], static reader => (Name: reader.GetString(0), IsActive: reader.GetBoolean(1), Age: reader.GetInt64(2)), cancellationToken).ConfigureAwait(false)), cancellationToken).ConfigureAwait(false);
        foreach (var one in oldest)
        {
            report.Figure("oldest transaction", $"{Words(one.Age)} (pid {one.Pid}, {one.Application})");
            if (one.Age > OldTransaction)
            {
                report.Add(
                    "oldest_transaction", Severity.Warning, $"The session {one.Pid} ({one.Application}, user {one.User}, {one.State}) has had a transaction open for {Words(one.Age)}.",
                    "A transaction that was forgotten, a long report, or a dump. Nothing that was deleted since can be vacuumed, so the tables of waiting jobs grow.",
                    $"See what it does, and end it if it may: select pg_terminate_backend({one.Pid}). Set idle_in_transaction_session_timeout.");
            }
        }

        foreach (var slot in slots)
            report.Add("old_slot", Severity.Warning, $"The replication slot {slot.Name} ({(slot.IsActive ? "active" : "not active")}) holds back vacuum by {slot.Age} transactions.", "A replica is away, or far behind.", $"Bring the replica back, or drop the slot: select pg_drop_replication_slot('{slot.Name}').");
    }

    // ---- the connection: pooler, bell, clock

    private async Task CheckConnectionAsync(Report report, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        try
        {
            await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var ask = new NpgsqlCommand("select pg_backend_pid(), coalesce(@now, clock_timestamp())", connection) { Parameters = { store.Now() } };
            var began = time.GetTimestamp();
            bool isPooled;
            DateTimeOffset now;
            await using (var reader = await ask.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
            {
                await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                (isPooled, now) = (reader.GetInt32(0) != connection.ProcessID, TimeAt(reader, 1));
            }

            var turn = time.GetElapsedTime(began);
            report.Figure("round trip", Milliseconds(turn));
            CheckClock(report, store.Time.GetUtcNow() - turn / 2 - now, turn);
            if (isPooled)
            {
                report.Figure("pooler", "in transaction mode");
                report.Add("pooler", Severity.Notice, "A pooler in transaction mode stands between this process and the database.", "The connection string leads to PgBouncer or the like.", "Nothing: Millrace works with it. Without LISTEN idle nodes look for work instead of being told, so that jobs of other processes start up to PollInterval later.");
                return;
            }

            report.Figure("pooler", "none");
            await CheckBellAsync(report, connection, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is DbException && store.Translate(exception, "look at the connection", commitIsInFlight: false) is { } fault)
        {
            throw fault;
        }
    }

    private static void CheckClock(Report report, TimeSpan skew, TimeSpan turn)
    {
        report.Figure("clock skew", Milliseconds(skew));
        if (skew.Duration() > WideSkew + turn)
        {
            report.Add(
                "clock_skew", Severity.Warning, $"The clock of this machine is {Words(skew.Duration())} {(skew > TimeSpan.Zero ? "ahead of" : "behind")} the database's.", "One of the two machines does not synchronise its clock.",
                "Run an NTP client on both. Millrace goes by the database's clock alone, but due times that the application works out are off by this much.");
        }
    }

    private static async Task CheckBellAsync(Report report, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var (channel, time) = ($"millrace_doctor_{Guid.NewGuid():N}", TimeProvider.System);
        var isRung = false;
        void OnRing(object sender, NpgsqlNotificationEventArgs ring) => isRung |= ring.Channel == channel;
        connection.Notification += OnRing;
        try
        {
            await ExecuteAsync(connection, $"listen {channel}", cancellationToken).ConfigureAwait(false);
            var began = time.GetTimestamp();
            await ExecuteAsync(connection, $"notify {channel}", cancellationToken).ConfigureAwait(false);
            if (!isRung)
                await connection.WaitAsync(TimeSpan.FromSeconds(1), cancellationToken).ConfigureAwait(false);
            if (isRung)
                report.Figure("bell", $"{Milliseconds(time.GetElapsedTime(began))} from NOTIFY to LISTEN");
            else
                report.Add("bell_silent", Severity.Warning, "A NOTIFY did not reach its LISTEN within 1 second.", "Something between here and the database does not pass notifications on.", "Look for a pooler or proxy on the way, and say so: PostgresOptions.Pooler = PostgresPooler.Transaction. Until then idle nodes find work by looking, once per PollInterval.");
        }
        finally
        {
            connection.Notification -= OnRing;
            await ExecuteAsync(connection, $"unlisten {channel}", CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static string Words(TimeSpan time) => time switch
    {
        { TotalDays: >= 2 } => $"{(long)time.TotalDays} days",
        { TotalHours: >= 2 } => $"{(long)time.TotalHours} h {time.Minutes} min",
        { TotalMinutes: >= 2 } => $"{(long)time.TotalMinutes} min {time.Seconds} s",
        _ => $"{(long)time.TotalSeconds} s",
    };

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms");
}
