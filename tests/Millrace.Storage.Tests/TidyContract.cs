namespace Millrace.Storage.Tests;

public sealed class TidyOnSqlite() : TidyContract(new SqliteDatabase());

public sealed class TidyOnPostgres() : TidyContract(new PostgresDatabase());

public sealed class TidyOnPgBouncer() : TidyContract(new PgBouncerDatabase());

/// <summary>Upkeep: types that nobody knows, keys that were not freed, leftovers.</summary>
public abstract class TidyContract(TestDatabase database) : Contract(database)
{
    [Fact]
    public async Task Tidying_nothing_does_nothing()
    {
        (await Store.TidyAsync(Stop)).ShouldBeEmpty();
        (await Store.SurveyAsync(Guid.NewGuid(), Stop)).NeedsTidying.ShouldBeFalse();
    }

    // B6, G12: an unknown type waits, and never dies.
    [Fact]
    public async Task A_job_whose_type_no_living_node_knows_waits_and_comes_back_with_a_node_that_does()
    {
        await NodeAsync("send");
        var job = Some.Job("rare", queue: "mail");
        await SubmitAsync(job);
        await Store.TidyAsync(Stop);
        var record = await FindAsync(job.Id);
        (record.State, record.WaitsFor).ShouldBe((JobState.Waiting, "type"));
        (await PlacesAsync(job.Id)).ShouldBe(["waiting"]);

        var node = await NodeAsync("rare");
        await Store.TidyAsync(Stop);

        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
        (await node.ClaimOneAsync("mail")).ShouldSatisfyAllConditions(claim => claim.JobId.ShouldBe(job.Id), claim => claim.Run.ShouldBe(1));
    }

    [Fact]
    public async Task A_job_whose_type_a_living_node_knows_is_left_in_line()
    {
        await NodeAsync("send");
        var job = Some.Job("send");
        await SubmitAsync(job);
        await Store.TidyAsync(Stop);
        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task A_waiting_job_keeps_its_attempts_and_its_due_time()
    {
        var node = await NodeAsync("rare");
        var claim = await RunningAsync(node, Some.Job("rare"));
        await node.EndAsync(claim, Outcome.Failed);
        await node.Store.LeaveAsync(node.Id, Stop);
        await NodeAsync("send");
        await Store.TidyAsync(Stop);
        (await PlacesAsync(claim.JobId)).ShouldBe(["waiting"]);

        node = await NodeAsync("rare");
        await Store.TidyAsync(Stop);
        var next = await node.ClaimOneAsync();
        (next.Run, next.Attempt).ShouldBe((2, 2));
    }

    [Fact]
    public async Task Tidying_tells_the_queues_that_have_something_to_claim_now()
    {
        await NodeAsync("send");
        await SubmitAsync(Some.Job("rare", queue: "mail"));
        await Store.TidyAsync(Stop);
        var node = await NodeAsync("rare");
        var queues = await Store.TidyAsync(Stop);
        // The registration may have brought it back by itself.
        if (queues.Count > 0)
            queues.ShouldBe(["mail"]);
        (await node.ClaimAsync(1, "mail")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_job_in_quarantine_is_not_let_out_by_upkeep()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead);
        await dead.DieAsync();
        await (await NodeAsync()).SweepAsync(Some.Quarantine);
        for (var i = 0; i < 3; i++)
            await Store.TidyAsync(Stop);
        (await FindAsync(claim.JobId)).WaitsFor.ShouldBe("quarantine");
    }

    [Fact]
    public async Task A_key_that_a_completion_left_behind_is_swept()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        await using (var transaction = await BeginAsync())
        {
            await node.Store.CompleteAsync(node.Id, node.End(claim, Outcome.Succeeded), transaction, Stop);
            await transaction.CommitAsync(Stop);
        }
        // The process died before it could settle.
        await node.DieAsync();
        await (await NodeAsync()).SweepAsync();
        await Store.TidyAsync(Stop);
        (await CountAsync("unique_key")).ShouldBe(0);
        (await CountAsync("lease")).ShouldBe(0);
        (await StateAsync(claim.JobId)).ShouldBe(JobState.Succeeded);
    }
}
