namespace Millrace.Storage.Tests;

public sealed class BirthOnSqlite() : BirthContract(new SqliteDatabase());

public sealed class BirthOnPostgres() : BirthContract(new PostgresDatabase());

public sealed class BirthOnPgBouncer() : BirthContract(new PgBouncerDatabase());

/// <summary>Jobs that are claimed by their submitter in the commit that stores them.</summary>
public abstract class BirthContract(TestDatabase database) : Contract(database)
{
    [Fact]
    public async Task A_job_that_its_submitter_can_run_is_leased_and_not_in_line()
    {
        var node = await NodeAsync();
        var (mine, other) = (Some.Job(), Some.Job());

        var (lease, answers) = await BearAsync(node, [mine, other], mine);

        answers.Select(answer => (answer.Id, answer.State, answer.Claimed)).ShouldBe([(mine.Id, SubmitState.Created, Clock.GetUtcNow()), (other.Id, SubmitState.Created, null)]);
        (await PlacesAsync(mine.Id)).ShouldBe(["lease"]);
        (await PlacesAsync(other.Id)).ShouldBe(["ready"]);
        (await node.EndAsync(node.End(ClaimOf(mine, lease), Outcome.Succeeded))).ShouldBe(EndVerdict.Accepted);
        (await StateAsync(mine.Id)).ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task It_is_rescued_like_any_other()
    {
        var dead = await NodeAsync();
        var job = Some.Job();
        await BearAsync(dead, [job], job);
        await dead.DieAsync();
        var node = await NodeAsync();

        (await node.SweepAsync(run => Some.Again(run) with { IsSuspect = false })).ShouldHaveSingleItem().Back.ShouldBe(1);
        (await node.ClaimOneAsync()).Run.ShouldBe(2);
    }

    [Fact]
    public async Task Nothing_is_leased_to_a_node_that_is_dead()
    {
        var dead = await NodeAsync();
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync();

        await StandsInLineAsync(dead, Some.Job());
    }

    [Fact]
    public async Task Nothing_is_leased_while_its_queue_is_paused()
    {
        var node = await NodeAsync();
        await Store.PauseQueueAsync("default", true, Stop);

        await StandsInLineAsync(node, Some.Job());
    }

    [Fact]
    public async Task Nothing_is_leased_before_its_time()
    {
        var node = await NodeAsync();
        var job = Some.Job(delay: Some.Minute);

        (await BearAsync(node, [job], job)).Answers.ShouldHaveSingleItem().Claimed.ShouldBeNull();
        (await PlacesAsync(job.Id)).ShouldBe(["scheduled"]);
    }

    // Here: the answer was lost, and the submission is made again.
    [Fact]
    public async Task A_repeated_submission_is_not_leased_again()
    {
        var node = await NodeAsync();
        var job = Some.Job();
        await BearAsync(node, [job], job);

        var repeated = (await BearAsync(node, [job], job)).Answers.ShouldHaveSingleItem();

        (repeated.State, repeated.Claimed).ShouldBe((SubmitState.Created, null));
        (await CountAsync("lease")).ShouldBe(1);
    }

    [Fact]
    public async Task An_id_of_another_job_is_refused()
    {
        var node = await NodeAsync();
        var job = Some.Job();
        await SubmitAsync(job);

        var answer = (await BearAsync(node, [Some.Job(id: job.Id)], job)).Answers.ShouldHaveSingleItem();

        (answer.State, answer.Claimed).ShouldBe((SubmitState.IdTaken, null));
        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
    }

    private async Task StandsInLineAsync(TestNode node, NewJob job)
    {
        (await BearAsync(node, [job], job)).Answers.ShouldHaveSingleItem().Claimed.ShouldBeNull();
        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
        (await CountAsync("lease")).ShouldBe(0);
    }

    private async Task<(Guid Lease, IReadOnlyList<SubmitAnswer> Answers)> BearAsync(TestNode node, NewJob[] jobs, NewJob mine)
    {
        var claim = new BirthClaim(node.Id, Guid.NewGuid(), "default", new HashSet<long> { mine.Id });
        return (claim.Lease, await Store.SubmitAndClaimAsync(jobs, claim, Stop));
    }

    private Claim ClaimOf(NewJob job, Guid lease) => new()
    {
        Lease = lease, JobId = job.Id, Run = 1, Attempt = 1, Type = job.Type, Queue = job.Queue, Data = job.Data, Claimed = Clock.GetUtcNow(),
    };
}
