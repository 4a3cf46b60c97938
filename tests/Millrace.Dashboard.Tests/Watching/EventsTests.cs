using Microsoft.Extensions.DependencyInjection;
using Millrace.Dashboard.Tests.Site;
using Millrace.Dashboard.Watching;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Watching;

/// <summary>What the browsers hear, and what it costs.</summary>
public sealed class EventsTests
{
    private const string Events = "/jobs/api/v1/events";

    [Fact]
    public async Task A_change_in_the_database_is_heard()
    {
        var inspection = new FakeInspection();
        await using var site = await StartAsync(inspection);
        await using var reader = await EventReader.OpenAsync(site, Events, "viewer");

        reader.Response.Headers.GetValues("X-Accel-Buffering").ShouldBe(["no"]);
        reader.Response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        await reader.NextAsync("pulse");
        inspection.Pulse = "2";
        (await reader.NextAsync("pulse")).Data.ShouldContain("\"at\":");
    }

    [Fact]
    public async Task The_database_is_asked_while_somebody_listens_and_by_one_for_all()
    {
        var inspection = new FakeInspection();
        await using var site = await StartAsync(inspection);
        inspection.Asked.ShouldBe(0);

        var readers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => EventReader.OpenAsync(site, Events, "viewer")));
        await TestSite.UntilAsync(() => Task.FromResult(inspection.Asked), asked => asked >= 2);
        inspection.Asked.ShouldBeLessThan(10);
        foreach (var reader in readers)
            await reader.DisposeAsync();
        var broadcast = site.App.Services.GetRequiredService<Microsoft.AspNetCore.Routing.EndpointDataSource>().Endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<Panel>()).OfType<Panel>().First().Broadcast;
        await TestSite.UntilAsync(() => Task.FromResult(broadcast.Listeners), listeners => listeners == 0);
    }

    [Fact]
    public async Task Fifty_may_listen_and_the_next_is_told_so()
    {
        await using var site = await StartAsync(new FakeInspection());
        var readers = new List<EventReader>();
        for (var i = 0; i < Broadcast.MostListeners; i++)
            readers.Add(await EventReader.OpenAsync(site, Events, "viewer"));

        var refused = await site.GetAsync(Events);
        (refused.Status, refused.Code, refused.Json.Text("limit")).ShouldBe((503, "too_many_streams", "50"));
        (await site.GetAsync("/jobs/api/v1/queues")).Status.ShouldBe(200);

        await readers[0].DisposeAsync();
        await TestSite.UntilAsync(() => site.GetAsync(Events), answer => answer.Status == 200);
        foreach (var reader in readers)
            await reader.DisposeAsync();
    }

    [Fact]
    public async Task Who_changes_something_here_is_heard_by_all()
    {
        await using var site = await StartAsync(new FakeInspection(), new FakeOperations());
        await using var reader = await EventReader.OpenAsync(site, Events, "viewer");

        var token = (await site.PostAsync("/jobs/api/v1/operations/preview", "operator", """{"action":"retry","q":""}""")).Json.Text("token");
        await site.PostAsync("/jobs/api/v1/operations", "operator", $$"""{"token":"{{token}}"}""");

        (await reader.NextAsync("operation")).Data.ShouldContain("\"id\":\"7\"");
    }

    [Fact]
    public async Task Streams_end_with_the_application()
    {
        var site = await StartAsync(new FakeInspection());
        await using var reader = await EventReader.OpenAsync(site, Events, "viewer");

        var end = reader.ToEndAsync();
        await site.App.StopAsync().WaitAsync(TimeSpan.FromSeconds(10));
        await end;
        await site.DisposeAsync();
    }

    [Fact]
    public async Task After_the_last_change_one_word_more_makes_dear_answers_true()
    {
        var inspection = new FakeInspection();
        await using var site = await StartAsync(inspection);
        await site.GetAsync("/jobs/api/v1/failures");
        await using var reader = await EventReader.OpenAsync(site, Events, "viewer");

        await reader.NextAsync("pulse");
        var before = inspection.AskedForFailures;
        await site.GetAsync("/jobs/api/v1/failures");
        inspection.AskedForFailures.ShouldBe(before);

        await reader.NextAsync("pulse");
        await site.GetAsync("/jobs/api/v1/failures");
        inspection.AskedForFailures.ShouldBe(before + 1);
    }

    [Fact]
    public async Task When_the_database_goes_and_when_it_is_back_everybody_looks_again()
    {
        var inspection = new FakeInspection();
        await using var site = await StartAsync(inspection);
        await using var reader = await EventReader.OpenAsync(site, Events, "viewer");
        await reader.NextAsync("pulse");

        inspection.Fault = new StoreException(StoreFault.Unavailable, "away");
        await reader.NextAsync("pulse");
        inspection.Fault = null;

        await reader.NextAsync("pulse");
    }

    [Fact]
    public async Task A_database_that_is_away_says_since_when_and_is_missed_no_longer_when_it_is_back()
    {
        var inspection = new FakeInspection { Fault = new StoreException(StoreFault.Unavailable, "The database at db:5432 does not answer.") };
        await using var site = await StartAsync(inspection);

        var first = await site.GetAsync("/jobs/api/v1/overview");
        (first.Status, first.Code, first.Header("Retry-After")).ShouldBe((503, "database_away", "3"));
        first.Json.Text("detail").ShouldContain("db:5432");
        (await site.GetAsync("/jobs/api/v1/jobs")).Json.Text("since").ShouldBe(first.Json.Text("since"));
        // What needs no database says nothing of it.
        (await site.GetAsync("/jobs/api/v1/me")).Status.ShouldBe(200);
        (await site.GetAsync("/jobs/api/v1/types")).Json.Text("since").ShouldBe(first.Json.Text("since"));
        // The page itself needs none.
        (await site.GetAsync("/jobs/")).Status.ShouldBe(200);

        inspection.Fault = null;
        (await site.GetAsync("/jobs/api/v1/queues")).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData(StoreFault.Conflict, 503, "database_busy")]
    [InlineData(StoreFault.Unknown, 503, "database_unknown")]
    [InlineData(StoreFault.ReadOnly, 503, "database_read_only")]
    [InlineData(StoreFault.Rejected, 500, "database_rejected")]
    public async Task Every_fault_of_the_database_has_its_code(StoreFault fault, int status, string code)
    {
        await using var site = await StartAsync(new FakeInspection { Fault = new StoreException(fault, "no") });

        var answer = await site.GetAsync("/jobs/api/v1/queues");
        (answer.Status, answer.Code).ShouldBe((status, code));
    }

    [Fact]
    public async Task Fifty_who_ask_the_same_cost_one_question()
    {
        var open = new TaskCompletionSource();
        var inspection = new FakeInspection { Gate = open.Task };
        await using var site = await StartAsync(inspection);

        var answers = Enumerable.Range(0, 50).Select(_ => site.GetAsync("/jobs/api/v1/queues")).ToList();
        await TestSite.UntilAsync(() => Task.FromResult(inspection.Asked), asked => asked > 0);
        open.SetResult();

        (await Task.WhenAll(answers)).ShouldAllBe(answer => answer.Status == 200);
        inspection.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task Who_has_changed_something_sees_it_at_once()
    {
        var inspection = new FakeInspection();
        await using var site = await StartAsync(inspection, new FakeOperations());
        await site.GetAsync("/jobs/api/v1/queues");
        await site.PostAsync("/jobs/api/v1/jobs/5/retry", "operator");
        var before = inspection.Asked;

        await site.GetAsync("/jobs/api/v1/queues");

        inspection.Asked.ShouldBe(before + 1);
    }

    [Fact]
    public async Task An_answer_that_has_not_changed_is_not_sent_again()
    {
        await using var site = await StartAsync(new FakeInspection());
        var first = await site.GetAsync("/jobs/api/v1/queues");

        var second = await site.GetAsync("/jobs/api/v1/queues", change: request => request.Headers.TryAddWithoutValidation("If-None-Match", first.Header("ETag")));

        (second.Status, second.Text).ShouldBe((304, ""));
        (await site.GetAsync("/jobs/api/v1/jobs/5")).Header("ETag").ShouldBe("\"failed.2.0\"");
    }

    private static Task<TestSite> StartAsync(FakeInspection inspection, FakeOperations? operations = null) =>
        TestSite.StartAsync(new SiteSetup { Inspection = inspection, Operations = operations }.WithUsers());
}
