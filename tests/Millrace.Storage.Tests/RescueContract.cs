namespace Millrace.Storage.Tests;

public sealed class RescueOnSqlite() : RescueContract(new SqliteDatabase());

public sealed class RescueOnPostgres() : RescueContract(new PostgresDatabase());

public sealed class RescueOnPgBouncer() : RescueContract(new PgBouncerDatabase());

public abstract class RescueContract(TestDatabase database) : Contract(database)
{
    [Fact]
    public async Task Jobs_of_a_dead_node_run_again_with_the_next_run()
    {
        var dead = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(3));
        var claims = await dead.ClaimAsync(3);
        await dead.DieAsync();
        var node = await NodeAsync();

        (await node.SweepAsync()).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            answer => answer.Back.ShouldBe(3), answer => answer.Ended.ShouldBe(0), answer => answer.Skipped.ShouldBe(0), answer => answer.Queues.ShouldBe(["default"]),
            answer => answer.Runs.ShouldBe(Enumerable.Repeat(new RescuedRun("default", "send", Outcome.Interrupted, Clock.GetUtcNow()), 3)));

        foreach (var claim in claims)
        {
            (await PlacesAsync(claim.JobId)).ShouldBe(["ready"]);
            var attempt = (await AttemptsAsync(claim.JobId)).ShouldHaveSingleItem();
            (attempt.Run, attempt.Outcome, attempt.IsCharged, attempt.Node).ShouldBe((1, Outcome.Interrupted, false, dead.Id));
            attempt.Error.ShouldBe("The node died.");
            attempt.Finished.ShouldBe(Clock.GetUtcNow());
        }
        (await CountAsync("lease")).ShouldBe(0);
        (await node.ClaimAsync(1, suspects: true)).ShouldHaveSingleItem().Run.ShouldBe(2);
    }

    [Fact]
    public async Task The_rescuer_is_shown_what_it_needs_to_decide()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead, Some.Job() with { Policy = """{"maxAttempts":1}""" });
        await dead.EndAsync(claim, Outcome.Failed);
        await dead.ClaimOneAsync();
        await dead.DieAsync();
        LeasedRun? seen = null;

        await (await NodeAsync()).SweepAsync(run => Some.Again(seen = run));

        seen.ShouldBe(new LeasedRun(claim.JobId, 2, 2, 0, "send", """{"maxAttempts":1}""", IsAlone: true));
    }

    [Fact]
    public async Task Only_a_run_that_was_leased_alone_is_shown_as_alone()
    {
        var dead = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(2));
        var claims = await dead.ClaimAsync(2);
        // The other has ended, but it was there when the process died, as far as anybody can tell.
        await dead.TurnAsync(dead.Ending(dead.End(claims[0], Outcome.Succeeded)) with { LeasesToShrink = [claims[0].Lease] });
        await dead.DieAsync();
        var seen = new List<LeasedRun>();
        await (await NodeAsync()).SweepAsync(run =>
        {
            seen.Add(run);
            return Some.Again(run);
        });
        seen.ShouldHaveSingleItem().ShouldSatisfyAllConditions(run => run.JobId.ShouldBe(claims[1].JobId), run => run.IsAlone.ShouldBeFalse());
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public async Task Only_a_charged_interruption_uses_an_attempt(bool charged, int nextAttempt)
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync(run => Some.Again(run) with { Charged = charged, Crashes = 2, IsSuspect = false });

        var next = await node.ClaimOneAsync();
        (next.JobId, next.Run, next.Attempt, next.Crashes).ShouldBe((claim.JobId, 2, nextAttempt, 2));
    }

    [Theory]
    [InlineData(true, new[] { "b", "c", "a" })]
    [InlineData(false, new[] { "a", "b", "c" })]
    public async Task Only_a_charged_interruption_costs_the_place_in_line(bool charged, string[] order)
    {
        var dead = await NodeAsync();
        await SubmitAllAsync([Some.Job() with { Tag = "a" }]);
        Clock.Advance(Some.Second);
        await SubmitAllAsync([Some.Job() with { Tag = "b" }]);
        await dead.ClaimAsync(1);
        await dead.DieAsync();
        await SubmitAllAsync([Some.Job() with { Tag = "c" }]);
        Clock.Advance(Some.Second);
        var node = await NodeAsync();
        await node.SweepAsync(run => Some.Again(run) with { Charged = charged, IsSuspect = false });

        (await node.ClaimAsync(3)).Select(claim => claim.Tag).ShouldBe(order);
    }

    [Fact]
    public async Task Crashes_are_carried_through_waits_and_retries()
    {
        var dead = await NodeAsync();
        await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync();
        var claim = (await node.ClaimAsync(1, suspects: true)).ShouldHaveSingleItem();
        claim.Crashes.ShouldBe(1);
        await node.EndAsync(claim, Outcome.Failed, Some.Second);
        Clock.Advance(Some.Minute);
        await Store.PromoteAsync(10, Stop);
        node = await NodeAsync();

        (await node.ClaimAsync()).Concat(await node.ClaimAsync(1, suspects: true)).ShouldHaveSingleItem().Crashes.ShouldBe(1);
    }

    // B3, B8: a crash on the last attempt goes through the same policy and frees the key.
    [Fact]
    public async Task A_job_whose_attempts_are_used_up_is_discarded_and_gives_its_key_back()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead, Some.Job(key: Some.Key()));
        await dead.DieAsync();

        (await (await NodeAsync()).SweepAsync(Some.Discard)).ShouldHaveSingleItem().Ended.ShouldBe(1);

        (await StateAsync(claim.JobId)).ShouldBe(JobState.Discarded);
        (await SubmitAsync(Some.Job(key: Some.Key()))).State.ShouldBe(SubmitState.Created);
        Clock.Advance(2 * Some.Minute);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task A_job_in_quarantine_waits_for_a_person()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync(Some.Quarantine);
        await Store.TidyAsync(Stop);

        var record = await FindAsync(claim.JobId);
        (record.State, record.WaitsFor).ShouldBe((JobState.Waiting, "quarantine"));
        (await PlacesAsync(claim.JobId)).ShouldBe(["waiting"]);
        (await node.ClaimAsync(5)).ShouldBeEmpty();
        (await node.ClaimAsync(5, suspects: true)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_was_asked_to_stop_is_cancelled_instead()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead);
        await Store.CancelAsync(claim.JobId, null, null, Stop);
        await dead.DieAsync();
        (await (await NodeAsync()).SweepAsync()).ShouldHaveSingleItem().Ended.ShouldBe(1);
        (await StateAsync(claim.JobId)).ShouldBe(JobState.Cancelled);
        (await CountAsync("cancel_request")).ShouldBe(0);
    }

    [Fact]
    public async Task A_job_whose_key_a_newer_job_holds_is_superseded_instead()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead, Some.Job(key: Some.Key()));
        await SubmitAsync(Some.Job(key: Some.Key(), delay: 10 * Some.Minute));
        await dead.DieAsync();
        (await (await NodeAsync()).SweepAsync()).ShouldHaveSingleItem().Ended.ShouldBe(1);
        (await FindAsync(claim.JobId)).LastOutcome.ShouldBe(Outcome.Superseded);
    }

    // A3: a rescuer that read "running" a moment ago must not overwrite what has ended since.
    [Fact]
    public async Task A_run_that_has_ended_is_not_rescued()
    {
        var dead = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(2));
        var claims = await dead.ClaimAsync(2);
        await dead.EndAsync(claims[0], Outcome.Succeeded);
        await dead.DieAsync();

        (await (await NodeAsync()).SweepAsync()).ShouldHaveSingleItem().Back.ShouldBe(1);

        (await StateAsync(claims[0].JobId)).ShouldBe(JobState.Succeeded);
        (await AttemptsAsync(claims[0].JobId)).ShouldHaveSingleItem().Outcome.ShouldBe(Outcome.Succeeded);
        (await PlacesAsync(claims[0].JobId)).ShouldBe(["finished"]);
    }

    // A1, A2: a lease has no length of its own. Only a node's silence frees its jobs.
    [Fact]
    public async Task A_job_may_run_for_days_while_its_node_lives()
    {
        var node = await NodeAsync();
        var other = await NodeAsync();
        var claim = await RunningAsync(node);
        for (var i = 0; i < 50; i++)
        {
            Clock.Advance(Some.Expiry - Some.Second);
            node.Beat().ShouldBeTrue();
            other.Beat().ShouldBeTrue();
        }
        (await other.SweepAsync()).ShouldBeEmpty();
        (await node.EndAsync(claim, Outcome.Succeeded)).ShouldBe(EndVerdict.Accepted);
    }

    [Fact]
    public async Task A_lease_of_a_living_node_is_left_alone()
    {
        var (owner, other) = (await NodeAsync(), await NodeAsync());
        var claim = await RunningAsync(owner);
        (await other.RescueAsync(claim.Lease)).ShouldSatisfyAllConditions(answer => answer.Back.ShouldBe(0), answer => answer.Ended.ShouldBe(0));
        (await PlacesAsync(claim.JobId)).ShouldBe(["lease"]);
        (await owner.EndAsync(claim, Outcome.Succeeded)).ShouldBe(EndVerdict.Accepted);
    }

    [Fact]
    public async Task A_lease_that_is_gone_is_nothing_to_rescue()
    {
        var node = await NodeAsync();
        (await node.RescueAsync(Guid.NewGuid())).ShouldSatisfyAllConditions(answer => answer.Back.ShouldBe(0), answer => answer.Ended.ShouldBe(0));
    }

    // A4, A9: paused for longer than its lease, the node comes back and reports.
    [Theory]
    [InlineData(Outcome.Succeeded)]
    [InlineData(Outcome.Failed)]
    [InlineData(Outcome.Released)]
    [InlineData(Outcome.Discarded)]
    public async Task The_late_result_of_a_node_that_was_declared_dead_changes_nothing(Outcome outcome)
    {
        var zombie = await NodeAsync();
        var old = await RunningAsync(zombie);
        await zombie.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync(run => Some.Again(run) with { IsSuspect = false });
        var young = await node.ClaimOneAsync();

        (await zombie.EndAsync(old, outcome)).ShouldBe(EndVerdict.Stale);

        (await PlacesAsync(old.JobId)).ShouldBe(["lease"]);
        (await node.EndAsync(young, Outcome.Succeeded)).ShouldBe(EndVerdict.Accepted);
        (await AttemptsAsync(old.JobId)).Select(attempt => attempt.Outcome).ShouldBe([Outcome.Interrupted, Outcome.Succeeded]);
    }

    [Fact]
    public async Task The_jobs_of_a_node_that_left_with_leases_go_back()
    {
        var (gone, node) = (await NodeAsync(), await NodeAsync());
        var claim = await RunningAsync(gone);
        await gone.Store.LeaveAsync(gone.Id, Stop);
        (await node.SweepAsync()).ShouldHaveSingleItem().Back.ShouldBe(1);
        (await PlacesAsync(claim.JobId)).ShouldBe(["ready"]);
    }

    // A8: recovery acts on an old list.
    [Fact]
    public async Task Rescuing_one_lease_twice_puts_its_jobs_back_once()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync();
        (await node.RescueAsync(claim.Lease)).Back.ShouldBe(0);
        (await AttemptsAsync(claim.JobId)).ShouldHaveSingleItem();
        (await PlacesAsync(claim.JobId)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task Many_rescuers_of_many_leases_put_each_job_back_once()
    {
        var dead = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(60));
        for (var i = 0; i < 12; i++)
            await dead.ClaimAsync(5);
        await dead.DieAsync();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => NodeAsync()));

        var answers = await Task.WhenAll(nodes.Select(node => RepeatAsync(() => node.SweepAsync())));
        await nodes[0].SweepAsync();

        answers.SelectMany(answer => answer).Sum(answer => answer.Back).ShouldBeLessThanOrEqualTo(60);
        (await CountAsync("ready")).ShouldBe(60);
        (await CountAsync("attempt")).ShouldBe(60);
        (await CountAsync("lease")).ShouldBe(0);
    }

    // B6: the rescuer lacks the job's type.
    [Fact]
    public async Task A_rescuer_that_does_not_know_the_type_puts_the_job_back_all_the_same()
    {
        var dead = await NodeAsync("rare");
        var claim = await RunningAsync(dead, Some.Job("rare"));
        await dead.DieAsync();
        await (await NodeAsync("send")).SweepAsync();
        (await FindAsync(claim.JobId)).IsFinished.ShouldBeFalse();
    }

    // B5, B7: one sweep that failed is not the last.
    [Fact]
    public async Task A_rescue_that_was_broken_off_is_made_up_by_the_next_sweep()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        await Should.ThrowAsync<InvalidOperationException>(() => node.SweepAsync(_ => throw new InvalidOperationException("The sweeper's own fault.")));
        (await PlacesAsync(claim.JobId)).ShouldBe(["lease"]);
        (await node.SweepAsync()).ShouldHaveSingleItem().Back.ShouldBe(1);
    }
}
