using System.Text;
using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Routes;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Guarding;

/// <summary>What a request must be like, and what every answer carries.</summary>
public sealed class RequestTests
{
    [Theory]
    [InlineData("same-origin", "", true)]
    [InlineData("same-origin", "https://evil.example", true)]
    [InlineData("cross-site", "http://host:81", false)]
    [InlineData("same-site", "http://host:81", false)]
    [InlineData("none", "", false)]
    [InlineData("", "http://host:81", true)]
    [InlineData("", "HTTP://HOST:81", true)]
    [InlineData("", "https://host:81", false)]
    [InlineData("", "http://host", false)]
    [InlineData("", "http://host:8", false)]
    [InlineData("", "http://host:81.evil.example", false)]
    [InlineData("", "http://user@host:81", false)]
    [InlineData("", "http://host:81/path", false)]
    [InlineData("", "null", false)]
    [InlineData("", "", false)]
    public void A_change_comes_from_the_same_origin(string site, string origin, bool isSame) => SameOrigin.IsSame(site, origin, "http", new HostString("host", 81)).ShouldBe(isSame);

    [Theory]
    [InlineData("https://host", "https", "host:443")]
    [InlineData("http://host:80", "http", "host")]
    [InlineData("http://[::1]:5080", "http", "[::1]:5080")]
    public void A_port_that_goes_without_saying_is_the_same_port(string origin, string scheme, string host) => SameOrigin.IsSame("", origin, scheme, new HostString(host)).ShouldBeTrue();

    [Fact]
    public async Task Every_change_from_elsewhere_is_refused()
    {
        await using var site = await StartAsync();

        foreach (var route in AllRoutes.Table.Where(route => route.IsChange))
        {
            Action<HttpRequestMessage>[] foreign =
            [
                request => request.Headers.Remove("Sec-Fetch-Site"),
                request => Set(request, "Sec-Fetch-Site", "cross-site"),
                request => Set(request, "Sec-Fetch-Site", "same-site"),
                request =>
                {
                    request.Headers.Remove("Sec-Fetch-Site");
                    request.Headers.Add("Origin", "https://evil.example");
                },
            ];
            foreach (var change in foreign)
                (await site.PostAsync(Requests.PathOf(route), "all", Requests.BodyOf(route), change)).Code.ShouldBe("cross_site", route.Path);
        }
    }

    [Fact]
    public async Task A_browser_that_only_sends_its_origin_is_let_in()
    {
        await using var site = await StartAsync();

        var answer = await site.PostAsync("/jobs/api/v1/queues/mail/pause", "all", "{}", request =>
        {
            request.Headers.Remove("Sec-Fetch-Site");
            request.Headers.Add("Origin", site.Address.GetLeftPart(UriPartial.Authority));
        });

        answer.Status.ShouldBe(200);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData(null)]
    public async Task Every_change_must_be_json(string? type)
    {
        await using var site = await StartAsync();

        foreach (var route in AllRoutes.Table.Where(route => route.IsChange))
        {
            var answer = await site.PostAsync(Requests.PathOf(route), "all", change: request =>
            {
                request.Content = new ByteArrayContent("{}"u8.ToArray());
                if (type is not null)
                    request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            });
            answer.Code.ShouldBe("json_needed", route.Path);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"reason\":5}")]
    [InlineData("{\"reason\":\"a\",\"reason\":\"b\"}")]
    public async Task A_body_that_is_not_what_is_expected_is_refused(string body)
    {
        await using var site = await StartAsync();

        (await site.PostAsync("/jobs/api/v1/queues/mail/pause", "all", body)).Code.ShouldBe("bad_json");
    }

    [Fact]
    public async Task A_body_that_is_too_deep_is_refused()
    {
        await using var site = await StartAsync();
        var deep = $$"""{"type":"t","data":{{new string('[', 100)}}{{new string(']', 100)}}}""";

        (await site.PostAsync("/jobs/api/v1/jobs", "all", deep)).Status.ShouldBe(400);
    }

    [Fact]
    public async Task A_body_of_more_than_a_megabyte_is_refused_with_and_without_a_length()
    {
        await using var site = await StartAsync();
        var large = Encoding.UTF8.GetBytes($$"""{"reason":"{{new string('x', 1024 * 1024)}}"}""");

        foreach (var isChunked in new[] { false, true })
        {
            var answer = await site.PostAsync("/jobs/api/v1/queues/mail/pause", "all", change: request =>
            {
                request.Content = new ByteArrayContent(large);
                request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
                request.Headers.TransferEncodingChunked = isChunked;
            });
            (answer.Status, answer.Code).ShouldBe((413, "body_too_large"));
        }
    }

    [Fact]
    public async Task Every_answer_carries_the_policy_and_nothing_of_other_origins()
    {
        await using var site = await StartAsync();
        string?[] users = ["all", null];

        foreach (var endpoint in Requests.Endpoints(site))
        {
            foreach (var user in users)
            {
                var path = Requests.PathOf(endpoint);
                var answer = await site.GetAsync(path, user, request =>
                {
                    request.Headers.Add("Origin", "https://evil.example");
                    request.Headers.Add("Access-Control-Request-Method", "POST");
                });
                answer.Header("Content-Security-Policy").ShouldBe(
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
                    path);
                answer.Header("X-Content-Type-Options").ShouldBe("nosniff", path);
                answer.Header("Referrer-Policy").ShouldBe("no-referrer", path);
                answer.Header("Cache-Control").ShouldBe("no-store", path);
                answer.Headers.Select(header => header.Key).ShouldNotContain(name => name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase), path);
            }
        }
    }

    [Fact]
    public async Task Other_methods_change_nothing()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(operations);

        foreach (var route in AllRoutes.Table.Where(route => route.IsChange))
        {
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Patch, HttpMethod.Head, HttpMethod.Options })
                (await site.SendAsync(method, Requests.PathOf(route), "all")).Status.ShouldNotBe(202, $"{method} {route.Path}");
        }

        operations.Asked.ShouldBeEmpty();
    }

    private static void Set(HttpRequestMessage request, string header, string value)
    {
        request.Headers.Remove(header);
        request.Headers.Add(header, value);
    }

    private static Task<TestSite> StartAsync(FakeOperations? operations = null) => TestSite.StartAsync(new SiteSetup
    {
        Inspection = new FakeInspection(),
        Operations = operations ?? new FakeOperations(),
        Options = options => options.CanSubmit = true,
    }.WithUsers(everything: "all"));
}
