using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Routes;
using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Tests.Site;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Showing;

/// <summary>A secret in every place where a text is stored, and it is in no answer.</summary>
public sealed class RedactionTests
{
    private const string Canary = "cAnArY-7f3a";

    [Theory]
    [InlineData($"Host=db;Username=app;Password={Canary};Timeout=5")]
    [InlineData($"Authorization: Bearer {Canary}.abcdef")]
    [InlineData($"https://user:{Canary}@example.com/")]
    public async Task No_route_shows_a_secret(string secret)
    {
        await using var site = await StartAsync(new SiteSetup { Inspection = new FakeInspection(secret), Operations = new FakeOperations(secret) });

        foreach (var route in AllRoutes.Table.Where(route => route.Path != "events"))
        {
            var answer = await site.SendAsync(new HttpMethod(route.Method), Requests.PathOf(route), "root", Requests.BodyOf(route));
            answer.Text.ShouldNotContain(Canary, customMessage: route.Path);
            answer.Status.ShouldBeLessThan(500, route.Path);
        }
    }

    [Fact]
    public async Task No_route_shows_a_member_that_is_marked_or_has_the_name_of_a_secret()
    {
        var inspection = new FakeInspection
        {
            Data = $$"""{"apiKey":"{{Canary}}","shown":"yes","inner":{"card":"{{Canary}}"},"list":[{"client_secret":"{{Canary}}"}]}""",
            Schema = """{"type":"object","properties":{"inner":{"type":"object","properties":{"card":{"type":"string","x-sensitive":true}}}}}""",
        };
        await using var site = await StartAsync(new SiteSetup { Inspection = inspection, Operations = new FakeOperations() });

        foreach (var route in AllRoutes.Table.Where(route => !route.IsChange && route.Path != "events"))
            (await site.GetAsync(Requests.PathOf(route), "root")).Text.ShouldNotContain(Canary, customMessage: route.Path);
        (await site.GetAsync("/jobs/api/v1/jobs/5", "root")).Json.Text("data").ShouldContain("yes");
    }

    [Fact]
    public async Task The_stream_shows_none_either()
    {
        var secret = $"Password={Canary};";
        await using var site = await StartAsync(new SiteSetup { Inspection = new FakeInspection(secret), Operations = new FakeOperations(secret) });
        await using var stream = await EventReader.OpenAsync(site, "/jobs/api/v1/events", "root");

        var token = (await site.PostAsync("/jobs/api/v1/operations/preview", "root", """{"action":"retry","q":""}""")).Json.Text("token");
        (await site.PostAsync("/jobs/api/v1/operations", "root", $$"""{"token":"{{token}}"}""")).Status.ShouldBe(202);

        var (_, data) = await stream.NextAsync("operation");
        data.ShouldNotContain(Canary);
    }

    [Fact]
    public async Task The_message_of_a_database_that_is_away_shows_none()
    {
        var inspection = new FakeInspection { Fault = new StoreException(StoreFault.Unavailable, $"Cannot reach Host=db;Password={Canary}") };
        await using var site = await StartAsync(new SiteSetup { Inspection = inspection });

        (await site.GetAsync("/jobs/api/v1/queues", "root")).Text.ShouldNotContain(Canary);
    }

    [Fact]
    public async Task The_application_can_blank_more()
    {
        var setup = new SiteSetup
        {
            Inspection = new FakeInspection("ana@example.com"),
            Options = options => options.Redact = (type, text) => text.Replace("ana@example.com", type.Length > 0 ? $"[mail of {type}]" : "[mail]", StringComparison.Ordinal),
        };
        await using var site = await StartAsync(setup);

        foreach (var route in AllRoutes.Table.Where(route => !route.IsChange && route.Path != "events"))
            (await site.GetAsync(Requests.PathOf(route), "root")).Text.ShouldNotContain("ana@example.com", customMessage: route.Path);
        (await site.GetAsync("/jobs/api/v1/jobs/5", "root")).Json.Text("data").ShouldContain("[mail of t]");
    }

    [Fact]
    public async Task When_the_application_fails_to_blank_nothing_is_shown()
    {
        await using var site = await StartAsync(new SiteSetup { Inspection = new FakeInspection("visible"), Options = options => options.Redact = (_, _) => throw new InvalidOperationException("broken") });

        var answer = await site.GetAsync("/jobs/api/v1/jobs/5", "root");
        answer.Status.ShouldBe(200);
        answer.Text.ShouldNotContain("visible");
    }

    [Fact]
    public void What_is_stored_leaves_as_Shown_alone()
    {
        // Words of our own, which nobody else writes: enumerations, ids, names of fields, versions, and what the sampler made.
        string[] own =
        [
            "Id", "UserId", "State", "WaitsFor", "Outcome", "Parent", "Node", "DeletedBy", "Version", "Actions", "Next", "Level", "JobId", "Code", "Severity", "Kind", "Server", "MissedTicks", "Fingerprint", "SampleJob",
            "Operation", "Result", "Token", "UndoneBy", "Name", "Permissions", "Environment", "Store", "Message", "States", "Hint", "Cap", "Of", "Source",
        ];
        var texts =
            from type in typeof(JobAnswer).Assembly.GetTypes()
            where type.Namespace == "Millrace.Dashboard.Showing" && type.Name.EndsWith("Answer", StringComparison.Ordinal) && type.Name is not ("ProblemAnswer" or "BootAnswer" or "JobEventAnswer")
            from property in type.GetProperties()
            where property.PropertyType == typeof(string) || typeof(IEnumerable<string>).IsAssignableFrom(property.PropertyType)
            where !own.Contains(property.Name)
            select $"{type.Name}.{property.Name}";

        texts.ShouldBeEmpty("a text that somebody stored must be Shown");
    }

    private static Task<TestSite> StartAsync(SiteSetup setup)
    {
        var options = setup.Options;
        setup.Options = dashboard =>
        {
            dashboard.CanSubmit = true;
            options(dashboard);
        };
        return TestSite.StartAsync(setup.WithUsers());
    }
}
