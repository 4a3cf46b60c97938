using Millrace.Testing;

namespace Millrace.Tests.Testing;

public sealed class RecordingJobClientTests
{
    private readonly TestClock clock = new();
    private readonly RecordingJobClient jobs;

    public RecordingJobClientTests() => jobs = new RecordingJobClient(clock);

    [Fact]
    public async Task Submissions_are_written_down_in_order()
    {
        var first = await jobs.SubmitAsync(new Welcome("a@b.c"), new JobOptions { Tag = "x", Queue = "mail" });
        await jobs.SubmitNamedAsync("other", """{"a":1}""");
        await jobs.SubmitManyAsync([new Count(1), new Count(2)]);

        first.ShouldBe(new SubmitResult(1, Submitted.Created));
        jobs.Recorded.Select(job => (job.Id, job.Type, job.Tag, job.Queue, job.Json)).ShouldBe(
        [
            (1, "welcome", "x", "mail", """{"email":"a@b.c"}"""),
            (2, "other", null, "default", """{"a":1}"""),
            (3, "count", null, "default", """{"to":1}"""),
            (4, "count", null, "default", """{"to":2}"""),
        ]);
        jobs.Recorded[0].Data.ShouldBe(new Welcome("a@b.c"));
        jobs.ShouldHaveSubmitted<Count>(c => c.To == 2).Id.ShouldBe(4);
        jobs.ShouldNotHaveSubmitted<Count>(c => c.To == 3);
        Should.Throw<JobAssertionException>(() => jobs.ShouldHaveSubmitted<Welcome>(tag: "y")).Message.ShouldContain("tag: expected \"y\", was \"x\"");
    }

    [Fact]
    public async Task What_the_real_client_refuses_is_refused()
    {
        await Should.ThrowAsync<ArgumentException>(async () => await jobs.SubmitAsync("text"));
        await Should.ThrowAsync<ArgumentException>(async () => await jobs.SubmitAsync(new Count(1), new JobOptions { MaxAttempts = 0 }));
        await Should.ThrowAsync<InvalidScheduleException>(async () => await jobs.SubmitAsync(new Tick(), new JobOptions { CronSchedule = "no" }));
        jobs.Recorded.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_recorded_job_can_be_found_cancelled_and_not_waited_for()
    {
        var later = await jobs.SubmitAsync(new Count(1), new JobOptions { Delay = TimeSpan.FromMinutes(1) });

        (await jobs.FindAsync(later.Id))!.State.ShouldBe(JobState.Scheduled);
        clock.Advance(TimeSpan.FromMinutes(1));
        (await jobs.FindAsync(later.Id))!.State.ShouldBe(JobState.Ready);
        (await jobs.CancelAsync(later.Id)).ShouldBe(CancelResult.Cancelled);
        (await jobs.CancelAsync(99)).ShouldBe(CancelResult.Unknown);
        (await jobs.FindAsync(later.Id))!.State.ShouldBe(JobState.Cancelled);
        jobs.Cancelled.ShouldBe([later.Id, 99]);
        (await Should.ThrowAsync<InvalidOperationException>(async () => await jobs.WaitAsync(later.Id, TimeSpan.FromSeconds(1)))).Message.ShouldContain("JobTestServer");
    }

    [Fact]
    public async Task A_schedule_is_recorded_and_makes_no_job()
    {
        var result = await jobs.SubmitAsync(new Tick(), new JobOptions { CronSchedule = "0 0 9 * * *", Tag = "morning" });

        result.Id.ShouldBe(0);
        jobs.Recorded.ShouldHaveSingleItem().Options.CronSchedule.ShouldBe("0 0 9 * * *");
        (await jobs.CancelScheduleAsync("morning")).ShouldBeTrue();
        (await jobs.CancelScheduleAsync("morning")).ShouldBeFalse();
    }
}
