using Millrace.Testing;

namespace Millrace.Tests.Tending;

// S12.
public sealed class RemoveOldWorkerJobsTests
{
    [Job("short")]
    private sealed record Short(bool Fails = false);

    [Fact]
    public async Task What_is_due_is_removed_and_the_rest_stays()
    {
        await using var server = await JobTestServer.StartAsync(m => m.AddJob<Short>((job, _) => job.Data.Fails ? throw job.Discard("no") : Task.CompletedTask));
        var byDefault = (await server.RunAsync(new Short())).Job.Id;
        var failed = (await server.RunAsync(new Short(true))).Job.Id;
        var soon = (await server.RunAsync(new Short(), new JobOptions { RemoveDelay = TimeSpan.FromMinutes(1) })).Job.Id;
        var late = (await server.RunAsync(new Short(), new JobOptions { RemoveDelay = TimeSpan.FromDays(30) })).Job.Id;
        var kept = (await server.RunAsync(new Short(), new JobOptions { RemoveDelay = Timeout.InfiniteTimeSpan })).Job.Id;
        var pending = (await server.Jobs.SubmitAsync(new Short(), new JobOptions { Delay = TimeSpan.FromDays(3_000) })).Id;

        (await RemainAsync(TimeSpan.FromMinutes(2))).ShouldBe([byDefault, failed, late, kept, pending]);
        (await RemainAsync(TimeSpan.FromHours(1))).ShouldBe([failed, late, kept, pending]);
        (await RemainAsync(TimeSpan.FromDays(8))).ShouldBe([late, kept, pending]);
        (await RemainAsync(TimeSpan.FromDays(2_000))).ShouldBe([kept, pending]);

        async Task<List<long>> RemainAsync(TimeSpan time)
        {
            await server.AdvanceAsync(time);
            await server.Jobs.SubmitNamedAsync("removeOldWorkerJobs");
            (await server.DrainAsync()).Runs.ShouldHaveSingleItem().ShouldHaveSucceeded();
            var remain = new List<long>();
            foreach (var id in new[] { byDefault, failed, soon, late, kept, pending })
                if (await server.Jobs.FindAsync(id) is not null)
                    remain.Add(id);
            return remain;
        }
    }
}
