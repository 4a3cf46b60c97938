using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Routes;
using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Tests.Site;
using Millrace.Storage;
using Route = Millrace.Dashboard.Answering.Route;

namespace Millrace.Dashboard.Tests.Answering;

/// <summary>A change that is sent again with its key is made once.</summary>
public sealed class FirstAnswersTests
{
    private const string Retry = "/jobs/api/v1/jobs/5/retry";

    [Fact]
    public async Task The_same_change_with_the_same_key_is_made_once_and_answered_alike()
    {
        foreach (var route in AllRoutes.Table.Where(route => route is { IsChange: true, HasEffect: true } && route.Path != "operations"))
        {
            var operations = new FakeOperations();
            await using var site = await StartAsync(operations);

            var first = await PostAsync(site, Requests.PathOf(route), Requests.BodyOf(route), "k1");
            var again = await PostAsync(site, Requests.PathOf(route), Requests.BodyOf(route), "k1");
            var done = operations.Asked.Count;
            await PostAsync(site, Requests.PathOf(route), Requests.BodyOf(route), "k2");

            (again.Status, again.Text).ShouldBe((first.Status, first.Text), route.Path);
            if (first.Status != 200)
                continue;
            // Small enough that thousands may be kept.
            first.Text.Length.ShouldBeLessThan(1_000, route.Path);
            operations.Asked.Count.ShouldBe(2 * done, route.Path);
        }
    }

    [Fact]
    public async Task Without_a_key_each_request_is_one_of_its_own()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(operations);

        await site.PostAsync(Retry, "all");
        await site.PostAsync(Retry, "all");

        operations.Asked.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Its_key_with_another_request_is_refused()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(operations);
        await PostAsync(site, Retry, """{"reason":"a"}""", "k");

        Answer[] others =
        [
            await PostAsync(site, Retry, """{"reason":"b"}""", "k"),
            await PostAsync(site, "/jobs/api/v1/jobs/6/retry", """{"reason":"a"}""", "k"),
            await PostAsync(site, "/jobs/api/v1/jobs/5/cancel", """{"reason":"a"}""", "k"),
            await PostAsync(site, Retry + "?x=1", """{"reason":"a"}""", "k"),
            await PostAsync(site, Retry, """{"reason":"a"}""", "k", request => request.Headers.TryAddWithoutValidation("If-Match", "\"failed.2.0\"")),
        ];

        foreach (var other in others)
            (other.Status, other.Code).ShouldBe((422, "idempotency_key_reused"));
        operations.Asked.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_key_of_somebody_else_is_another_key()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(operations);

        (await PostAsync(site, Retry, "{}", "k", user: "all")).Status.ShouldBe(200);
        (await PostAsync(site, Retry, """{"reason":"b"}""", "k", user: "operator")).Status.ShouldBe(200);
        (await PostAsync(site, Retry, "{}", "k", user: "viewer")).Code.ShouldBe("forbidden");
        (await PostAsync(site, Retry, "{}", "k", user: null)).Code.ShouldBe("not_signed_in");

        operations.Asked.Select(asked => asked.Author.Name).ShouldBe(["all", "operator"]);
    }

    [Fact]
    public async Task While_the_first_has_no_answer_yet_the_second_is_told_so()
    {
        var door = new TaskCompletionSource();
        var operations = new FakeOperations { Door = door.Task };
        await using var site = await StartAsync(operations);
        var first = PostAsync(site, Retry, "{}", "k");
        await TestSite.UntilAsync(() => Task.FromResult(operations.Asked.Count), count => count == 1);

        var busy = await PostAsync(site, Retry, "{}", "k");
        var other = await PostAsync(site, Retry, """{"reason":"b"}""", "k");
        door.SetResult();

        (busy.Status, busy.Code).ShouldBe((409, "idempotency_key_busy"));
        other.Code.ShouldBe("idempotency_key_reused");
        (await PostAsync(site, Retry, "{}", "k")).Text.ShouldBe((await first).Text);
        operations.Asked.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_change_whose_asker_has_gone_away_is_answered_when_he_asks_again()
    {
        var door = new TaskCompletionSource();
        var operations = new FakeOperations { Door = door.Task };
        await using var site = await StartAsync(operations);
        using var gone = new CancellationTokenSource();
        using var request = Request(site, "k");
        var first = site.Http.SendAsync(request, gone.Token);
        await TestSite.UntilAsync(() => Task.FromResult(operations.Asked.Count), count => count == 1);

        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);
        door.SetResult();

        var answer = await TestSite.UntilAsync(() => PostAsync(site, Retry, "{}", "k"), answer => answer.Code != "idempotency_key_busy");
        answer.Status.ShouldBe(200);
        operations.Asked.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_was_refused_frees_its_key()
    {
        var operations = new FakeOperations { Result = ChangeResult.Moved };
        await using var site = await StartAsync(operations);
        (await PostAsync(site, Retry, "{}", "k")).Code.ShouldBe("job_moved");
        (await PostAsync(site, Retry, "{", "k")).Code.ShouldBe("bad_json");
        operations.Fault = new StoreException(StoreFault.Unavailable, "It is away.");
        (await PostAsync(site, Retry, "{}", "k")).Code.ShouldBe("database_away");

        (operations.Result, operations.Fault) = (ChangeResult.Done, null);

        (await PostAsync(site, Retry, "{}", "k")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_may_have_been_done_is_not_tried_again()
    {
        var operations = new FakeOperations { Fault = new StoreException(StoreFault.Unknown, "The answer was lost.") };
        await using var site = await StartAsync(operations);

        (await PostAsync(site, Retry, "{}", "k")).Code.ShouldBe("database_unknown");
        operations.Fault = null;

        (await PostAsync(site, Retry, "{}", "k")).Code.ShouldBe("database_unknown");
        operations.Asked.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a b")]
    [InlineData("a\tb")]
    [InlineData("<script>hit()</script>\u00E9")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    [InlineData("two", "keys")]
    public void A_key_that_is_out_of_bounds_is_refused_with_its_bounds(params string[] keys)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers[FirstAnswers.Header] = keys;

        var problem = Should.Throw<Problem>(() => FirstAnswers.KeyOf(context.Request));

        (problem.Status, problem.Code, problem.Field, problem.Limit).ShouldBe((400, "out_of_bounds", "Idempotency-Key", "1 to 64 visible ASCII characters"));
    }

    [Fact]
    public async Task Every_change_looks_at_its_key()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(operations);

        foreach (var route in AllRoutes.Table.Where(route => route.IsChange))
        {
            var answer = await PostAsync(site, Requests.PathOf(route), Requests.BodyOf(route), new string('k', 65));
            (answer.Status, answer.Code, answer.Json.Text("field")).ShouldBe((400, "out_of_bounds", "Idempotency-Key"), route.Path);
        }

        operations.Asked.ShouldBeEmpty();
        (await PostAsync(site, Retry, "{}", "!\"#~" + new string('k', 60))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_answer_is_kept_for_ten_minutes()
    {
        var time = new FakeTimeProvider();
        var (answers, runs) = (new FirstAnswers(time), 0);
        Task<Reply> AskAsync() => answers.GetAsync(Changes, CallOf("k", "{}"), (_, _) => Task.FromResult(Say($"{++runs}")));

        await AskAsync();
        time.Advance(FirstAnswers.Life - TimeSpan.FromSeconds(1));
        (await AskAsync()).Body.ShouldBe("1"u8.ToArray());
        time.Advance(TimeSpan.FromSeconds(1));
        (await AskAsync()).Body.ShouldBe("2"u8.ToArray());
    }

    [Fact]
    public async Task The_oldest_answers_make_room_and_what_is_being_worked_on_does_not()
    {
        var time = new FakeTimeProvider();
        var (answers, runs, door) = (new FirstAnswers(time), 0, new TaskCompletionSource<Reply>());
        Task<Reply> AskAsync(string key) => answers.GetAsync(Changes, CallOf(key, "{}"), (_, _) => Task.FromResult(Say($"{++runs}")));
        var working = answers.GetAsync(Changes, CallOf("working", "{}"), (_, _) => door.Task);

        for (var i = 0; i < FirstAnswers.Most; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            await AskAsync($"k{i}");
        }

        runs.ShouldBe(FirstAnswers.Most);
        await AskAsync("k1");
        runs.ShouldBe(FirstAnswers.Most);
        await AskAsync("k0");
        runs.ShouldBe(FirstAnswers.Most + 1);
        (await Should.ThrowAsync<Problem>(() => AskAsync("working"))).Code.ShouldBe("idempotency_key_busy");
        door.SetResult(Say("late"));
        (await AskAsync("working")).ShouldBe(await working);
    }

    [Fact]
    public async Task The_body_is_read_again_by_who_makes_the_change()
    {
        var call = CallOf("k", """{"reason":"why"}""");

        var reply = await new FirstAnswers(new FakeTimeProvider()).GetAsync(Changes, call, async (_, inner) => Say((await inner.ReadBodyAsync<ReasonRequest>()).Reason ?? ""));

        reply.Body.ShouldBe("why"u8.ToArray());
    }

    private static Route Changes { get; } = AllRoutes.Table.First(route => route is { IsChange: true, HasEffect: true });

    private static Reply Say(string text) => new(Encoding.UTF8.GetBytes(text));

    private static Call CallOf(string key, string body)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = "POST";
        context.Request.ContentType = "application/json";
        context.Request.Headers[FirstAnswers.Header] = key;
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        return new Call(null!, context, new Visitor("ana", Permission.All), CancellationToken.None);
    }

    private static HttpRequestMessage Request(TestSite site, string key)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(site.Address, Retry)) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Add(TestUsers.Header, "all");
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        request.Headers.Add(FirstAnswers.Header, key);
        return request;
    }

    private static Task<Answer> PostAsync(TestSite site, string path, string body, string key, Action<HttpRequestMessage>? change = null, string? user = "all") =>
        site.SendAsync(HttpMethod.Post, path, user, body, request =>
        {
            request.Headers.TryAddWithoutValidation(FirstAnswers.Header, key);
            change?.Invoke(request);
        });

    private static Task<TestSite> StartAsync(FakeOperations operations) => TestSite.StartAsync(new SiteSetup
    {
        Inspection = new FakeInspection(),
        Operations = operations,
        Options = options => options.CanSubmit = true,
    }.WithUsers(everything: "all"));
}
