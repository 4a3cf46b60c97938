namespace Millrace.Storage.Tests;

public sealed class RetryOnSqlite() : RetryContract(new SqliteDatabase());

public sealed class RetryOnPostgres() : RetryContract(new PostgresDatabase());

public sealed class RetryOnPgBouncer() : RetryContract(new PgBouncerDatabase());

/// <summary>An operator's retry.</summary>
public abstract class RetryContract(TestDatabase database) : Contract(database)
{
    [Theory]
    [InlineData(Outcome.Succeeded)]
    [InlineData(Outcome.Discarded)]
    [InlineData(Outcome.Cancelled)]
    public async Task A_finished_job_runs_again_from_its_first_attempt(Outcome outcome)
    {
        var node = await NodeAsync();
        var first = await RunningAsync(node);
        await node.EndAsync(first, outcome);

        (await Store.RetryAsync(first.JobId, Stop)).ShouldBe(RetryResult.Ready);

        (await StateAsync(first.JobId)).ShouldBe(JobState.Ready);
        var second = await node.ClaimOneAsync();
        (second.JobId, second.Run, second.Attempt).ShouldBe((first.JobId, 2, 1));
        (await AttemptsAsync(first.JobId)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_job_that_waits_for_its_time_runs_now()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(claim, Outcome.Failed, Some.Minute);
        (await Store.RetryAsync(claim.JobId, Stop)).ShouldBe(RetryResult.Ready);
        (await PlacesAsync(claim.JobId)).ShouldBe(["ready"]);
        var next = await node.ClaimOneAsync();
        (next.Run, next.Attempt).ShouldBe((2, 1));
    }

    [Fact]
    public async Task A_job_in_quarantine_is_let_out()
    {
        var (dead, node) = (await NodeAsync(), await NodeAsync());
        var claim = await RunningAsync(dead);
        await dead.DieAsync();
        node = await NodeAsync();
        await node.SweepAsync(Some.Quarantine);
        (await FindAsync(claim.JobId)).WaitsFor.ShouldBe("quarantine");

        (await Store.RetryAsync(claim.JobId, Stop)).ShouldBe(RetryResult.Ready);
        (await PlacesAsync(claim.JobId)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task A_ready_job_stays_ready()
    {
        var job = Some.Job();
        await SubmitAsync(job);
        (await Store.RetryAsync(job.Id, Stop)).ShouldBe(RetryResult.Ready);
        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task A_running_job_is_left_alone()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        (await Store.RetryAsync(claim.JobId, Stop)).ShouldBe(RetryResult.Running);
        (await PlacesAsync(claim.JobId)).ShouldBe(["lease"]);
    }

    [Fact]
    public async Task An_unknown_job_is_unknown() => (await Store.RetryAsync(4711, Stop)).ShouldBe(RetryResult.Unknown);

    [Fact]
    public async Task A_job_whose_key_a_newer_job_holds_stays_finished()
    {
        var node = await NodeAsync();
        var old = await RunningAsync(node, Some.Job(key: Some.Key()));
        await node.EndAsync(old, Outcome.Discarded);
        await SubmitAsync(Some.Job(key: Some.Key(), delay: Some.Minute));
        (await Store.RetryAsync(old.JobId, Stop)).ShouldBe(RetryResult.KeyIsTaken);
        (await PlacesAsync(old.JobId)).ShouldBe(["finished"]);
    }

    [Fact]
    public async Task A_retried_job_holds_its_key_again()
    {
        var node = await NodeAsync();
        var old = await RunningAsync(node, Some.Job(key: Some.Key()));
        await node.EndAsync(old, Outcome.Discarded);
        await Store.RetryAsync(old.JobId, Stop);
        (await SubmitAsync(Some.Job(key: Some.Key()))).ShouldBe(new SubmitAnswer(old.JobId, SubmitState.Kept));
    }

    [Fact]
    public async Task A_retried_job_is_not_pruned_for_its_old_end()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(claim, Outcome.Succeeded);
        await Store.RetryAsync(claim.JobId, Stop);
        Clock.Advance(10 * Some.Minute);

        (await Store.PruneAsync(100, Stop)).ShouldBe(0);
        node = await NodeAsync();
        var again = await node.ClaimOneAsync();
        (await Store.PruneAsync(100, Stop)).ShouldBe(0);
        await node.EndAsync(again, Outcome.Failed, Some.Minute);
        (await Store.PruneAsync(100, Stop)).ShouldBe(0);
        (await PlacesAsync(claim.JobId)).ShouldBe(["scheduled"]);
    }

    [Fact]
    public async Task A_retried_job_that_was_cancelled_once_can_fail_and_run_again()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await Store.CancelAsync(claim.JobId, null, null, Stop);
        await node.EndAsync(claim, Outcome.Cancelled);
        await Store.RetryAsync(claim.JobId, Stop);
        (await node.EndAsync(await node.ClaimOneAsync(), Outcome.Failed)).ShouldBe(EndVerdict.Accepted);
        (await StateAsync(claim.JobId)).ShouldBe(JobState.Ready);
    }
}
