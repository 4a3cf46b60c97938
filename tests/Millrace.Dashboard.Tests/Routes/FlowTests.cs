using System.Text.Json;
using Microsoft.Extensions.Logging;
using Millrace.Dashboard.Routes;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Routes;

/// <summary>What a person does, from the failure to the repair, on a real database with real jobs.</summary>
public sealed class FlowTests
{
    private const string Api = "/jobs/api/v1";

    [Fact]
    public async Task From_a_failure_to_its_reason_to_the_retry_of_all_to_their_undo()
    {
        await using var site = await StartAsync();
        await FailAsync(site, 30);

        var groups = (await site.GetAsync($"{Api}/failures")).Json.GetProperty("groups");
        groups.GetArrayLength().ShouldBe(1);
        groups[0].GetProperty("jobs").GetInt64().ShouldBe(30);
        groups[0].Text("title").ShouldContain("no such mail box");
        var filter = groups[0].Text("filter");
        var list = (await site.GetAsync($"{Api}/jobs?q={Uri.EscapeDataString(filter)}&limit=20")).Json;
        list.GetProperty("jobs").GetArrayLength().ShouldBe(20);
        var rest = (await site.GetAsync($"{Api}/jobs?q={Uri.EscapeDataString(filter)}&limit=20&before={list.Text("next")}")).Json;
        rest.GetProperty("jobs").GetArrayLength().ShouldBe(10);

        // Nothing is claimed while the queue is paused, so that there is something to undo.
        (await site.PostAsync($"{Api}/queues/default/pause", "administrator", """{"reason":"look first"}""")).Json.GetProperty("changed").GetBoolean().ShouldBeTrue();
        var preview = (await site.PostAsync($"{Api}/operations/preview", "operator", JsonSerializer.Serialize(new { action = "retry", q = filter }))).Json;
        preview.GetProperty("count").GetInt64().ShouldBe(30);
        var id = (await site.PostAsync($"{Api}/operations", "operator", $$"""{"token":"{{preview.Text("token")}}","reason":"the box is there now"}""")).Json.Text("id");
        var operation = await TestSite.UntilAsync(() => site.GetAsync($"{Api}/operations/{id}"), answer => answer.Json.TryGetProperty("ended", out _));
        operation.Json.GetProperty("done").GetInt64().ShouldBe(30);
        (operation.Json.Text("by"), operation.Json.Text("reason"), operation.Json.Text("via")).ShouldBe(("operator", "the box is there now", "dashboard"));
        (await CountAsync(site, "ready")).ShouldBe(30);

        var undone = (await site.PostAsync($"{Api}/operations/{id}/undo", "operator")).Json;
        (undone.Text("result"), undone.GetProperty("restored").GetInt64()).ShouldBe(("done", 30));
        (await CountAsync(site, "ready")).ShouldBe(0);
        (await site.PostAsync($"{Api}/operations/{id}/undo", "operator")).Json.Text("result").ShouldBe("before");

        var audit = (await site.GetAsync($"{Api}/audit")).Json.GetProperty("operations").EnumerateArray().Select(one => one.Text("kind")).ToList();
        audit.ShouldBe(["undo", "retry", "pause_queue"]);
    }

    [Fact]
    public async Task A_job_tells_everything_of_itself()
    {
        await using var site = await StartAsync();
        var id = (await FailAsync(site, 1))[0];

        var job = await site.GetAsync($"{Api}/jobs/{id}", "operator");
        job.Json.GetProperty("row").Text("state").ShouldBe("failed");
        job.Json.GetProperty("row").GetProperty("id").ValueKind.ShouldBe(JsonValueKind.String);
        job.Json.Text("data").ShouldContain("ana@example.com");
        job.Json.Text("data").ShouldNotContain("hunter2");
        job.Json.GetProperty("actions").EnumerateArray().Select(action => action.GetString()).ShouldBe(["retry", "delete"]);
        job.Header("ETag").ShouldBe($"\"{job.Json.Text("version")}\"");
        (await site.GetAsync($"{Api}/jobs/{id}")).Json.GetProperty("actions").GetArrayLength().ShouldBe(0);
        (await site.GetAsync($"{Api}/jobs/{id}/attempts")).Json.GetProperty("attempts")[0].Text("error").ShouldContain("no such mail box");
        (await TestSite.UntilAsync(() => site.GetAsync($"{Api}/jobs/{id}/logs"), answer => answer.Json.GetProperty("lines").GetArrayLength() > 0)).Json.GetProperty("lines")[0].Text("message").ShouldBe("Sending to ana@example.com");
        (await site.GetAsync($"{Api}/jobs/{id}/explain")).Json.Text("headline").ShouldNotBeEmpty();
        (await site.GetAsync($"{Api}/types")).Json.GetProperty("types").EnumerateArray().Select(type => type.Text("name")).ShouldContain("send");
        (await site.GetAsync($"{Api}/workers")).Json.GetProperty("workers")[0].GetProperty("isAlive").GetBoolean().ShouldBeTrue();
        (await site.GetAsync($"{Api}/system")).Json.GetProperty("schemaVersion").GetInt32().ShouldBeGreaterThan(0);
        (await site.GetAsync($"{Api}/overview")).Json.GetProperty("workersAlive").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_change_of_what_has_moved_meanwhile_is_refused()
    {
        await using var site = await StartAsync();
        await site.PostAsync($"{Api}/queues/default/pause", "administrator");
        var id = (await site.Jobs.SubmitAsync(new Send("ana@example.com", "hunter2"), new JobOptions { Delay = TimeSpan.FromHours(1) })).Id;
        var version = (await site.GetAsync($"{Api}/jobs/{id}")).Json.Text("version");
        void Seen(HttpRequestMessage request) => request.Headers.TryAddWithoutValidation("If-Match", $"\"{version}\"");

        (await site.PostAsync($"{Api}/jobs/{id}/run-now", "operator", change: Seen)).Json.Text("result").ShouldBe("done");
        var refused = await site.PostAsync($"{Api}/jobs/{id}/cancel", "operator", change: Seen);

        (refused.Status, refused.Code, refused.Json.Text("state")).ShouldBe((412, "job_moved", "ready"));
    }

    [Fact]
    public async Task A_job_is_run_again_with_other_data_and_keeps_what_was_not_shown()
    {
        await using var site = await StartAsync();
        var id = (await FailAsync(site, 1))[0];
        var shown = (await site.GetAsync($"{Api}/jobs/{id}", "submitter")).Json.Text("data");

        var answer = await site.PostAsync($"{Api}/jobs/{id}/rerun", "submitter", JsonSerializer.Serialize(new { data = shown.Replace("ana@", "good-", StringComparison.Ordinal), reason = "a typo" }));
        answer.Status.ShouldBe(200, answer.Text);

        var copy = await site.Jobs.WaitAsync(long.Parse(answer.Json.Text("id"), System.Globalization.CultureInfo.InvariantCulture), TestSite.Deadline);
        copy.State.ShouldBe(JobState.Succeeded);
        copy.Data.ShouldContain("hunter2");
        (await site.GetAsync($"{Api}/jobs/{id}")).Json.GetProperty("children")[0].Text("id").ShouldBe(answer.Json.Text("id"));
        (await site.GetAsync($"{Api}/jobs/{id}/audit")).Json.GetProperty("operations")[0].Text("kind").ShouldBe("rerun");
        (await site.PostAsync($"{Api}/jobs", "submitter", """{"type":"nothing","data":{}}""")).Code.ShouldBe("unknown_type");
    }

    [Fact]
    public async Task A_schedule_is_paused_and_run_by_hand()
    {
        await using var site = await StartAsync();
        await site.Jobs.SubmitAsync(new Send("good@example.com", "hunter2"), new JobOptions { CronSchedule = "0 0 2 * * *", Persistent = true, Tag = "nightly mail" });

        var schedule = (await site.GetAsync($"{Api}/schedules")).Json.GetProperty("schedules").EnumerateArray().Single(one => one.Text("name") == "nightly mail");
        schedule.GetProperty("next").GetArrayLength().ShouldBe(5);
        (await site.PostAsync($"{Api}/schedules/nightly%20mail/pause", "operator", """{"reason":"holidays"}""")).Json.GetProperty("changed").GetBoolean().ShouldBeTrue();
        var run = await site.PostAsync($"{Api}/schedules/nightly%20mail/run", "operator");
        run.Json.Text("outcome").ShouldBe("created");
        (await TestSite.UntilAsync(() => site.GetAsync($"{Api}/schedules/nightly%20mail/runs"), answer => answer.Json.GetProperty("jobs").GetArrayLength() == 1)).Json.GetProperty("jobs")[0].Text("id").ShouldBe(run.Json.Text("id"));
        (await site.GetAsync($"{Api}/schedules")).Json.GetProperty("schedules").EnumerateArray().Single(one => one.Text("name") == "nightly mail").GetProperty("pause").Text("reason").ShouldBe("holidays");
        (await site.PostAsync($"{Api}/schedules/nothing/run", "operator")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Every_route_answers_on_an_empty_database()
    {
        await using var site = await StartAsync();

        foreach (var route in AllRoutes.Table.Where(route => !route.IsChange && route.Path != "events"))
            (await site.GetAsync(Requests.PathOf(route))).Status.ShouldBeOneOf([200, 404], $"{route.Path}");
        foreach (var by in new[] { "", "&by=queue", "&by=type" })
            (await site.GetAsync($"{Api}/stats?stepSeconds=3600{by}")).Status.ShouldBe(200);
    }

    private static async Task<int> CountAsync(TestSite site, string state) => (await site.GetAsync($"{Api}/jobs/counts")).Json.GetProperty("counts").GetProperty(state).GetInt32();

    private static async Task<IReadOnlyList<long>> FailAsync(TestSite site, int count)
    {
        var results = await site.Jobs.SubmitManyAsync(Enumerable.Range(0, count).Select(_ => new Send("ana@example.com", "hunter2")));
        foreach (var result in results)
            (await site.Jobs.WaitAsync(result.Id, TestSite.Deadline)).State.ShouldBe(JobState.Discarded);
        return [.. results.Select(result => result.Id)];
    }

    private static Task<TestSite> StartAsync() => TestSite.StartAsync(new SiteSetup
    {
        Options = options => options.CanSubmit = true,
        Millrace = m => m.AddWorkers().AddJob<Send>(
            (job, _) =>
            {
                job.Log.LogInformation("Sending to {Address}", job.Data.Address);
                return job.Data.Address.StartsWith("good", StringComparison.Ordinal) ? Task.CompletedTask : throw new InvalidOperationException($"There is no such mail box: {job.Data.Address}");
            },
            retry: RetryPolicy.None),
    }.WithUsers());
}

[Job("send")]
public sealed record Send(string Address, string Password);
