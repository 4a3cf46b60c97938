using System.Data;
using System.Globalization;

namespace Millrace.Storage.Tests;

public sealed class SubmitOnSqlite() : SubmitContract(new SqliteDatabase());

public sealed class SubmitOnPostgres() : SubmitContract(new PostgresDatabase());

public sealed class SubmitOnPgBouncer() : SubmitContract(new PgBouncerDatabase());

public abstract class SubmitContract(TestDatabase database) : Contract(database)
{
    [Fact]
    public async Task A_submitted_job_can_be_claimed_with_everything_it_was_given()
    {
        var node = await NodeAsync();
        var parent = Some.Job();
        var job = Some.Job(tag: "welcome-42", queue: "mail", priority: -3, data: """{"email":"a@b.c"}""") with
        {
            UserId = 42, Policy = """{"maxAttempts":5}""", Headers = """{"tenant":"x"}""", Trace = "00-ab-cd-01", Parent = parent.Id, Schedule = "nightly",
        };

        (await SubmitAsync(job)).ShouldBe(new SubmitAnswer(job.Id, SubmitState.Created));
        var claim = await node.ClaimOneAsync("mail");

        claim.ShouldBe(new Claim
        {
            Lease = claim.Lease, JobId = job.Id, Run = 1, Attempt = 1, Crashes = 0, Type = "send", Tag = "welcome-42", UserId = 42, Queue = "mail",
            Priority = -3, Data = job.Data, Due = Some.Noon, Created = Some.Noon, Ready = Some.Noon, Claimed = Some.Noon, Policy = job.Policy,
            Headers = job.Headers, Trace = job.Trace, Parent = parent.Id, Schedule = "nightly", Key = null,
        });
    }

    [Fact]
    public async Task A_submitted_job_can_be_found_with_everything_it_was_given()
    {
        var job = Some.Job(tag: "welcome-42", queue: "mail", priority: 7, data: "[1]") with { UserId = 42, Headers = """{"a":"b"}""", Parent = 3, Schedule = "nightly" };
        await SubmitAsync(job);

        (await FindAsync(job.Id)).ShouldBe(new JobRecord
        {
            Id = job.Id, Type = "send", Tag = "welcome-42", UserId = 42, Queue = "mail", Priority = 7, Data = "[1]", Due = Some.Noon, Created = Some.Noon,
            State = JobState.Ready, Attempt = 1, Headers = job.Headers, Parent = 3, Schedule = "nightly",
        });
    }

    [Fact]
    public async Task A_job_with_a_delay_waits_for_its_time()
    {
        var job = Some.Job(delay: Some.Minute);
        await SubmitAsync(job);

        var record = await FindAsync(job.Id);
        record.State.ShouldBe(JobState.Scheduled);
        record.Due.ShouldBe(Some.Noon + Some.Minute);
        (await PlacesAsync(job.Id)).ShouldBe(["scheduled"]);
    }

    [Fact]
    public async Task A_due_time_goes_before_a_delay()
    {
        var job = Some.Job(due: Some.Noon + 2 * Some.Minute, delay: Some.Minute);
        await SubmitAsync(job);
        (await FindAsync(job.Id)).Due.ShouldBe(Some.Noon + 2 * Some.Minute);
    }

    [Fact]
    public async Task A_due_time_that_has_passed_is_now()
    {
        var job = Some.Job(due: Some.Noon - Some.Minute);
        await SubmitAsync(job);
        (await StateAsync(job.Id)).ShouldBe(JobState.Ready);
    }

    // D19: the answer to a commit was lost, and the submission is repeated.
    [Fact]
    public async Task The_same_submission_twice_stores_one_job()
    {
        var job = Some.Job();
        (await SubmitAsync(job)).State.ShouldBe(SubmitState.Created);
        (await SubmitAsync(job)).State.ShouldBe(SubmitState.Created);
        (await CountAsync("job")).ShouldBe(1);
        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task A_repeated_submission_of_a_finished_job_does_not_run_it_again()
    {
        var node = await NodeAsync();
        var job = Some.Job();
        await node.EndAsync(await RunningAsync(node, job), Outcome.Succeeded);

        (await SubmitAsync(job)).ShouldBe(new SubmitAnswer(job.Id, SubmitState.Created));
        (await PlacesAsync(job.Id)).ShouldBe(["finished"]);
        (await node.ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_id_that_belongs_to_another_job_is_told_and_nothing_is_changed()
    {
        var first = Some.Job(data: "1");
        var second = Some.Job(data: "2", id: first.Id);
        await SubmitAsync(first);

        (await SubmitAsync(second)).State.ShouldBe(SubmitState.IdTaken);
        (await FindAsync(first.Id)).Data.ShouldBe("1");
        (await CountAsync("ready")).ShouldBe(1);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    [InlineData(5_000)]
    public async Task Many_jobs_are_stored_in_one_call(int count)
    {
        var jobs = Some.Jobs(count);
        var answers = await SubmitAllAsync(jobs);
        answers.ShouldBe(jobs.Select(job => new SubmitAnswer(job.Id, SubmitState.Created)));
        (await CountAsync("job")).ShouldBe(count);
        (await CountAsync("ready")).ShouldBe(count);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5_000)]
    public async Task Many_jobs_can_be_submitted_again_when_the_answer_was_lost(int count)
    {
        var jobs = Some.Jobs(count);
        await SubmitAllAsync(jobs);
        (await SubmitAllAsync(jobs)).ShouldAllBe(answer => answer.State == SubmitState.Created);
        (await CountAsync("job")).ShouldBe(count);
        (await CountAsync("ready")).ShouldBe(count);
    }

    // E15: one bad row must not fail its batch, nor be lost in it.
    [Theory]
    [InlineData(3)]
    [InlineData(5_000)]
    public async Task A_taken_id_among_many_is_told_for_that_job_alone(int count)
    {
        var jobs = Some.Jobs(count);
        await SubmitAsync(Some.Job(type: "other", id: jobs[1].Id));

        var answers = await SubmitAllAsync(jobs);

        answers[1].State.ShouldBe(SubmitState.IdTaken);
        answers.Where((_, i) => i != 1).ShouldAllBe(answer => answer.State == SubmitState.Created);
        (await CountAsync("job")).ShouldBe(count);
        (await FindAsync(jobs[1].Id)).Type.ShouldBe("other");
    }

    [Fact]
    public async Task Jobs_of_several_kinds_in_one_call_keep_the_order_of_their_answers()
    {
        var held = Some.Job(key: Some.Key("b"));
        await SubmitAsync(held);
        NewJob[] jobs = [Some.Job(), Some.Job(key: Some.Key("b")), Some.Job(delay: Some.Minute), Some.Job(key: Some.Key("a")), Some.Job(queue: "mail")];

        (await SubmitAllAsync(jobs)).ShouldBe([
            new(jobs[0].Id, SubmitState.Created), new(held.Id, SubmitState.Kept), new(jobs[2].Id, SubmitState.Created),
            new(jobs[3].Id, SubmitState.Created), new(jobs[4].Id, SubmitState.Created),
        ]);
    }

    [Theory]
    [InlineData(IsolationLevel.ReadCommitted)]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task In_the_callers_transaction_a_job_is_there_if_and_only_if_it_commits(IsolationLevel level)
    {
        var rolledBack = Some.Job();
        await using (var transaction = await BeginAsync(level))
        {
            await SubmitAsync(rolledBack, transaction);
            await transaction.RollbackAsync(Stop);
        }
        var committed = Some.Job(key: Some.Key());
        await using (var transaction = await BeginAsync(level))
        {
            (await SubmitAsync(committed, transaction)).State.ShouldBe(SubmitState.Created);
            (await Store.FindAsync(committed.Id, Stop)).ShouldBeNull("nobody else may see it before the commit");
            await transaction.CommitAsync(Stop);
        }

        (await Store.FindAsync(rolledBack.Id, Stop)).ShouldBeNull();
        (await StateAsync(committed.Id)).ShouldBe(JobState.Ready);
    }

    [Fact]
    public async Task In_the_callers_transaction_a_bulk_is_all_or_nothing()
    {
        await using (var transaction = await BeginAsync())
        {
            await Store.SubmitAsync(Some.Jobs(2_000), transaction, Stop);
            await transaction.RollbackAsync(Stop);
        }
        (await CountAsync("job")).ShouldBe(0);
        (await CountAsync("ready")).ShouldBe(0);
    }

    // D13: 32-bit ids, somewhere.
    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(int.MaxValue + 1L)]
    [InlineData(long.MaxValue)]
    public async Task Ids_are_64_bits_wide_from_end_to_end(long id)
    {
        var node = await NodeAsync();
        var job = Some.Job(id: id, nonce: long.MinValue) with { UserId = long.MaxValue, Parent = id };

        var claim = await RunningAsync(node, job);
        claim.JobId.ShouldBe(id);
        claim.Parent.ShouldBe(id);
        await Store.CancelAsync(id, null, null, Stop);
        (await Store.ReadCancelRequestsAsync([id], Stop)).ShouldHaveSingleItem().JobId.ShouldBe(id);
        await Store.SaveLogAsync([Some.Line(claim, 1)], Stop);
        (await node.EndAsync(claim, Outcome.Succeeded)).ShouldBe(EndVerdict.Accepted);

        (await FindAsync(id)).UserId.ShouldBe(long.MaxValue);
        (await Store.ReadLogAsync(id, Stop)).ShouldHaveSingleItem().JobId.ShouldBe(id);
        (await AttemptsAsync(id)).ShouldHaveSingleItem().JobId.ShouldBe(id);
    }

    [Fact]
    public async Task Blocks_of_ids_never_overlap_however_many_processes_take_them()
    {
        var stores = Enumerable.Range(0, 4).Select(_ => OpenStore()).ToArray();
        var blocks = await Task.WhenAll(stores.SelectMany(store => Enumerable.Range(1, 10).Select(i => store.TakeIdsAsync(i * 7, null, Stop))));

        blocks.ShouldAllBe(block => block.First > 0);
        var ids = blocks.SelectMany(block => Enumerable.Range(0, block.Count).Select(i => block.First + i)).ToArray();
        ids.Length.ShouldBe(4 * 55 * 7);
        ids.Distinct().Count().ShouldBe(ids.Length);
    }

    // E1-E3: what one store takes and the other cuts off or rejects. Both take what the validator lets through, and give it back as it was.
    [Theory]
    [MemberData(nameof(HostileTexts))]
    public async Task Hostile_texts_come_back_as_they_were(string name)
    {
        var text = Hostile[name];
        var json = System.Text.Json.JsonSerializer.Serialize(text);
        var node = await NodeAsync("type " + text);
        var job = Some.Job("type " + text, tag: text, queue: "q" + text, data: json) with { Headers = $$"""{"h":{{json}}}""", Policy = json, Trace = text, Schedule = text };

        await SubmitAsync(job);
        var claim = await node.ClaimOneAsync("q" + text);
        await node.EndAsync(node.End(claim, Outcome.Discarded) with { Error = text, Log = [Some.Line(claim, 1, text) with { Properties = json, Exception = text, Category = text }] });

        (claim.Type, claim.Tag, claim.Queue, claim.Data, claim.Headers, claim.Policy, claim.Trace, claim.Schedule)
            .ShouldBe((job.Type, job.Tag, job.Queue, job.Data, job.Headers, job.Policy, job.Trace, job.Schedule));
        (await FindAsync(job.Id)).Data.ShouldBe(json);
        (await AttemptsAsync(job.Id)).ShouldHaveSingleItem().Error.ShouldBe(text);
        var line = (await Store.ReadLogAsync(job.Id, Stop)).ShouldHaveSingleItem();
        (line.Message, line.Properties, line.Exception, line.Category).ShouldBe((text, json, text, text));
    }

    private static readonly Dictionary<string, string> Hostile = new()
    {
        ["sql"] = "'); drop table job; --",
        ["quotes and backslashes"] = "\"'\\`$$ %s {0} @id :id ?1",
        ["copy's own marks"] = "a\tb\\N\n\\.\r\n",
        ["beyond the first plane"] = "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧‍👦",
        ["combining marks and direction"] = "e\u0301 \u202Eright to left\u202C \uFEFF\u200B",
        ["control characters"] = "\u0001\u001B[31mred\u0007\u007F\u0085\u2028",
        ["html"] = "<script>alert(1)</script>&amp;",
        ["blanks"] = "  leading and trailing \t ",
    };

    public static TheoryData<string> HostileTexts() => [.. Hostile.Keys];

    [Theory]
    [InlineData("""{"a":1e131071}""")]
    [InlineData("""{"b":1,"a":2,"b":3}""")]
    [InlineData("  [ 1.0 , 1.00, -0 ]  ")]
    [InlineData("\"\\ud83d\\ude00\\u2028\"")]
    [InlineData("12345678901234567890.123456789012345678901234567890")]
    public async Task Data_is_kept_as_text_and_never_rewritten(string data)
    {
        var job = Some.Job(data: data);
        await SubmitAsync(job);
        (await FindAsync(job.Id)).Data.ShouldBe(data);
    }

    [Fact]
    public async Task A_job_of_one_megabyte_comes_back_whole()
    {
        var job = Some.Job(data: $"\"{new string('ä', 500_000)}\"");
        var node = await NodeAsync();
        (await RunningAsync(node, job)).Data.ShouldBe(job.Data);
    }

    [Fact]
    public async Task Times_are_kept_to_the_microsecond()
    {
        var due = DateTimeOffset.Parse("2026-01-05T12:34:56.789012Z", CultureInfo.InvariantCulture);
        var job = Some.Job(due: due);
        await SubmitAsync(job);
        (await FindAsync(job.Id)).Due.ShouldBe(due);
    }

    [Fact]
    public async Task A_ring_never_fails_and_needs_nobody_to_hear_it() => await Store.RingAsync(["default", "mail"], Stop);
}
