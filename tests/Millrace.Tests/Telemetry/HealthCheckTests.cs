using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Millrace.Tests.Telemetry;

public sealed class HealthCheckTests
{
    [Fact]
    public async Task A_working_host_is_healthy_and_a_stopped_one_is_not()
    {
        await using var host = await TestHost.StartAsync(m => m.AddWorkers(), services => services.AddHealthChecks().AddMillrace());

        var report = await CheckAsync(host);
        report.Status.ShouldBe(HealthStatus.Healthy);
        report.Description.ShouldBe("The database answers and all loops work.");
        report.Data.Keys.ShouldContain("sinceLastBeat");
        report.Data["store"].ShouldBeOfType<string>().ShouldContain("jobs.db");

        await host.Host.StopAsync().WaitAsync(TestHost.Deadline);
        report = await CheckAsync(host);
        report.Status.ShouldBe(HealthStatus.Unhealthy);
        report.Description.ShouldBe("The workers have not started, or have stopped.");
    }

    [Fact]
    public async Task A_process_that_only_submits_is_healthy_when_the_database_answers()
    {
        await using var host = await TestHost.StartAsync(_ => { }, services => services.AddHealthChecks().AddMillrace());

        (await CheckAsync(host)).ShouldSatisfyAllConditions(
            report => report.Status.ShouldBe(HealthStatus.Healthy),
            report => report.Description.ShouldBe("This process only submits; the database answers."));
    }

    [Fact]
    public async Task Without_its_database_it_is_unhealthy_and_says_why()
    {
        using var host = TestHost.Build(m => m.UsePostgres("Host=127.0.0.1;Port=1;Database=app;Username=app;Password=secret").AddWorkers(), services => services.AddHealthChecks().AddMillrace());

        var report = (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync().WaitAsync(TestHost.Deadline)).Entries["millrace"];

        report.Status.ShouldBe(HealthStatus.Unhealthy);
        report.Description!.ShouldStartWith("Could not connect to PostgreSQL 127.0.0.1:1/app");
    }

    private static async Task<HealthReportEntry> CheckAsync(TestHost host) =>
        (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync().WaitAsync(TestHost.Deadline)).Entries["millrace"];
}
