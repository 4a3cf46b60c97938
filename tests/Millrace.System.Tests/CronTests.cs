using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Millrace.System.Tests;

/// <summary>G5 over several nodes that come and go.</summary>
public sealed class CronTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Four_nodes_with_restarts_fire_every_tick_once_also_when_the_database_crashes()
    {
        const int schedules = 20;
        await using var cluster = await Cluster.StartAsync();
        await using var database = await TestDatabase.CreateAsync("postgres", cluster.Server);
        await using var client = await TestClient.StartAsync(database);
        var nodes = new List<IHost>();
        try
        {
            for (var i = 0; i < 4; i++)
                nodes.Add(await StartAsync(database));
            // All that were missed while the database was away are to be there, and each has its effect once, whatever its handler was doing then.
            for (var i = 0; i < schedules; i++)
                await client.Jobs.SubmitAsync(new Transfer(i, 1), new JobOptions { Tag = $"tick-{i}", CronSchedule = "* * * * * *", Persistent = true, MissedTicks = MissedTicks.All });

            for (var round = 0; round < 5; round++)
            {
                await TicksAsync(database, 3 * round + 2);
                await StopAsync(nodes[round % 4]);
                if (round % 2 == 1)
                {
                    await cluster.CrashAsync();
                    await cluster.ResumeAsync();
                }
                await TicksAsync(database, 3 * round + 3);
                nodes[round % 4] = await StartAsync(database);
            }

            for (var i = 0; i < schedules; i++)
                (await client.Jobs.CancelScheduleAsync($"tick-{i}")).ShouldBeTrue();
            var rows = await database.RowsAsync("""
                select schedule, count(*) - count(distinct due) as doubled, extract(epoch from max(due) - min(due))::int + 1 - count(distinct due) as missing,
                       count(*) >= 15 as are_enough
                from millrace.job where schedule like 'tick-%' group by schedule order by schedule
                """);
            rows.ShouldBe(Enumerable.Range(0, schedules).Select(i => $"tick-{i}|0|0|True"), ignoreOrder: true);
            await Eventually.IsAsync(
                async () => await database.NumberAsync("select (select count(*) from millrace.job where schedule like 'tick-%') - (select count(*) from effect)") == 0, Long, "each tick's job has run");
            (await database.NumberAsync("select count(*) - count(distinct job_id) from effect")).ShouldBe(0);
            output.WriteLine($"{schedules} schedules, 5 restarts of nodes, 2 crashes of the database: {await database.NumberAsync("select count(*) from effect")} ticks, the latest {await database.NumberAsync("select max(extract(epoch from created - due) * 1000)::int from millrace.job where schedule like 'tick-%'")} ms late");
        }
        finally
        {
            foreach (var node in nodes)
                await StopAsync(node);
        }
    }

    private static Task TicksAsync(TestDatabase database, int ticks) => Eventually.IsAsync(
        async () => await database.NumberAsync("select count(*) from millrace.job where schedule = 'tick-0'") >= ticks, Long, $"{ticks} ticks");

    private static async Task<IHost> StartAsync(TestDatabase database)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.ClearProviders();
        // Not the console's: a signal is the test runner's.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddMillrace(m =>
        {
            database.Use(m);
            m.AddSystemJobs().AddWorkers(workers =>
            {
                workers.Concurrency = 4;
                workers.NodeExpiry = TimeSpan.FromSeconds(3);
            });
        });
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    private static async Task StopAsync(IHost host)
    {
        await host.StopAsync(CancellationToken.None);
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
