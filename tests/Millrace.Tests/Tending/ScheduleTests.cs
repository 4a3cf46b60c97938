using Microsoft.Extensions.DependencyInjection;
using Millrace.Storage;
using Millrace.Testing;

namespace Millrace.Tests.Tending;

public sealed class ScheduleTests
{
    private static readonly JobOptions hourly = new() { CronSchedule = "0 0 * * * *", Tag = "hourly" };

    [Job("report")]
    private sealed record Report(string Name);

    [Fact]
    public async Task Each_tick_is_a_job_of_its_time()
    {
        await using var server = await StartAsync();
        var answer = await server.Jobs.SubmitAsync(new Report("a"), hourly);

        var report = await server.AdvanceAsync(TimeSpan.FromHours(3));

        answer.ShouldBe(new SubmitResult(0, Submitted.Created));
        report.Runs.Select(run => run.Job.Due.Hour).Distinct().Count().ShouldBe(3);
        report.Runs.ShouldAllBe(run => run.Job.Schedule == "hourly" && run.Job.Due.Minute == 0 && run.Job.Due.Second == 0);
    }

    [Fact]
    public async Task Submitted_again_it_is_kept_or_changed()
    {
        await using var server = await StartAsync();
        await server.Jobs.SubmitAsync(new Report("a"), hourly);

        (await server.Jobs.SubmitAsync(new Report("a"), hourly)).Outcome.ShouldBe(Submitted.Kept);
        await server.Jobs.SubmitAsync(new Report("b"), hourly);

        (await server.AdvanceAsync(TimeSpan.FromHours(1))).Runs.ShouldHaveSingleItem().Data<Report>().Name.ShouldBe("b");
    }

    [Fact]
    public async Task Cancelled_it_makes_no_more_jobs()
    {
        await using var server = await StartAsync();
        await server.Jobs.SubmitAsync(new Report("a"), hourly);

        (await server.Jobs.CancelScheduleAsync("hourly")).ShouldBeTrue();
        (await server.Jobs.CancelScheduleAsync("hourly")).ShouldBeFalse();

        (await server.AdvanceAsync(TimeSpan.FromHours(3))).Runs.ShouldBeEmpty();
    }

    // S11: what is not persistent belongs to the server that submitted it.
    [Fact]
    public async Task With_its_server_a_schedule_disappears_unless_it_is_persistent()
    {
        using var folder = new TestFolder();
        await using (var first = await TestHost.StartAsync(Configure, folder: folder))
        {
            await first.Jobs.SubmitAsync(new Report("a"), hourly);
            await first.Jobs.SubmitAsync(new Report("a"), hourly with { Tag = "for ever", Persistent = true });
            (await SchedulesAsync(first)).ShouldBe(["for ever", "hourly", "removeOldWorkerJobs"]);
        }

        await using var second = await TestHost.StartAsync(Configure, folder: folder);
        (await SchedulesAsync(second)).ShouldBe(["for ever", "removeOldWorkerJobs"]);

        static void Configure(MillraceBuilder m) => m.AddJob<Report>((_, _) => Task.CompletedTask).AddWorkers();
    }

    [Fact]
    public async Task A_schedule_of_two_servers_stays_while_one_of_them_lives()
    {
        using var folder = new TestFolder();
        await using var second = await TestHost.StartAsync(Configure, folder: folder);
        await using (var first = await TestHost.StartAsync(Configure, folder: folder))
        {
            await first.Jobs.SubmitAsync(new Report("a"), hourly);
            await second.Jobs.SubmitAsync(new Report("a"), hourly);
        }

        (await SchedulesAsync(second)).ShouldContain("hourly");

        static void Configure(MillraceBuilder m) => m.AddJob<Report>((_, _) => Task.CompletedTask).AddWorkers();
    }

    [Fact]
    public async Task The_built_in_schedule_can_be_left_out()
    {
        using var folder = new TestFolder();
        await using (await TestHost.StartAsync(m => m.AddWorkers(), folder: folder))
        {
        }

        await using var without = await TestHost.StartAsync(m => m.AddWorkers().Configure(options => options.RemoveOldWorkerJobs = null), folder: folder);
        (await SchedulesAsync(without)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Ticks_are_fired_by_a_real_host()
    {
        var ran = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await TestHost.StartAsync(m => m.AddJob<Report>((job, _) => Task.FromResult(ran.TrySetResult(job.Data.Name))).AddWorkers());

        await host.Jobs.SubmitAsync(new Report("a"), new JobOptions { CronSchedule = "* * * * * *" });

        (await ran.Task.WaitAsync(TestHost.Deadline)).ShouldBe("a");
    }

    private static Task<JobTestServer> StartAsync() => JobTestServer.StartAsync(m => m.AddJob<Report>((_, _) => Task.CompletedTask));

    private static async Task<IEnumerable<string>> SchedulesAsync(TestHost host) =>
        (await host.Services.GetRequiredKeyedService<IJobStore>("millrace").ReadSchedulesAsync(default)).Select(schedule => schedule.Name).Order(StringComparer.Ordinal);
}
