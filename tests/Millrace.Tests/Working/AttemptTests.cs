using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Storage;
using Millrace.Testing;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class SqliteAttemptTests : AttemptTests
{
    protected override JobTestOptions Options => new();
}

public sealed class PostgresAttemptTests : AttemptTests
{
    protected override JobTestOptions Options
    {
        get
        {
            var server = Environment.GetEnvironmentVariable("MILLRACE_TEST_POSTGRES");
            Assert.SkipWhen(string.IsNullOrEmpty(server), "MILLRACE_TEST_POSTGRES names no server.");
            return new JobTestOptions { Postgres = server };
        }
    }
}

// What a handler can ask of its attempt, and how the attempt ends. On both databases: much of it is a matter of transactions.
public abstract class AttemptTests : IAsyncLifetime
{
    private readonly Stage stage = new();
    private JobTestServer server = null!;

    [Job("work", MaxAttempts = 3)]
    private sealed record Work(int Number = 0);

    [Job("next")]
    private sealed record Next;

    /// <summary>What the handler of the test does.</summary>
    private sealed class Stage
    {
        public Func<JobContext<Work>, CancellationToken, Task> Play { get; set; } = (_, _) => Task.CompletedTask;
    }

    public async ValueTask InitializeAsync()
    {
        server = await JobTestServer.StartAsync(m => m
            .AddJob<Work>((job, token) => stage.Play(job, token), RetryPolicy.Every(TimeSpan.FromMinutes(1)))
            .AddJob<Next>((_, _) => Task.CompletedTask), options: Options);
        await server.Services.GetRequiredKeyedService<DbDataSource>("millrace").WithTransactionAsync((transaction, token) => ExecuteAsync(transaction, "create table note (text text not null)", token));
    }

    public ValueTask DisposeAsync() => server is null ? ValueTask.CompletedTask : server.DisposeAsync();

    protected abstract JobTestOptions Options { get; }

    [Fact]
    public async Task A_failing_job_is_tried_again_until_its_attempts_are_used()
    {
        stage.Play = (job, _) => throw new InvalidDataException($"no {job.Attempt} of {job.MaxAttempts}");

        var first = await server.RunAsync(new Work());
        var rest = await server.AdvanceAsync(TimeSpan.FromHours(1));

        first.ShouldHaveEndedAs(Outcome.Failed).ShouldRetryIn(TimeSpan.FromMinutes(1), TimeSpan.Zero);
        rest.Runs.Select(run => run.Outcome).ShouldBe([Outcome.Failed, Outcome.Discarded]);
        var job = (await server.Jobs.FindAsync(first.Job.Id))!;
        job.State.ShouldBe(JobState.Discarded);
        job.Error!.ShouldStartWith("System.IO.InvalidDataException: no 3 of 3");
    }

    [Fact]
    public async Task Data_that_does_not_fit_fails_the_attempt_and_counts()
    {
        var id = (await server.Jobs.SubmitNamedAsync("work", """{"number":"many"}""")).Id;

        var report = await server.AdvanceAsync(TimeSpan.FromHours(1));

        report.Runs.Select(run => run.Outcome).ShouldBe([Outcome.Failed, Outcome.Failed, Outcome.Discarded]);
        var fault = report.Runs[0].ShouldHaveFailed<JobDataException>();
        fault.Path.ShouldBe("$.number");
        fault.Message.ShouldStartWith($"The stored data of job {id} (work) is not what Work expects:");
        report.Runs[0].Error!.ShouldContain("New members need defaults; a new meaning needs a new name.");
    }

    [Fact]
    public async Task Data_that_is_null_fails_the_attempt()
    {
        await server.Jobs.SubmitNamedAsync("work");

        (await server.RunNextAsync())!.ShouldHaveFailed<JobDataException>().Message.ShouldContain("The stored data is null");
    }

    [Fact]
    public async Task A_snooze_uses_no_attempt_however_often()
    {
        stage.Play = (job, _) => job.Fence < 6 ? throw job.Snooze(TimeSpan.FromHours(1)) : Task.CompletedTask;

        await server.RunAsync(new Work());
        var report = await server.AdvanceAsync(TimeSpan.FromHours(5));

        report.Runs[^1].ShouldHaveSucceeded().Attempt.ShouldBe(1);
        report.Runs[^1].Fence.ShouldBe(6);
    }

    [Fact]
    public async Task A_snooze_of_a_wrong_length_is_a_failure_that_says_so()
    {
        stage.Play = (job, _) => throw job.Snooze(TimeSpan.FromDays(367));

        (await server.RunAsync(new Work())).ShouldHaveFailed<ArgumentOutOfRangeException>().Message.ShouldContain("it must be zero to 366 days");
    }

    [Theory]
    [InlineData(true, Outcome.Cancelled, JobState.Cancelled)]
    [InlineData(false, Outcome.Discarded, JobState.Discarded)]
    public async Task A_handler_ends_its_job_with_a_reason(bool cancels, Outcome outcome, JobState state)
    {
        stage.Play = (job, _) => throw (cancels ? job.Cancel("The customer left.") : job.Discard("The customer left."));

        var run = await server.RunAsync(new Work());

        run.ShouldHaveEndedAs(outcome).Error.ShouldBe("The customer left.");
        run.Job.State.ShouldBe(state);
        (await server.AdvanceAsync(TimeSpan.FromDays(1))).Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pending_job_that_is_cancelled_never_runs()
    {
        var id = (await server.Jobs.SubmitAsync(new Work())).Id;

        (await server.Jobs.CancelAsync(id, "Not needed.")).ShouldBe(CancelResult.Cancelled);

        (await server.DrainAsync()).Runs.ShouldBeEmpty();
        var job = (await server.Jobs.FindAsync(id))!;
        job.State.ShouldBe(JobState.Cancelled);
        job.Error!.ShouldContain("Not needed.");
        (await server.Jobs.CancelAsync(id)).ShouldBe(CancelResult.Finished);
        (await server.Jobs.CancelAsync(id + 1_000_000)).ShouldBe(CancelResult.Unknown);
    }

    [Fact]
    public async Task A_running_job_learns_why_it_is_cancelled()
    {
        (StopReason, string?) seen = default;
        stage.Play = async (job, token) =>
        {
            (await server.Jobs.CancelAsync(job.Id, "Not needed.", CancellationToken.None)).ShouldBe(CancelResult.Asked);
            await AskedAsync(token);
            seen = (job.StopReason, job.StopMessage);
            token.ThrowIfCancellationRequested();
        };

        var run = await server.RunAsync(new Work());

        run.ShouldHaveEndedAs(Outcome.Cancelled).Error.ShouldBe("The job was cancelled: Not needed.");
        seen.ShouldBe((StopReason.Cancelled, "The job was cancelled: Not needed."));
    }

    [Fact]
    public async Task A_job_that_completes_although_it_is_cancelled_has_succeeded()
    {
        stage.Play = async (job, token) =>
        {
            await server.Jobs.CancelAsync(job.Id, cancellationToken: CancellationToken.None);
            await AskedAsync(token);
        };

        (await server.RunAsync(new Work())).ShouldHaveSucceeded();
    }

    [Fact]
    public async Task A_job_that_fails_after_it_was_cancelled_does_not_come_back()
    {
        stage.Play = async (job, token) =>
        {
            await server.Jobs.CancelAsync(job.Id, "Not needed.", CancellationToken.None);
            await AskedAsync(token);
            throw new InvalidDataException("no");
        };

        (await server.RunAsync(new Work())).ShouldHaveEndedAs(Outcome.Cancelled).Job.State.ShouldBe(JobState.Cancelled);
    }

    [Fact]
    public async Task A_timeout_fails_the_attempt_and_counts()
    {
        var reason = StopReason.None;
        stage.Play = async (job, token) =>
        {
            try
            {
                await Task.Delay(TimeSpan.FromHours(1), server.Clock, token);
            }
            finally
            {
                reason = job.StopReason;
            }
        };

        var run = await server.RunAsync(new Work(), new JobOptions { Timeout = TimeSpan.FromSeconds(30) });

        run.ShouldHaveEndedAs(Outcome.Failed).Error.ShouldBe("The attempt ran longer than its timeout of 00:00:30 and was stopped.");
        reason.ShouldBe(StopReason.Timeout);
    }

    [Fact]
    public async Task A_finished_job_can_be_run_again_from_its_first_attempt()
    {
        stage.Play = (job, _) => job.Fence == 1 ? throw job.Discard("no") : Task.CompletedTask;
        var first = await server.RunAsync(new Work());

        (await server.Jobs.RetryAsync(first.Job.Id)).ShouldBe(RetryResult.Ready);

        var again = (await server.RunNextAsync())!.ShouldHaveSucceeded();
        again.Attempt.ShouldBe(1);
        again.Fence.ShouldBe(2);
    }

    [Fact]
    public async Task What_follows_is_kept_when_the_attempt_succeeds_and_dropped_when_it_fails()
    {
        stage.Play = (job, _) =>
        {
            job.Then(new Next(), new JobOptions { Tag = $"after {job.Attempt}" });
            return job.Attempt == 1 ? throw new InvalidDataException("no") : Task.CompletedTask;
        };

        var failed = await server.RunAsync(new Work());
        failed.Submitted.ShouldBeEmpty();
        var report = await server.AdvanceAsync(TimeSpan.FromMinutes(1));

        var next = report.Of<Next>().ShouldHaveSingleItem().Job;
        next.Tag.ShouldBe("after 2");
        next.Parent.ShouldBe(failed.Job.Id);
    }

    [Fact]
    public async Task What_follows_is_checked_at_once()
    {
        stage.Play = (job, _) =>
        {
            job.Then(new Next(), new JobOptions { CronSchedule = "* * * * *" });
            return Task.CompletedTask;
        };

        (await server.RunAsync(new Work())).ShouldHaveFailed<ArgumentException>().Message.ShouldBe("Then cannot make a schedule. Use SubmitAsync.");
    }

    [Fact]
    public async Task What_follows_commits_with_the_transaction_that_completes()
    {
        stage.Play = async (job, token) =>
        {
            job.Then(new Next());
            await job.CompleteInTransactionAsync((transaction, t) => NoteAsync(transaction, "done", t), token);
            Should.Throw<InvalidOperationException>(() => job.Then(new Next())).Message.ShouldContain("is complete already");
        };

        (await server.RunAsync(new Work())).ShouldHaveSucceeded();

        (await NotesAsync()).ShouldBe(["done"]);
        (await server.DrainAsync()).Of<Next>().Count().ShouldBe(1);
    }

    [Fact]
    public async Task What_follows_a_transaction_that_fails_is_dropped()
    {
        stage.Play = async (job, token) =>
        {
            job.Then(new Next());
            await job.CompleteInTransactionAsync(async (transaction, t) =>
            {
                await NoteAsync(transaction, "done", t);
                throw new InvalidDataException("no");
            }, token);
        };

        (await server.RunAsync(new Work())).ShouldHaveFailed<InvalidDataException>();

        (await NotesAsync()).ShouldBeEmpty();
        (await server.DrainAsync()).Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task After_the_completion_an_exception_changes_nothing_and_a_second_one_is_refused()
    {
        string? second = null;
        stage.Play = async (job, token) =>
        {
            await job.CompleteInTransactionAsync((transaction, t) => NoteAsync(transaction, "done", t), token);
            second = (await Should.ThrowAsync<InvalidOperationException>(job.CompleteInTransactionAsync((_, _) => Task.CompletedTask, token))).Message;
            throw new InvalidDataException("too late");
        };

        var run = await server.RunAsync(new Work());

        run.ShouldHaveSucceeded().Job.State.ShouldBe(JobState.Succeeded);
        second!.ShouldEndWith("is complete already: CompleteInTransactionAsync can be called once in an attempt.");
        (await NotesAsync()).ShouldBe(["done"]);
        (await server.AdvanceAsync(TimeSpan.FromDays(1))).Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_completion_that_was_rolled_back_can_be_tried_again_in_the_same_attempt()
    {
        stage.Play = async (job, token) =>
        {
            await Should.ThrowAsync<InvalidDataException>(job.CompleteInTransactionAsync((_, _) => throw new InvalidDataException("no"), token));
            await job.CompleteInTransactionAsync((transaction, t) => NoteAsync(transaction, "done", t), token);
        };

        (await server.RunAsync(new Work())).ShouldHaveSucceeded();
        (await NotesAsync()).ShouldBe(["done"]);
    }

    // G2: the job was taken back meanwhile, and whoever has it now must not be disturbed.
    [Fact]
    public async Task An_attempt_that_lost_its_lease_changes_nothing()
    {
        var faults = new List<LeaseLostException>();
        stage.Play = async (job, token) =>
        {
            await server.Instance.Store.RescueAsync(job.Source.Claim.Lease, server.Instance.Node.Id, RescueDecision.NeverStarted, token);
            faults.Add(await Should.ThrowAsync<LeaseLostException>(job.OnceAsync("step", _ => Task.CompletedTask, token)));
            faults.Add(await Should.ThrowAsync<LeaseLostException>(job.OnceInTransactionAsync("note", (transaction, t) => NoteAsync(transaction, "once", t), token)));
            faults.Add(await Should.ThrowAsync<LeaseLostException>(job.CompleteInTransactionAsync((transaction, t) => NoteAsync(transaction, "done", t), token)));
        };

        var run = await server.RunAsync(new Work());

        run.IsStale.ShouldBeTrue(run.Error);
        run.Job.State.ShouldBe(JobState.Ready);
        (await NotesAsync()).ShouldBeEmpty();
        faults.ShouldAllBe(fault => fault.JobId == run.Job.Id && fault.Run == 1 && fault.Message.Contains("lost its lease"));
    }

    [Fact]
    public async Task A_step_is_done_once_over_all_attempts()
    {
        var steps = 0;
        var values = new List<int>();
        stage.Play = async (job, token) =>
        {
            values.Add(await job.OnceAsync("charge", _ => Task.FromResult(++steps * 100), token));
            await job.OnceAsync("mail", _ => Task.FromResult(steps += 10), token);
            if (job.Attempt < 3)
                throw new InvalidDataException("no");
        };

        await server.RunAsync(new Work());
        await server.AdvanceAsync(TimeSpan.FromHours(1));

        values.ShouldBe([100, 100, 100]);
        steps.ShouldBe(11);
    }

    [Fact]
    public async Task A_step_that_fails_is_done_again()
    {
        stage.Play = (job, token) => job.OnceAsync("charge", _ => job.Attempt == 1 ? throw new InvalidDataException("no") : Task.CompletedTask, token);

        (await server.RunAsync(new Work())).ShouldHaveFailed<InvalidDataException>();
        (await server.AdvanceAsync(TimeSpan.FromMinutes(1))).Succeeded.ShouldBe(1);
    }

    [Fact]
    public async Task A_step_in_a_transaction_takes_effect_once()
    {
        stage.Play = async (job, token) =>
        {
            await job.OnceInTransactionAsync("note", (transaction, t) => NoteAsync(transaction, $"attempt {job.Attempt}", t), token);
            await Should.ThrowAsync<InvalidDataException>(job.OnceInTransactionAsync("broken", async (transaction, t) =>
            {
                await NoteAsync(transaction, "rolled back", t);
                throw new InvalidDataException("no");
            }, token));
            if (job.Attempt < 3)
                throw new InvalidDataException("no");
        };

        await server.RunAsync(new Work());
        await server.AdvanceAsync(TimeSpan.FromHours(1));

        (await NotesAsync()).ShouldBe(["attempt 1"]);
    }

    [Fact]
    public async Task Progress_is_kept_within_its_bounds_and_written_once_a_second()
    {
        stage.Play = async (job, token) =>
        {
            await job.ReportProgressAsync(-5, "begun", token);
            (await SeenAsync(job.Id)).ShouldBe((0, "begun"));
            await job.ReportProgressAsync(50, "too soon to be written", token);
            (await SeenAsync(job.Id)).ShouldBe((0, "begun"));
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            await job.ReportProgressAsync(250, "nearly", token);
            (await SeenAsync(job.Id)).ShouldBe((100, "nearly"));
        };

        (await server.RunAsync(new Work())).ShouldHaveSucceeded().Progress.Count.ShouldBe(3);

        async Task<(double?, string?)> SeenAsync(long id) => await server.Jobs.FindAsync(id) is { } job ? (job.Progress, job.ProgressMessage) : default;
    }

    [Fact]
    public async Task A_notification_is_raised_at_once_whatever_becomes_of_the_attempt()
    {
        stage.Play = async (job, token) =>
        {
            await job.NotifyUserAsync(42, "red \u001b[31malert\0", token);
            (await EventsAsync()).ShouldBe(["red alert\uFFFD"]);
            throw new InvalidDataException("no");
        };

        var run = await server.RunAsync(new Work());

        run.ShouldHaveFailed<InvalidDataException>();
        run.Notifications.ShouldBe([new SentNotification(42, "red alert\uFFFD")]);
        (await EventsAsync()).ShouldBe(["red alert\uFFFD"]);
    }

    [Fact]
    public async Task In_a_transaction_it_is_raised_after_the_commit_and_not_after_a_rollback()
    {
        stage.Play = async (job, token) =>
        {
            await Should.ThrowAsync<InvalidDataException>(() => job.WithTransactionAsync(async (_, inside) =>
            {
                await job.NotifyUserAsync(42, "rolled back", inside);
                throw new InvalidDataException("no");
            }, token));
            await job.WithTransactionAsync(async (_, inside) =>
            {
                await job.NotifyUserAsync(42, "one", inside);
                await job.NotifyUserAsync(42, "two", inside);
                (await EventsAsync()).ShouldBeEmpty();
            }, token);
            await job.NotifyUserAsync(42, "three", token);
            await job.CompleteInTransactionAsync(async (_, inside) => await job.NotifyUserAsync(42, "complete", inside), token);
        };

        var run = await server.RunAsync(new Work());

        run.ShouldHaveSucceeded().Notifications.Select(sent => sent.Message).ShouldBe(["one", "two", "three", "complete"]);
        (await EventsAsync()).ShouldBe(["one", "two", "three", "complete"]);
    }

    [Fact]
    public async Task A_notification_that_is_too_long_is_refused_whole()
    {
        stage.Play = (job, token) => job.NotifyUserAsync(42, new string('ü', 2_049), token);

        var fault = (await server.RunAsync(new Work())).ShouldHaveFailed<ArgumentException>();

        fault.Message.ShouldContain("The notification of user 42 by job");
        fault.Message.ShouldContain("has 4,098 bytes in UTF-8; at most 4,096 are allowed. It was not raised.");
        (await EventsAsync()).ShouldBeEmpty();
        stage.Play = (job, token) => job.NotifyUserAsync(42, new string('\a', 4_096), token);
        (await server.RunAsync(new Work())).ShouldHaveSucceeded();
        (await EventsAsync()).ShouldBe([new string('\u2407', 4_096)]);
    }

    [Fact]
    public async Task Subscribers_hear_on_a_test_server_although_its_clock_stands_still()
    {
        var events = server.Services.GetRequiredService<IJobEvents>();
        await using var heard = events.SubscribeAsync(42, await events.ReadPositionAsync(), TestContext.Current.CancellationToken).GetAsyncEnumerator();
        var next = heard.MoveNextAsync();
        stage.Play = (job, token) => job.NotifyUserAsync(42, "hello", token);

        await server.RunAsync(new Work());

        (await next).ShouldBeTrue();
        heard.Current.Message.ShouldBe("hello");
    }

    private async Task<List<string?>> EventsAsync() =>
        [.. (await server.Services.GetRequiredKeyedService<IJobStore>("millrace").ReadEventsAsync(0, [42], 100, CancellationToken.None)).Events.Select(told => told.Message)];

    [Fact]
    public async Task Lines_of_any_logger_are_kept_with_their_properties()
    {
        stage.Play = (job, _) =>
        {
            job.Log.LogInformation("Own {Number}", 1);
            job.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Any.Library").LogWarning(new InvalidDataException("no"), "Foreign {Text} {Price} {Flag}", "x\0y", 1.5m, true);
            return Task.CompletedTask;
        };

        var run = await server.RunAsync(new Work());

        run.Log.Count.ShouldBe(2);
        run.Log[0].ShouldSatisfyAllConditions(line => line.Message.ShouldBe("Own 1"), line => line.Properties.ShouldBe("""{"Number":1}"""), line => line.Line.ShouldBe(1));
        run.Log[1].ShouldSatisfyAllConditions(
            line => line.Category.ShouldBe("Any.Library"),
            line => line.Level.ShouldBe(LogLevel.Warning),
            line => line.Message.ShouldNotContain('\0'),
            line => line.Properties!.ShouldContain("\"Price\":1.5,\"Flag\":true"),
            line => line.Exception!.ShouldContain("InvalidDataException: no"));
        var stored = await server.Services.GetRequiredKeyedService<IJobStore>("millrace").ReadLogAsync(run.Job.Id, default);
        stored.Select(line => line.Message).ShouldBe(run.Log.Select(line => line.Message));
    }

    [Fact]
    public async Task A_log_over_its_limit_is_marked_where_it_is_cut()
    {
        stage.Play = (job, _) =>
        {
            for (var i = 0; i < 200; i++)
                job.Log.LogInformation("{Text}", new string('x', 5_000));
            return Task.CompletedTask;
        };

        var run = (await server.RunAsync(new Work())).ShouldHaveSucceeded();

        run.Log.Count.ShouldBeLessThan(200);
        run.Log[^1].Message.ShouldBe("The log of this attempt reached its limit of 1,048,576 bytes; later lines are not kept.");
        run.Log.Count(line => line.Category == "Millrace").ShouldBe(1);
    }

    [Fact]
    public async Task Every_attempt_has_a_scope_of_its_own()
    {
        await using var other = await JobTestServer.StartAsync(m => m.AddJob<Work, Stage>((_, _, _) => throw new InvalidDataException("no")), services => services.AddScoped<Stage>());
        var before = await other.RunAsync(new Work());
        before.ShouldHaveFailed<InvalidDataException>();

        var seen = new List<object>();
        stage.Play = (job, _) =>
        {
            seen.Add(job.Services);
            return job.Attempt == 1 ? throw new InvalidDataException("no") : Task.CompletedTask;
        };
        await server.RunAsync(new Work());
        await server.AdvanceAsync(TimeSpan.FromMinutes(1));

        seen.Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task The_record_of_the_job_is_at_hand()
    {
        JobContext<Work>? seen = null;
        stage.Play = (job, _) =>
        {
            seen = job;
            job.Headers["tenant"].ShouldBe("acme");
            job.ShouldSatisfyAllConditions(
                () => job.Type.ShouldBe("work"),
                () => job.Tag.ShouldBe("t"),
                () => job.UserId.ShouldBe(42),
                () => job.Queue.ShouldBe("slow"),
                () => job.Data.Number.ShouldBe(9),
                () => (job.Attempt, job.MaxAttempts, job.Fence).ShouldBe((1, 5, 1L)),
                () => job.Parent.ShouldBeNull(),
                () => job.Created.ShouldBe(server.Clock.Now));
            return Task.CompletedTask;
        };

        var options = new JobOptions { Tag = "t", UserId = 42, Queue = "slow", MaxAttempts = 5, Headers = new Dictionary<string, string> { ["tenant"] = "acme" } };
        (await server.RunAsync(new Work(9), options)).ShouldHaveSucceeded();

        seen.ShouldNotBeNull();
    }

    private static async Task AskedAsync(CancellationToken token)
    {
        var asked = new TaskCompletionSource();
        await using var registration = token.Register(() => asked.TrySetResult());
        await asked.Task.WaitAsync(TestHost.Deadline);
    }

    private static Task NoteAsync(DbTransaction transaction, string text, CancellationToken cancellationToken) => ExecuteAsync(transaction, $"insert into note (text) values ('{text}')", cancellationToken);

    private async Task<List<string>> NotesAsync()
    {
        await using var connection = await server.Services.GetRequiredKeyedService<DbDataSource>("millrace").OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "select text from note";
        await using var reader = await command.ExecuteReaderAsync();
        var notes = new List<string>();
        while (await reader.ReadAsync())
            notes.Add(reader.GetString(0));
        return notes;
    }

    private static async Task ExecuteAsync(DbTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
