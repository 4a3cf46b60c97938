using System.Text;
using CsCheck;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Routes;
using Millrace.Dashboard.Tests.Site;
using Route = Millrace.Dashboard.Answering.Route;

namespace Millrace.Dashboard.Tests.Routes;

/// <summary>Whatever somebody asks for: an answer, or what is wrong with the question. Never a failure.</summary>
public sealed class BoundsTests
{
    [Theory]
    [InlineData("jobs?limit=0", "limit")]
    [InlineData("jobs?limit=201", "limit")]
    [InlineData("jobs?limit=-1", "limit")]
    [InlineData("jobs?limit=ten", "limit")]
    [InlineData("jobs?limit=1.5", "limit")]
    [InlineData("jobs?limit=5&limit=6", "limit")]
    [InlineData("jobs?limit=99999999999999999999", "limit")]
    [InlineData("jobs?before=0", "before")]
    [InlineData("jobs?before=9223372036854775808", "before")]
    [InlineData("jobs?q=%00", "q")]
    [InlineData("jobs/0", "id")]
    [InlineData("jobs/x/explain", "id")]
    [InlineData("jobs/5/logs?limit=1001", "limit")]
    [InlineData("jobs/5/logs?afterRun=-1", "afterRun")]
    [InlineData("stats?stepSeconds=59", "stepSeconds")]
    [InlineData("stats?stepSeconds=61", "stepSeconds")]
    [InlineData("stats?stepSeconds=86401", "stepSeconds")]
    [InlineData("stats?from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z", "from")]
    [InlineData("stats?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "from")]
    [InlineData("stats?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z&stepSeconds=60", "stepSeconds")]
    [InlineData("stats?from=yesterday", "from")]
    [InlineData("stats?to=1999-01-01T00:00:00Z", "to")]
    [InlineData("stats?by=user", "by")]
    [InlineData("types/t/slowest?hours=169", "hours")]
    [InlineData("types/t/slowest?before=0", "before")]
    [InlineData("types/t/slowest?before=9&beforeRun=0", "beforeRun")]
    [InlineData("failures?hours=0", "hours")]
    [InlineData("failures?hours=169", "hours")]
    [InlineData("audit?limit=201", "limit")]
    [InlineData("operations/x", "id")]
    public async Task What_is_out_of_bounds_is_named_with_its_limit(string path, string field)
    {
        await using var site = await StartAsync();

        var answer = await site.GetAsync($"/jobs/api/v1/{path}", "root");
        (answer.Status, answer.Code).ShouldBe((400, "out_of_bounds"), answer.Text);
        answer.Json.Text("field").ShouldBe(field);
        answer.Json.Text("limit").ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_filter_that_is_too_long_or_wrong_says_where()
    {
        await using var site = await StartAsync();

        (await site.GetAsync($"/jobs/api/v1/jobs?q={new string('a', 201)}", "root")).Json.Text("field").ShouldBe("q");
        var answer = await site.GetAsync("/jobs/api/v1/jobs?q=state:sleeping", "root");
        (answer.Status, answer.Code).ShouldBe((400, "bad_filter"));
        answer.Json.GetProperty("position").GetInt32().ShouldBeGreaterThanOrEqualTo(0);
        answer.Json.GetProperty("length").GetInt32().ShouldBeGreaterThan(0);
        var check = await site.GetAsync("/jobs/api/v1/filter?q=state:sleeping", "root");
        (check.Status, check.Json.GetProperty("isValid").GetBoolean()).ShouldBe((200, false));
    }

    [Fact]
    public async Task No_parameter_makes_the_dashboard_fail()
    {
        await using var site = await StartAsync();
        var routes = AllRoutes.Table.Where(route => !route.IsChange && route.Takes.Count > 0).ToList();
        var hostile = Gen.OneOf(
            One(
                "0", "-1", "1", "200", "201", "9223372036854775807", "9223372036854775808", "NaN", "1e9", "true", "null", "''", "' or 1=1 --", "%", "_", "\0", "\r\nX: y", "../../etc/passwd", "..%2f..", "<script>", "state:", "data.",
                "type:*******", "-", "\"", "created>-99999999d", "\uD800", "\u202E", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", new string('9', 400), new string('(', 190)),
            Gen.Char.Array[0, 220].Select(chars => new string(chars)),
            Gen.Char['!', '~'].Array[0, 40].Select(chars => new string(chars)));
        var question = Gen.Select(One([.. routes]), hostile, hostile, Gen.Int[0, 8]);

        await question.SampleSeededAsync(
            async one =>
            {
                var (route, first, second, which) = one;
                var query = new StringBuilder();
                foreach (var (parameter, i) in route.Takes.Select((parameter, i) => (parameter, i)).Where(pair => !route.Path.Contains($"{{{pair.parameter.Name}}}", StringComparison.Ordinal)))
                    query.Append(query.Length == 0 ? '?' : '&').Append(parameter.Name).Append('=').Append(Escape((i + which) % 2 == 0 ? first : second));
                var name = Escape(first);
                var path = name is "" or "." or ".." ? Requests.PathOf(route) : $"/jobs/api/v1/{route.Path.Replace("{id}", name, StringComparison.Ordinal).Replace("{name}", name, StringComparison.Ordinal)}";
                var answer = await site.GetAsync($"{path}{query}", "root");
                answer.Status.ShouldBeLessThan(500, $"{path}{query}");
                // A name may lead to another route, which is well.
                if (answer.Status == 400 && answer.Text.Length > 0)
                    answer.Code.ShouldNotBeNull($"{path}{query}");
            },
            iter: 1_500, threads: 4);
    }

    [Fact]
    public async Task No_body_makes_the_dashboard_fail()
    {
        await using var site = await StartAsync();
        var routes = AllRoutes.Table.Where(route => route.IsChange).ToList();
        var value = One("null", "0", "-1", "1e400", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[\"1\"]", "[\"x\"]", "\"retry\"", "\"delete\"", "\"2020-01-01T00:00:00Z\"", "\"{\\\"a\\\":1}\"", "\"not json\"", "99999", "true");
        var member = One("reason", "priority", "until", "data", "type", "queue", "tag", "delayMs", "q", "ids", "action", "token", "confirm", "other");
        var question = Gen.Select(One([.. routes]), Gen.Select(member, value).Array[0, 5]);

        await question.SampleSeededAsync(
            async one =>
            {
                var (route, members) = one;
                var body = $"{{{string.Join(',', members.Select(pair => $"\"{pair.Item1}\":{pair.Item2}"))}}}";
                var answer = await site.PostAsync(Requests.PathOf(route), "root", body);
                answer.Status.ShouldBeLessThan(500, $"{route.Path} {body} {answer.Text}");
            },
            iter: 1_500, threads: 4);
    }

    [Theory]
    [InlineData("queues/mail/pause", """{"until":"2020-01-01T00:00:00Z"}""", "until")]
    [InlineData("jobs/5/reprioritise", "{}", "priority")]
    [InlineData("jobs/5/reprioritise", """{"priority":32768}""", "priority")]
    [InlineData("operations/preview", """{"action":"explode","q":""}""", "action")]
    [InlineData("operations/preview", """{"action":"retry"}""", "q")]
    [InlineData("operations/preview", """{"action":"retry","q":"","ids":["1"]}""", "q")]
    [InlineData("operations/preview", """{"action":"retry","ids":[]}""", "ids")]
    [InlineData("operations/preview", """{"action":"retry","ids":["one"]}""", "ids")]
    [InlineData("workers/nobody/drain", "{}", "id")]
    [InlineData("jobs", """{"type":"t"}""", "data")]
    [InlineData("jobs", """{"data":1}""", "type")]
    [InlineData("jobs", """{"type":"t","data":1,"delayMs":-1}""", "delayMs")]
    public async Task What_is_out_of_bounds_in_a_body_is_named(string path, string body, string field)
    {
        await using var site = await StartAsync();

        var answer = await site.PostAsync($"/jobs/api/v1/{path}", "root", body);
        (answer.Status, answer.Json.Text("field")).ShouldBe((400, field), answer.Text);
    }

    [Fact]
    public async Task A_reason_of_more_than_a_thousand_characters_is_refused()
    {
        await using var site = await StartAsync();

        (await site.PostAsync("/jobs/api/v1/jobs/5/retry", "root", $$"""{"reason":"{{new string('x', 1_001)}}"}""")).Json.Text("field").ShouldBe("reason");
    }

    [Theory]
    [InlineData("jobs/404")]
    [InlineData("jobs/404/attempts")]
    [InlineData("jobs/404/logs")]
    [InlineData("jobs/404/explain")]
    [InlineData("operations/404")]
    [InlineData("types/nothing")]
    [InlineData("nothing")]
    [InlineData("nothing/at/all")]
    public async Task What_is_not_there_is_not_found(string path)
    {
        await using var site = await StartAsync();

        (await site.GetAsync($"/jobs/api/v1/{path}", "root")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_name_with_a_slash_comes_through()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(operations);

        (await site.PostAsync("/jobs/api/v1/queues/a%2Fb%20c/pause", "root")).Status.ShouldBe(200);

        operations.Asked.Single().Target.ShouldBe("a/b c");
    }

    [Fact]
    public void Every_parameter_is_bounded() => AllRoutes.Table.SelectMany(route => route.Takes).OfType<TextParameter>().ShouldAllBe(parameter => parameter.Longest <= 200);

    private static Gen<T> One<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static string Escape(string text)
    {
        // Half a pair cannot be sent as what it is.
        var bytes = Encoding.UTF8.GetBytes(text);
        return Uri.EscapeDataString(Encoding.UTF8.GetString(bytes));
    }

    private static Task<TestSite> StartAsync(FakeOperations? operations = null) => TestSite.StartAsync(new SiteSetup
    {
        Inspection = new FakeInspection(),
        Operations = operations ?? new FakeOperations(),
        Options = options => options.CanSubmit = true,
    }.WithUsers());
}
