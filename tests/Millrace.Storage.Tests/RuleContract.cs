using System.Data;
using System.Data.Common;

namespace Millrace.Storage.Tests;

public sealed class RuleOnSqlite() : RuleContract(new SqliteDatabase());

public sealed class RuleOnPostgres() : RuleContract(new PostgresDatabase());

public sealed class RuleOnPgBouncer() : RuleContract(new PgBouncerDatabase());

/// <summary>The rules without which the tables do not keep their promises, one by one. What needs two writers at a time is in <see cref="RaceContract"/>.</summary>
public abstract class RuleContract(TestDatabase database) : Contract(database)
{
    private async Task<AttemptEnd> CompletedAsync(TestNode node, Claim claim)
    {
        var end = node.End(claim, Outcome.Succeeded);
        await using var transaction = await BeginAsync();
        (await node.Store.CompleteAsync(node.Id, end, transaction, Stop)).ShouldBeTrue();
        await transaction.CommitAsync(Stop);
        return end;
    }

    [Fact]
    public async Task Rule_01_every_claim_ends_in_exactly_one_row_and_only_some_rows_are_charged()
    {
        var node = await NodeAsync();
        var job = Some.Job();
        await SubmitAsync(job);
        foreach (var outcome in new[] { Outcome.Released, Outcome.Released, Outcome.Snoozed, Outcome.Failed })
            await node.EndAsync(await node.ClaimOneAsync(), outcome);
        await Store.CancelAsync(job.Id, null, null, Stop);

        (await AttemptsAsync(job.Id)).Select(a => (a.Run, a.Outcome, a.IsCharged)).ShouldBe([
            (1, Outcome.Released, false), (2, Outcome.Released, false), (3, Outcome.Snoozed, false), (4, Outcome.Failed, true), (5, Outcome.Cancelled, false),
        ]);
    }

    [Fact]
    public async Task Rule_01_a_release_that_is_sent_twice_puts_the_job_back_once()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        var turn = node.Ending(node.End(claim, Outcome.Released));
        (await node.TurnAsync(turn)).Ends.ShouldBe([EndVerdict.Accepted]);
        (await node.TurnAsync(turn)).Ends.ShouldBe([EndVerdict.Accepted]);
        (await PlacesAsync(claim.JobId)).ShouldBe(["ready"]);

        // And once more, when the job has been claimed again.
        var again = await node.ClaimOneAsync();
        (await node.TurnAsync(turn)).Ends.ShouldBe([EndVerdict.Accepted]);
        (await PlacesAsync(claim.JobId)).ShouldBe(["lease"]);
        again.Run.ShouldBe(2);
    }

    [Fact]
    public async Task Rule_02_no_run_is_used_twice_and_an_operators_retry_goes_on_counting_them()
    {
        var node = await NodeAsync();
        var job = Some.Job();
        await SubmitAsync(job);
        var runs = new List<(int Run, int Attempt)>();
        for (var round = 0; round < 2; round++)
        {
            foreach (var outcome in new[] { Outcome.Failed, Outcome.Snoozed, Outcome.Released, Outcome.Discarded })
            {
                var claim = await node.ClaimOneAsync();
                runs.Add((claim.Run, claim.Attempt));
                await node.EndAsync(claim, outcome);
            }
            await Store.RetryAsync(job.Id, Stop);
        }
        runs.ShouldBe([(1, 1), (2, 2), (3, 2), (4, 2), (5, 1), (6, 2), (7, 2), (8, 2)]);
    }

    [Fact]
    public async Task Rule_03_a_lost_answer_is_settled_by_looking_at_the_row()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        var turn = node.Ending(node.End(claim, Outcome.Succeeded));
        await node.TurnAsync(turn);
        (await node.TurnAsync(turn)).Ends.ShouldBe([EndVerdict.Accepted]);
        (await node.Store.LookAtRunAsync(node.Id, claim, Stop)).ShouldBe(RunStanding.EndedByMe);
        (await AttemptsAsync(claim.JobId)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Rule_03_a_completion_whose_answer_was_lost_is_mine()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        var end = await CompletedAsync(node, claim);
        (await node.Store.LookAtRunAsync(node.Id, claim, Stop)).ShouldBe(RunStanding.EndedByMe);
        (await node.EndAsync(end)).ShouldBe(EndVerdict.Accepted);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rule_03_a_rescuers_row_is_never_taken_for_the_nodes_own(bool discards)
    {
        var zombie = await NodeAsync();
        var claim = await RunningAsync(zombie);
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync(discards ? Some.Discard : Some.Again);

        (await zombie.EndAsync(claim, discards ? Outcome.Discarded : Outcome.Failed)).ShouldBe(EndVerdict.Stale);
        (await zombie.Store.LookAtRunAsync(zombie.Id, claim, Stop)).ShouldBe(RunStanding.Stale);
    }

    [Fact]
    public async Task Rule_03_a_row_written_by_a_cancel_in_a_rescue_is_not_mine_either()
    {
        var zombie = await NodeAsync();
        var claim = await RunningAsync(zombie);
        await Store.CancelAsync(claim.JobId, null, null, Stop);
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync();
        (await zombie.EndAsync(claim, Outcome.Succeeded)).ShouldBe(EndVerdict.Stale);
        (await StateAsync(claim.JobId)).ShouldBe(JobState.Cancelled);
    }

    [Theory]
    [InlineData(Outcome.Succeeded, true)]
    [InlineData(Outcome.Discarded, true)]
    [InlineData(Outcome.Cancelled, true)]
    [InlineData(Outcome.Failed, false)]
    [InlineData(Outcome.Snoozed, false)]
    [InlineData(Outcome.Released, false)]
    public async Task Rule_04_a_job_is_finished_by_a_final_outcome_and_only_then_pruned(Outcome outcome, bool isFinished)
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(node.End(claim, outcome, TimeSpan.FromDays(2)) with { RemoveAfter = TimeSpan.Zero });
        (await FindAsync(claim.JobId)).IsFinished.ShouldBe(isFinished);
        Clock.Advance(TimeSpan.FromDays(1));
        (await Store.PruneAsync(10, Stop)).ShouldBe(isFinished ? 1 : 0);
        (await CountAsync("attempt")).ShouldBe(isFinished ? 0 : 1);
    }

    [Fact]
    public async Task Rule_04_a_finished_job_that_a_lease_still_lists_is_not_pruned()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(2));
        var claims = await node.ClaimAsync(2);
        await node.EndAsync(node.End(claims[0], Outcome.Succeeded) with { RemoveAfter = TimeSpan.Zero });
        Clock.Advance(Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(0);

        // Otherwise the rescuer of this lease would find a run without a row.
        await node.EndAsync(claims[1], Outcome.Succeeded);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task Rule_05_a_stale_completion_is_refused_and_touches_nothing()
    {
        var zombie = await NodeAsync();
        var claim = await RunningAsync(zombie);
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync(Some.Discard);
        await using (var transaction = await BeginAsync())
        {
            (await zombie.Store.CompleteAsync(zombie.Id, zombie.End(claim, Outcome.Succeeded), transaction, Stop)).ShouldBeFalse();
            await transaction.RollbackAsync(Stop);
        }
        (await AttemptsAsync(claim.JobId)).ShouldHaveSingleItem().Outcome.ShouldBe(Outcome.Discarded);
    }

    [Fact]
    public async Task Rule_05_a_run_whose_job_was_pruned_cannot_be_completed()
    {
        var zombie = await NodeAsync();
        var claim = await RunningAsync(zombie);
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync(run => Some.Discard(run) with { RemoveAfter = TimeSpan.Zero });
        Clock.Advance(Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);
        await using var transaction = await BeginAsync();
        (await zombie.Store.CompleteAsync(zombie.Id, zombie.End(claim, Outcome.Succeeded), transaction, Stop)).ShouldBeFalse();
        (await CountAsync("attempt")).ShouldBe(0);
    }

    [Fact]
    public async Task Rule_06_what_a_turn_claims_includes_what_it_has_just_put_back()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        var answer = await node.TurnAsync(node.Ending(node.End(claim, Outcome.Failed)) with { Want = 5 });
        answer.Ends.ShouldBe([EndVerdict.Accepted]);
        var next = answer.Claims.ShouldHaveSingleItem();
        (next.JobId, next.Run, next.Attempt).ShouldBe((claim.JobId, 2, 2));
    }

    [Fact]
    public async Task Rule_07_a_turn_that_is_sent_twice_gives_the_same_answer()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(6));
        var first = await node.ClaimAsync(2);
        var turn = node.Ending(node.End(first[0], Outcome.Succeeded), node.End(first[1], Outcome.Failed, Some.Minute)) with { Want = 3 };

        var answer = await node.TurnAsync(turn);
        var repeated = await node.TurnAsync(turn with { IsRepeated = true });

        repeated.Ends.ShouldBe(answer.Ends);
        repeated.Claims.ShouldBe(answer.Claims, ignoreOrder: true);
        answer.Claims.Count.ShouldBe(3);
        (await CountAsync("ready")).ShouldBe(1);
        (await CountAsync("lease")).ShouldBe(1);
    }

    [Fact]
    public async Task Rule_07_a_lease_that_its_node_does_not_know_is_listed_and_can_be_handed_back()
    {
        var node = await NodeAsync();
        var job = Some.Job();
        await SubmitAsync(job);
        // The answer to this turn is lost for good: the node never learns of the claim.
        var lease = (await node.ClaimOneAsync()).Lease;

        (await node.Store.SurveyAsync(node.Id, Stop)).OwnLeases.ShouldBe([lease]);
        (await node.RescueAsync(lease, Some.HandBack)).Back.ShouldBe(1);

        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
        var next = await node.ClaimOneAsync();
        (next.Run, next.Attempt).ShouldBe((2, 1));
    }

    [Fact]
    public async Task Rule_07_a_lease_whose_node_has_no_row_is_a_lease_of_the_dead()
    {
        var lost = await NodeAsync();
        var claim = await RunningAsync(lost);
        await Database.QueryAsync($"delete from {Database.Table("node")}");
        var node = await NodeAsync();
        (await node.Store.SurveyAsync(node.Id, Stop)).LeasesOfTheDead.ShouldBe([new DeadLease(claim.Lease, lost.Id)]);
        (await node.RescueAsync(claim.Lease)).Back.ShouldBe(1);
        (await PlacesAsync(claim.JobId)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task Rule_08_a_node_that_was_buried_claims_nothing_and_is_told_so()
    {
        var zombie = await NodeAsync();
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync();
        await SubmitAsync(Some.Job());
        var answer = await zombie.TurnAsync(zombie.Turn(1));
        (answer.Claims.Count, answer.NodeIsLost).ShouldBe((0, true));
    }

    [Fact]
    public async Task Rule_08_a_tombstone_outlives_the_leases_of_its_node()
    {
        var dead = await NodeAsync();
        await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        var sighting = (await node.Store.SurveyAsync(node.Id, Stop)).Expired.ShouldHaveSingleItem();
        await node.Store.BuryAsync(sighting, Stop);
        for (var i = 0; i < 3; i++)
        {
            Clock.Advance(TimeSpan.FromDays(30));
            await Store.TidyAsync(Stop);
        }
        (await CountAsync("lease")).ShouldBe(1);
        using var late = dead.Store.OpenHeartbeat(dead.Id, Some.Expiry);
        late.Beat().ShouldBeFalse("the node must not come back to life while its jobs are being taken back");
    }

    [Fact]
    public async Task Rule_08_a_node_that_has_beaten_since_is_not_buried()
    {
        var silent = await NodeAsync();
        var node = await NodeAsync();
        var sighting = new NodeSighting(silent.Id, "test:1", await BeatOfAsync(silent));
        silent.Beat();
        (await node.Store.BuryAsync(sighting, Stop)).ShouldBeFalse();
        silent.Beat().ShouldBeTrue();
    }

    private async Task<long> BeatOfAsync(TestNode node) => Convert.ToInt64(
        (await Database.QueryAsync($"select beat from {Database.Table("node")} where cast(id as text) = @id", ("id", node.Id.ToString())))[0][0],
        System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task Rule_09_running_means_listed_by_a_lease_and_not_ended()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(4));
        var claims = await node.ClaimAsync(4);
        await node.EndAsync(claims[0], Outcome.Succeeded);
        await node.EndAsync(claims[1], Outcome.Failed, Some.Minute);

        (await StateAsync(claims[0].JobId)).ShouldBe(JobState.Succeeded);
        (await StateAsync(claims[1].JobId)).ShouldBe(JobState.Scheduled);
        (await StateAsync(claims[2].JobId)).ShouldBe(JobState.Running);
        (await Store.ListAsync(new JobQuery { State = JobState.Running }, Stop)).Select(job => job.Id).ShouldBe([claims[2].JobId, claims[3].JobId], ignoreOrder: true);
        foreach (var claim in claims)
            (await PlacesAsync(claim.JobId)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Rule_09_a_lease_is_shortened_when_the_node_says_so_and_deleted_when_it_is_empty()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(4));
        var claims = await node.ClaimAsync(4);
        var lease = claims[0].Lease;
        await node.TurnAsync(node.Ending(node.End(claims[0], Outcome.Succeeded)) with { LeasesToShrink = [lease] });
        (await ListedAsync(claims[0].JobId)).ShouldBe(0);
        (await ListedAsync(claims[1].JobId)).ShouldBe(1);

        (await node.EndAllAsync([.. claims.Skip(1).Select(claim => node.End(claim, Outcome.Succeeded))])).ShouldAllBe(verdict => verdict == EndVerdict.Accepted);
        (await CountAsync("lease")).ShouldBe(0);
    }

    private async Task<int> ListedAsync(long id) => (await Database.QueryAsync(Database.LeasedSql, ("id", id))).Count;

    [Fact]
    public async Task Rule_09_a_lease_that_is_called_empty_but_is_not_keeps_its_runs()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(2));
        var claims = await node.ClaimAsync(2);
        await node.TurnAsync(node.Turn() with { Ends = [node.End(claims[0], Outcome.Succeeded)], EmptyLeases = [claims[0].Lease] });
        (await PlacesAsync(claims[1].JobId)).ShouldHaveSingleItem("a job must not vanish because its node miscounted");
    }

    [Theory]
    [InlineData("ready")]
    [InlineData("scheduled")]
    public async Task Rule_10_a_job_cannot_be_in_line_twice(string table)
    {
        var job = Some.Job(delay: table == "ready" ? default : Some.Minute);
        await SubmitAsync(job);
        var (key, columns) = table == "ready" ? ("pass", "queue, priority, id, type, run, attempt") : ("due", "queue, priority, id, type, run, attempt");
        var more = Database.HasOneWriter || table == "ready" ? $"{key} + 1" : "due + interval '1 second'";
        await Should.ThrowAsync<DbException>(() => Database.QueryAsync(
            $"insert into {Database.Table(table)} ({key}, {columns}) select {more}, {columns} from {Database.Table(table)}"));
    }

    [Fact]
    public async Task Rule_11_a_claim_takes_only_types_that_its_node_knows()
    {
        var (sender, reporter) = (await NodeAsync("send"), await NodeAsync("report"));
        await SubmitAllAsync(Some.Job("report"), Some.Job("send"), Some.Job("report"));
        (await sender.ClaimAsync(10)).ShouldHaveSingleItem().Type.ShouldBe("send");
        (await reporter.ClaimAsync(10)).Select(claim => claim.Type).ShouldBe(["report", "report"]);
    }

    [Fact]
    public async Task Rule_11_types_that_nobody_knows_step_out_of_the_line_and_come_back_in_it()
    {
        var node = await NodeAsync("send");
        var rare = Some.Jobs(50, "rare");
        await SubmitAllAsync(rare);
        var job = Some.Job("send");
        await SubmitAsync(job);
        await Store.TidyAsync(Stop);
        (await CountAsync("ready")).ShouldBe(1);
        (await CountAsync("waiting")).ShouldBe(50);
        (await node.ClaimOneAsync()).JobId.ShouldBe(job.Id);

        var knowing = await NodeAsync("rare");
        await Store.TidyAsync(Stop);
        (await knowing.ClaimAsync(100)).Count.ShouldBe(50);
        (await CountAsync("waiting")).ShouldBe(0);
    }

    [Fact]
    public async Task Rule_12_a_completion_that_is_not_committed_is_not_acknowledged_by_a_turn()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        var end = await CompletedAsync(node, claim);
        await node.TurnAsync(node.Turn() with { Settled = [end] });
        await Store.TidyAsync(Stop);
        (await CountAsync("unique_key")).ShouldBe(0);
        (await AttemptsAsync(claim.JobId)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Rule_13_a_rescue_honours_the_maximum_of_attempts_and_ignores_jobs_that_are_gone()
    {
        var dead = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(3));
        var claims = await dead.ClaimAsync(3);
        await Database.QueryAsync($"delete from {Database.Table("job")} where id = @id", ("id", claims[1].JobId));
        await dead.DieAsync();

        var answer = (await (await NodeAsync()).SweepAsync(run => run.JobId == claims[0].JobId ? Some.Discard(run) : Some.Again(run))).ShouldHaveSingleItem();

        (answer.Back, answer.Ended).ShouldBe((1, 1));
        (await StateAsync(claims[0].JobId)).ShouldBe(JobState.Discarded);
        (await PlacesAsync(claims[1].JobId)).ShouldBeEmpty();
        (await PlacesAsync(claims[2].JobId)).ShouldBe(["ready"]);
        (await CountAsync("lease")).ShouldBe(0);
    }

    [Fact]
    public async Task Rule_14_a_suspect_is_leased_alone_and_not_among_ordinary_jobs()
    {
        var dead = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(3));
        await dead.ClaimAsync(3);
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync();
        var ordinary = Some.Job();
        await SubmitAsync(ordinary);

        (await node.ClaimAsync(10)).ShouldHaveSingleItem().JobId.ShouldBe(ordinary.Id);
        var suspect = (await node.ClaimAsync(10, suspects: true)).ShouldHaveSingleItem();
        suspect.Attempt.ShouldBe(1, "innocent neighbours get their attempt back");

        LeasedRun? seen = null;
        await node.DieAsync();
        await (await NodeAsync()).SweepAsync(run =>
        {
            if (run.JobId == suspect.JobId)
                seen = run;
            return Some.Again(run);
        });
        seen.ShouldNotBeNull().IsAlone.ShouldBeTrue();
    }

    [Fact]
    public async Task Rule_14_a_suspect_that_came_through_is_an_ordinary_job_again()
    {
        var dead = await NodeAsync();
        await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync();
        var suspect = (await node.ClaimAsync(1, suspects: true)).ShouldHaveSingleItem();
        await node.EndAsync(suspect, Outcome.Failed);
        (await node.ClaimOneAsync()).ShouldSatisfyAllConditions(claim => claim.Run.ShouldBe(3), claim => claim.Crashes.ShouldBe(1));
    }

    [Fact]
    public async Task Rule_15_a_long_writer_does_not_make_a_living_node_look_dead()
    {
        var (node, other) = (await NodeAsync(), await NodeAsync());
        var transaction = await BeginAsync();
        await SubmitAsync(Some.Job(), transaction);
        for (var i = 0; i < 3; i++)
        {
            Clock.Advance(20 * Some.Second);
            node.Beat().ShouldBeTrue();
            other.Beat().ShouldBeTrue();
        }
        (await other.Store.SurveyAsync(other.Id, Stop)).Expired.ShouldBeEmpty();
        await transaction.RollbackAsync(Stop);
        (await other.Store.SurveyAsync(other.Id, Stop)).Expired.ShouldBeEmpty();
        node.Beat().ShouldBeTrue();
    }

    [Fact]
    public async Task Rule_16_a_key_stays_with_its_job_until_the_job_ends()
    {
        var node = await NodeAsync();
        var job = Some.Job(key: Some.Key());
        await SubmitAsync(job);
        foreach (var outcome in new[] { Outcome.Released, Outcome.Snoozed, Outcome.Failed })
        {
            (await SubmitAsync(Some.Job(key: Some.Key()))).ShouldBe(new SubmitAnswer(job.Id, SubmitState.Kept));
            await node.EndAsync(await node.ClaimOneAsync(), outcome);
        }
        (await CountAsync("unique_key", $"job_id = {job.Id}")).ShouldBe(1);
        await node.EndAsync(await node.ClaimOneAsync(), Outcome.Succeeded);
        (await CountAsync("unique_key")).ShouldBe(0);
    }

    [Fact]
    public async Task Rule_16_a_kept_job_does_not_start_before_the_callers_commit()
    {
        var node = await NodeAsync();
        var held = Some.Job(key: Some.Key());
        await SubmitAsync(held);
        var transaction = await BeginAsync();
        (await SubmitAsync(Some.Job(key: Some.Key()), transaction)).State.ShouldBe(SubmitState.Kept);

        var claiming = RepeatAsync(() => node.ClaimAsync(10));
        await SettleAsync(claiming);
        if (claiming.IsCompleted)
            (await claiming).ShouldBeEmpty("the caller's data is not visible yet");
        await transaction.CommitAsync(Stop);

        var claims = await claiming;
        if (claims.Count == 0)
            claims = await node.ClaimAsync(10);
        claims.ShouldHaveSingleItem().JobId.ShouldBe(held.Id);
    }

    [Fact]
    public async Task Rule_16_the_row_of_a_superseded_run_names_its_successor()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        var young = Some.Job(key: Some.Key(), delay: Some.Minute);
        await SubmitAsync(young);
        (await node.EndAsync(claim, Outcome.Failed)).ShouldBe(EndVerdict.Superseded);
        var row = (await AttemptsAsync(claim.JobId)).ShouldHaveSingleItem();
        row.Outcome.ShouldBe(Outcome.Superseded);
        row.Error.ShouldNotBeNull().ShouldContain($"{young.Id}");
    }

    [Fact]
    public async Task Rule_17_a_cancel_finds_its_job_wherever_it_goes_meanwhile()
    {
        var node = await NodeAsync();
        var ids = new List<long>();
        for (var i = 0; i < 20; i++)
        {
            var job = Some.Job(delay: i % 2 == 0 ? default : Some.Second);
            await SubmitAsync(job);
            ids.Add(job.Id);
        }
        Clock.Advance(Some.Second);

        // Promotion, claims and ends move the jobs while they are cancelled.
        var moving = Task.Run(async () =>
        {
            await RepeatAsync(() => Store.PromoteAsync(100, Stop));
            for (var i = 0; i < 10; i++)
                foreach (var claim in await RepeatAsync(() => node.ClaimAsync(3)))
                    await RepeatAsync(() => node.EndAsync(claim, Outcome.Failed, i % 2 == 0 ? default : Some.Minute));
        }, Stop);
        var results = await Task.WhenAll(ids.Select(id => RepeatAsync(() => Store.CancelAsync(id, null, null, Stop))));
        await moving;
        foreach (var claim in await node.ClaimAsync(100))
            await node.EndAsync(claim, Outcome.Failed);

        results.ShouldAllBe(result => result == CancelResult.Cancelled || result == CancelResult.Asked);
        foreach (var id in ids)
        {
            (await PlacesAsync(id)).ShouldBe(["finished"]);
            (await StateAsync(id)).ShouldBe(JobState.Cancelled);
        }
        (await CountAsync("cancel_request")).ShouldBe(0);
    }

    [Fact]
    public async Task Rule_18_whatever_waits_is_looked_at_again_from_time_to_time()
    {
        var node = await NodeAsync();
        var job = Some.Job(key: Some.Key());
        await SubmitAsync(job);
        // Left behind by a process that died between two steps: it waits for a decision about its key that nobody will make any more.
        await Database.QueryAsync($"delete from {Database.Table("ready")}");
        await Database.QueryAsync(
            $"insert into {Database.Table("waiting")} (id, reason, since, due, queue, priority, type, run, attempt) select id, 'key', created, due, queue, priority, type, 1, 1 from {Database.Table("job")}");
        for (var i = 0; i < 3; i++)
        {
            node.LiveFor(Some.Minute);
            await Store.TidyAsync(Stop);
            await Store.PromoteAsync(10, Stop);
        }
        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
        (await CountAsync("unique_key")).ShouldBe(1);
    }

    // D7: batches that lock rows in different order.
    [Fact]
    public async Task Rule_19_operations_that_meet_on_the_same_jobs_do_not_lose_any()
    {
        var nodes = await Task.WhenAll(NodeAsync(), NodeAsync());
        var ids = new System.Collections.Concurrent.ConcurrentBag<long>();
        async Task SubmittersAsync(int seed)
        {
            var random = new Random(seed);
            for (var i = 0; i < 40; i++)
            {
                // Several keys in one call, in any order.
                var jobs = Enumerable.Range(0, 4).Select(_ => Some.Job(key: Some.Key($"k{random.Next(6)}", (WhenPending)random.Next(1, 4)))).ToArray();
                foreach (var answer in await RepeatAsync(() => Store.SubmitAsync(jobs, null, Stop)))
                    ids.Add(answer.Id);
            }
        }
        async Task WorkerAsync(TestNode node, int seed)
        {
            var random = new Random(seed);
            Outcome[] outcomes = [Outcome.Succeeded, Outcome.Failed, Outcome.Released, Outcome.Snoozed, Outcome.Discarded];
            for (var i = 0; i < 60; i++)
            {
                var claims = await RepeatAsync(() => node.ClaimAsync(3));
                await RepeatAsync(() => node.EndAllAsync([.. claims.Select(claim => node.End(claim, outcomes[random.Next(5)]))]));
            }
        }
        async Task CancellerAsync(int seed)
        {
            var random = new Random(seed);
            for (var i = 0; i < 60; i++)
                if (ids.ToArray() is { Length: > 0 } known)
                    await RepeatAsync(() => Store.CancelAsync(known[random.Next(known.Length)], null, null, Stop));
        }
        async Task TenderAsync()
        {
            for (var i = 0; i < 30; i++)
            {
                await RepeatAsync(() => Store.TidyAsync(Stop));
                await RepeatAsync(() => Store.PromoteAsync(10, Stop));
            }
        }

        await Task.WhenAll(SubmittersAsync(1), SubmittersAsync(2), WorkerAsync(nodes[0], 3), WorkerAsync(nodes[1], 4), CancellerAsync(5), TenderAsync());
        await Store.TidyAsync(Stop);

        foreach (var id in ids.Distinct())
            (await PlacesAsync(id)).ShouldHaveSingleItem($"job {id}");
    }

    [Fact]
    public async Task Rule_20_an_id_counts_as_submitted_before_only_with_the_same_nonce()
    {
        var job = Some.Job(nonce: 1);
        await SubmitAsync(job);
        (await SubmitAsync(job)).State.ShouldBe(SubmitState.Created);
        (await SubmitAsync(job with { Nonce = 2 })).State.ShouldBe(SubmitState.IdTaken);
        (await SubmitAsync(job with { Nonce = 2, Key = Some.Key() })).State.ShouldBe(SubmitState.IdTaken);
        (await CountAsync("unique_key")).ShouldBe(0);
        (await CountAsync("job")).ShouldBe(1);
    }

    [Fact]
    public async Task Rule_20_ids_after_a_restore_that_went_back_are_found_out_one_by_one()
    {
        var jobs = Some.Jobs(3);
        await SubmitAllAsync(jobs);
        var strangers = jobs.Select(job => job with { Nonce = job.Nonce + 1 }).Append(Some.Job()).ToArray();
        var answers = await SubmitAllAsync(strangers);
        answers.Select(answer => answer.State).ShouldBe([SubmitState.IdTaken, SubmitState.IdTaken, SubmitState.IdTaken, SubmitState.Created]);
    }

    [Fact]
    public async Task Rule_21_the_view_shows_each_run_once_with_the_times_people_expect()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(2));
        var claims = await node.ClaimAsync(2);
        Clock.Advance(Some.Second);
        await node.EndAsync(node.End(claims[0], Outcome.Failed, Some.Minute) with { Started = Some.Noon + TimeSpan.FromMilliseconds(500) });
        var cancelled = Some.Job();
        await SubmitAsync(cancelled);
        await Store.CancelAsync(cancelled.Id, null, null, Stop);

        async Task<int> RowsAsync(long id, string where) => (await Database.QueryAsync($"select id from worker_jobs where id = @id and {where}", ("id", id))).Count;
        (await RowsAsync(claims[0].JobId, "started is not null")).ShouldBe(1, "one ended run, though its lease still lists it");
        (await RowsAsync(claims[0].JobId, "started is null")).ShouldBe(1);
        (await RowsAsync(claims[1].JobId, "started is not null and finished is null")).ShouldBe(1);
        (await RowsAsync(cancelled.Id, "started = finished")).ShouldBe(1);
        (await RowsAsync(cancelled.Id, "true")).ShouldBe(1);
    }
}
