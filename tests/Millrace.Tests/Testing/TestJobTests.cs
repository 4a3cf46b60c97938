using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Testing;

namespace Millrace.Tests.Testing;

public sealed class TestJobTests
{
    [Fact]
    public async Task A_handler_is_called_without_any_engine()
    {
        var diary = new Diary();

        await new WelcomeJob(diary).RunAsync(TestJob.Context(new Welcome("a@b.c"), id: 1, userId: 0, NullLogger.Instance), CancellationToken.None);

        diary.Lines.ShouldBe(["welcome a@b.c"]);
    }

    [Fact]
    public void The_context_says_what_it_was_told()
    {
        var job = TestJob.Context(new Welcome("a@b.c"), id: 3, userId: 42, tag: "x", attempt: 2, maxAttempts: 4, queue: "mail", headers: new Dictionary<string, string> { ["tenant"] = "acme" });

        (job.Id, job.UserId, job.Tag, job.Attempt, job.MaxAttempts, job.Queue, job.Type).ShouldBe((3, 42, "x", 2, 4, "mail", "welcome"));
        job.Headers["tenant"].ShouldBe("acme");
        job.Data.Email.ShouldBe("a@b.c");
        job.StopReason.ShouldBe(StopReason.None);
        job.Snooze(TimeSpan.FromMinutes(1)).Delay.ShouldBe(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task What_the_handler_asks_is_recorded()
    {
        var job = TestJob.Context(new Sum(2, 3));

        (await new Adder().RunAsync(job, CancellationToken.None)).ShouldBe(5);

        var recorded = TestJob.Recorded(job);
        recorded.Submitted.ShouldHaveSubmitted<Welcome>(w => w.Email == "sum@b.c");
        recorded.Chained.ShouldHaveSubmitted<Count>(c => c.To == 1);
        recorded.Progress.ShouldBe([new ProgressReport(10, "adding"), new ProgressReport(100, null)]);
    }

    [Fact]
    public async Task Notifications_are_recorded_as_the_user_would_get_them()
    {
        var job = TestJob.Context(new Welcome("a@b.c"), userId: 42);

        await job.NotifyUserAsync(job.UserId, "Welcome\0");
        (await Should.ThrowAsync<ArgumentException>(() => job.NotifyUserAsync(42, new string('x', 4_097)))).Message.ShouldContain("at most 4,096 are allowed");

        TestJob.Recorded(job).Notifications.ShouldBe([new SentNotification(42, "Welcome\uFFFD")]);
    }

    [Fact]
    public async Task A_step_is_done_once()
    {
        var job = TestJob.Context(new Welcome("a@b.c"));
        TestJob.Recorded(job).Steps["charge"] = 11;
        var calls = 0;

        (await job.OnceAsync("charge", _ => Task.FromResult(++calls))).ShouldBe(11);
        (await job.OnceAsync("mail", _ => Task.FromResult(++calls))).ShouldBe(1);
        (await job.OnceAsync("mail", _ => Task.FromResult(++calls))).ShouldBe(1);
    }

    [Fact]
    public async Task Transactions_are_refused_with_the_way_out()
    {
        var job = TestJob.Context(new Welcome("a@b.c"));

        (await Should.ThrowAsync<InvalidOperationException>(() => job.WithTransactionAsync((_, _) => Task.CompletedTask))).Message.ShouldContain("JobTestServer");
        (await Should.ThrowAsync<InvalidOperationException>(() => job.CompleteInTransactionAsync((_, _) => Task.CompletedTask))).Message.ShouldContain("JobTestServer");
        (await Should.ThrowAsync<InvalidOperationException>(() => job.OnceInTransactionAsync("x", (_, _) => Task.CompletedTask))).Message.ShouldContain("JobTestServer");
    }
}
