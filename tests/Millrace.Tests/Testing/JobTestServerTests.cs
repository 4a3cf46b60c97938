using System.Data.Common;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Testing;

namespace Millrace.Tests.Testing;

public sealed class SqliteJobTestServerTests : JobTestServerTests
{
    protected override JobTestOptions Options => new();
}

public abstract class JobTestServerTests
{
    private readonly Diary diary = new();

    protected abstract JobTestOptions Options { get; }

    // S13: one job in isolation, with a log and a job record, and a look at the database.
    [Fact]
    public async Task One_job_runs_alone_with_its_log_and_its_record()
    {
        await using var server = await StartAsync();
        await server.Jobs.SubmitAsync(new Welcome("somebody@else"));

        var run = await server.RunAsync(new Welcome("a@b.c"), new JobOptions { Tag = "welcome-a@b.c", UserId = 42 });

        run.ShouldHaveSucceeded();
        run.Job.State.ShouldBe(JobState.Succeeded);
        run.Job.UserId.ShouldBe(42);
        run.Job.Tag.ShouldBe("welcome-a@b.c");
        run.Data<Welcome>().Email.ShouldBe("a@b.c");
        run.Log.ShouldHaveSingleItem().Message.ShouldBe("Welcoming a@b.c");
        diary.Lines.ShouldBe(["welcome a@b.c"]);
        (await server.Jobs.FindAsync(run.Job.Id))!.LastOutcome.ShouldBe(Outcome.Succeeded);
    }

    [Fact]
    public async Task A_job_that_is_due_in_a_year_runs_alone_at_once()
    {
        await using var server = await StartAsync();

        var run = await server.RunAsync(new Welcome("a@b.c"), new JobOptions { Delay = TimeSpan.FromDays(365) });

        run.ShouldHaveSucceeded().Job.Due.ShouldBe(server.Clock.Now + TimeSpan.FromDays(365));
        run.Attempt.ShouldBe(1);
    }

    [Fact]
    public async Task A_failure_is_a_result_with_the_exception_and_the_time_of_the_retry()
    {
        await using var server = await StartAsync(m => m.AddJob<Count>((_, _) => throw new InvalidDataException("no"), RetryPolicy.Every(TimeSpan.FromMinutes(2))));

        var run = await server.RunAsync(new Count(1));

        run.ShouldHaveEndedAs(Outcome.Failed);
        run.ShouldHaveFailed<InvalidDataException>().Message.ShouldBe("no");
        run.Error!.ShouldContain("InvalidDataException: no");
        run.ShouldRetryIn(TimeSpan.FromMinutes(2), TimeSpan.Zero);
        Should.Throw<JobAssertionException>(() => run.ShouldHaveSucceeded()).Message.ShouldContain("InvalidDataException: no");
    }

    [Fact]
    public async Task Data_that_cannot_be_read_is_a_failure_too()
    {
        await using var server = await StartAsync();
        await server.Jobs.SubmitNamedAsync("count", """{"to":"many"}""");

        var run = await server.RunNextAsync();

        run!.ShouldHaveFailed<JobDataException>();
    }

    [Fact]
    public async Task Results_progress_and_chained_jobs_are_seen()
    {
        await using var server = await StartAsync(m => m.AddJob<Adder>());

        var run = await server.RunAsync(new Sum(2, 3));

        run.ShouldHaveSucceeded().Result<int>().ShouldBe(5);
        run.Progress.ShouldBe([new ProgressReport(10, "adding"), new ProgressReport(100, null)]);
        run.Submitted.Select(job => job.Type).ShouldBe(["welcome", "count"], ignoreOrder: true);
        run.Submitted.ShouldAllBe(job => job.Parent == run.Job.Id);
        (await server.RunNextAsync())!.Job.Parent.ShouldBe(run.Job.Id);
    }

    [Fact]
    public async Task What_a_rolled_back_transaction_submitted_is_not_seen()
    {
        await using var server = await StartAsync(m => m.AddJob<Tick>((job, token) => job.WithTransactionAsync(
            async (_, inside) =>
            {
                await job.SubmitAsync(new Count(1), cancellationToken: inside);
                throw new InvalidDataException();
            },
            token)));

        var run = await server.RunAsync(new Tick());

        run.ShouldHaveFailed<InvalidDataException>();
        run.Submitted.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_next_job_of_a_queue_runs_and_then_none()
    {
        await using var server = await StartAsync();
        await server.Jobs.SubmitAsync(new Welcome("default"));
        await server.Jobs.SubmitAsync(new Welcome("late"), new JobOptions { Queue = "mail", Priority = 1 });
        await server.Jobs.SubmitAsync(new Welcome("early"), new JobOptions { Queue = "mail" });

        (await server.RunNextAsync("mail"))!.Data<Welcome>().Email.ShouldBe("early");
        (await server.RunNextAsync("mail"))!.Data<Welcome>().Email.ShouldBe("late");
        (await server.RunNextAsync("mail")).ShouldBeNull();
        (await server.RunNextAsync()).ShouldNotBeNull();
        (await server.RunNextAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_drain_runs_the_whole_chain_and_leaves_what_is_not_due()
    {
        await using var server = await StartAsync(m => m.AddJob<Count>((job, _) =>
        {
            diary.Add($"count {job.Data.To}");
            if (job.Data.To > 1)
                job.Then(new Count(job.Data.To - 1));
            return Task.CompletedTask;
        }));
        await server.Jobs.SubmitAsync(new Count(3));
        await server.Jobs.SubmitAsync(new Welcome("later"), new JobOptions { Delay = TimeSpan.FromSeconds(1) });

        var report = await server.DrainAsync();

        diary.Lines.ShouldBe(["count 3", "count 2", "count 1"]);
        report.Succeeded.ShouldBe(3);
        report.To.ShouldBe(report.From);
        (await server.DrainAsync()).Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_drain_without_end_is_ended()
    {
        await using var server = await StartAsync(m => m.AddJob<Tick>((job, _) =>
        {
            job.Then(new Tick());
            return Task.CompletedTask;
        }));
        await server.Jobs.SubmitAsync(new Tick());

        var fault = await Should.ThrowAsync<JobAssertionException>(() => server.DrainAsync(new DrainOptions { MaxRuns = 5 }));

        fault.Message.ShouldContain("MaxRuns");
        fault.Message.ShouldContain("chained: tick");
        (await server.RunNextAsync()).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_drain_can_stop_at_the_first_failure()
    {
        await using var server = await StartAsync(m => m.AddJob<Tick>((_, _) => throw new InvalidDataException("no")));
        await server.Jobs.SubmitAsync(new Tick());

        var fault = await Should.ThrowAsync<JobAssertionException>(() => server.DrainAsync(new DrainOptions { ThrowOnFailure = true }));

        fault.InnerException.ShouldBeOfType<InvalidDataException>();
    }

    [Fact]
    public async Task A_seed_shuffles_the_same_way_each_time()
    {
        var first = await ShuffledAsync(7);
        var again = await ShuffledAsync(7);

        again.ShouldBe(first);
        first.ShouldNotBe([.. first.Order(StringComparer.Ordinal)]);
        first.Order(StringComparer.Ordinal).Count().ShouldBe(10);
    }

    [Fact]
    public async Task Three_days_of_retries_and_ticks_take_milliseconds()
    {
        await using var server = await StartAsync(m => m
            .AddJob<Count>((job, _) => job.Attempt < 3 ? throw new InvalidDataException("not yet") : Task.CompletedTask, RetryPolicy.Every(TimeSpan.FromHours(20)))
            .AddJob<Tick>((_, _) => Task.CompletedTask));
        await server.Jobs.SubmitAsync(new Tick(), new JobOptions { CronSchedule = "0 0 */6 * * *" });
        await server.Jobs.SubmitAsync(new Count(1));
        await server.Jobs.SubmitAsync(new Welcome("a@b.c"), new JobOptions { Delay = TimeSpan.FromHours(50) });
        var began = Stopwatch.GetTimestamp();

        var report = await server.AdvanceAsync(TimeSpan.FromDays(3));

        Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        report.To.ShouldBe(report.From + TimeSpan.FromDays(3));
        report.Of<Count>().Select(run => run.Started - report.From).ShouldBe([TimeSpan.Zero, TimeSpan.FromHours(20), TimeSpan.FromHours(40)]);
        report.Of<Count>().Select(run => run.Outcome).ShouldBe([Outcome.Failed, Outcome.Failed, Outcome.Succeeded]);
        report.Of<Tick>().Select(run => run.Started).ShouldBe(Enumerable.Range(0, 12).Select(i => new DateTimeOffset(2026, 1, 5, 12, 0, 0, TimeSpan.Zero).AddHours(6 * i)));
        report.Of<Welcome>().ShouldHaveSingleItem().Started.ShouldBe(report.From + TimeSpan.FromHours(50));
    }

    [Fact]
    public async Task Time_passes_for_a_handler_that_waits_on_the_clock()
    {
        await using var server = await StartAsync(m => m.AddJob<Wait, TimeProvider>((job, time, token) => Task.Delay(job.Data.Time, time, token)));

        var run = await server.RunAsync(new Wait(TimeSpan.FromSeconds(30)));

        run.ShouldHaveSucceeded();
        (run.Finished - run.Started).ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_handler_that_waits_past_its_timeout_is_stopped_at_it()
    {
        await using var server = await StartAsync(m => m.AddJob<Wait, TimeProvider>((job, time, token) => Task.Delay(job.Data.Time, time, token)));

        var run = await server.RunAsync(new Wait(TimeSpan.FromHours(1)));

        run.ShouldHaveEndedAs(Outcome.Discarded).Error!.ShouldContain("timeout");
        (run.Finished - run.Started).ShouldBe(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task The_clock_can_be_moved_from_outside_while_a_handler_waits()
    {
        var began = new TaskCompletionSource();
        await using var server = await StartAsync(m => m.AddJob<Wait>(async (_, token) =>
        {
            began.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        }));

        var running = server.RunAsync(new Wait(TimeSpan.Zero));
        await began.Task;
        await server.AdvanceAsync(TimeSpan.FromMinutes(2));

        (await running).ShouldHaveEndedAs(Outcome.Discarded).Error!.ShouldContain("timeout");
    }

    [Fact]
    public async Task A_running_job_can_be_cancelled()
    {
        var began = new TaskCompletionSource<long>();
        await using var server = await StartAsync(m => m.AddJob<Tick>(async (job, token) =>
        {
            began.SetResult(job.Id);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        }));

        var running = server.RunAsync(new Tick());
        (await server.Jobs.CancelAsync(await began.Task, "enough")).ShouldBe(CancelResult.Asked);

        (await running).ShouldHaveEndedAs(Outcome.Cancelled).Error!.ShouldContain("enough");
    }

    [Fact]
    public async Task A_handler_that_never_ends_is_told_of()
    {
        var never = new TaskCompletionSource();
        await using var server = await StartAsync(m => m.AddJob<Tick>((_, _) => never.Task), Options with { LongestRun = TimeSpan.FromMilliseconds(50) });

        var fault = await Should.ThrowAsync<TimeoutException>(() => server.RunAsync(new Tick()));

        fault.Message.ShouldContain("LongestRun");
        never.SetResult();
    }

    [Fact]
    public async Task A_job_whose_node_died_after_the_claim_runs_again()
    {
        await using var server = await StartAsync();

        var crash = await server.CrashAfterClaimAsync(new Welcome("a@b.c"));
        crash.Job!.State.ShouldBe(JobState.Running);
        var report = await server.AdvanceAsync(TimeSpan.FromMinutes(1));

        var run = report.Runs.ShouldHaveSingleItem().ShouldHaveSucceeded();
        run.Job.Id.ShouldBe(crash.JobId);
        run.Attempt.ShouldBe(2);
        run.Fence.ShouldBeGreaterThan(crash.Fence);
        diary.Lines.ShouldBe(["welcome a@b.c"]);
    }

    [Fact]
    public async Task The_next_job_can_be_the_one_that_crashes()
    {
        await using var server = await StartAsync();
        await Should.ThrowAsync<InvalidOperationException>(() => server.CrashAfterClaimAsync());
        var submitted = await server.Jobs.SubmitAsync(new Welcome("a@b.c"));

        (await server.CrashAfterRunAsync()).JobId.ShouldBe(submitted.Id);
        await server.AdvanceAsync(TimeSpan.FromMinutes(1));

        diary.Lines.ShouldBe(["welcome a@b.c", "welcome a@b.c"]);
    }

    [Fact]
    public async Task A_job_that_crashes_again_and_again_is_quarantined()
    {
        await using var server = await StartAsync();
        var crash = await server.CrashAfterClaimAsync(new Welcome("a@b.c"));
        for (var i = 0; i < 2; i++)
        {
            // The drain of the advance would run it: everything else is in another queue.
            await server.AdvanceAsync(TimeSpan.FromMinutes(1), new DrainOptions { Queues = ["none"] });
            (await server.CrashAfterClaimAsync()).JobId.ShouldBe(crash.JobId);
        }
        await server.AdvanceAsync(TimeSpan.FromMinutes(1));

        var job = await server.Jobs.FindAsync(crash.JobId);
        job!.State.ShouldBe(JobState.Waiting);
        job.WaitsFor.ShouldBe("quarantine");
    }

    [Fact]
    public async Task Effects_of_a_completing_transaction_happen_once_over_a_crash()
    {
        await using var server = await StartAsync(m => m.AddJob<Count>((job, token) => job.CompleteInTransactionAsync(
            (transaction, inside) => ExecuteAsync(transaction, "insert into effect (amount) values (7)", inside), token)));
        await CreateTableAsync(server, "effect (amount int)");

        var crash = await server.CrashAfterRunAsync(new Count(1));
        crash.Exception.ShouldBeNull();
        var report = await server.AdvanceAsync(TimeSpan.FromMinutes(5));

        report.Runs.ShouldBeEmpty();
        (await ScalarAsync(server, "select count(*) from effect")).ShouldBe(1);
        (await server.Jobs.FindAsync(crash.JobId))!.State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task Effects_of_a_transaction_that_was_cut_off_happen_once_too()
    {
        await using var server = await StartAsync(m => m.AddJob<Count>((job, token) => job.CompleteInTransactionAsync(
            (transaction, inside) => ExecuteAsync(transaction, "insert into effect (amount) values (7)", inside), token)));
        await CreateTableAsync(server, "effect (amount int)");

        await server.CrashAfterClaimAsync(new Count(1));
        await server.AdvanceAsync(TimeSpan.FromMinutes(1));

        (await ScalarAsync(server, "select count(*) from effect")).ShouldBe(1);
    }

    [Fact]
    public async Task A_once_step_is_not_repeated_by_the_run_after_a_crash()
    {
        await using var server = await StartAsync(m => m.AddJob<Count>(async (job, token) =>
        {
            var number = await job.OnceAsync("charge", _ =>
            {
                diary.Add("charged");
                return Task.FromResult(11);
            }, token);
            diary.Add($"got {number}");
        }));

        await server.CrashAfterRunAsync(new Count(1));
        await server.AdvanceAsync(TimeSpan.FromMinutes(1));

        diary.Lines.ShouldBe(["charged", "got 11", "got 11"]);
    }

    [Fact]
    public async Task Old_jobs_are_removed_by_the_built_in_job()
    {
        await using var server = await StartAsync();
        var run = await server.RunAsync(new Welcome("a@b.c"));
        await server.AdvanceAsync(TimeSpan.FromHours(2));

        await server.Jobs.SubmitNamedAsync("removeOldWorkerJobs");
        (await server.RunNextAsync())!.ShouldHaveSucceeded();

        (await server.Jobs.FindAsync(run.Job.Id)).ShouldBeNull();
    }

    [Fact]
    public async Task The_timeline_tells_what_happened()
    {
        await using var server = await StartAsync(m => m.AddJob<Tick>((_, _) => Task.CompletedTask));
        await server.Jobs.SubmitAsync(new Tick(), new JobOptions { CronSchedule = "0 0 9 * * *", Tag = "morning" });
        await server.Jobs.SubmitAsync(new Welcome("a@b.c"), new JobOptions { Tag = "hello" });

        await server.AdvanceAsync(TimeSpan.FromHours(1));

        var lines = server.Dump().Split(Environment.NewLine);
        lines[0].ShouldBe("2026-01-05 08:00:00.000  schedule \"morning\" stored: 0 0 9 * * * (UTC)");
        lines[1].ShouldMatch(@"^ {25}job \d+ submitted: welcome, tag ""hello"" \{""email"":""a@b\.c""\}$");
        lines[2].ShouldMatch(@"^ {25}job \d+ \(welcome, attempt 1\) succeeded$");
        lines[3].ShouldBe("2026-01-05 09:00:00.000  schedule \"morning\" ticked: 1 jobs");
        lines[4].ShouldMatch(@"^ {25}job \d+ \(tick, attempt 1\) succeeded$");
    }

    [Fact]
    public async Task What_was_submitted_can_be_demanded()
    {
        await using var server = await StartAsync();
        await server.Jobs.SubmitAsync(new Welcome("a@b.c"), new JobOptions { Tag = "x", Queue = "mail", UserId = 7, Delay = TimeSpan.FromHours(3) });

        var job = await server.ShouldHaveSubmittedAsync<Welcome>(w => w.Email == "a@b.c", tag: "x", queue: "mail", userId: 7, dueIn: TimeSpan.FromHours(3));
        await server.ShouldHaveSubmittedAsync<Welcome>(due: server.Clock.Now.AddMinutes(190), tolerance: TimeSpan.FromMinutes(10));
        await server.ShouldNotHaveSubmittedAsync<Welcome>(w => w.Email == "b@b.c");
        await server.ShouldNotHaveSubmittedAsync<Count>();

        job.State.ShouldBe(JobState.Scheduled);
    }

    [Fact]
    public async Task A_demand_that_fails_shows_the_nearest_job_and_the_timeline()
    {
        await using var server = await StartAsync();
        await server.Jobs.SubmitAsync(new Welcome("far@b.c"), new JobOptions { Tag = "y", Queue = "other" });
        await server.Jobs.SubmitAsync(new Welcome("a@b.c"), new JobOptions { Tag = "x", Delay = TimeSpan.FromHours(2) });

        var fault = await Should.ThrowAsync<JobAssertionException>(
            () => server.ShouldHaveSubmittedAsync<Welcome>(w => w.Email == "a@b.c", tag: "x", queue: "mail", dueIn: TimeSpan.FromHours(3)));

        fault.Message.ShouldStartWith("""Expected a job "welcome" with data for which w => w.Email == "a@b.c", tag "x", queue "mail", due 2026-01-05 11:00:00.000 (give or take 00:00:01).""");
        fault.Message.ShouldContain("""(welcome, tag "x", queue "default", due 2026-01-05 10:00:00.000) {"email":"a@b.c"}. It differs:""");
        fault.Message.ShouldContain("""queue: expected "mail", was "default""" + "\"");
        fault.Message.ShouldContain("due: expected 2026-01-05 11:00:00.000, was 2026-01-05 10:00:00.000 (earlier by 01:00:00)");
        fault.Message.ShouldNotContain("tag: expected");
        fault.Message.ShouldContain("What happened:");
    }

    [Fact]
    public async Task A_demand_for_a_type_that_was_never_submitted_names_those_that_were()
    {
        await using var server = await StartAsync();
        await server.Jobs.SubmitAsync(new Welcome("a@b.c"));

        (await Should.ThrowAsync<JobAssertionException>(() => server.ShouldHaveSubmittedAsync<Count>())).Message
            .ShouldContain("No job of this type was submitted, but 1 welcome.");
        (await Should.ThrowAsync<JobAssertionException>(() => server.ShouldNotHaveSubmittedAsync<Welcome>())).Message
            .ShouldContain("But there is job");
    }

    [Fact]
    public async Task What_a_run_submitted_can_be_demanded()
    {
        await using var server = await StartAsync(m => m.AddJob<Adder>());

        var run = await server.RunAsync(new Sum(2, 3));

        run.ShouldHaveSubmitted<Welcome>(w => w.Email == "sum@b.c").Parent.ShouldBe(run.Job.Id);
        run.ShouldNotHaveSubmitted<Count>(c => c.To > 1);
        Should.Throw<JobAssertionException>(() => run.ShouldHaveSubmitted<Count>(c => c.To > 1)).Message.ShouldContain("""data: c => c.To > 1 is false for {"to":1}""");
        Should.Throw<JobAssertionException>(() => run.ShouldRetryIn(TimeSpan.FromSeconds(1))).Message.ShouldContain("should run again in 00:00:01");
    }

    [Fact]
    public async Task Everything_wrong_with_the_setup_is_told_at_the_start()
    {
        var options = Options;

        var fault = await Should.ThrowAsync<SetupException>(() => JobTestServer.StartAsync(m => m.AddJob<WelcomeJob>(), null, options));

        fault.Message.ShouldContain(nameof(Diary));
    }

    [Fact]
    public async Task Unique_tags_are_kept_by_the_database()
    {
        await using var server = await StartAsync();
        var once = new JobOptions { Tag = "one", WhenPending = WhenPending.Keep };

        var first = await server.Jobs.SubmitAsync(new Welcome("a"), once);
        var second = await server.Jobs.SubmitAsync(new Welcome("b"), once);

        second.ShouldBe(new SubmitResult(first.Id, Submitted.Kept));
        (await server.DrainAsync()).Runs.ShouldHaveSingleItem().Data<Welcome>().Email.ShouldBe("a");
    }

    [Fact]
    public async Task A_snoozed_job_comes_back_without_using_an_attempt()
    {
        await using var server = await StartAsync(m => m.AddJob<Count>((job, _) => job.Fence == 1 ? throw job.Snooze(TimeSpan.FromHours(3)) : Task.CompletedTask));

        var run = await server.RunAsync(new Count(1));
        run.ShouldHaveEndedAs(Outcome.Snoozed).ShouldRetryIn(TimeSpan.FromHours(3));
        var report = await server.AdvanceAsync(TimeSpan.FromHours(3));

        report.Runs.ShouldHaveSingleItem().ShouldHaveSucceeded().Attempt.ShouldBe(1);
    }

    protected Task<JobTestServer> StartAsync(Action<MillraceBuilder>? configure = null, JobTestOptions? options = null) => JobTestServer.StartAsync(
        m =>
        {
            configure?.Invoke(m);
            m.AddJob<WelcomeJob>();
            if (m.Types.All(type => type.Name != "count"))
                m.AddJob<Count>((_, _) => Task.CompletedTask);
        },
        services => services.AddSingleton(diary),
        options ?? Options);

    private async Task<List<string>> ShuffledAsync(int seed)
    {
        var seen = new List<string>();
        await using var server = await StartAsync(m => m.AddJob<Count>((job, _) =>
        {
            seen.Add($"{job.Data.To}");
            return Task.CompletedTask;
        }));
        await server.Jobs.SubmitManyAsync(Enumerable.Range(0, 10).Select(i => new Count(i)));
        (await server.DrainAsync(new DrainOptions { Seed = seed })).Succeeded.ShouldBe(10);
        return seen;
    }

    private static async Task CreateTableAsync(JobTestServer server, string table)
    {
        await using var connection = await Database(server).OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"create table {table}";
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> ScalarAsync(JobTestServer server, string sql)
    {
        await using var connection = await Database(server).OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)(await command.ExecuteScalarAsync())!;
    }

    protected static async Task<string> TextAsync(JobTestServer server, string sql)
    {
        await using var connection = await Database(server).OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(DbTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static DbDataSource Database(JobTestServer server) => server.Services.GetRequiredKeyedService<DbDataSource>("millrace");
}

public sealed class WelcomeJob(Diary diary) : IJob<Welcome>
{
    public Task RunAsync(JobContext<Welcome> job, CancellationToken cancellationToken)
    {
        job.Log.LogInformation("Welcoming {Email}", job.Data.Email);
        diary.Add($"welcome {job.Data.Email}");
        return Task.CompletedTask;
    }
}

[Job("sum")]
public sealed record Sum(int A, int B);

public sealed class Adder : IJob<Sum, int>
{
    public async Task<int> RunAsync(JobContext<Sum> job, CancellationToken cancellationToken)
    {
        await job.ReportProgressAsync(10, "adding", cancellationToken);
        await job.SubmitAsync(new Welcome("sum@b.c"), cancellationToken: cancellationToken);
        job.Then(new Count(1));
        await job.ReportProgressAsync(100, cancellationToken: cancellationToken);
        return job.Data.A + job.Data.B;
    }
}
