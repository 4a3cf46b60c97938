namespace Millrace.Storage.Tests;

public sealed class CancelOnSqlite() : CancelContract(new SqliteDatabase());

public sealed class CancelOnPostgres() : CancelContract(new PostgresDatabase());

public sealed class CancelOnPgBouncer() : CancelContract(new PgBouncerDatabase());

public abstract class CancelContract(TestDatabase database) : Contract(database)
{
    [Theory]
    [InlineData("ready")]
    [InlineData("scheduled")]
    [InlineData("waiting")]
    public async Task A_pending_job_is_cancelled_wherever_it_waits(string place)
    {
        var node = await NodeAsync("send");
        var job = Some.Job(place == "waiting" ? "nobody knows it" : "send", delay: place == "scheduled" ? Some.Minute : default);
        await SubmitAsync(job);
        await Store.TidyAsync(Stop);
        (await PlacesAsync(job.Id)).ShouldBe([place]);

        (await Store.CancelAsync(job.Id, "ann", "Changed her mind.", Stop)).ShouldBe(CancelResult.Cancelled);

        var record = await FindAsync(job.Id);
        (record.State, record.LastOutcome).ShouldBe((JobState.Cancelled, Outcome.Cancelled));
        (await PlacesAsync(job.Id)).ShouldBe(["finished"]);
        (await node.ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_attempt_of_a_job_that_never_ran_begins_and_ends_with_the_cancel_and_is_not_charged()
    {
        var job = Some.Job();
        await SubmitAsync(job);
        Clock.Advance(Some.Second);
        await Store.CancelAsync(job.Id, "ann", "Changed her mind.", Stop);

        var attempt = (await AttemptsAsync(job.Id)).ShouldHaveSingleItem();
        (attempt.Run, attempt.IsCharged, attempt.Outcome, attempt.Started, attempt.Finished, attempt.Node)
            .ShouldBe((1, false, Outcome.Cancelled, Some.Noon + Some.Second, Some.Noon + Some.Second, null));
        attempt.Error.ShouldNotBeNull().ShouldContain("Changed her mind.");
    }

    [Fact]
    public async Task A_running_job_is_asked_to_stop()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        (await Store.CancelAsync(claim.JobId, "ann", "Too slow.", Stop)).ShouldBe(CancelResult.Asked);
        (await StateAsync(claim.JobId)).ShouldBe(JobState.Running);
        (await Store.ReadCancelRequestsAsync([claim.JobId], Stop)).ShouldBe([new CancelRequest(claim.JobId, "ann", "Too slow.")]);
        (await Store.LookOutAsync(Stop)).HasCancelRequests.ShouldBeTrue();
    }

    [Fact]
    public async Task Asking_twice_is_asking_once()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await Store.CancelAsync(claim.JobId, "ann", null, Stop);
        (await Store.CancelAsync(claim.JobId, "bob", null, Stop)).ShouldBe(CancelResult.Asked);
        (await Store.ReadCancelRequestsAsync([claim.JobId], Stop)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Only_the_requests_of_the_named_jobs_are_read()
    {
        var node = await NodeAsync();
        var (one, other) = (await RunningAsync(node), await RunningAsync(node));
        await Store.CancelAsync(one.JobId, null, null, Stop);
        await Store.CancelAsync(other.JobId, null, null, Stop);
        (await Store.ReadCancelRequestsAsync([other.JobId, 42], Stop)).ShouldHaveSingleItem().JobId.ShouldBe(other.JobId);
        (await Store.ReadCancelRequestsAsync([], Stop)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(Outcome.Succeeded, EndVerdict.Accepted, JobState.Succeeded)]
    [InlineData(Outcome.Discarded, EndVerdict.Accepted, JobState.Discarded)]
    [InlineData(Outcome.Cancelled, EndVerdict.Accepted, JobState.Cancelled)]
    // Would have been pending again: the request decides.
    [InlineData(Outcome.Failed, EndVerdict.Cancelled, JobState.Cancelled)]
    [InlineData(Outcome.Snoozed, EndVerdict.Cancelled, JobState.Cancelled)]
    [InlineData(Outcome.Released, EndVerdict.Cancelled, JobState.Cancelled)]
    public async Task A_job_that_was_asked_to_stop_does_not_run_again(Outcome outcome, EndVerdict verdict, JobState state)
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        await Store.CancelAsync(claim.JobId, null, null, Stop);

        (await node.EndAsync(claim, outcome, Some.Second)).ShouldBe(verdict);

        (await StateAsync(claim.JobId)).ShouldBe(state);
        (await PlacesAsync(claim.JobId)).ShouldBe(["finished"]);
        (await CountAsync("cancel_request")).ShouldBe(0);
        (await CountAsync("unique_key")).ShouldBe(0);
    }

    [Fact]
    public async Task A_finished_job_is_left_alone()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(claim, Outcome.Succeeded);
        (await Store.CancelAsync(claim.JobId, null, null, Stop)).ShouldBe(CancelResult.Finished);
        (await AttemptsAsync(claim.JobId)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_job_whose_end_its_lease_does_not_know_yet_is_finished_all_the_same()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(2));
        var claims = await node.ClaimAsync(2);
        await node.EndAsync(claims[0], Outcome.Succeeded);
        (await Store.CancelAsync(claims[0].JobId, null, null, Stop)).ShouldBe(CancelResult.Finished);
        (await CountAsync("cancel_request")).ShouldBe(0);
    }

    [Fact]
    public async Task An_unknown_job_is_unknown() => (await Store.CancelAsync(4711, null, null, Stop)).ShouldBe(CancelResult.Unknown);

    [Fact]
    public async Task A_job_that_waits_for_a_retry_is_cancelled_with_its_attempts_kept()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(claim, Outcome.Failed, Some.Minute);
        (await Store.CancelAsync(claim.JobId, null, null, Stop)).ShouldBe(CancelResult.Cancelled);
        (await AttemptsAsync(claim.JobId)).Select(a => (a.Run, a.Outcome)).ShouldBe([(1, Outcome.Failed), (2, Outcome.Cancelled)]);
    }
}
