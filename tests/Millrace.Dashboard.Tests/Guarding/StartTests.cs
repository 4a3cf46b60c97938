using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Guarding;

/// <summary>Closed until somebody has decided.</summary>
public sealed class StartTests
{
    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task Without_a_decision_the_application_does_not_start(string environment)
    {
        var fault = await Should.ThrowAsync<SetupException>(() => TestSite.StartAsync(new SiteSetup { Environment = environment }));

        fault.Message.ReplaceLineEndings("\n").ShouldBe("""
            The dashboard is mapped at "/jobs", and nobody has decided who may see it. Decide who may see it, with one of:
                app.MapMillraceDashboard("/jobs").RequireAuthorization("a policy of the application");
                app.MapMillraceDashboard("/jobs", options => options.UsePolicies(view: "…", operate: "…", administer: "…"));
                app.MapMillraceDashboard("/jobs", options => options.AllowAnonymous("why everybody may"));
            In Development none is needed: a link to sign in is written to the console.
            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task No_job_runs_before_the_refusal()
    {
        var ran = 0;
        var setup = new SiteSetup { Millrace = m => m.AddJob<Marked>((_, _) => Task.FromResult(Interlocked.Increment(ref ran))).AddWorkers() };

        await Should.ThrowAsync<SetupException>(() => TestSite.StartAsync(setup));

        ran.ShouldBe(0);
    }

    [Fact]
    public async Task RequireAuthorization_on_the_routes_is_a_decision()
    {
        await using var site = await TestSite.StartAsync(Users((app, options) => app.MapMillraceDashboard("/jobs", options).RequireAuthorization("see")));

        (await site.GetAsync("/jobs/api/v1/me", null)).Status.ShouldBe(401);
        (await site.GetAsync("/jobs/api/v1/me", "operator")).Status.ShouldBe(403);
        (await site.GetAsync("/jobs/api/v1/me")).Json.GetProperty("permissions").EnumerateArray().Select(word => word.GetString()).ShouldBe(["view", "operate", "administer"]);
    }

    [Fact]
    public async Task RequireAuthorization_on_a_group_around_them_is_a_decision()
    {
        await using var site = await TestSite.StartAsync(Users((app, options) => app.MapGroup("/admin").RequireAuthorization("see").MapMillraceDashboard("/jobs", options)));

        (await site.GetAsync("/admin/jobs/api/v1/me", null)).Status.ShouldBe(401);
        (await site.GetAsync("/admin/jobs/api/v1/me")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_group_around_them_without_a_decision_is_none() =>
        (await Should.ThrowAsync<SetupException>(() => TestSite.StartAsync(Users((app, options) => app.MapGroup("/admin").MapMillraceDashboard("/jobs", options)))))
            .Message.ShouldContain("nobody has decided");

    [Fact]
    public async Task AllowAnonymous_on_the_routes_is_refused_because_it_would_take_back_every_other_decision() =>
        (await Should.ThrowAsync<SetupException>(() => TestSite.StartAsync(Users((app, options) => app.MapMillraceDashboard("/jobs", options).RequireAuthorization("see").AllowAnonymous()))))
            .Message.ShouldContain("AllowAnonymous()");

    [Fact]
    public async Task A_policy_that_does_not_exist_fails_the_start()
    {
        (await Should.ThrowAsync<SetupException>(() => TestSite.StartAsync(Users((app, options) => app.MapMillraceDashboard("/jobs", options).RequireAuthorization("nobody")))))
            .Message.ShouldContain("the policy \"nobody\", which does not exist");
        var setup = new SiteSetup().WithUsers();
        setup.Options = options => options.UsePolicies("see", "nothing");
        (await Should.ThrowAsync<SetupException>(() => TestSite.StartAsync(setup))).Message.ShouldContain("the policy \"nothing\", which does not exist");
    }

    [Fact]
    public async Task Policies_without_authorization_in_the_application_fail_the_start() =>
        (await Should.ThrowAsync<SetupException>(() => TestSite.StartAsync(new SiteSetup { Options = options => options.UsePolicies("see") }))).Message.ShouldContain("AddAuthorization");

    [Fact]
    public async Task Two_decisions_that_contradict_each_other_fail_the_start()
    {
        var setup = new SiteSetup { Options = options => options.AllowAnonymous("it is a test") }.WithUsers();

        (await Should.ThrowAsync<SetupException>(() => TestSite.StartAsync(setup))).Message.ShouldContain("Keep one of them");
    }

    [Fact]
    public async Task Everybody_may_when_somebody_has_said_why()
    {
        await using var site = await TestSite.StartAsync(new SiteSetup { Options = options => options.AllowAnonymous("it is a test") });

        var me = await site.GetAsync("/jobs/api/v1/me", null);
        (me.Status, me.Json.Text("name")).ShouldBe((200, "anonymous"));
    }

    [Fact]
    public void A_reason_must_be_given() => Should.Throw<ArgumentException>(() => new DashboardOptions().AllowAnonymous(" "));

    [Fact]
    public async Task A_dashboard_without_an_instance_says_so()
    {
        var builder = WebApplication.CreateBuilder();
        await using var app = builder.Build();

        Should.Throw<InvalidOperationException>(() => app.MapMillraceDashboard("/jobs")).Message.ShouldContain("builder.Services.AddMillrace(");
    }

    [Fact]
    public async Task A_dashboard_mapped_by_a_startup_class_is_closed_too()
    {
        using var host = Host.CreateDefaultBuilder()
            .ConfigureLogging(logging => logging.ClearProviders())
            .ConfigureServices(services => services.AddRouting().AddMillrace(m => m.UseSqlite(Path.Combine(Path.GetTempPath(), $"millrace-{Guid.NewGuid():N}.db"))))
            .ConfigureWebHostDefaults(web => web.UseUrls("http://127.0.0.1:0").UseEnvironment("Production")
                .Configure(app => app.UseRouting().UseEndpoints(endpoints => endpoints.MapMillraceDashboard("/jobs"))))
            .Build();

        (await Should.ThrowAsync<SetupException>(() => host.StartAsync())).Message.ShouldContain("nobody has decided");
    }

    private static SiteSetup Users(Action<WebApplication, Action<DashboardOptions>> map)
    {
        var setup = new SiteSetup().WithUsers();
        setup.Options = _ => { };
        setup.Map = map;
        return setup;
    }
}

[Job("marked")]
public sealed record Marked(string Text = "");
