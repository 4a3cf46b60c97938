using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Storage;

namespace Millrace.Tests.Working;

// The engine with its own threads, on a real host.
public sealed class MillraceHostTests
{
    private readonly ConcurrentQueue<string> ran = new();

    [Job("step")]
    private sealed record Step(string Name);

    [Job("other", Queue = "other")]
    private sealed record Other(string Name);

    [Fact]
    public async Task A_client_may_look_before_its_host_has_started()
    {
        using var folder = new TestFolder();
        using var host = TestHost.Build(m => m.UseSqlite(folder.File("jobs.db")));
        var jobs = host.Services.GetRequiredService<IJobClient>();

        (await jobs.FindAsync(1)).ShouldBeNull();
        (await jobs.CancelAsync(1)).ShouldBe(CancelResult.Unknown);
        (await jobs.RetryAsync(1)).ShouldBe(RetryResult.Unknown);
        (await jobs.CancelScheduleAsync("nightly")).ShouldBeFalse();
    }

    [Fact]
    public async Task Jobs_run_and_results_are_waited_for()
    {
        await using var host = await TestHost.StartAsync(m => m.AddJob<Step>(Run).AddWorkers());

        var ids = (await host.Jobs.SubmitManyAsync(Enumerable.Range(0, 300).Select(i => new Step($"{i}")))).Select(each => each.Id).ToList();
        foreach (var id in ids)
            (await host.Jobs.WaitAsync(id, TestHost.Deadline)).State.ShouldBe(JobState.Succeeded);

        ran.Distinct().Count().ShouldBe(300);
        ran.Count.ShouldBe(300);
    }

    [Fact]
    public async Task What_is_more_urgent_runs_first_and_the_rest_in_order()
    {
        using var folder = new TestFolder();
        using (var submitter = TestHost.Build(m => m.UseSqlite(folder.File("jobs.db"))))
        {
            await submitter.StartAsync().WaitAsync(TestHost.Deadline);
            var jobs = submitter.Services.GetRequiredService<IJobClient>();
            foreach (var (name, priority) in new[] { ("c", 0), ("d", 0), ("e", 7), ("b", -1), ("a", -2) })
                await jobs.SubmitAsync(new Step(name), new JobOptions { Priority = (short)priority });
            await submitter.StopAsync().WaitAsync(TestHost.Deadline);
        }

        var done = new CountdownEvent(5);
        await using var host = await TestHost.StartAsync(
            m => m
                .AddJob<Step>((job, _) =>
                {
                    ran.Enqueue(job.Data.Name);
                    done.Signal();
                    return Task.CompletedTask;
                })
                .AddWorkers(workers => workers.Concurrency = 1),
            folder: folder);
        done.Wait(TestHost.Deadline).ShouldBeTrue();

        ran.ShouldBe(["a", "b", "c", "d", "e"]);
    }

    // A queue has slots of its own: a full one keeps no other waiting.
    [Fact]
    public async Task Queues_do_not_wait_for_each_other()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await TestHost.StartAsync(m => m
            .AddJob<Step>((_, _) => held.Task)
            .AddJob<Other>((job, _) =>
            {
                ran.Enqueue(job.Data.Name);
                return Task.CompletedTask;
            })
            .AddWorkers(workers => workers.Concurrency = 2));

        await host.Jobs.SubmitManyAsync(Enumerable.Range(0, 10).Select(i => new Step($"{i}")));
        var id = (await host.Jobs.SubmitAsync(new Other("a"))).Id;
        (await host.Jobs.WaitAsync(id, TestHost.Deadline)).State.ShouldBe(JobState.Succeeded);
        held.SetResult();
    }

    [Fact]
    public async Task A_queue_that_is_not_named_is_left_alone()
    {
        await using var host = await TestHost.StartAsync(m => m.AddJob<Step>(Run).AddJob<Other>((_, _) => Task.CompletedTask).AddWorkers(workers => workers.Queues["default"] = new QueueOptions { Concurrency = 1 }));

        var other = (await host.Jobs.SubmitAsync(new Other("a"))).Id;
        var mine = (await host.Jobs.SubmitAsync(new Step("b"))).Id;
        await host.Jobs.WaitAsync(mine, TestHost.Deadline);

        (await host.Jobs.FindAsync(other))!.State.ShouldBe(JobState.Ready);
    }

    [Fact]
    public async Task Instances_have_their_own_database_jobs_and_workers()
    {
        using var folder = new TestFolder();
        using var host = TestHost.Build(
            m => m.UseSqlite(folder.File("jobs.db")).AddJob<Step>(Run).AddWorkers(),
            services => services.AddMillrace("reports", m => m.UseSqlite(folder.File("reports.db")).AddWorkers().AddJob<Step>((job, _) =>
            {
                ran.Enqueue($"report {job.Data.Name}");
                return Task.CompletedTask;
            })),
            new Dictionary<string, string?> { ["Millrace:reports:MaxAttempts"] = "2" });
        await host.StartAsync().WaitAsync(TestHost.Deadline);
        var (jobs, reports) = (host.Services.GetRequiredService<IJobClient>(), host.Services.GetRequiredKeyedService<IJobClient>("reports"));

        var (one, other) = ((await jobs.SubmitAsync(new Step("a"))).Id, (await reports.SubmitAsync(new Step("a"))).Id);
        await jobs.WaitAsync(one, TestHost.Deadline);
        await reports.WaitAsync(other, TestHost.Deadline);
        await host.StopAsync().WaitAsync(TestHost.Deadline);

        ran.Order().ShouldBe(["a", "report a"]);
        jobs.ShouldNotBeSameAs(reports);
        File.Exists(folder.File("reports.db")).ShouldBeTrue();
    }

    // The last thing it stores is the schedule of the built-in job, and by then jobs run.
    [Fact]
    public async Task A_start_that_fails_at_its_end_leaves_nothing_running()
    {
        using var folder = new TestFolder();
        var file = folder.File("jobs.db");
        using (var first = TestHost.Build(m => m.UseSqlite(file)))
            await first.StartAsync().WaitAsync(TestHost.Deadline);
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "create trigger no_schedules before insert on millrace_schedule begin select raise(abort, 'no schedules'); end";
        await command.ExecuteNonQueryAsync();

        using var host = TestHost.Build(m => m.UseSqlite(file).AddJob<Step>(Run).AddWorkers());
        await Should.ThrowAsync<StoreException>(() => host.StartAsync().WaitAsync(TestHost.Deadline));

        command.CommandText = "select count(*), count(*) filter (where dead_at is null) from millrace_node";
        await using var reader = await command.ExecuteReaderAsync();
        (await reader.ReadAsync()).ShouldBeTrue();
        (reader.GetInt32(0), reader.GetInt32(1)).ShouldBe((1, 0));
    }

    [Fact]
    public void One_name_is_one_instance() =>
        Should.Throw<InvalidOperationException>(() => new ServiceCollection().AddMillrace(_ => { }).AddMillrace(_ => { })).Message.ShouldContain("AddMillrace was called twice for the instance \"millrace\"");

    // G8: what runs may finish, what was only fetched goes back as if nothing had been.
    [Fact]
    public async Task A_stop_lets_running_jobs_finish_and_gives_back_the_rest_uncharged()
    {
        using var folder = new TestFolder();
        var (begun, go) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        List<long> ids;
        await using (var host = await TestHost.StartAsync(
            m => m
                .AddJob<Step>(async (job, _) =>
                {
                    // Quick ones first, so that the engine fetches ahead; then one that holds the only slot.
                    if (job.Data.Name != "hold")
                        return;
                    begun.TrySetResult();
                    await go.Task;
                })
                .AddWorkers(workers => (workers.Concurrency, workers.Prefetch) = (1, TimeSpan.FromSeconds(10))),
            folder: folder))
        {
            ids = [.. (await host.Jobs.SubmitManyAsync(Enumerable.Range(0, 500).Select(i => new Step(i == 100 ? "hold" : "quick")))).Select(each => each.Id)];
            await begun.Task.WaitAsync(TestHost.Deadline);
            var stop = host.Host.StopAsync();
            stop.IsCompleted.ShouldBeFalse();
            // What was fetched is given back at once, while the slot is still held.
            var engine = host.Services.GetRequiredKeyedService<Millrace.Working.MillraceInstance>("millrace");
            await TestHost.UntilAsync(() => engine.Loops.Single().Released > 0);
            await TestHost.UntilAsync(async () => (await engine.Store.ReadAttemptsAsync(ids[101], default)).Count > 0);
            go.SetResult();
            await stop.WaitAsync(TestHost.Deadline);
        }

        await using var reader = await TestHost.StartAsync(m => { }, folder: folder);
        var store = reader.Services.GetRequiredKeyedService<Storage.IJobStore>("millrace");
        (await store.FindAsync(ids[100], default))!.State.ShouldBe(JobState.Succeeded);
        foreach (var id in ids[101..])
        {
            var job = (await store.FindAsync(id, default))!;
            (job.State, job.Attempt).ShouldBe((JobState.Ready, 1));
            (await store.ReadAttemptsAsync(id, default)).ShouldAllBe(attempt => attempt.Outcome == Outcome.Released && !attempt.IsCharged);
        }
    }

    [Fact]
    public async Task Who_does_not_finish_in_the_grace_time_is_told_why_and_goes_back_uncharged()
    {
        using var folder = new TestFolder();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        (StopReason, string?) seen = default;
        long id;
        await using (var host = await TestHost.StartAsync(
            m => m
                .AddJob<Step>(async (job, token) =>
                {
                    begun.TrySetResult();
                    try
                    {
                        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                    }
                    finally
                    {
                        seen = (job.StopReason, job.StopMessage);
                    }
                })
                .AddWorkers(workers => workers.ShutdownGrace = TimeSpan.Zero),
            folder: folder))
        {
            id = (await host.Jobs.SubmitAsync(new Step("a"))).Id;
            await begun.Task.WaitAsync(TestHost.Deadline);
        }

        await using var reader = await TestHost.StartAsync(m => { }, folder: folder);
        var job = (await reader.Jobs.FindAsync(id))!;
        (job.State, job.Attempt, job.LastOutcome).ShouldBe((JobState.Ready, 1, Outcome.Released));
        seen.ShouldBe((StopReason.Shutdown, "The application is shutting down, and the grace time is over."));
    }

    [Fact]
    public async Task Who_does_not_stop_at_all_is_given_up_and_what_it_still_does_is_not_saved()
    {
        using var folder = new TestFolder();
        var (begun, go) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        long id;
        await using (var host = await TestHost.StartAsync(
            m => m
                .AddJob<Step>(async (_, _) =>
                {
                    begun.TrySetResult();
                    await go.Task;
                })
                .AddWorkers(workers => workers.ShutdownGrace = TimeSpan.Zero),
            folder: folder))
        {
            id = (await host.Jobs.SubmitAsync(new Step("a"))).Id;
            await begun.Task.WaitAsync(TestHost.Deadline);
            await host.Host.StopAsync().WaitAsync(TestHost.Deadline);
            go.SetResult();
        }

        await using var reader = await TestHost.StartAsync(m => { }, folder: folder);
        var job = (await reader.Jobs.FindAsync(id))!;
        (job.State, job.Attempt, job.LastOutcome).ShouldBe((JobState.Ready, 1, Outcome.Released));
        job.Error.ShouldBe("The handler did not stop within the grace time at shutdown.");
    }

    [Fact]
    public async Task A_request_to_cancel_reaches_a_running_job()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await TestHost.StartAsync(m => m
            .AddJob<Step>(async (_, token) =>
            {
                begun.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            })
            .AddWorkers());
        var id = (await host.Jobs.SubmitAsync(new Step("a"))).Id;
        await begun.Task.WaitAsync(TestHost.Deadline);

        (await host.Jobs.CancelAsync(id, "Not needed.")).ShouldBe(CancelResult.Asked);

        var job = await host.Jobs.WaitAsync(id, TestHost.Deadline);
        (job.State, job.Error).ShouldBe((JobState.Cancelled, "The job was cancelled: Not needed."));
    }

    [Fact]
    public async Task A_failed_job_comes_back_by_itself()
    {
        await using var host = await TestHost.StartAsync(m => m
            .AddJob<Step>((job, _) => job.Attempt < 3 ? throw new InvalidDataException("no") : Run(job, default), RetryPolicy.Every(TimeSpan.FromMilliseconds(20)))
            .AddWorkers());

        var id = (await host.Jobs.SubmitAsync(new Step("a"))).Id;

        var job = await host.Jobs.WaitAsync(id, TestHost.Deadline);
        (job.State, job.Attempt).ShouldBe((JobState.Succeeded, 3));
    }

    private Task Run(JobContext<Step> job, CancellationToken cancellationToken)
    {
        ran.Enqueue(job.Data.Name);
        return Task.CompletedTask;
    }
}
