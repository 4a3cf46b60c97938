using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Serving;

/// <summary>It works where people put it: five shapes of applications.</summary>
public sealed partial class HostingTests
{
    [Fact]
    public async Task Below_a_path_base()
    {
        await using var site = await StartAsync(app =>
        {
            app.UsePathBase("/company/app");
            app.UseRouting();
        });

        await WorksAsync(site, "/company/app/jobs", "/company/app/jobs/");
        await WorksAsync(site, "/jobs", "/jobs/");
    }

    [Fact]
    public async Task Behind_a_proxy_that_strips_its_prefix_and_says_so()
    {
        await using var site = await StartAsync(
            app => app.UseForwardedHeaders(),
            services => services.Configure<ForwardedHeadersOptions>(options => options.ForwardedHeaders = ForwardedHeaders.All));
        void ByProxy(HttpRequestMessage request)
        {
            request.Headers.Add("X-Forwarded-For", "203.0.113.5");
            request.Headers.Add("X-Forwarded-Proto", "https");
            request.Headers.Add("X-Forwarded-Host", "ops.example");
            request.Headers.Add("X-Forwarded-Prefix", "/tools");
        }

        await WorksAsync(site, "/jobs", "/tools/jobs/", ByProxy);
        // The browser's origin is what the proxy is called.
        var answer = await site.PostAsync("/jobs/api/v1/queues/mail/pause", "administrator", change: request =>
        {
            ByProxy(request);
            request.Headers.Remove("Sec-Fetch-Site");
            request.Headers.Add("Origin", "https://ops.example");
        });
        answer.Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_prefix_that_the_application_does_not_ask_for_is_not_believed()
    {
        await using var site = await StartAsync(_ => { });

        await WorksAsync(site, "/jobs", "/jobs/", request => request.Headers.Add("X-Forwarded-Prefix", "/evil"));
    }

    [Fact]
    public async Task In_an_application_with_a_fallback_policy_that_knows_nothing_of_it()
    {
        // The dashboard has policies of its own; the fallback asks for something that its users do not have.
        await using var site = await StartAsync(
            _ => { },
            services => services.Configure<AuthorizationOptions>(options => options.FallbackPolicy = new AuthorizationPolicyBuilder().RequireClaim("something").Build()));

        await WorksAsync(site, "/jobs", "/jobs/");
        (await site.GetAsync("/jobs/api/v1/me", null)).Status.ShouldBe(401);
    }

    [Fact]
    public async Task In_an_application_that_is_an_api_with_an_exception_handler_and_status_pages()
    {
        await using var site = await StartAsync(
            app =>
            {
                app.UseExceptionHandler();
                app.UseStatusCodePages();
                app.MapGet("/", () => "an api");
            },
            services => services.AddProblemDetails());

        await WorksAsync(site, "/jobs", "/jobs/");
        (await site.GetAsync("/jobs/api/v1/jobs?limit=0")).Code.ShouldBe("out_of_bounds");
        (await site.GetAsync("/")).Text.ShouldBe("an api");
    }

    [Fact]
    public async Task In_a_worker_that_has_a_web_server_for_it_alone()
    {
        var folder = Directory.CreateTempSubdirectory("millrace-");
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddMillrace(m => m.UseSqlite(Path.Combine(folder.FullName, "jobs.db")).AddJob<Echo>((_, _) => Task.CompletedTask).AddWorkers());
        await using (var app = builder.Build())
        {
            app.MapMillraceDashboard("/", options => options.AllowAnonymous("it is a test"));
            await app.StartAsync();
            using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
            (await http.GetStringAsync("/")).ShouldContain("""<base href="/">""");
            (await http.GetStringAsync("/workers")).ShouldContain("""<base href="/">""");
            (await http.GetStringAsync("/api/v1/me")).ShouldContain("anonymous");
            await app.StopAsync();
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task In_a_group_with_a_parameter()
    {
        var setup = new SiteSetup { Inspection = new FakeInspection(), Operations = new FakeOperations(), Map = (app, options) => app.MapGroup("/{tenant}").MapMillraceDashboard("jobs", options) };
        await using var site = await TestSite.StartAsync(setup.WithUsers());

        await WorksAsync(site, "/a%20b/jobs", "/a%20b/jobs/");
    }

    [Fact]
    public async Task Beside_a_second_one_with_other_rights()
    {
        var setup = new SiteSetup
        {
            Inspection = new FakeInspection(),
            Operations = new FakeOperations(),
            Map = (app, options) =>
            {
                app.MapMillraceDashboard("/jobs", options);
                app.MapMillraceDashboard("/status", status =>
                {
                    status.AllowAnonymous("anybody may look");
                    status.IsReadOnly = true;
                    status.Title = "Status";
                });
            },
        };
        await using var site = await TestSite.StartAsync(setup.WithUsers());

        (await site.GetAsync("/jobs/api/v1/queues", null)).Status.ShouldBe(401);
        (await site.GetAsync("/status/api/v1/queues", null)).Status.ShouldBe(200);
        (await site.PostAsync("/status/api/v1/jobs/5/retry", "administrator")).Status.ShouldBe(403);
        (await site.GetAsync("/status/", null)).Text.ShouldContain("<title>Status</title>");
    }

    [Fact]
    public async Task A_title_is_text_wherever_it_stands()
    {
        var setup = new SiteSetup { Options = options => options.Title = "</script><script>alert(1)</script>\"'&" };
        await using var site = await TestSite.StartAsync(setup.WithUsers());

        var page = (await site.GetAsync("/jobs/")).Text;
        page.ShouldNotContain("<script>alert");
        Regex.Count(page, "<script").ShouldBe(Regex.Count(page, "</script>"));
    }

    /// <summary>The shell knows where it is, every address in it is relative to that, what it loads is there, and the API answers.</summary>
    private static async Task WorksAsync(TestSite site, string path, string home, Action<HttpRequestMessage>? change = null)
    {
        foreach (var page in new[] { path, $"{path}/", $"{path}/jobs?q=state:failed", $"{path}/queues/a%2Fb" })
        {
            var shell = await site.GetAsync(page, "root", change);
            shell.Status.ShouldBe(200, page);
            shell.ContentHeaders.ContentType!.MediaType.ShouldBe("text/html");
            shell.Text.ShouldContain($"""<base href="{home}">""", customMessage: page);
            shell.Text.ShouldContain($$"""<script type="application/json" id="boot">{"mount":"{{home.TrimEnd('/')}}","title":"Millrace"}</script>""", customMessage: page);
            shell.Header("ETag").ShouldBeNull();
            foreach (Match address in Address().Matches(shell.Text[shell.Text.IndexOf("</script>", StringComparison.Ordinal)..]))
            {
                address.Groups[1].Value.ShouldStartWith("./assets/");
                var asset = await site.GetAsync($"{path}/{address.Groups[1].Value[2..]}", "root", change);
                asset.Status.ShouldBe(200, address.Value);
                asset.Header("Cache-Control").ShouldBe("max-age=31536000, private, immutable");
            }
        }

        (await site.GetAsync($"{path}/api/v1/me", "root", change)).Json.Text("name").ShouldBe("root");
        (await site.GetAsync($"{path}/api/v1/jobs", "root", change)).Status.ShouldBe(200);
        (await site.GetAsync($"{path}/assets/nothing.js", "root", change)).Status.ShouldBe(404);
        (await site.PostAsync($"{path}/api/v1/jobs/5/retry", "root", change: change)).Status.ShouldBe(200);
    }

    private static Task<TestSite> StartAsync(Action<WebApplication> before, Action<IServiceCollection>? services = null)
    {
        var setup = new SiteSetup { Inspection = new FakeInspection(), Operations = new FakeOperations(), Services = services ?? (_ => { }) };
        setup.WithUsers();
        var users = setup.Before;
        setup.Before = app =>
        {
            before(app);
            users(app);
        };
        return TestSite.StartAsync(setup);
    }

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Address();
}

[Job("echo")]
public sealed record Echo(string Text = "");
