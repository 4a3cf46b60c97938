using System.Globalization;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>R09, G2, G9: the network of a node swallows everything for 8 s, with an expiry of 3 s. Nobody is told that a connection is gone.</summary>
public sealed class BlackholeTests(ITestOutputHelper output)
{
    private const int Slots = 20;

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Dark = TimeSpan.FromSeconds(8);

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task A_node_that_is_cut_off_slows_no_other_and_its_late_results_change_nothing()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        var (space, reason) = await NetworkSpace.TryCreateAsync();
        await using var unplugged = space;
        output.WriteLine(space is null ? $"A silent proxy alone: a cable could not be laid. {reason}" : "One node behind a silent proxy, one behind an unplugged cable.");
        await using var proxy = TcpProxy.Start(database.ConnectionString);
        await using var cable = space is null ? null : TcpProxy.Start(database.ConnectionString, space.Here);
        var starting = (
            Steady: WorkerProcess.StartAsync(database, Slots, 3),
            Silent: WorkerProcess.StartAsync(database, Slots, 3, connection: proxy.ConnectionString),
            Cut: space is null ? null : WorkerProcess.StartAsync(database, Slots, 3, connection: cable!.ConnectionString, space: space.Name));
        await using var steady = await starting.Steady;
        await using var silent = await starting.Silent;
        await using var cut = starting.Cut is null ? null : await starting.Cut;
        WorkerProcess[] lost = cut is null ? [silent] : [silent, cut];
        // Jobs that take their time and little else: so it is not the processors that decide.
        var jobs = await client.SubmitAsync(Enumerable.Range(0, 500 + (300 * lost.Length)).Select(_ => new Nap(500)));
        await Eventually.IsAsync(() => lost.Append(steady).All(worker => worker.Count("returned") >= Slots), Long, "all nodes work", () => Logs(lost, steady));
        var names = await database.RowsAsync("select id || '|' || name from millrace.node where dead_at is null");
        var ids = names.Select(row => row.Split('|')).ToDictionary(cells => cells[1], cells => cells[0]);

        await Eventually.PauseAsync(Before);
        var off = await NowAsync(database);
        proxy.Freeze();
        if (space is not null)
            await space.UnplugAsync();
        await Eventually.PauseAsync(Dark);
        var on = await NowAsync(database);
        proxy.Thaw();
        if (space is not null)
            await space.PlugAsync();

        await Eventually.IsAsync(
            async () => await database.NumberAsync("select (select count(*) from millrace.job) - (select count(*) from millrace.attempt where outcome = 'succeeded')") == 0,
            Long, "every job has succeeded", () => Logs(lost, steady));
        foreach (var worker in lost)
        {
            await Eventually.IsAsync(
                async () => await database.NumberAsync($"select count(*) from millrace.node where name = '{worker.NodeName}' and dead_at is null and expires_at > clock_timestamp()") == 1,
                Long, "it is back under a new name", () => worker.Log);
            await Eventually.IsAsync(() => worker.Count("returned") + worker.Count("threw") == worker.Count("started"), Long, "its handlers have ended", () => worker.Log);
        }

        // A job that ran partly within the time counts for that part: batches of equal jobs would otherwise fall in or out as a whole.
        var (before, dark) = (await RateAsync(database, ids[steady.NodeName], off - Before.TotalSeconds, off), await RateAsync(database, ids[steady.NodeName], off, on));
        output.WriteLine($"the other node: {before:0.0} jobs/s before, {dark:0.0} while it was dark ({dark / before:P1}), of {Slots / 0.5:0} that its slots allow");
        var attempts = (await database.RowsAsync("select job_id || ' ' || run, outcome, node, rescued_by is not null from millrace.attempt"))
            .Select(row => row.Split('|')).ToDictionary(cells => cells[0], cells => (Outcome: cells[1], Node: cells[2], IsRescued: cells[3] == "True"));
        foreach (var worker in lost)
        {
            var late = worker.Events.Where(line => line.StartsWith("returned ", StringComparison.Ordinal) || line.StartsWith("threw ", StringComparison.Ordinal))
                .Select(line => line.Split(' ')).Select(words => $"{words[1]} {words[2]}").Where(run => attempts[run].Outcome == "interrupted").ToList();
            output.WriteLine($"{(worker == silent ? "silent" : "unplugged")}: {late.Count} of its runs were taken back while it worked on, and what it said of them later changed nothing");
            late.Count.ShouldBeGreaterThan(0, worker.Log);
            late.ShouldAllBe(run => attempts[run].IsRescued && attempts[run].Node == ids[worker.NodeName]);
            (await database.NumberAsync($"select count(*) from millrace.node where id = '{ids[worker.NodeName]}' and dead_at is not null")).ShouldBe(1, "its old identity is a tombstone");
        }

        attempts.Values.Select(attempt => attempt.Outcome).Distinct().Except(["succeeded", "interrupted", "released"]).ShouldBeEmpty();
        (await database.NumberAsync("select count(distinct job_id) from millrace.attempt where outcome = 'succeeded'")).ShouldBe(jobs.Count);
        (await database.NumberAsync("select count(*) from millrace.attempt where outcome = 'succeeded'")).ShouldBe(jobs.Count, "each succeeded once");
        var doubled = await database.NumberAsync("select count(*) from (select job_id from effect group by job_id having count(*) > 1) twice");
        (await database.NumberAsync("""
            select count(*) from effect e
            join millrace.attempt a on a.job_id = e.job_id and a.run = e.run
            where a.outcome not in ('succeeded', 'interrupted')
            """)).ShouldBe(0, "an effect is of the run that succeeded, or of one that was interrupted");
        output.WriteLine($"{jobs.Count} jobs, {attempts.Values.Count(attempt => attempt.Outcome == "interrupted")} interrupted, {doubled} of them left an effect twice");
        // 95 %, and half a slot for the machine.
        dark.ShouldBeGreaterThanOrEqualTo((before * 0.95) - 1);
        NpgsqlConnection.ClearAllPools();
    }

    private static async Task<double> NowAsync(TestDatabase database) =>
        double.Parse((await database.RowsAsync("select extract(epoch from clock_timestamp())::text")).Single(), CultureInfo.InvariantCulture);

    private static async Task<double> RateAsync(TestDatabase database, string node, double from, double to) =>
        double.Parse(
            (await database.RowsAsync(string.Create(CultureInfo.InvariantCulture, $"""
                select (sum((least(f, {to:F3}) - greatest(s, {from:F3})) / (f - s)) / {to - from:F3})::text
                from (select extract(epoch from started) as s, extract(epoch from finished) as f from millrace.attempt where node = '{node}' and outcome = 'succeeded') run
                where f > {from:F3} and s < {to:F3}
                """))).Single(),
            CultureInfo.InvariantCulture);

    private static string Logs(IEnumerable<WorkerProcess> workers, WorkerProcess other) => other.Log + string.Concat(workers.Select(worker => worker.Log));
}
