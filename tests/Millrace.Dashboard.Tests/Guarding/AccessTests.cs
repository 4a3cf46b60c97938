using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Routes;
using Millrace.Dashboard.Tests.Site;
using Route = Millrace.Dashboard.Answering.Route;

namespace Millrace.Dashboard.Tests.Guarding;

/// <summary>Who may do what, for every route that there is.</summary>
public sealed class AccessTests
{
    [Fact]
    public async Task Every_endpoint_refuses_who_is_not_signed_in()
    {
        await using var site = await StartAsync();

        foreach (var (method, path) in Everything(site))
        {
            var answer = await site.SendAsync(method, path);
            answer.Status.ShouldBeOneOf([401, 403], $"{method} {path}");
            answer.Text.ShouldNotContain("9007199254740993", customMessage: path);
        }
    }

    [Theory]
    [InlineData("viewer", Permission.View)]
    [InlineData("operator", Permission.View | Permission.Operate)]
    [InlineData("administrator", Permission.View | Permission.Operate | Permission.Administer)]
    [InlineData("submitter", Permission.View | Permission.Submit)]
    [InlineData("stranger", Permission.None)]
    internal async Task A_user_may_do_what_his_policies_say_and_nothing_else(string user, Permission may)
    {
        await using var site = await StartAsync();

        foreach (var route in AllRoutes.Table)
        {
            var answer = await site.SendAsync(new HttpMethod(route.Method), Requests.PathOf(route), user, Requests.BodyOf(route));
            if (may.HasFlag(route.Needs))
            {
                answer.Status.ShouldNotBeOneOf(401, 403, 500);
            }
            else
            {
                answer.Status.ShouldBe(403, $"{user} {route.Method} {route.Path}");
                answer.Code.ShouldBe("forbidden");
                answer.Json.Text("permission").ShouldBe(route.Needs.ToWord());
            }
        }
    }

    [Fact]
    public async Task Nobody_changes_anything_through_a_read_only_dashboard()
    {
        await using var site = await StartAsync(setup => setup.Options = options => options.IsReadOnly = true);

        foreach (var route in AllRoutes.Table.Where(route => route.IsChange))
            (await site.PostAsync(Requests.PathOf(route), "administrator", Requests.BodyOf(route))).Status.ShouldBe(403, route.Path);
        var me = await site.GetAsync("/jobs/api/v1/me", "administrator");
        me.Json.GetProperty("permissions").GetArrayLength().ShouldBe(1);
        me.Json.GetProperty("isReadOnly").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Nobody_submits_by_hand_outside_Development_unless_it_is_allowed()
    {
        var setup = new SiteSetup { Inspection = new FakeInspection(), Operations = new FakeOperations() }.WithUsers();
        await using var site = await TestSite.StartAsync(setup);

        foreach (var route in AllRoutes.Table.Where(route => route.Needs == Permission.Submit))
            (await site.PostAsync(Requests.PathOf(route), "submitter", Requests.BodyOf(route))).Status.ShouldBe(403, route.Path);
    }

    [Fact]
    public async Task Deleting_many_jobs_is_for_who_may_administer()
    {
        await using var site = await StartAsync();
        const string delete = """{"action":"delete","q":""}""";

        (await site.PostAsync("/jobs/api/v1/operations/preview", "operator", delete)).Json.Text("permission").ShouldBe("administer");
        (await site.PostAsync("/jobs/api/v1/operations/preview", "administrator", delete)).Status.ShouldBe(200);
    }

    [Fact]
    public void A_change_needs_more_than_to_view() => AllRoutes.Table.Where(route => route.IsChange && route.Needs == Permission.View).ShouldBeEmpty();

    [Fact]
    public async Task Every_endpoint_is_a_route_of_the_table_or_a_page()
    {
        await using var site = await StartAsync();

        var endpoints = Requests.Endpoints(site);
        endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<Route>()).OfType<Route>().ShouldBe(AllRoutes.Table, ignoreOrder: true);
        endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<Route>() is null).Select(endpoint => endpoint.RoutePattern.RawText)
            .ShouldBe(["/jobs/api/{**path}", "/jobs/assets/{**file}", "/jobs/", "/jobs/{**path}"], ignoreOrder: true);
    }

    [Fact]
    public async Task Every_change_carries_the_name_of_who_made_it_and_why()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(setup => setup.Operations = operations);

        foreach (var route in AllRoutes.Table.Where(route => route.IsChange && !route.Path.StartsWith("operations", StringComparison.Ordinal)))
        {
            var user = route.Needs == Permission.Submit ? "submitter" : "administrator";
            var body = Requests.BodyOf(route).Replace("{", """{"reason":"because",""", StringComparison.Ordinal).Replace(",}", "}", StringComparison.Ordinal);
            if (route.Needs == Permission.Submit)
                body = Requests.BodyOf(route).Replace("""{"data""", """{"reason":"because","data""", StringComparison.Ordinal).Replace("""{"type""", """{"reason":"because","type""", StringComparison.Ordinal);
            (await site.PostAsync(Requests.PathOf(route), user, body)).Status.ShouldBe(200, route.Path);
            operations.Asked.TryDequeue(out var asked).ShouldBeTrue(route.Path);
            (asked.Author.Name, asked.Author.Via, asked.Author.Reason).ShouldBe((user, "dashboard", "because"), route.Path);
        }

        operations.Asked.ShouldBeEmpty();
    }

    private static Task<TestSite> StartAsync(Action<SiteSetup>? change = null)
    {
        var setup = new SiteSetup { Inspection = new FakeInspection(), Operations = new FakeOperations(), Options = options => options.CanSubmit = true };
        change?.Invoke(setup);
        return TestSite.StartAsync(setup.WithUsers());
    }

    private static IEnumerable<(HttpMethod Method, string Path)> Everything(TestSite site) =>
        from endpoint in Requests.Endpoints(site)
        from method in endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Routing.HttpMethodMetadata>()!.HttpMethods
        select (new HttpMethod(method), Requests.PathOf(endpoint));
}
