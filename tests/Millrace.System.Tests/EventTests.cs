using System.Collections.Concurrent;
using System.Globalization;

namespace Millrace.System.Tests;

/// <summary>What handlers tell users crosses processes through the database alone.</summary>
public sealed class EventTests(ITestOutputHelper output)
{
    private const int Times = 30;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Speed", "Slow")]
    [InlineData("postgres", false)]
    [InlineData("postgres", true)]
    [InlineData("sqlite", false)]
    public async Task What_handlers_in_two_other_processes_say_is_heard_once_and_in_order(string kind, bool hearsTheBell)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var client = await TestClient.StartAsync(database, hearsTheBell ? m => m.AddWorkers(workers => workers.Queues["nothing"] = new QueueOptions()) : null);
        await using var first = await WorkerProcess.StartAsync(database, concurrency: 1);
        await using var second = await WorkerProcess.StartAsync(database, concurrency: 1);
        var position = await client.Events.ReadPositionAsync(Stop);
        var (heard, late) = (new ConcurrentQueue<JobEvent>(), new ConcurrentQueue<TimeSpan>());
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var hearing = Task.Run(async () =>
        {
            await foreach (var told in client.Events.SubscribeAsync(42, position, enough.Token))
            {
                if (told.Kind == JobEventKind.Notification)
                    late.Enqueue(TimeSpan.FromTicks(TimeProvider.System.GetUtcNow().UtcTicks - long.Parse(told.Message!.Split(' ')[1], CultureInfo.InvariantCulture)));
                heard.Enqueue(told);
            }
        });

        var jobs = new List<long>();
        foreach (var user in new long[] { 42, 1, 42 })
            jobs.Add((await client.Jobs.SubmitAsync(new Tell(Times, 60), new JobOptions { UserId = user }, Stop)).Id);
        foreach (var job in jobs)
            (await client.Jobs.WaitAsync(job, Long, Stop)).State.ShouldBe(JobState.Succeeded, first.Log + second.Log);
        await Eventually.IsAsync(() => late.Count >= 2 * Times, Long, "every notification is heard", () => first.Log + second.Log);
        await enough.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => hearing);

        heard.Select(told => told.Id).ShouldBeInOrder();
        heard.ShouldAllBe(told => told.UserId == 42 && told.JobType == "tell");
        foreach (var job in new[] { jobs[0], jobs[2] })
        {
            heard.Where(told => told.JobId == job && told.Kind == JobEventKind.Notification).Select(told => told.Message!.Split(' ')[0]).ShouldBe(Enumerable.Range(0, Times).Select(i => $"{i}"));
            var progress = heard.Where(told => told.JobId == job && told.Kind == JobEventKind.Progress).Select(told => told.Percent!.Value).ToList();
            progress.Count.ShouldBeGreaterThanOrEqualTo(2);
            progress.ShouldBeInOrder();
        }

        var sorted = late.Order().ToArray();
        output.WriteLine($"{kind}{(hearsTheBell ? " with the bell" : "")}: {heard.Count} events; heard after {Text(sorted[sorted.Length / 2])} (median), {Text(sorted[^1])} (longest)");
        // Without a bell the looks are half a second apart; the rest is for the machine.
        sorted[sorted.Length / 2].ShouldBeLessThan(hearsTheBell ? TimeSpan.FromMilliseconds(250) : TimeSpan.FromSeconds(1));

        static string Text(TimeSpan time) => time.TotalMilliseconds.ToString("0.0 ms", CultureInfo.InvariantCulture);
    }
}
