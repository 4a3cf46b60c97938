using System.Net.Http.Headers;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Storage;
using Claim = System.Security.Claims.Claim;

namespace Millrace.Dashboard.Tests.Site;

/// <summary>What a test says about its application.</summary>
internal sealed class SiteSetup
{
    public string Environment { get; set; } = "Production";

    public Action<IServiceCollection> Services { get; set; } = _ => { };

    public Action<MillraceBuilder> Millrace { get; set; } = _ => { };

    public Action<DashboardOptions> Options { get; set; } = _ => { };

    /// <summary>Middleware and other routes, before the dashboard is mapped.</summary>
    public Action<WebApplication> Before { get; set; } = _ => { };

    /// <summary>Maps the dashboard.</summary>
    public Action<WebApplication, Action<DashboardOptions>> Map { get; set; } = (app, options) => app.MapMillraceDashboard("/jobs", options);

    /// <summary>What stands in the place of the real reading and changing; null for the real ones.</summary>
    public FakeInspection? Inspection { get; set; }

    public FakeOperations? Operations { get; set; }

    /// <summary>The users viewer, operator, administrator and submitter, and policies for them.</summary>
    /// <param name="everything">A user who may do all.</param>
    public SiteSetup WithUsers(string everything = "root")
    {
        var (services, options, before) = (Services, Options, Before);
        Services = all =>
        {
            all.AddAuthentication(TestUsers.Scheme).AddScheme<AuthenticationSchemeOptions, TestUsers>(TestUsers.Scheme, null);
            all.AddAuthorizationBuilder()
                .AddPolicy("see", policy => policy.RequireRole("viewer", everything))
                .AddPolicy("do", policy => policy.RequireRole("operator", everything))
                .AddPolicy("all", policy => policy.RequireRole("administrator", everything))
                .AddPolicy("new", policy => policy.RequireRole("submitter", everything));
            services(all);
        };
        Options = dashboard =>
        {
            dashboard.UsePolicies("see", "do", "all", "new");
            options(dashboard);
        };
        Before = app =>
        {
            app.UseAuthentication();
            app.UseAuthorization();
            before(app);
        };
        return this;
    }
}

/// <summary>Signs in whoever the header <c>X-Test-User</c> names, with that as his role.</summary>
internal sealed class TestUsers(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "Test";
    public const string Header = "X-Test-User";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var name = Request.Headers[Header].ToString();
        if (name.Length == 0)
            return Task.FromResult(AuthenticateResult.NoResult());
        List<Claim> claims = [new(ClaimTypes.Name, name), new(ClaimTypes.Role, name)];
        if (long.TryParse(name, out _))
            claims.Add(new Claim(ClaimTypes.NameIdentifier, name));
        var identity = new ClaimsIdentity(claims, Scheme);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme)));
    }
}

/// <summary>A real application with a real web server on a port of its own, on a SQLite file that goes with it.</summary>
internal sealed class TestSite : IAsyncDisposable
{
    /// <summary>How long anything is waited for. Reached only by a test that fails.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly string folder;

    private TestSite(WebApplication app, string folder, StringWriter console)
    {
        App = app;
        this.folder = folder;
        Console = console;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Address, Timeout = Deadline };
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    public HttpClient Http { get; }

    /// <summary>What was written to the console.</summary>
    public StringWriter Console { get; }

    public IJobClient Jobs => App.Services.GetRequiredService<IJobClient>();

    public IJobStore Store => App.Services.GetRequiredKeyedService<IJobStore>("millrace");

    public static async Task<TestSite> StartAsync(SiteSetup? setup = null)
    {
        setup ??= new SiteSetup().WithUsers();
        var folder = Directory.CreateTempSubdirectory("millrace-").FullName;
        var console = new StringWriter();
        try
        {
            var app = Build(setup, Path.Combine(folder, "jobs.db"), console);
            try
            {
                await app.StartAsync().WaitAsync(Deadline);
            }
            catch
            {
                await app.DisposeAsync();
                throw;
            }

            return new TestSite(app, folder, console);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>A request by a user, from the dashboard's own page.</summary>
    public async Task<Answer> SendAsync(HttpMethod method, string path, string? user = null, string? json = null, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (user is not null)
            request.Headers.Add(TestUsers.Header, user);
        if (method != HttpMethod.Get)
        {
            request.Headers.Add("Sec-Fetch-Site", "same-origin");
            request.Content = new StringContent(json ?? "{}", Encoding.UTF8, "application/json");
        }

        change?.Invoke(request);
        using var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        // A stream has no end to wait for.
        var text = response.Content.Headers.ContentType?.MediaType == "text/event-stream" ? "" : await response.Content.ReadAsStringAsync();
        return new Answer((int)response.StatusCode, text, response.Headers, response.Content.Headers);
    }

    public Task<Answer> GetAsync(string path, string? user = "viewer", Action<HttpRequestMessage>? change = null) => SendAsync(HttpMethod.Get, path, user, change: change);

    public Task<Answer> PostAsync(string path, string user, string json = "{}", Action<HttpRequestMessage>? change = null) => SendAsync(HttpMethod.Post, path, user, json, change);

    /// <summary>Looks again and again. For what gives no sign.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> isSo)
    {
        using var late = new CancellationTokenSource(Deadline);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var seen = await look();
            if (isSo(seen))
                return seen;
            await timer.WaitForNextTickAsync(late.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await App.StopAsync().WaitAsync(Deadline);
        await App.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static WebApplication Build(SiteSetup setup, string database, StringWriter console)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = setup.Environment, ApplicationName = "Millrace.Dashboard.Tests" });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddMillrace(m =>
        {
            m.UseSqlite(database);
            if (setup.Inspection is not null || setup.Operations is not null)
                FakeStore.Put(m, setup.Inspection, setup.Operations);
            setup.Millrace(m);
        });
        setup.Services(builder.Services);
        var app = builder.Build();
        setup.Before(app);
        setup.Map(app, options =>
        {
            options.Console = console;
            setup.Options(options);
        });
        return app;
    }
}

/// <summary>What a request got.</summary>
internal sealed record Answer(int Status, string Text, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    /// <summary>The stable code of a problem.</summary>
    public string? Code => ContentHeaders.ContentType?.MediaType == "application/problem+json" ? Json.GetProperty("code").GetString() : null;

    public string? Header(string name) => Headers.TryGetValues(name, out var values) || ContentHeaders.TryGetValues(name, out values) ? string.Join(", ", values) : null;
}
