using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Testing;
using Millrace.Tests.Testing;
using Millrace.Working;

namespace Millrace.Tests.Submitting;

public sealed class JobClientTests : IAsyncLifetime
{
    private JobTestServer server = null!;

    private IJobClient Jobs => server.Jobs;

    [Job("sendReceipt")]
    private sealed record SendReceipt(string? Text = null);

    private sealed record Nameless;

    [Job("deep")]
    private sealed record Deep(int Level, Deep? Inner);

    [Job("divide")]
    private sealed record Divide(int A, int B);

    private sealed record Quotient(int Value);

    private sealed class Divider : IJob<Divide, Quotient>
    {
        public Task<Quotient> RunAsync(JobContext<Divide> job, CancellationToken cancellationToken) => Task.FromResult(new Quotient(job.Data.A / job.Data.B));
    }

    public async ValueTask InitializeAsync() => server = await JobTestServer.StartAsync(m => m
        .AddJob<SendReceipt>((_, _) => Task.CompletedTask)
        .AddJob<Deep>((_, _) => Task.CompletedTask)
        .AddJob<Divider>(RetryPolicy.None));

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task By_type_and_by_name_are_the_same()
    {
        var typed = await Jobs.SubmitAsync(new SendReceipt("a"), new JobOptions { Tag = "x", UserId = 7, Priority = 3 });
        var named = await Jobs.SubmitNamedAsync("sendReceipt", """{"text":"a"}""", new JobOptions { Tag = "x", UserId = 7, Priority = 3 });

        var (one, other) = ((await Jobs.FindAsync(typed.Id))!, (await Jobs.FindAsync(named.Id))!);
        other.ShouldBe(one with { Id = named.Id });
        (await server.DrainAsync()).Succeeded.ShouldBe(2);
    }

    [Fact]
    public async Task An_unknown_name_is_refused_with_the_nearest()
    {
        var fault = await Should.ThrowAsync<UnknownJobTypeException>(Jobs.SubmitNamedAsync("sendReciept"));

        fault.JobType.ShouldBe("sendReciept");
        fault.Message.ShouldBe(
            "No handler for job type \"sendReciept\". Registered: deep, divide, removeOldWorkerJobs, sendReceipt. Did you mean \"sendReceipt\"? Nothing was stored. "
            + "If other nodes have a handler for it, set MillraceOptions.UnknownTypes to Accept.");
        (await NothingIsStoredAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task An_accepted_unknown_name_waits_for_a_node_that_knows_it()
    {
        await using var other = await JobTestServer.StartAsync(m => m.AddJob<SendReceipt>((_, _) => Task.CompletedTask).Configure(options => options.UnknownTypes = UnknownTypes.Accept));

        var answer = await other.Jobs.SubmitNamedAsync("elsewhere", "1");

        (await other.DrainAsync()).Runs.ShouldBeEmpty();
        (await other.Jobs.FindAsync(answer.Id))!.IsFinished.ShouldBeFalse();
    }

    // "When the process has handlers": one without knows no names, so it cannot know which are wrong.
    [Fact]
    public async Task A_process_without_handlers_submits_any_name()
    {
        using var folder = new TestFolder();
        using var host = TestHost.Build(m => m.UseSqlite(folder.File("jobs.db")));
        await host.StartAsync().WaitAsync(TestHost.Deadline);

        (await host.Services.GetRequiredService<IJobClient>().SubmitNamedAsync("elsewhere")).Outcome.ShouldBe(Submitted.Created);
        await host.StopAsync().WaitAsync(TestHost.Deadline);
    }

    [Fact]
    public async Task What_has_no_name_is_refused_with_the_way_out()
    {
        (await Should.ThrowAsync<ArgumentException>(Jobs.SubmitAsync<object>(new SendReceipt()))).Message.ShouldContain("Object has none. Pass the data record itself, or use SubmitNamedAsync");
        (await Should.ThrowAsync<ArgumentException>(Jobs.SubmitAsync("sendReceipt"))).Message.ShouldContain("String has none. Pass the data record itself, or use SubmitNamedAsync");
        (await Should.ThrowAsync<ArgumentException>(Jobs.SubmitAsync<IEquatable<SendReceipt>>(new SendReceipt()))).Message.ShouldContain("has none. Pass the data record itself");
        (await Should.ThrowAsync<ArgumentException>(Jobs.SubmitAsync(new Nameless()))).Message.ShouldContain("Mark it with [Job(\"…\")]");
    }

    public static TheoryData<string, string> Contradictions => new()
    {
        { "both", "sets both Due" },
        { "negative", "The Delay of a submission of \"sendReceipt\" is -00:00:01" },
        { "keep", "WhenPending.Keep needs a Tag" },
        { "unique", "sets Unique but not WhenPending" },
        { "zone", "belong to a CronSchedule, but has none" },
        { "attempts", "it must be 1 to 1,000" },
        { "timeout", "it must be more than zero and at most 40 days, or infinite" },
        { "remove", "The RemoveDelay of a submission of \"sendReceipt\" is -00:00:02" },
        { "queue", "Queue is empty" },
        { "tag", "contains the control character U+000A" },
        { "long tag", "has 201 bytes in UTF-8; at most 200 are allowed" },
        { "headers", "4,097 bytes" },
        { "cron and delay", "cannot have a Due or a Delay" },
    };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public async Task Options_that_contradict_each_other_are_refused(string which, string message)
    {
        var now = server.Clock.Now;
        var options = which switch
        {
            "both" => new JobOptions { Due = now, Delay = TimeSpan.FromSeconds(1) },
            "negative" => new JobOptions { Delay = TimeSpan.FromSeconds(-1) },
            "keep" => new JobOptions { WhenPending = WhenPending.Keep },
            "unique" => new JobOptions { Tag = "x", Unique = Unique.WhilePendingOrRunning },
            "zone" => new JobOptions { TimeZone = "UTC" },
            "attempts" => new JobOptions { MaxAttempts = 0 },
            "timeout" => new JobOptions { Timeout = TimeSpan.Zero },
            "remove" => new JobOptions { RemoveDelay = TimeSpan.FromSeconds(-2) },
            "queue" => new JobOptions { Queue = "" },
            "tag" => new JobOptions { Tag = "a\nb" },
            "long tag" => new JobOptions { Tag = new string('x', 201) },
            "headers" => new JobOptions { Headers = new Dictionary<string, string> { ["x"] = new('y', 4096) } },
            _ => new JobOptions { CronSchedule = "* * * * * *", Delay = TimeSpan.FromSeconds(1) },
        };

        (await Should.ThrowAsync<ArgumentException>(Jobs.SubmitAsync(new SendReceipt(), options))).Message.ShouldContain(message);
        (await NothingIsStoredAsync()).ShouldBeTrue();
    }

    [Theory]
    [InlineData("0 0 25 * * *", null, "hour")]
    [InlineData("0 0 * * MOO", null, "day of week")]
    [InlineData("0 0 30 2 *", null, "day of month")]
    [InlineData("* * *", null, null)]
    [InlineData("0 0 1 * * *", "Europe/Berln", "time zone")]
    public async Task A_wrong_schedule_is_refused_with_the_offending_field(string cron, string? zone, string? field)
    {
        var fault = await Should.ThrowAsync<InvalidScheduleException>(Jobs.SubmitAsync(new SendReceipt(), new JobOptions { CronSchedule = cron, TimeZone = zone }));

        fault.Field.ShouldBe(field);
        fault.Expression.ShouldBe(cron);
        fault.Message.ShouldContain("The schedule was not stored.");
    }

    [Fact]
    public async Task Data_over_a_limit_is_refused_with_path_and_limit()
    {
        await RefusedAsync(Jobs.SubmitAsync(new SendReceipt("a\0b")), "$.text", "no NUL character");
        await RefusedAsync(Jobs.SubmitAsync(new SendReceipt(new string('x', 262_144))), "$", "262,144 bytes");
        await RefusedAsync(Jobs.SubmitAsync(Enumerable.Range(0, 40).Aggregate(new Deep(0, null), (inner, level) => new Deep(level, inner))), "$" + string.Concat(Enumerable.Repeat(".inner", 32)), "depth 32");
        await RefusedAsync(Jobs.SubmitNamedAsync("sendReceipt", """{"text":"\ud83d"}"""), "$.text", "no lone surrogate");
        await RefusedAsync(Jobs.SubmitNamedAsync("sendReceipt", "{"), "$", "valid JSON");
        (await NothingIsStoredAsync()).ShouldBeTrue();
    }

    // The serializer would replace it with U+FFFD: the job would run with other data than was submitted.
    [Fact]
    public async Task A_lone_surrogate_in_typed_data_is_refused() => await RefusedAsync(Jobs.SubmitAsync(new SendReceipt("a\ud83d")), "$.text", "no lone surrogate");

    // S10 and S15.
    [Theory]
    [InlineData(WhenPending.Keep, Submitted.Kept, "first", 10)]
    [InlineData(WhenPending.Replace, Submitted.Replaced, "second", 60)]
    [InlineData(WhenPending.Postpone, Submitted.Postponed, "first", 60)]
    [InlineData(WhenPending.Submit, Submitted.Created, "first second", 60)]
    public async Task A_tag_decides_what_becomes_of_a_second_submission(WhenPending whenPending, Submitted outcome, string ran, int lastMinute)
    {
        var begin = server.Clock.Now;
        var options = new JobOptions { Tag = "sync-42", WhenPending = whenPending };
        var first = await Jobs.SubmitAsync(new SendReceipt("first"), options with { Delay = TimeSpan.FromMinutes(10) });
        var second = await Jobs.SubmitAsync(new SendReceipt("second"), options with { Delay = TimeSpan.FromMinutes(60) });

        first.Outcome.ShouldBe(Submitted.Created);
        second.Outcome.ShouldBe(outcome);
        (second.Id == first.Id).ShouldBe(outcome is Submitted.Kept or Submitted.Postponed);
        var report = await server.AdvanceAsync(TimeSpan.FromHours(2));
        string.Join(' ', report.Runs.Select(run => run.Data<SendReceipt>().Text)).ShouldBe(ran);
        (report.Runs[^1].Started - begin).TotalMinutes.ShouldBe(lastMinute, 0.01);
    }

    [Fact]
    public async Task A_window_of_uniqueness_outlasts_the_job()
    {
        var options = new JobOptions { Tag = "digest", WhenPending = WhenPending.Keep, Unique = Unique.Within(TimeSpan.FromHours(1)) };
        await Jobs.SubmitAsync(new SendReceipt("a"), options);
        (await server.DrainAsync()).Succeeded.ShouldBe(1);

        (await Jobs.SubmitAsync(new SendReceipt("b"), options)).Outcome.ShouldBe(Submitted.Kept);
        await server.AdvanceAsync(TimeSpan.FromHours(1));
        (await Jobs.SubmitAsync(new SendReceipt("c"), options)).Outcome.ShouldBe(Submitted.Created);
    }

    [Fact]
    public async Task Many_are_all_or_none()
    {
        await Should.ThrowAsync<JobDataException>(Jobs.SubmitManyAsync([new SendReceipt("a"), new SendReceipt("b\0")]));
        (await NothingIsStoredAsync()).ShouldBeTrue();

        (await Jobs.SubmitManyAsync(Enumerable.Range(0, 600).Select(i => new SendReceipt($"{i}")))).Select(each => each.Id).Distinct().Count().ShouldBe(600);
        (await Should.ThrowAsync<ArgumentException>(Jobs.SubmitManyAsync([new SendReceipt()], new JobOptions { CronSchedule = "* * * * *" }))).Message.ShouldContain("SubmitManyAsync cannot make schedules");
    }

    [Fact]
    public async Task A_stream_is_stored_in_batches()
    {
        (await Jobs.SubmitManyAsync(Stream(), batchSize: 3)).ShouldBe(7);
        (await server.DrainAsync()).Succeeded.ShouldBe(7);
    }

    [Fact]
    public async Task Each_batch_of_a_stream_wakes_its_queue_when_the_transaction_commits()
    {
        var woken = 0;
        var instance = server.Services.GetRequiredKeyedService<MillraceInstance>("millrace");
        instance.WakeUps.Watch("default", () => woken++);

        await server.Services.GetRequiredKeyedService<DbDataSource>("millrace").WithTransactionAsync(async (_, token) =>
        {
            (await Jobs.SubmitManyAsync(Stream(), batchSize: 7, cancellationToken: token)).ShouldBe(7);
            woken.ShouldBe(0);
        });

        woken.ShouldBe(1);
        (await server.DrainAsync()).Succeeded.ShouldBe(7);
    }

    private static async IAsyncEnumerable<SendReceipt> Stream()
    {
        for (var i = 0; i < 7; i++)
        {
            await Task.Yield();
            yield return new SendReceipt($"{i}");
        }
    }

    [Fact]
    public async Task On_a_transaction_a_job_is_there_if_and_only_if_it_commits()
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await Jobs.Using(transaction).SubmitAsync(new SendReceipt("lost"));
            await Jobs.Using(transaction).SubmitManyAsync([new SendReceipt("lost"), new SendReceipt("lost")]);
            await transaction.RollbackAsync();
        }

        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await Jobs.Using(transaction).SubmitAsync(new SendReceipt("kept"));
            await transaction.CommitAsync();
            Should.Throw<ArgumentException>(() => Jobs.Using(transaction)).Message.ShouldContain("The transaction has ended");
        }

        (await server.DrainAsync()).Runs.ShouldHaveSingleItem().Data<SendReceipt>().Text.ShouldBe("kept");
    }

    [Fact]
    public async Task A_transaction_on_another_database_is_refused()
    {
        await using var other = await JobTestServer.StartAsync(m => m.AddJob<SendReceipt>((_, _) => Task.CompletedTask));
        await using var connection = await other.Services.GetRequiredKeyedService<DbDataSource>("millrace").OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        Should.Throw<ArgumentException>(() => Jobs.Using(transaction)).Message.ShouldContain("belongs to another database");
    }

    [Fact]
    public async Task A_submission_in_a_held_transaction_joins_it()
    {
        await Should.ThrowAsync<InvalidDataException>(Database.WithTransactionAsync(async (_, token) =>
        {
            await Jobs.SubmitAsync(new SendReceipt(), cancellationToken: token);
            throw new InvalidDataException("no");
        }));

        (await NothingIsStoredAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task A_result_is_waited_for()
    {
        var id = (await Jobs.SubmitAsync(new Divide(6, 2))).Id;
        await server.DrainAsync();

        (await Jobs.WaitAsync<Quotient>(id, TimeSpan.Zero)).ShouldBe(new Quotient(3));
        (await Jobs.WaitAsync(id, TimeSpan.Zero)).Result.ShouldBe("""{"value":3}""");
    }

    [Fact]
    public async Task A_failed_job_has_no_result()
    {
        var id = (await Jobs.SubmitAsync(new Divide(6, 0))).Id;
        await server.DrainAsync();

        var fault = await Should.ThrowAsync<JobFailedException>(Jobs.WaitAsync<Quotient>(id, TimeSpan.Zero));
        fault.Job.State.ShouldBe(JobState.Discarded);
        fault.Message.ShouldStartWith($"Job {id} (divide, attempt 1) ended as discarded: System.DivideByZeroException");
    }

    [Fact]
    public async Task Waiting_ends_with_its_time_and_says_how_far_the_job_is()
    {
        var id = (await Jobs.SubmitAsync(new Divide(6, 2))).Id;

        (await Should.ThrowAsync<TimeoutException>(Jobs.WaitAsync(id, TimeSpan.Zero))).Message.ShouldBe($"Job {id} (divide) has not finished within 00:00:00: it is ready, attempt 1. It goes on.");
        (await Should.ThrowAsync<JobNotFoundException>(Jobs.WaitAsync(id + 1_000_000, TimeSpan.Zero))).JobId.ShouldBe(id + 1_000_000);
    }

    private DbDataSource Database => server.Services.GetRequiredKeyedService<DbDataSource>("millrace");

    private static async Task RefusedAsync(Task submission, string path, string limit)
    {
        var fault = await Should.ThrowAsync<JobDataException>(submission);
        fault.Path.ShouldBe(path);
        fault.Limit.ShouldBe(limit);
    }

    private async Task<bool> NothingIsStoredAsync() => (await server.DrainAsync()).Runs.Count == 0;
}
