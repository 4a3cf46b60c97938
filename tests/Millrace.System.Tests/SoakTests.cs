using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>
/// Torture: two servers with two children each, a steady load, and a fault every few seconds; then stops under load, most of them of a third server, which has no
/// children and is soon up again. Run by ./soak; each verdict is a figure.
/// </summary>
[Trait("Speed", "Soak")]
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int Servers = 2;
    private const int Children = 2;
    private const double Expiry = 3;
    private const double Grace = 1;

    private static readonly TimeSpan Long = TimeSpan.FromMinutes(3);

    private readonly int minutes = Setting("MILLRACE_SOAK_MINUTES", 20);
    private readonly int stops = Setting("MILLRACE_SOAK_STOPS", 200);
    private readonly int seed = Setting("MILLRACE_SOAK_SEED", 1);
    private readonly Dictionary<string, int> faults = [];
    private readonly List<double> drains = [];
    private readonly WorkerProcess[] servers = new WorkerProcess[Servers + 1];
    private int dirtyExits;

    [Fact]
    public async Task Nothing_is_lost_doubled_stale_or_stuck()
    {
        var random = new Random(seed);
        await using var cluster = await Cluster.StartAsync();
        await using var database = await TestDatabase.CreateAsync("postgres", cluster.Server);
        await using var client = await TestClient.StartAsync(database, m => m.Configure(options => options.SubmitTimeout = TimeSpan.FromSeconds(2)));
        for (var i = 0; i < Servers; i++)
            servers[i] = await StartAsync(database, Children);
        var load = new Load(client.Jobs);
        Say($"seed {seed}, {minutes} minutes of faults and {stops} stops, {Servers} servers with {Children} children each, node expiry {Expiry} s, grace {Grace} s");

        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromMinutes(minutes))
        {
            await Eventually.PauseAsync(TimeSpan.FromSeconds(1 + 4 * random.NextDouble()));
            await HurtAsync(random, cluster, database);
        }
        servers[Servers] = await StartAsync(database, children: 0);
        while (drains.Count < stops)
            await StopAsync(drains.Count % 5 == 0 ? random.Next(Servers) : Servers, database);
        Say($"that took {watch.Elapsed.TotalMinutes:0.0} minutes");

        await load.StopAsync();
        var healed = await Eventually.IsAsync(
            async () => await database.NumberAsync("select count(*) from millrace.job j where not exists (select from millrace.attempt a where a.job_id = j.id and a.outcome = 'succeeded') and not exists (select from millrace.waiting w where w.id = j.id and w.reason = 'quarantine')") == 0,
            Long, "every job that needs no person has succeeded", () => string.Concat(servers.Select(server => server.Log)));
        Say($"everything was done {healed.TotalSeconds:0.0} s after the last fault");
        foreach (var server in servers)
            await server.DisposeAsync();

        var isClean = await JudgeAsync(database, load);
        NpgsqlConnection.ClearAllPools();
        isClean.ShouldBeTrue("every verdict must be as it should");
    }

    private async Task HurtAsync(Random random, Cluster cluster, TestDatabase database)
    {
        var victim = random.Next(Servers);
        switch (random.Next(100))
        {
            case < 55:
                if (servers[victim].Children is { Count: > 0 } children)
                {
                    Count("child killed");
                    WorkerProcess.Kill(children[random.Next(children.Count)]);
                }
                break;
            case < 70:
                Count("server killed");
                await servers[victim].KillAsync();
                servers[victim] = await StartAsync(database, Children);
                break;
            case < 80:
                await StopAsync(victim, database);
                break;
            case < 88:
                if (servers[victim].Children is { Count: > 0 } frozen)
                {
                    Count("child frozen for twice its expiry");
                    var child = frozen[random.Next(frozen.Count)];
                    WorkerProcess.Kill(child, 19);
                    await Eventually.PauseAsync(TimeSpan.FromSeconds(2 * Expiry));
                    // Its server may have killed it by then.
                    if (WorkerProcess.IsAlive(child))
                        WorkerProcess.Kill(child, 18);
                }
                break;
            case < 94:
                Count("all sessions ended");
                await database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
                break;
            default:
                Count("database crashed");
                await cluster.CrashAsync();
                await Eventually.PauseAsync(TimeSpan.FromSeconds(3 * random.NextDouble()));
                await cluster.ResumeAsync();
                break;
        }
    }

    private async Task StopAsync(int victim, TestDatabase database)
    {
        Count("server stopped");
        var watch = Stopwatch.StartNew();
        servers[victim].Terminate();
        if (await servers[victim].ExitAsync(Long) != 0)
            dirtyExits++;
        drains.Add(watch.Elapsed.TotalSeconds);
        if (watch.Elapsed.TotalSeconds > Grace + 3)
            Say($"a stop took {watch.Elapsed.TotalSeconds:0.00} s: {servers[victim].Log}");
        servers[victim] = await StartAsync(database, victim < Servers ? Children : 0);
    }

    private static async Task<WorkerProcess> StartAsync(TestDatabase database, int children)
    {
        var server = await WorkerProcess.StartAsync(database, concurrency: 8, expiry: Expiry, grace: Grace, workers: children);
        if (children > 0)
            await server.HasReadyAsync(1);
        return server;
    }

    private async Task<bool> JudgeAsync(TestDatabase database, Load load)
    {
        Say($"faults: {string.Join(", ", faults.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}"))}");
        if (drains.Count > 0)
            Say($"stops: {drains.Count}, p50 {drains.Order().ElementAt(drains.Count / 2):0.00} s, longest {drains.Max():0.00} s with a grace time of {Grace} s; {drains.Count(seconds => seconds > Grace + 3)} took more than 3 s beyond it");
        var stored = await database.IdsAsync("select id from millrace.job where type = 'transfer'");
        Say($"submitted: {load.Acknowledged.Count} acknowledged, {load.Unknown.Count} unknown ({load.Unknown.Count(stored.Contains)} of them stored), {load.Refused.Count} refused");
        var ends = string.Join(", ", await database.RowsAsync("select outcome || ' ' || count(*) from millrace.attempt group by outcome order by 1"));
        Say($"runs: {ends}");

        (string Verdict, long Figure)[] verdicts =
        [
            ("lost (acknowledged and not stored)", load.Acknowledged.Count(id => !stored.Contains(id))),
            ("refused and stored all the same", load.Refused.Count(stored.Contains)),
            ("unexpected (stored and never said)", stored.Except(load.Acknowledged).Except(load.Unknown).Count()),
            ("unexpected exceptions of a submission", load.Unexpected.Count),
            ("ended without success", await database.NumberAsync("select count(*) from millrace.attempt where outcome in ('discarded', 'cancelled', 'superseded')")),
            ("succeeded twice", await database.NumberAsync("select count(*) from (select job_id from millrace.attempt where outcome = 'succeeded' group by 1 having count(*) > 1) twice")),
            ("effects doubled", await database.NumberAsync("select count(*) from (select job_id from effect group by 1 having count(*) > 1) twice")),
            ("effects missing", await database.NumberAsync("select count(*) from millrace.attempt a where outcome = 'succeeded' and type = 'transfer' and not exists (select from effect e where e.job_id = a.job_id and e.run = a.run)")),
            ("effects of runs that did not succeed (stale)", await database.NumberAsync("select count(*) from effect e where not exists (select from millrace.attempt a where a.job_id = e.job_id and a.run = e.run and a.outcome = 'succeeded')")),
            ("accounts off by", Math.Abs(await database.NumberAsync("select (select sum(balance) from account) - coalesce((select sum(amount) from effect), 0)"))),
            ("stuck (left ready or scheduled)", await database.NumberAsync("select (select count(*) from millrace.ready where type <> 'removeOldWorkerJobs') + (select count(*) from millrace.scheduled where type <> 'removeOldWorkerJobs')")),
            ("in two places", await database.NumberAsync("select count(*) from (select id from (select id from millrace.ready union all select id from millrace.scheduled union all select id from millrace.waiting) place group by id having count(*) > 1) double")),
            ("stops with an exit code", dirtyExits),
        ];
        foreach (var (verdict, figure) in verdicts)
            Say($"{verdict}: {figure}");
        Say($"quarantined, though no job is poison (killed three times while alone): {await database.NumberAsync("select count(*) from millrace.waiting where reason = 'quarantine'")}");
        return verdicts.All(verdict => verdict.Figure == 0);
    }

    private void Count(string fault) => faults[fault] = faults.GetValueOrDefault(fault) + 1;

    private void Say(string line)
    {
        output.WriteLine(line);
        // Seen at once, in a run of many minutes.
        Console.Error.WriteLine(line);
    }

    private static int Setting(string name, int without) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : without;
}
