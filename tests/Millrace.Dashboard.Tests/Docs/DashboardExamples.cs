using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Docs;

/// <summary>What <c>docs/dashboard.md</c> shows: compiled, and started once.</summary>
public sealed class DashboardExamples
{
    [Fact]
    public async Task One_policy_for_all()
    {
        await using var site = await TestSite.StartAsync(Setup((app, _) =>
        {
            app.MapMillraceDashboard("/jobs").RequireAuthorization("staff");
        }));

        (await site.GetAsync("/jobs/", null)).Status.ShouldBe(401);
    }

    [Fact]
    public async Task A_policy_for_each_permission()
    {
        await using var site = await TestSite.StartAsync(Setup((app, _) =>
        {
            app.MapMillraceDashboard("/jobs", options => options.UsePolicies(view: "staff", operate: "on-call", administer: "platform"));
        }));

        (await site.GetAsync("/jobs/", null)).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Behind_a_proxy()
    {
        var setup = Setup((app, _) =>
        {
            app.UseForwardedHeaders();
            app.MapMillraceDashboard("/jobs").RequireAuthorization("staff");
        });
        var services = setup.Services;
        setup.Services = all =>
        {
            services(all);
            Forward(all);
        };
        await using var site = await TestSite.StartAsync(setup);

        (await site.GetAsync("/jobs/", null)).Status.ShouldBe(401);

        static void Forward(IServiceCollection services)
        {
            services.Configure<ForwardedHeadersOptions>(options => options.ForwardedHeaders =
                ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost | ForwardedHeaders.XForwardedPrefix);
        }
    }

    [Fact]
    public async Task Events_for_users()
    {
        await using var site = await TestSite.StartAsync(Setup((app, _) =>
        {
            app.MapMillraceEvents("/events", context => long.TryParse(context.User.FindFirstValue("account"), out var id) ? id : null).RequireAuthorization();
        }));

        (await site.GetAsync("/events", null)).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Redaction_of_what_only_the_application_knows()
    {
        await using var site = await TestSite.StartAsync(Setup((app, _) =>
        {
            app.MapMillraceDashboard("/jobs", options => options.Redact = (type, text) => type == "invoice" ? Iban.Replace(text, "IBAN") : text).RequireAuthorization("staff");
        }));

        (await site.GetAsync("/jobs/", null)).Status.ShouldBe(401);
    }

    private static System.Text.RegularExpressions.Regex Iban { get; } = new("[A-Z]{2}[0-9]{20}", System.Text.RegularExpressions.RegexOptions.NonBacktracking);

    private static SiteSetup Setup(Action<WebApplication, Action<DashboardOptions>> map)
    {
        var setup = new SiteSetup
        {
            Services = services => services.AddAuthorizationBuilder()
                .AddPolicy("staff", policy => policy.RequireAuthenticatedUser())
                .AddPolicy("on-call", policy => policy.RequireRole("operator"))
                .AddPolicy("platform", policy => policy.RequireRole("administrator")),
        }.WithUsers();
        setup.Options = _ => { };
        setup.Map = map;
        return setup;
    }
}
