using System.Data;

namespace Millrace.Storage.Tests;

public sealed class CompleteOnSqlite() : CompleteContract(new SqliteDatabase());

public sealed class CompleteOnPostgres() : CompleteContract(new PostgresDatabase());

public sealed class CompleteOnPgBouncer() : CompleteContract(new PgBouncerDatabase());

/// <summary>Completion inside the user's own transaction (G3).</summary>
public abstract class CompleteContract(TestDatabase database) : Contract(database)
{
    [Theory]
    [InlineData(IsolationLevel.ReadCommitted)]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task A_run_is_complete_when_the_users_transaction_commits(IsolationLevel level)
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await using var transaction = await BeginAsync(level);

        (await node.Store.CompleteAsync(node.Id, node.End(claim, Outcome.Succeeded) with { Result = "42" }, transaction, Stop)).ShouldBeTrue();
        (await StateAsync(claim.JobId)).ShouldBe(JobState.Running);
        await transaction.CommitAsync(Stop);

        var record = await FindAsync(claim.JobId);
        (record.State, record.Result).ShouldBe((JobState.Succeeded, "42"));
        (await PlacesAsync(claim.JobId)).ShouldBe(["finished"]);
        (await AttemptsAsync(claim.JobId)).ShouldHaveSingleItem().Node.ShouldBe(node.Id);
    }

    [Fact]
    public async Task A_rollback_undoes_the_completion_with_everything_else()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await using (var transaction = await BeginAsync())
        {
            await node.Store.CompleteAsync(node.Id, node.End(claim, Outcome.Succeeded), transaction, Stop);
            await transaction.RollbackAsync(Stop);
        }
        (await StateAsync(claim.JobId)).ShouldBe(JobState.Running);
        (await node.EndAsync(claim, Outcome.Failed)).ShouldBe(EndVerdict.Accepted);
    }

    [Fact]
    public async Task A_second_completion_of_one_run_is_stale()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(claim, Outcome.Failed);
        await using var transaction = await BeginAsync();
        (await node.Store.CompleteAsync(node.Id, node.End(claim, Outcome.Succeeded), transaction, Stop)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_run_whose_lease_was_taken_away_cannot_complete()
    {
        var zombie = await NodeAsync();
        var claim = await RunningAsync(zombie);
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync();
        await using var transaction = await BeginAsync();
        (await zombie.Store.CompleteAsync(zombie.Id, zombie.End(claim, Outcome.Succeeded), transaction, Stop)).ShouldBeFalse();
    }

    [Fact]
    public async Task Another_node_cannot_complete_the_run()
    {
        var (owner, other) = (await NodeAsync(), await NodeAsync());
        var claim = await RunningAsync(owner);
        await using var transaction = await BeginAsync();
        (await other.Store.CompleteAsync(other.Id, other.End(claim, Outcome.Succeeded), transaction, Stop)).ShouldBeFalse();
    }

    [Fact]
    public async Task Settling_frees_the_key_stores_the_log_and_empties_the_lease()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        var end = node.End(claim, Outcome.Succeeded) with { Log = [Some.Line(claim, 1)] };
        await using (var transaction = await BeginAsync())
        {
            await node.Store.CompleteAsync(node.Id, end, transaction, Stop);
            await transaction.CommitAsync(Stop);
        }

        await node.TurnAsync(node.Turn() with { Settled = [end], EmptyLeases = [claim.Lease] });

        (await CountAsync("lease")).ShouldBe(0);
        (await CountAsync("unique_key")).ShouldBe(0);
        (await Store.ReadLogAsync(claim.JobId, Stop)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_key_that_was_never_settled_is_free_all_the_same()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key(until: Unique.WhilePendingOrRunning)));
        await using (var transaction = await BeginAsync())
        {
            await node.Store.CompleteAsync(node.Id, node.End(claim, Outcome.Succeeded), transaction, Stop);
            await transaction.CommitAsync(Stop);
        }
        (await SubmitAsync(Some.Job(key: Some.Key()))).State.ShouldBe(SubmitState.Created);
    }

    [Fact]
    public async Task A_run_stands_as_running_then_as_ended_by_me()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        (await node.Store.LookAtRunAsync(node.Id, claim, Stop)).ShouldBe(RunStanding.Running);
        await node.EndAsync(claim, Outcome.Succeeded);
        (await node.Store.LookAtRunAsync(node.Id, claim, Stop)).ShouldBe(RunStanding.EndedByMe);
    }

    [Fact]
    public async Task A_run_that_a_rescuer_ended_stands_as_stale()
    {
        var zombie = await NodeAsync();
        var claim = await RunningAsync(zombie);
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync(Some.Discard);
        (await zombie.Store.LookAtRunAsync(zombie.Id, claim, Stop)).ShouldBe(RunStanding.Stale);
    }

    [Fact]
    public async Task A_job_submitted_in_the_same_transaction_comes_with_the_completion()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        var next = Some.Job();
        await using var transaction = await BeginAsync();
        await SubmitAsync(next, transaction);
        await node.Store.CompleteAsync(node.Id, node.End(claim, Outcome.Succeeded), transaction, Stop);
        await transaction.CommitAsync(Stop);
        (await StateAsync(next.Id)).ShouldBe(JobState.Ready);
        (await StateAsync(claim.JobId)).ShouldBe(JobState.Succeeded);
    }
}
