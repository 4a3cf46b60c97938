using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Guarding;

/// <summary>A developer's machine: closed without anybody setting anything up.</summary>
public sealed partial class DeveloperLoginTests
{
    [Fact]
    public async Task The_link_in_the_console_signs_in_once_and_takes_its_token_out_of_the_address()
    {
        await using var site = await StartAsync();
        var link = LinkOf(site);

        var first = await site.GetAsync(link.PathAndQuery, null);
        var cookie = first.Header("Set-Cookie")!;
        (first.Status, first.Header("Location")).ShouldBe((303, "/jobs/"));
        cookie.ShouldContain("samesite=strict");
        cookie.ShouldContain("httponly");
        cookie.ShouldContain("path=/jobs/");
        cookie.ShouldNotContain("expires");
        var session = cookie.Split(';')[0];
        (await site.GetAsync("/jobs/api/v1/me", null, WithCookie(session))).Json.Text("name").ShouldBe("developer");
        (await site.GetAsync("/jobs/", null, WithCookie(session))).Status.ShouldBe(200);

        (await site.GetAsync(link.PathAndQuery, null)).Status.ShouldBe(401);
        // The token is no session, and the session no token.
        (await site.GetAsync("/jobs/api/v1/me", null, WithCookie($"{session.Split('=')[0]}={link.Query.Split('=')[1]}"))).Status.ShouldBe(401);
        (await site.GetAsync($"/jobs/login?token={session.Split('=')[1]}", null)).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Nobody_gets_in_without_it()
    {
        await using var site = await StartAsync();

        var page = await site.GetAsync("/jobs/", null);
        page.Status.ShouldBe(401);
        page.Text.ShouldContain("Sign in with the link in the console");
        page.Text.ShouldContain("""action="/jobs/login/link""");
        (await site.GetAsync("/jobs/api/v1/overview", null)).Code.ShouldBe("not_signed_in");
        (await site.GetAsync("/jobs/login?token=", null)).Status.ShouldBe(401);
        (await site.PostAsync("/jobs/api/v1/jobs", "administrator")).Status.ShouldBe(401);
    }

    [Fact]
    public async Task A_new_link_goes_to_the_console_and_nowhere_else()
    {
        await using var site = await StartAsync();
        var old = LinkOf(site);

        var answer = await site.PostAsync("/jobs/login/link", "");
        (answer.Status, answer.Header("Location")).ShouldBe((303, "/jobs/"));
        answer.Text.ShouldBeEmpty();
        var link = LinkOf(site);
        link.ShouldNotBe(old);
        (await site.GetAsync(link.PathAndQuery, null)).Status.ShouldBe(303);
        (await site.PostAsync("/jobs/login/link", "", change: request => request.Headers.Remove("Sec-Fetch-Site"))).Status.ShouldBe(403);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-Host", "localhost")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("x-forwarded-prefix", "/jobs")]
    [InlineData("X-Original-For", "127.0.0.1:1")]
    [InlineData("Forwarded", "for=127.0.0.1")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("Via", "1.1 proxy")]
    public async Task A_forwarded_request_is_refused_with_a_page_that_says_why(string header, string value)
    {
        await using var site = await StartAsync();
        var session = await SignInAsync(site);

        var page = await site.GetAsync("/jobs/", null, WithCookie(session, request => request.Headers.TryAddWithoutValidation(header, value)));
        page.Status.ShouldBe(403);
        page.Text.ShouldContain(WebUtility.HtmlEncode(header), Case.Insensitive);
        page.Text.ShouldContain("RequireAuthorization");
        (await site.GetAsync("/jobs/api/v1/me", null, WithCookie(session, request => request.Headers.TryAddWithoutValidation(header, value)))).Code.ShouldBe("forwarded");
        (await site.GetAsync(LinkOf(site).PathAndQuery, null, request => request.Headers.TryAddWithoutValidation(header, value))).Status.ShouldBe(403);
    }

    [Theory]
    [InlineData("evil.example", 403)]
    [InlineData("127.0.0.1.evil.example", 403)]
    [InlineData("localhost.", 403)]
    [InlineData("10.0.0.1", 403)]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:1234", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("[::1]:80", 200)]
    public async Task A_foreign_host_name_is_refused_even_with_the_cookie(string host, int status)
    {
        await using var site = await StartAsync();
        var session = await SignInAsync(site);

        var answer = await site.GetAsync("/jobs/api/v1/me", null, WithCookie(session, request => request.Headers.Host = host));
        answer.Status.ShouldBe(status);
        if (status == 403)
            answer.Code.ShouldBe("foreign_host");
    }

    [Theory]
    [InlineData("10.1.2.3", 403)]
    [InlineData(null, 403)]
    [InlineData("127.0.0.1", 401)]
    [InlineData("::ffff:127.0.0.1", 401)]
    public async Task Another_machine_is_refused(string? address, int status)
    {
        await using var site = await StartAsync(setup => setup.Before = app => app.Use((context, next) =>
        {
            context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);
            return next(context);
        }));

        (await site.GetAsync("/jobs/api/v1/me", null)).Status.ShouldBe(status);
    }

    [Fact]
    public async Task A_decision_of_the_application_takes_the_place_of_the_link()
    {
        await using var site = await TestSite.StartAsync(new SiteSetup { Environment = "Development" }.WithUsers());

        site.Console.ToString().ShouldBeEmpty();
        (await site.GetAsync("/jobs/api/v1/me")).Json.Text("name").ShouldBe("viewer");
        (await site.GetAsync("/jobs/login?token=x", null)).Status.ShouldBe(404);
        (await site.PostAsync("/jobs/login/link", "")).Status.ShouldBe(404);
    }

    [Fact]
    public void A_token_has_256_bits_and_is_good_for_ten_minutes_and_once()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var tokens = new OneTimeTokens(time, TimeSpan.FromMinutes(10), most: 3);

        var token = tokens.Issue();
        token.Length.ShouldBe(43);
        tokens.Take(token).ShouldBeTrue();
        tokens.Take(token).ShouldBeFalse();

        var late = tokens.Issue();
        time.Advance(TimeSpan.FromMinutes(10));
        tokens.Take(late).ShouldBeFalse();
    }

    [Fact]
    public void After_ten_wrong_guesses_nothing_is_right_for_the_rest_of_the_minute()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var tokens = new OneTimeTokens(time, TimeSpan.FromMinutes(10), most: 3);
        var token = tokens.Issue();

        for (var i = 0; i < 10; i++)
            tokens.Take("guess").ShouldBeFalse();
        tokens.Take(token).ShouldBeFalse();
        time.Advance(TimeSpan.FromMinutes(1));
        tokens.Take(token).ShouldBeTrue();
    }

    [Fact]
    public void Only_some_tokens_are_good_at_a_time()
    {
        var tokens = new OneTimeTokens(TimeProvider.System, TimeSpan.FromMinutes(10), most: 2);
        var (first, second, third) = (tokens.Issue(), tokens.Issue(), tokens.Issue());

        (tokens.Knows(first), tokens.Knows(second), tokens.Knows(third)).ShouldBe((false, true, true));
    }

    [Fact]
    public async Task No_token_is_logged()
    {
        var lines = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var site = await StartAsync(setup => setup.Services = services => services.Add(Microsoft.Extensions.DependencyInjection.ServiceDescriptor.Singleton<Microsoft.Extensions.Logging.ILoggerProvider>(new Lines(lines))));
        var token = LinkOf(site).Query.Split('=')[1];

        var session = await SignInAsync(site);
        await site.GetAsync("/jobs/api/v1/me", null, WithCookie(session));
        await site.GetAsync("/jobs/login?token=wrong", null);

        // The web server's own line for each request would have it: it is there only at the level of information, of the category Microsoft.AspNetCore.Hosting.
        lines.Where(line => line.Contains("Millrace", StringComparison.Ordinal) && (line.Contains(token, StringComparison.Ordinal) || line.Contains(session.Split('=')[1], StringComparison.Ordinal))).ShouldBeEmpty();
    }

    private static Task<TestSite> StartAsync(Action<SiteSetup>? change = null)
    {
        var setup = new SiteSetup { Environment = "Development", Inspection = new FakeInspection(), Operations = new FakeOperations() };
        change?.Invoke(setup);
        return TestSite.StartAsync(setup);
    }

    private static async Task<string> SignInAsync(TestSite site) => (await site.GetAsync(LinkOf(site).PathAndQuery, null)).Header("Set-Cookie")!.Split(';')[0];

    private static Uri LinkOf(TestSite site) => new(Link().Matches(site.Console.ToString()).Last().Value);

    private static Action<HttpRequestMessage> WithCookie(string cookie, Action<HttpRequestMessage>? also = null) => request =>
    {
        request.Headers.Add("Cookie", cookie);
        also?.Invoke(request);
    };

    [GeneratedRegex(@"http://\S+/jobs/login\?token=\S+")]
    private static partial Regex Link();

    private sealed class Lines(System.Collections.Concurrent.ConcurrentQueue<string> lines) : Microsoft.Extensions.Logging.ILoggerProvider
    {
        public Microsoft.Extensions.Logging.ILogger CreateLogger(string categoryName) => new Line(categoryName, lines);

        public void Dispose()
        {
        }

        private sealed class Line(string category, System.Collections.Concurrent.ConcurrentQueue<string> lines) : Microsoft.Extensions.Logging.ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

            public void Log<TState>(
                Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Enqueue($"{category} {formatter(state, exception)} {exception}");
        }
    }
}
