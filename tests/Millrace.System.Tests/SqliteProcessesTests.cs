using System.Collections.Concurrent;

namespace Millrace.System.Tests;

/// <summary>Several processes on one SQLite file.</summary>
public sealed class SqliteProcessesTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Three_workers_and_a_submitter_share_a_file_and_survive_the_death_of_one()
    {
        await using var database = await TestDatabase.CreateAsync("sqlite");
        await using var client = await TestClient.StartAsync(database);
        var workers = new List<WorkerProcess>();
        var acknowledged = new ConcurrentDictionary<long, long>();
        var faults = new ConcurrentBag<Exception>();
        using var stop = new CancellationTokenSource();
        try
        {
            for (var i = 0; i < 3; i++)
                workers.Add(await WorkerProcess.StartAsync(database, concurrency: 4, expiry: 3));
            var submitting = Task.WhenAll(Enumerable.Range(1, 4).Select(number => Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    try
                    {
                        acknowledged[(await client.Jobs.SubmitAsync(new Transfer(number, number))).Id] = number;
                    }
                    catch (Exception exception)
                    {
                        faults.Add(exception);
                    }
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                }
            })));

            await Eventually.IsAsync(() => workers.All(worker => worker.Count("returned") >= 20), Long, "each worker works", Logs);
            // Something long on every slot, so that the one that dies has something in hand.
            var naps = await client.SubmitAsync(Enumerable.Range(0, 24).Select(_ => new Nap(1000)));
            await Eventually.IsAsync(() => workers[0].Count("started") - workers[0].Count("returned") >= 3, Long, "the first worker is busy", Logs);
            await workers[0].KillAsync();
            var submitted = acknowledged.Count;
            var done = workers.Skip(1).Select(worker => worker.Count("returned")).ToArray();
            await Eventually.IsAsync(
                () => acknowledged.Count >= submitted + 100 && workers.Skip(1).Zip(done).All(pair => pair.First.Count("returned") >= pair.Second + 20), Long, "the others work on", Logs);
            await stop.CancelAsync();
            await submitting;
            await Eventually.IsAsync(async () => await database.NumberAsync($"""
                select (select count(*) from {database.Table("job")} where type in ('transfer', 'nap')) - (select count(*) from {database.Table("attempt")} where outcome = 'succeeded' and type in ('transfer', 'nap'))
                """) == 0, Long, "every job is done", Logs);

            (await database.RowsAsync("pragma integrity_check")).ShouldBe(["ok"]);
            faults.ShouldBeEmpty();
            (await database.EndedAsync("failed")).ShouldBe(0, Logs());
            (await database.IdsAsync($"select job_id from {database.Table("attempt")} where outcome = 'succeeded' and type in ('transfer', 'nap')")).ShouldBe(acknowledged.Keys.Concat(naps), ignoreOrder: true);
            (await database.NumberAsync("select sum(balance) from account")).ShouldBe(acknowledged.Values.Sum());
            (await database.NumberAsync($"select count(*) - count(distinct job_id) from effect where job_id not in ({string.Join(',', naps)})")).ShouldBe(0);
            (await database.EndedAsync("interrupted")).ShouldBeGreaterThan(0);
            output.WriteLine($"{acknowledged.Count} jobs, {await database.EndedAsync("interrupted")} interrupted");
        }
        finally
        {
            await stop.CancelAsync();
            foreach (var worker in workers)
                await worker.DisposeAsync();
        }

        string Logs() => string.Concat(workers.Select(worker => worker.Log));
    }
}
