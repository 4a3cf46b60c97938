using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class DrainTests
{
    private static readonly Author ann = new("ann", "code", "an update");

    [Fact]
    public async Task A_node_that_is_draining_finishes_what_it_runs_and_claims_nothing_until_it_may_go_on()
    {
        var begun = new SemaphoreSlim(0);
        var mayEnd = new SemaphoreSlim(0);
        await using var host = await TestHost.StartAsync(
            m => m.AddJob<Long>(async (_, token) =>
            {
                begun.Release();
                await mayEnd.WaitAsync(token);
            }).AddWorkers(w => w.NodeExpiry = TimeSpan.FromSeconds(1)),
            services => services.AddHealthChecks().AddMillrace());
        var instance = host.Services.GetRequiredKeyedService<MillraceInstance>("millrace");
        var running = (await host.Jobs.SubmitAsync(new Long())).Id;
        await begun.WaitAsync(TestHost.Deadline, TestContext.Current.CancellationToken);

        (await instance.Store.Operations.DrainAsync(instance.Node.Id, true, ann, default)).ShouldBe(true);
        await TestHost.UntilAsync(() => instance.Node.IsDraining);
        var waiting = (await host.Jobs.SubmitAsync(new Long())).Id;
        mayEnd.Release();
        (await host.Jobs.WaitAsync(running, TestHost.Deadline)).State.ShouldBe(JobState.Succeeded);

        (await host.Jobs.FindAsync(waiting))!.State.ShouldBe(JobState.Ready);
        begun.CurrentCount.ShouldBe(0);
        var health = (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["millrace"];
        (health.Status, health.Description).ShouldBe((HealthStatus.Healthy, "All loops work; the node was asked to claim no more."));

        (await instance.Store.Operations.DrainAsync(instance.Node.Id, false, ann, default)).ShouldBe(true);
        mayEnd.Release();
        (await host.Jobs.WaitAsync(waiting, TestHost.Deadline)).State.ShouldBe(JobState.Succeeded);
    }

    [Job("long")]
    internal sealed record Long;
}
