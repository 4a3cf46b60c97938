using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Millrace.System.Tests;

/// <summary>One SQLite file while its processes are killed and its disk fills up. MILLRACE_TEST_SEED repeats a run, MILLRACE_TEST_SCALE makes it longer.</summary>
[Trait("Speed", "Slow")]
public sealed class SqliteStormTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;

    [Fact]
    public async Task Four_processes_that_are_killed_at_random_lose_nothing_and_nobody_is_told_that_the_file_is_busy()
    {
        var seed = Number("MILLRACE_TEST_SEED", Random.Shared.Next());
        var kills = 8 * Number("MILLRACE_TEST_SCALE", 1);
        output.WriteLine($"MILLRACE_TEST_SEED={seed}");
        var random = new Random(seed);
        await using var database = await TestDatabase.CreateAsync("sqlite");
        await using var client = await TestClient.StartAsync(database);
        var workers = new List<WorkerProcess>();
        await using var load = new Load(client.Jobs);
        try
        {
            for (var i = 0; i < 4; i++)
                workers.Add(await WorkerProcess.StartAsync(database, concurrency: 4, expiry: 3));
            for (var kill = 0; kill < kills; kill++)
            {
                await Eventually.PauseAsync(TimeSpan.FromMilliseconds(random.Next(100, 700)));
                var victim = workers[^(1 + random.Next(4))];
                await victim.KillAsync();
                workers.Remove(victim);
                await victim.DisposeAsync();
                workers.Add(await WorkerProcess.StartAsync(database, concurrency: 4, expiry: 3));
            }
            await load.StopAsync();
            await DrainAsync(database, Logs);
            (await database.RowsAsync("pragma integrity_check")).ShouldBe(["ok"]);
            await CheckAsync(database, load, Logs);
            load.Refused.ShouldBeEmpty("nobody is told that somebody else writes");
            (await database.EndedAsync("quarantined")).ShouldBe(0);
            // A handler that met a busy file would have failed.
            (await database.EndedAsync("failed")).ShouldBe(0, Logs());
            output.WriteLine($"{kills} kills among 4 processes: {load.Acknowledged.Count} acknowledged, 0 lost, {await database.EndedAsync("interrupted")} runs interrupted, each job's effect once");
        }
        finally
        {
            await load.StopAsync();
            foreach (var worker in workers)
                await worker.DisposeAsync();
        }

        string Logs() => string.Concat(workers.Select(worker => worker.Log));
    }

    // A file system of its own, in memory: only root may make one.
    [Fact]
    public async Task A_full_disk_is_told_to_the_submitter_and_work_goes_on_when_there_is_space()
    {
        var place = Directory.CreateDirectory(TestDatabase.Place).FullName;
        if (!Environment.IsPrivilegedProcess || !await RunAsync("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place))
        {
            Directory.Delete(place);
            Assert.Skip("A small file system cannot be mounted here: that takes root.");
        }
        try
        {
            await using var database = SqliteTestDatabase.Create(Path.Combine(place, "database"));
            await database.ExecuteAsync(Jobs.Tables);
            await using var client = await TestClient.StartAsync(database);
            await using var worker = await WorkerProcess.StartAsync(database, concurrency: 4, expiry: 3);
            await using var load = new Load(client.Jobs);
            await Eventually.IsAsync(() => worker.Count("returned") >= 100, Long, "the worker works", () => worker.Log);

            var ballast = Path.Combine(place, "ballast");
            await Eventually.IsAsync(
                () =>
                {
                    // What the file gives back, the ballast takes.
                    Fill(ballast);
                    return load.Refused.Count >= 20;
                },
                Long, "submitters are told", () => worker.Log);
            var told = load.Refused.First();
            output.WriteLine(told.Message);
            var atFull = load.Acknowledged.Count;
            Fill(ballast);
            await Eventually.PauseAsync(TimeSpan.FromSeconds(1));

            File.Delete(ballast);
            var watch = Stopwatch.StartNew();
            var (acknowledged, returned) = (load.Acknowledged.Count, worker.Count("returned"));
            await Eventually.IsAsync(() => load.Acknowledged.Count >= acknowledged + 20, Long, "submitting goes on by itself", () => worker.Log);
            var submitted = watch.Elapsed;
            await Eventually.IsAsync(() => worker.Count("returned") >= returned + 50, Long, "the worker goes on by itself", () => worker.Log);
            var worked = watch.Elapsed;
            await load.StopAsync();
            await DrainAsync(database, () => worker.Log);
            worker.Release();
            (await worker.ExitAsync(Long)).ShouldBe(0, worker.Log);

            output.WriteLine($"8 MB of tmpfs: {load.Acknowledged.Count} acknowledged ({atFull} until it was full), {load.Refused.Count} refused, 0 lost; after space came back 20 submissions in {submitted.TotalSeconds:0.00} s, 50 jobs in {worked.TotalSeconds:0.00} s");
            foreach (var refused in load.Refused)
            {
                refused.Fault.ShouldBe(SubmitFault.NotStored);
                refused.Message.ShouldContain("disk");
                refused.Message.ShouldContain("full");
                refused.Message.ShouldContain(database.ConnectionString);
                refused.InnerException.ShouldBeOfType<Storage.StoreException>().InnerException.ShouldBeOfType<SqliteException>().SqliteErrorCode.ShouldBe(13);
            }
            (await database.RowsAsync("pragma integrity_check")).ShouldBe(["ok"]);
            await CheckAsync(database, load, () => worker.Log);
            (await database.RowsAsync("select distinct outcome from millrace_attempt where outcome not in ('succeeded', 'failed', 'released')")).ShouldBeEmpty();
        }
        finally
        {
            (await RunAsync("umount", "--lazy", place)).ShouldBeTrue();
            Directory.Delete(place);
        }
    }

    private static async Task DrainAsync(TestDatabase database, Func<string> logs) => await Eventually.IsAsync(
        async () => await database.NumberAsync("select (select count(*) from millrace_job) - (select count(*) from millrace_attempt where outcome = 'succeeded')") == 0,
        Long, "every stored job has succeeded", logs);

    private static async Task CheckAsync(TestDatabase database, Load load, Func<string> logs)
    {
        load.Unexpected.ShouldBeEmpty(logs());
        var stored = await database.IdsAsync("select id from millrace_job");
        load.Acknowledged.Keys.Where(id => !stored.Contains(id)).ShouldBeEmpty("what was acknowledged is stored");
        stored.Except(load.Acknowledged.Keys).ShouldBeEmpty("and nothing else is");
        (await database.RowsAsync("select job_id, count(*) from effect group by job_id having count(*) > 1")).ShouldBeEmpty("one effect per job");
        (await database.NumberAsync("select count(*) from effect")).ShouldBe(stored.Count);
        (await database.NumberAsync("select sum(balance) from account")).ShouldBe(load.Acknowledged.Values.Sum());
    }

    /// <summary>Takes all the space there is.</summary>
    private static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (true)
                file.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode == 0;
    }

    /// <summary>Four loops that submit one job after the other, and write down what they were told.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task loops;

        public Load(IJobClient jobs) => loops = Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(() => SubmitAsync(jobs, number))));

        /// <summary>Ids and what they carry.</summary>
        public ConcurrentDictionary<long, long> Acknowledged { get; } = [];

        public ConcurrentQueue<SubmitException> Refused { get; } = [];

        public ConcurrentQueue<Exception> Unexpected { get; } = [];

        public async Task StopAsync()
        {
            await stop.CancelAsync();
            await loops;
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            stop.Dispose();
        }

        private async Task SubmitAsync(IJobClient jobs, int number)
        {
            for (var amount = 1; !stop.IsCancellationRequested; amount++)
            {
                try
                {
                    Acknowledged[(await jobs.SubmitAsync(new Transfer(number, amount))).Id] = amount;
                }
                catch (SubmitException exception)
                {
                    Refused.Enqueue(exception);
                }
                catch (Exception exception)
                {
                    Unexpected.Enqueue(exception);
                }
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }
}
