namespace Millrace.Storage.Tests;

public sealed class KeyOnSqlite() : KeyContract(new SqliteDatabase());

public sealed class KeyOnPostgres() : KeyContract(new PostgresDatabase());

public sealed class KeyOnPgBouncer() : KeyContract(new PgBouncerDatabase());

/// <summary>Uniqueness: at most one pending job per key (G6).</summary>
public abstract class KeyContract(TestDatabase database) : Contract(database)
{
    [Theory]
    [InlineData("ready")]
    [InlineData("scheduled")]
    [InlineData("waiting")]
    public async Task Keep_keeps_the_pending_job_wherever_it_waits(string place)
    {
        var held = Some.Job(place == "waiting" ? "nobody knows it" : "send", key: Some.Key(), delay: place == "scheduled" ? Some.Minute : default);
        await SubmitAsync(held);
        await NodeAsync("send");
        await Store.TidyAsync(Stop);
        (await PlacesAsync(held.Id)).ShouldBe([place]);

        var second = Some.Job(key: Some.Key());
        (await SubmitAsync(second)).ShouldBe(new SubmitAnswer(held.Id, SubmitState.Kept));
        (await Store.FindAsync(second.Id, Stop)).ShouldBeNull();
        (await PlacesAsync(held.Id)).ShouldBe([place]);
    }

    /// <summary>Between the commit of a completion and the turn that tidies up after it, an operator makes the job run again.</summary>
    [Fact]
    public async Task A_late_settlement_does_not_free_the_key_of_a_job_that_was_retried()
    {
        var node = await NodeAsync();
        var job = Some.Job(key: Some.Key());
        var claim = await RunningAsync(node, job);
        var end = node.End(claim, Outcome.Succeeded);
        await using (var transaction = await BeginAsync())
        {
            (await node.Store.CompleteAsync(node.Id, end, transaction, Stop)).ShouldBeTrue();
            await transaction.CommitAsync(Stop);
        }
        (await Store.RetryAsync(job.Id, Stop)).ShouldBe(RetryResult.Ready);

        await node.TurnAsync(node.Turn() with { Settled = [end], EmptyLeases = [claim.Lease] });

        (await SubmitAsync(Some.Job(key: Some.Key()))).ShouldBe(new SubmitAnswer(job.Id, SubmitState.Kept));
    }

    [Fact]
    public async Task Replace_ends_the_pending_job_and_stores_the_new_one()
    {
        var old = Some.Job(key: Some.Key());
        await SubmitAsync(old);
        var young = Some.Job(key: Some.Key(onConflict: WhenPending.Replace));

        (await SubmitAsync(young)).ShouldBe(new SubmitAnswer(young.Id, SubmitState.Replaced));

        (await StateAsync(old.Id)).ShouldBe(JobState.Cancelled);
        (await StateAsync(young.Id)).ShouldBe(JobState.Ready);
        var end = (await AttemptsAsync(old.Id)).ShouldHaveSingleItem();
        (end.Outcome, end.IsCharged, end.Started, end.Finished, end.Node).ShouldBe((Outcome.Replaced, false, Some.Noon, Some.Noon, null));
    }

    [Fact]
    public async Task Postpone_keeps_the_pending_job_and_moves_its_due_time()
    {
        var held = Some.Job(key: Some.Key(), delay: Some.Minute);
        await SubmitAsync(held);
        Clock.Advance(30 * Some.Second);

        (await SubmitAsync(Some.Job(key: Some.Key(onConflict: WhenPending.Postpone), delay: Some.Minute))).ShouldBe(new SubmitAnswer(held.Id, SubmitState.Postponed));

        (await FindAsync(held.Id)).Due.ShouldBe(Some.Noon + 90 * Some.Second);
        (await PlacesAsync(held.Id)).ShouldBe(["scheduled"]);
    }

    [Fact]
    public async Task Postpone_takes_a_ready_job_out_of_the_line()
    {
        var node = await NodeAsync();
        var held = Some.Job(key: Some.Key());
        await SubmitAsync(held);
        await SubmitAsync(Some.Job(key: Some.Key(onConflict: WhenPending.Postpone), delay: Some.Minute));
        (await PlacesAsync(held.Id)).ShouldBe(["scheduled"]);
        (await node.ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Postpone_to_now_makes_the_job_ready()
    {
        var node = await NodeAsync();
        var held = Some.Job(key: Some.Key(), delay: Some.Minute);
        await SubmitAsync(held);
        await SubmitAsync(Some.Job(key: Some.Key(onConflict: WhenPending.Postpone)));
        await Store.PromoteAsync(10, Stop);
        (await node.ClaimOneAsync()).JobId.ShouldBe(held.Id);
    }

    [Theory]
    [InlineData(WhenPending.Keep)]
    [InlineData(WhenPending.Replace)]
    [InlineData(WhenPending.Postpone)]
    public async Task A_key_whose_job_runs_is_taken_over(WhenPending onConflict)
    {
        var node = await NodeAsync();
        var running = await RunningAsync(node, Some.Job(key: Some.Key()));
        var young = Some.Job(key: Some.Key(onConflict: onConflict));

        (await SubmitAsync(young)).ShouldBe(new SubmitAnswer(young.Id, SubmitState.Created));
        (await node.EndAsync(running, Outcome.Succeeded)).ShouldBe(EndVerdict.Accepted);
        (await StateAsync(running.JobId)).ShouldBe(JobState.Succeeded);
        (await SubmitAsync(Some.Job(key: Some.Key()))).ShouldBe(new SubmitAnswer(young.Id, SubmitState.Kept));
    }

    [Theory]
    [InlineData(Outcome.Succeeded)]
    [InlineData(Outcome.Discarded)]
    [InlineData(Outcome.Cancelled)]
    public async Task A_finished_job_gives_its_key_back(Outcome outcome)
    {
        var node = await NodeAsync();
        await node.EndAsync(await RunningAsync(node, Some.Job(key: Some.Key())), outcome);
        (await CountAsync("unique_key")).ShouldBe(0);
        (await SubmitAsync(Some.Job(key: Some.Key()))).State.ShouldBe(SubmitState.Created);
    }

    [Fact]
    public async Task A_job_between_two_attempts_still_holds_its_key()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        await node.EndAsync(claim, Outcome.Failed, Some.Minute);
        (await SubmitAsync(Some.Job(key: Some.Key()))).ShouldBe(new SubmitAnswer(claim.JobId, SubmitState.Kept));
    }

    [Theory]
    [InlineData(Outcome.Failed)]
    [InlineData(Outcome.Snoozed)]
    [InlineData(Outcome.Released)]
    public async Task A_run_that_would_be_pending_again_without_its_key_is_superseded(Outcome outcome)
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        var young = Some.Job(key: Some.Key(), delay: Some.Minute);
        await SubmitAsync(young);

        (await node.EndAsync(claim, outcome, Some.Second)).ShouldBe(EndVerdict.Superseded);

        var record = await FindAsync(claim.JobId);
        (record.State, record.LastOutcome).ShouldBe((JobState.Cancelled, Outcome.Superseded));
        (await PlacesAsync(claim.JobId)).ShouldBe(["finished"]);
        (await PlacesAsync(young.Id)).ShouldBe(["scheduled"]);
    }

    [Theory]
    [InlineData(WhenPending.Keep)]
    [InlineData(WhenPending.Replace)]
    [InlineData(WhenPending.Postpone)]
    public async Task While_pending_or_running_a_running_job_keeps_others_out(WhenPending onConflict)
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key(until: Unique.WhilePendingOrRunning)));

        (await SubmitAsync(Some.Job(key: Some.Key(onConflict: onConflict, until: Unique.WhilePendingOrRunning)))).ShouldBe(new SubmitAnswer(claim.JobId, SubmitState.Kept));
        (await node.EndAsync(claim, Outcome.Failed, Some.Second)).ShouldBe(EndVerdict.Accepted);
        (await node.ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Within_a_window_a_finished_job_keeps_others_out_until_the_window_is_over()
    {
        var node = await NodeAsync();
        var key = Some.Key(until: Unique.Within(Some.Minute));
        var claim = await RunningAsync(node, Some.Job(key: key));
        await node.EndAsync(claim, Outcome.Succeeded);

        Clock.Advance(59 * Some.Second);
        (await SubmitAsync(Some.Job(key: key))).ShouldBe(new SubmitAnswer(claim.JobId, SubmitState.Kept));
        Clock.Advance(2 * Some.Second);
        (await SubmitAsync(Some.Job(key: key))).State.ShouldBe(SubmitState.Created);
    }

    [Fact]
    public async Task A_window_lasts_longer_while_its_job_is_pending()
    {
        var key = Some.Key(until: Unique.Within(Some.Minute));
        var held = Some.Job(key: key, delay: 5 * Some.Minute);
        await SubmitAsync(held);
        Clock.Advance(2 * Some.Minute);
        (await SubmitAsync(Some.Job(key: key))).ShouldBe(new SubmitAnswer(held.Id, SubmitState.Kept));
    }

    [Fact]
    public async Task A_window_that_is_over_is_swept_away_when_its_job_has_finished()
    {
        var node = await NodeAsync();
        await node.EndAsync(await RunningAsync(node, Some.Job(key: Some.Key(until: Unique.Within(Some.Minute)))), Outcome.Succeeded);
        await Store.TidyAsync(Stop);
        (await CountAsync("unique_key")).ShouldBe(1);
        Clock.Advance(2 * Some.Minute);
        await Store.TidyAsync(Stop);
        (await CountAsync("unique_key")).ShouldBe(0);
    }

    [Fact]
    public async Task A_key_counts_over_all_types_and_queues()
    {
        var held = Some.Job("send", key: Some.Key());
        await SubmitAsync(held);
        (await SubmitAsync(Some.Job("report", queue: "mail", key: Some.Key()))).ShouldBe(new SubmitAnswer(held.Id, SubmitState.Kept));
    }

    [Fact]
    public async Task A_tag_without_a_key_takes_no_part()
    {
        await SubmitAsync(Some.Job(tag: "t"));
        (await SubmitAsync(Some.Job(tag: "t", key: Some.Key("t")))).State.ShouldBe(SubmitState.Created);
        (await SubmitAsync(Some.Job(tag: "t"))).State.ShouldBe(SubmitState.Created);
    }

    [Fact]
    public async Task Jobs_of_one_call_with_one_key_meet_each_other()
    {
        var jobs = Enumerable.Range(0, 3).Select(_ => Some.Job(key: Some.Key())).ToArray();
        var answers = await SubmitAllAsync(jobs);
        answers.Count(answer => answer.State == SubmitState.Created).ShouldBe(1);
        answers.Count(answer => answer.State == SubmitState.Kept).ShouldBe(2);
        answers.Select(answer => answer.Id).Distinct().ShouldHaveSingleItem();
        (await CountAsync("job")).ShouldBe(1);
    }

    [Theory]
    [InlineData(WhenPending.Keep)]
    [InlineData(WhenPending.Replace)]
    public async Task A_repeated_submission_with_a_key_is_its_own_and_meets_nobody(WhenPending onConflict)
    {
        var job = Some.Job(key: Some.Key(onConflict: onConflict));
        await SubmitAsync(job);
        (await SubmitAsync(job)).ShouldBe(new SubmitAnswer(job.Id, SubmitState.Created));
        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
        (await AttemptsAsync(job.Id)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_was_cancelled_gives_its_key_back()
    {
        var job = Some.Job(key: Some.Key());
        await SubmitAsync(job);
        await Store.CancelAsync(job.Id, null, null, Stop);
        (await SubmitAsync(Some.Job(key: Some.Key()))).State.ShouldBe(SubmitState.Created);
    }

    // E15: a submitter that rolls back must not leave the others believing that somebody stored the job.
    [Fact]
    public async Task A_submitter_that_waits_for_another_stores_its_job_when_the_other_rolls_back()
    {
        var transaction = await BeginAsync();
        await SubmitAsync(Some.Job(key: Some.Key()), transaction);
        var mine = Some.Job(key: Some.Key());
        var submitting = RepeatAsync(() => SubmitAsync(mine));
        await SettleAsync(submitting);

        await transaction.RollbackAsync(Stop);

        (await submitting).ShouldBe(new SubmitAnswer(mine.Id, SubmitState.Created));
    }

    [Fact]
    public async Task A_submitter_that_waits_for_another_keeps_its_job_when_the_other_commits()
    {
        var transaction = await BeginAsync();
        var theirs = Some.Job(key: Some.Key());
        await SubmitAsync(theirs, transaction);
        var submitting = RepeatAsync(() => SubmitAsync(Some.Job(key: Some.Key())));
        await SettleAsync(submitting);

        await transaction.CommitAsync(Stop);

        (await submitting).ShouldBe(new SubmitAnswer(theirs.Id, SubmitState.Kept));
    }
}
