using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Changing;
using Millrace.Dashboard.Tests.Site;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Changing;

/// <summary>Changes of many jobs: shown, confirmed, followed, stopped, undone.</summary>
public sealed class BulkTests
{
    private const string PreviewPath = "/jobs/api/v1/operations/preview";
    private const string Operations = "/jobs/api/v1/operations";

    [Fact]
    public async Task What_was_shown_is_what_is_done()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(new FakeInspection { Matches = 1_200 }, operations);

        var preview = await site.PostAsync(PreviewPath, "operator", """{"action":"retry","q":"state:failed type:t"}""");
        preview.Status.ShouldBe(200);
        preview.Json.GetProperty("count").GetInt64().ShouldBe(1_200);
        preview.Json.GetProperty("byState").GetProperty("failed").GetInt64().ShouldBe(1_200);
        preview.Json.GetProperty("samples").GetArrayLength().ShouldBe(1);
        var start = await StartAsync(site, preview, "operator", confirm: 1_200, reason: "the mail server is back");

        start.Status.ShouldBe(202);
        start.Json.Text("id").ShouldBe("7");
        (await operations.Ended.Task.WaitAsync(TestSite.Deadline)).ShouldBeNull();
        operations.Batches.Sum(batch => batch.Count).ShouldBe(1_200);
        var begun = operations.Asked.Single();
        (begun.Kind, begun.Author, begun.Target).ShouldBe((OperationKind.Retry, new Author("operator", "dashboard", "the mail server is back"), "state:failed type:t"));
    }

    [Fact]
    public async Task Chosen_jobs_are_changed_and_no_others()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(new FakeInspection(), operations);

        var preview = await site.PostAsync(PreviewPath, "operator", """{"action":"retry","ids":["5","6","404","5"]}""");
        (preview.Json.GetProperty("count").GetInt64(), preview.Json.GetProperty("skipped").GetInt64()).ShouldBe((2, 1));
        (await StartAsync(site, preview, "operator")).Status.ShouldBe(202);

        await operations.Ended.Task.WaitAsync(TestSite.Deadline);
        operations.Batches.Single().ShouldBe([5, 6, 404]);
    }

    [Fact]
    public async Task A_preview_that_is_confirmed_twice_begins_once_and_is_answered_alike()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(operations: operations);
        var preview = await site.PostAsync(PreviewPath, "operator", """{"action":"retry","q":""}""");

        var first = await StartAsync(site, preview, "operator");
        var again = await StartAsync(site, preview, "operator");

        (first.Status, again.Status, again.Text).ShouldBe((202, 202, first.Text));
        operations.Asked.ShouldHaveSingleItem();
        // And takes the place of none that could begin.
        for (var i = 0; i < 10; i++)
            (await StartAsync(site, preview, "operator")).Status.ShouldBe(202);
    }

    [Fact]
    public async Task A_token_is_good_for_who_saw_the_preview()
    {
        await using var site = await StartAsync();
        var preview = await site.PostAsync(PreviewPath, "operator", """{"action":"retry","q":""}""");

        (await StartAsync(site, preview, "administrator")).Code.ShouldBe("preview_unknown");
        (await StartAsync(site, preview, "viewer")).Status.ShouldBe(403);
        (await StartAsync(site, preview, "operator")).Status.ShouldBe(202);
    }

    [Fact]
    public async Task A_count_that_takes_long_is_gone_on_with_by_its_token()
    {
        var asked = new List<MatchQuery>();
        await using var site = await StartAsync(new FakeInspection
        {
            Count = query =>
            {
                asked.Add(query);
                return Counted(asked.Count * 100) with { IsCapped = asked.Count < 3, Next = asked.Count < 3 ? asked.Count * 1_000 : null };
            },
        });
        var preview = await site.PostAsync(PreviewPath, "operator", """{"action":"retry","q":""}""");
        var token = preview.Json.GetProperty("token").GetString();
        preview.Json.GetProperty("isCounting").GetBoolean().ShouldBeTrue();
        preview = await site.PostAsync(PreviewPath, "operator", $$"""{"token":"{{token}}"}""");
        preview.Json.GetProperty("isCounting").GetBoolean().ShouldBeTrue();
        token = preview.Json.GetProperty("token").GetString();
        preview = await site.PostAsync(PreviewPath, "operator", $$"""{"token":"{{token}}"}""");

        preview.Json.GetProperty("isCounting").GetBoolean().ShouldBeFalse();
        preview.Json.GetProperty("isCapped").GetBoolean().ShouldBeFalse();
        preview.Json.GetProperty("count").GetInt64().ShouldBe(600);
        preview.Json.GetProperty("byState").GetProperty("failed").GetInt64().ShouldBe(600);
        asked.Select(query => query.AfterId).ShouldBe([0, 1_000, 2_000]);
        asked.Select(query => query.Most).ShouldBe([JobCounts.Cap, JobCounts.Cap - 100, JobCounts.Cap - 300]);
        // Somebody else's is not counted on.
        (await site.PostAsync(PreviewPath, "administrator", $$"""{"token":"{{token}}"}""")).Code.ShouldBe("preview_unknown");
    }

    private static MatchCount Counted(long count) => new(
        count, 0, new Dictionary<StateSet, long> { [StateSet.Discarded] = count }, new Dictionary<string, long> { ["send"] = count }, new Dictionary<string, long> { ["mail"] = count }, [], 5_000, false);

    [Fact]
    public void A_token_is_good_for_five_minutes()
    {
        var time = new FakeTimeProvider(FakeInspection.Now);
        var previews = new Previews(time, Previews.SealOf(new ServiceCollection().BuildServiceProvider()));
        var token = previews.Seal(Shown());

        previews.Look(token, "ana").Target.ShouldBe("all jobs");
        time.Advance(TimeSpan.FromMinutes(5));
        Should.Throw<Problem>(() => previews.Look(token, "ana")).Code.ShouldBe("preview_unknown");
    }

    [Fact]
    public void What_was_shown_comes_back_as_it_was()
    {
        var previews = new Previews(new FakeTimeProvider(FakeInspection.Now), Previews.SealOf(new ServiceCollection().BuildServiceProvider()));
        var shown = Shown() with { Q = "state:failed finished>-1h", Kind = "reprioritise", Priority = -3 };

        var back = previews.Look(previews.Seal(shown), "ana");

        back.ShouldBe(shown);
        back.Change.ShouldBe(new JobChange(OperationKind.Reprioritise, -3));
        // The last hour is the one before the preview, however late it is confirmed.
        back.Filter.Terms.OfType<TimeTerm>().Single().From.ShouldNotBeNull().ShouldBe(FakeInspection.Now.AddHours(-1), TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public void A_token_that_was_touched_is_none()
    {
        var previews = new Previews(new FakeTimeProvider(FakeInspection.Now), Previews.SealOf(new ServiceCollection().BuildServiceProvider()));
        var token = previews.Seal(Shown());

        foreach (var other in (string?[])[null, "", "x", token[..^1], token + "A", $"{token[..20]}{(token[20] == 'A' ? 'B' : 'A')}{token[21..]}", new string('A', 40_000)])
            Should.Throw<Problem>(() => previews.Look(other, "ana")).Code.ShouldBe("preview_unknown");
    }

    [Fact]
    public void A_token_is_good_on_every_server_that_shares_the_keys_of_the_application()
    {
        var folder = Directory.CreateTempSubdirectory("millrace-");
        IDataProtector Server(string mount) => Previews.SealOf(new ServiceCollection().AddLogging().AddDataProtection().SetApplicationName("shop").PersistKeysToFileSystem(folder).Services.BuildServiceProvider(), "millrace", mount);
        var time = new FakeTimeProvider(FakeInspection.Now);
        var token = new Previews(time, Server("/jobs")).Seal(Shown());

        new Previews(time, Server("/jobs")).Look(token, "ana").Target.ShouldBe("all jobs");
        Should.Throw<Problem>(() => new Previews(time, Server("/other")).Look(token, "ana"));
        Should.Throw<Problem>(() => new Previews(time, Previews.SealOf(new ServiceCollection().BuildServiceProvider(), "millrace", "/jobs")).Look(token, "ana"));
        folder.Delete(recursive: true);
    }

    private static Preview Shown() => new() { Q = "", At = FakeInspection.Now.UtcTicks, Target = "all jobs", Kind = "retry", UpToId = 1, Count = 1, By = "ana" };

    [Theory]
    [InlineData("retry", 1_000, null, true)]
    [InlineData("retry", 1_001, null, false)]
    [InlineData("retry", 1_001, 1_000L, false)]
    [InlineData("retry", 1_001, 1_001L, true)]
    [InlineData("retry", 5, 6L, false)]
    [InlineData("delete", 25, null, true)]
    [InlineData("delete", 26, null, false)]
    [InlineData("delete", 26, 26L, true)]
    public async Task Many_jobs_need_their_number(string action, int matches, long? confirm, bool isEnough)
    {
        await using var site = await StartAsync(new FakeInspection { Matches = matches });
        var preview = await site.PostAsync(PreviewPath, "administrator", $$"""{"action":"{{action}}","q":""}""");

        var answer = await StartAsync(site, preview, "administrator", confirm);

        answer.Status.ShouldBe(isEnough ? 202 : 409);
        if (!isEnough)
        {
            answer.Code.ShouldBe("confirmation_needed");
            answer.Json.GetProperty("count").GetInt64().ShouldBe(matches);
        }
    }

    [Fact]
    public async Task It_can_be_stopped_and_says_so()
    {
        var operations = new FakeOperations { Gate = new TaskCompletionSource().Task };
        await using var site = await StartAsync(new FakeInspection { Matches = 900 }, operations);
        await StartAsync(site, await site.PostAsync(PreviewPath, "operator", """{"action":"cancel","q":""}"""), "operator");

        (await site.GetAsync($"{Operations}/7")).Json.Text("kind").ShouldBe("retry");
        (await site.PostAsync($"{Operations}/7/stop", "operator")).Json.GetProperty("stopped").GetBoolean().ShouldBeTrue();

        (await operations.Ended.Task.WaitAsync(TestSite.Deadline)).ShouldBe("It was stopped.");
        (await site.PostAsync($"{Operations}/9/stop", "operator")).Json.GetProperty("stopped").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task One_that_goes_on_elsewhere_is_stopped_by_recording_its_end()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(new FakeInspection { IsOperationOpen = true }, operations);

        (await site.PostAsync($"{Operations}/9/stop", "operator")).Json.GetProperty("stopped").GetBoolean().ShouldBeTrue();

        (await operations.Ended.Task.WaitAsync(TestSite.Deadline)).ShouldBe("It was stopped.");
    }

    [Fact]
    public async Task It_stops_with_the_application()
    {
        var operations = new FakeOperations { Gate = new TaskCompletionSource().Task };
        var site = await StartAsync(new FakeInspection { Matches = 900 }, operations);
        await StartAsync(site, await site.PostAsync(PreviewPath, "operator", """{"action":"cancel","q":""}"""), "operator");

        await site.DisposeAsync();

        operations.Ended.Task.IsCompleted.ShouldBeTrue();
        (await operations.Ended.Task).ShouldBe("It was stopped.");
    }

    [Fact]
    public async Task Four_go_on_at_a_time()
    {
        var operations = new FakeOperations { Gate = new TaskCompletionSource().Task };
        await using var site = await StartAsync(new FakeInspection(), operations);
        async Task<Answer> One() => await StartAsync(site, await site.PostAsync(PreviewPath, "operator", """{"action":"cancel","q":""}"""), "operator");

        for (var i = 0; i < 4; i++)
            (await One()).Status.ShouldBe(202);
        (await One()).Code.ShouldBe("too_many_operations");
    }

    [Fact]
    public async Task It_can_be_undone()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(new FakeInspection(), operations);

        var answer = await site.PostAsync($"{Operations}/7/undo", "operator", """{"reason":"wrong filter"}""");

        (answer.Json.Text("result"), answer.Json.GetProperty("restored").GetInt64(), answer.Json.GetProperty("lost").GetInt64(), answer.Json.Text("operation")).ShouldBe(("done", 2, 1, "8"));
        operations.Asked.Single().Author.Reason.ShouldBe("wrong filter");
    }

    [Fact]
    public async Task A_job_that_has_changed_meanwhile_is_left_alone_and_its_state_is_told()
    {
        var operations = new FakeOperations { Result = ChangeResult.Moved };
        await using var site = await StartAsync(new FakeInspection(), operations);

        var answer = await site.PostAsync("/jobs/api/v1/jobs/5/retry", "operator", "{}", request => request.Headers.TryAddWithoutValidation("If-Match", "\"failed.2.0\""));

        (answer.Status, answer.Code, answer.Json.Text("state"), answer.Json.Text("version")).ShouldBe((412, "job_moved", "running", "running.3.0"));
        operations.Asked.Single().Target.ShouldBe("job 5 failed.2.0");
    }

    private static Task<Answer> StartAsync(TestSite site, Answer preview, string user, long? confirm = null, string? reason = null) =>
        site.PostAsync(Operations, user, $$"""{"token":"{{preview.Json.Text("token")}}"{{(confirm is null ? "" : $",\"confirm\":{confirm}")}}{{(reason is null ? "" : $",\"reason\":\"{reason}\"")}}}""");

    private static Task<TestSite> StartAsync(FakeInspection? inspection = null, FakeOperations? operations = null) =>
        TestSite.StartAsync(new SiteSetup { Inspection = inspection ?? new FakeInspection(), Operations = operations ?? new FakeOperations() }.WithUsers(everything: "operator-and-more"));
}
