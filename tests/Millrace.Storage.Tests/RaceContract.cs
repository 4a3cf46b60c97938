using System.Data;
using System.Data.Common;

namespace Millrace.Storage.Tests;

public sealed class RaceOnPostgres() : RaceContract(new PostgresDatabase());

public sealed class RaceOnPgBouncer() : RaceContract(new PgBouncerDatabase());

/// <summary>Rules about sessions that stand in each other's way. On SQLite one writer at a time makes these orders of events impossible.</summary>
public abstract class RaceContract(PostgresDatabase database) : Contract(database)
{
    /// <summary>Longer than any lock timeout of a store, so that one that waits for a held row is found out.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A session beside everything that holds a row.</summary>
    private async Task<DbTransaction> HoldAsync(string sql, params (string, object?)[] parameters)
    {
        var connection = await Database.ConnectAsync();
        var transaction = await connection.BeginTransactionAsync(Stop);
        (await TestDatabase.QueryAsync(connection, transaction, sql, parameters)).ShouldNotBeEmpty("there must be something to hold");
        return transaction;
    }

    private static async Task EndAsync(DbTransaction transaction, bool commit)
    {
        var connection = transaction.Connection!;
        if (commit)
            await transaction.CommitAsync(Stop);
        else
            await transaction.RollbackAsync(Stop);
        await connection.DisposeAsync();
    }

    /// <summary>True, false, or null for a conflict that the caller answers with a rollback and another look.</summary>
    private static async Task<bool?> CompleteAsync(TestNode node, Claim claim, DbTransaction transaction)
    {
        try
        {
            return await node.Store.CompleteAsync(node.Id, node.End(claim, Outcome.Succeeded), transaction, Stop);
        }
        catch (StoreException e) when (e.Fault == StoreFault.Conflict)
        {
            return null;
        }
    }

    private static async Task SnapshotAsync(DbTransaction transaction) =>
        await TestDatabase.QueryAsync(transaction.Connection!, transaction, "select count(*) from millrace.job");

    [Theory]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task Rule_05_an_old_snapshot_cannot_complete_a_run_whose_rows_were_pruned(IsolationLevel level)
    {
        var zombie = await NodeAsync();
        var claim = await RunningAsync(zombie);
        var transaction = await BeginAsync(level);
        await SnapshotAsync(transaction);
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync(run => Some.Discard(run) with { RemoveAfter = TimeSpan.Zero });
        Clock.Advance(Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);

        (await CompleteAsync(zombie, claim, transaction)).ShouldNotBe(true);
        await transaction.RollbackAsync(Stop);
        (await CountAsync("attempt")).ShouldBe(0);
    }

    [Theory]
    [InlineData(IsolationLevel.ReadCommitted)]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task Rule_05_a_completion_that_comes_after_the_rescue_is_refused_at_every_isolation_level(IsolationLevel level)
    {
        var zombie = await NodeAsync();
        var claim = await RunningAsync(zombie);
        var transaction = await BeginAsync(level);
        await SnapshotAsync(transaction);
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync();

        (await CompleteAsync(zombie, claim, transaction)).ShouldNotBe(true);
        await transaction.RollbackAsync(Stop);
        (await zombie.Store.LookAtRunAsync(zombie.Id, claim, Stop)).ShouldBe(RunStanding.Stale);
        (await PlacesAsync(claim.JobId)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task Rule_05_many_completions_in_open_transactions_contend_with_nobody()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(6));
        var claims = await node.ClaimAsync(6);
        var open = new List<DbTransaction>();
        foreach (var claim in claims.Take(3))
        {
            open.Add(await BeginAsync());
            (await CompleteAsync(node, claim, open[^1])).ShouldBe(true);
        }
        // The others of the same lease end in a turn meanwhile, and new work is claimed.
        await SubmitAsync(Some.Job());
        var turn = node.TurnAsync(node.Turn(1) with { Ends = [.. claims.Skip(3).Select(claim => node.End(claim, Outcome.Succeeded))], LeasesToShrink = [claims[0].Lease] });
        var answer = await turn.WaitAsync(Patience, Stop);
        answer.Ends.ShouldAllBe(verdict => verdict == EndVerdict.Accepted);
        answer.Claims.ShouldHaveSingleItem();
        foreach (var transaction in open)
            await transaction.CommitAsync(Stop);
        foreach (var claim in claims)
            (await StateAsync(claim.JobId)).ShouldBe(JobState.Succeeded);
    }

    [Theory]
    [InlineData(Outcome.Succeeded)]
    [InlineData(Outcome.Failed)]
    public async Task Rule_12_a_turn_never_waits_for_a_submitter_that_decides_about_a_key(Outcome outcome)
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        var transaction = await BeginAsync();
        var young = Some.Job(key: Some.Key());
        (await SubmitAsync(young, transaction)).State.ShouldBe(SubmitState.Created, "the holder runs, so the key is taken over");

        var verdict = await node.EndAsync(claim, outcome).WaitAsync(Patience, Stop);
        verdict.ShouldBe(EndVerdict.Accepted);
        await transaction.CommitAsync(Stop);
        await Store.TidyAsync(Stop);

        (await PlacesAsync(young.Id)).ShouldBe(["ready"]);
        (await PlacesAsync(claim.JobId)).ShouldBe(["finished"]);
        (await FindAsync(claim.JobId)).LastOutcome.ShouldBe(outcome == Outcome.Failed ? Outcome.Superseded : Outcome.Succeeded);
        (await CountAsync("unique_key", $"job_id = {young.Id}")).ShouldBe(1);
    }

    [Fact]
    public async Task Rule_12_a_key_that_could_not_be_freed_is_swept_later()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key(until: Unique.WhilePendingOrRunning)));
        var held = await HoldAsync("select key from millrace.unique_key for update");
        (await node.EndAsync(claim, Outcome.Succeeded).WaitAsync(Patience, Stop)).ShouldBe(EndVerdict.Accepted);
        await EndAsync(held, commit: true);
        await Store.TidyAsync(Stop);
        (await CountAsync("unique_key")).ShouldBe(0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rule_13_a_job_whose_completion_is_in_flight_stays_and_its_neighbours_go_back(bool commits)
    {
        var slow = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(3));
        var claims = await slow.ClaimAsync(3);
        var transaction = await BeginAsync();
        (await CompleteAsync(slow, claims[1], transaction)).ShouldBe(true);
        await slow.DieAsync();
        var node = await NodeAsync();

        var answer = (await node.SweepAsync().WaitAsync(Patience, Stop)).ShouldHaveSingleItem();

        (answer.Back, answer.Ended, answer.Skipped).ShouldBe((2, 0, 1));
        if (commits)
            await transaction.CommitAsync(Stop);
        else
            await transaction.RollbackAsync(Stop);
        await node.SweepAsync();
        (await PlacesAsync(claims[1].JobId)).ShouldBe([commits ? "finished" : "ready"]);
        (await AttemptsAsync(claims[1].JobId)).ShouldHaveSingleItem().Outcome.ShouldBe(commits ? Outcome.Succeeded : Outcome.Interrupted);
        (await CountAsync("lease")).ShouldBe(0);
    }

    [Theory]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task Rule_16_a_submitter_with_an_old_snapshot_does_not_take_the_key_of_a_job_that_is_pending_again(IsolationLevel level)
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        var transaction = await BeginAsync(level);
        await SnapshotAsync(transaction);
        (await node.EndAsync(claim, Outcome.Failed, Some.Minute)).ShouldBe(EndVerdict.Accepted);

        SubmitAnswer? answer = null;
        try
        {
            answer = await SubmitAsync(Some.Job(key: Some.Key()), transaction);
            await transaction.CommitAsync(Stop);
        }
        catch (StoreException e) when (e.Fault == StoreFault.Conflict)
        {
            await transaction.RollbackAsync(Stop);
        }
        if (answer is { } kept)
            kept.ShouldBe(new SubmitAnswer(claim.JobId, SubmitState.Kept));
        (await CountAsync("scheduled")).ShouldBe(1);
        (await CountAsync("ready")).ShouldBe(0);
    }

    [Fact]
    public async Task Rule_16_keep_holds_the_pending_row_so_that_it_is_not_claimed_before_the_commit()
    {
        var node = await NodeAsync();
        var (held, other) = (Some.Job(key: Some.Key()), Some.Job());
        await SubmitAllAsync(held, other);
        var transaction = await BeginAsync();
        await SubmitAsync(Some.Job(key: Some.Key()), transaction);

        (await node.ClaimAsync(10).WaitAsync(Patience, Stop)).ShouldHaveSingleItem().JobId.ShouldBe(other.Id);
        await transaction.RollbackAsync(Stop);
        (await node.ClaimAsync(10)).ShouldHaveSingleItem().JobId.ShouldBe(held.Id);
    }

    [Fact]
    public async Task Rule_17_a_cancel_that_waits_for_the_lease_learns_what_became_of_the_run()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        var held = await HoldAsync("select id from millrace.lease for update");
        var cancelling = RepeatAsync(() => Store.CancelAsync(claim.JobId, null, null, Stop));
        await SettleAsync(cancelling);
        cancelling.IsCompleted.ShouldBeFalse("the lease row orders a cancel against the run's end");
        // What a turn does: end the run, delete the lease.
        await TestDatabase.QueryAsync(held.Connection!, held, """
            with ended as (insert into millrace.attempt (job_id, run, attempt, charged, type, node, started, finished, success, outcome)
                select @id, 1, 1, true, 'send', @node, now(), now(), true, 'succeeded' returning 1)
            delete from millrace.lease
            """, ("id", claim.JobId), ("node", node.Id));
        await EndAsync(held, commit: true);

        (await cancelling).ShouldBe(CancelResult.Finished);
        (await CountAsync("cancel_request")).ShouldBe(0);
    }

    // Here a cancel waits for a lease, and when it gets it the job runs under another one, which it has not locked: whoever ends that run must see the wish all the same.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rule_17_a_cancel_asks_only_under_the_lease_that_lists_the_run(bool firstLeaseStays)
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(2));
        var claims = await node.ClaimAsync(2);
        var id = claims[0].JobId;
        if (!firstLeaseStays)
            await node.EndAsync(claims[1], Outcome.Succeeded);
        var lease = await HoldAsync("select id from millrace.lease for update");
        // In line for the lease, one behind the other: a turn that ends the run and claims the next, and the cancel.
        var turn = node.Ending(node.End(claims[0], Outcome.Failed)) with { Want = 1 };
        var turning = RepeatAsync(() => node.TurnAsync(turn));
        await SettleAsync(turning, waiters: 1);
        var cancelling = RepeatAsync(() => Store.CancelAsync(id, null, null, Stop));
        await SettleAsync(cancelling, waiters: 2);
        // It does not get further than to the wish.
        var wish = await HoldAsync("insert into millrace.cancel_request (job_id, at) values (@id, now()) returning job_id", ("id", id));
        await EndAsync(lease, commit: false);
        var second = (await turning).Claims.ShouldHaveSingleItem();
        second.Run.ShouldBe(2);
        await SettleAsync(cancelling, waiters: 1);
        var end = node.Ending(node.End(second, Outcome.Failed, Some.Minute));
        var ending = RepeatAsync(() => node.TurnAsync(end));
        await SettleAsync(ending, waiters: 2);
        await EndAsync(wish, commit: false);

        (await cancelling).ShouldBe(CancelResult.Asked);
        (await ending).Ends.ShouldBe([EndVerdict.Cancelled]);
        (await PlacesAsync(id)).ShouldBe(["finished"]);
        (await CountAsync("cancel_request")).ShouldBe(0);
    }

    /// <summary>Waits until the operation is over, or so many sessions wait for a lock.</summary>
    private async Task SettleAsync(Task operation, int waiters)
    {
        while (!operation.IsCompleted && await database.WaitersAsync() < waiters)
            await Task.Yield();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rule_18_a_run_that_ends_while_a_submitter_decides_is_not_left_waiting_for_ever(bool commits)
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(key: Some.Key()));
        var transaction = await BeginAsync();
        var young = Some.Job(key: Some.Key());
        await SubmitAsync(young, transaction);
        await node.EndAsync(claim, Outcome.Failed).WaitAsync(Patience, Stop);
        // Upkeep runs while the submitter still decides, and must neither wait nor guess.
        await Store.TidyAsync(Stop).WaitAsync(Patience, Stop);
        (await PlacesAsync(claim.JobId)).ShouldHaveSingleItem();

        if (commits)
            await transaction.CommitAsync(Stop);
        else
            await transaction.RollbackAsync(Stop);
        for (var i = 0; i < 3; i++)
            await Store.TidyAsync(Stop);
        await Store.PromoteAsync(10, Stop);

        (await PlacesAsync(claim.JobId)).ShouldBe([commits ? "finished" : "ready"]);
        (await CountAsync("unique_key", $"job_id = {(commits ? young.Id : claim.JobId)}")).ShouldBe(1);
        (await CountAsync("waiting")).ShouldBe(0);
    }

    [Fact]
    public async Task Rule_19_a_claim_skips_a_row_that_somebody_holds()
    {
        var node = await NodeAsync();
        var jobs = Some.Jobs(3);
        await SubmitAllAsync(jobs);
        var held = await HoldAsync("select id from millrace.ready where id = @id for update", ("id", jobs[0].Id));
        (await node.ClaimAsync(10).WaitAsync(Patience, Stop)).Select(claim => claim.JobId).ShouldBe([jobs[1].Id, jobs[2].Id], ignoreOrder: true);
        await EndAsync(held, commit: false);
        (await node.ClaimOneAsync()).JobId.ShouldBe(jobs[0].Id);
    }

    [Fact]
    public async Task Rule_19_upkeep_skips_rows_that_somebody_holds()
    {
        var node = await NodeAsync();
        var (early, late) = (Some.Job(delay: Some.Second), Some.Job(delay: Some.Second));
        var (done, gone) = (await RunningAsync(node), await RunningAsync(node));
        await node.EndAllAsync(node.End(done, Outcome.Succeeded), node.End(gone, Outcome.Succeeded));
        await SubmitAllAsync(early, late);
        await Store.PutScheduleAsync(Some.Schedule(), null, null, Stop);
        Clock.Advance(2 * Some.Minute);
        var open = new List<DbTransaction>();
        open.Add(await HoldAsync("select id from millrace.scheduled where id = @id for update", ("id", early.Id)));
        open.Add(await HoldAsync("select id from millrace.job where id = @id for update", ("id", done.JobId)));
        open.Add(await HoldAsync("select name from millrace.schedule for update"));

        (await Store.PromoteAsync(10, Stop).WaitAsync(Patience, Stop)).Moved.ShouldBe(1);
        (await Store.PruneAsync(10, Stop).WaitAsync(Patience, Stop)).ShouldBe(1);
        (await Store.TickAsync((_, _) => throw new InvalidOperationException("It is held."), Stop).WaitAsync(Patience, Stop)).ShouldBeNull();
        await Store.TidyAsync(Stop).WaitAsync(Patience, Stop);
        await (await NodeAsync()).SweepAsync().WaitAsync(Patience, Stop);

        foreach (var transaction in open)
            await EndAsync(transaction, commit: false);
        (await Store.PromoteAsync(10, Stop)).Moved.ShouldBe(1);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task Rule_19_a_rescuer_skips_a_lease_that_another_rescuer_holds()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.Store.BuryAsync((await node.Store.SurveyAsync(node.Id, Stop)).Expired.Single(), Stop);
        var held = await HoldAsync("select id from millrace.lease for update");
        (await node.RescueAsync(claim.Lease).WaitAsync(Patience, Stop)).Back.ShouldBe(0);
        await EndAsync(held, commit: false);
        (await node.RescueAsync(claim.Lease)).Back.ShouldBe(1);
    }

    // B13, B14: somebody holds a row and says nothing. The store gives up after its own timeout, with nothing changed.
    [Fact]
    public async Task A_submission_that_cannot_have_its_key_in_time_is_a_conflict_and_changes_nothing()
    {
        await SubmitAsync(Some.Job(key: Some.Key()));
        var held = await HoldAsync("select key from millrace.unique_key for update");
        var e = await Should.ThrowAsync<StoreException>(() => SubmitAsync(Some.Job(key: Some.Key(onConflict: WhenPending.Replace))).WaitAsync(Patience, Stop));
        e.Fault.ShouldBe(StoreFault.Conflict);
        await EndAsync(held, commit: false);
        (await CountAsync("job")).ShouldBe(1);
    }

    // D6: the server's default must not weaken what "submitted" and "completed" mean. Nor "claimed": a claim that a crash forgets would be a run that starts a second time
    // under the same number, while the first goes on.
    [Fact]
    public async Task Submissions_claims_and_ends_are_durable_even_where_the_servers_default_is_not()
    {
        await Database.QueryAsync($"alter database {database.Name} set synchronous_commit = off");
        try
        {
            await Database.QueryAsync("""
                create table public.seen (source text, setting text);
                create function public.note() returns trigger language plpgsql as $$
                begin
                    insert into public.seen values (tg_table_name, current_setting('synchronous_commit'));
                    return null;
                end $$;
                create trigger note after insert on millrace.job for each statement execute function public.note();
                create trigger note after insert on millrace.lease for each statement execute function public.note();
                create trigger note after insert on millrace.attempt for each statement execute function public.note();
                """);
            // PgBouncer keeps connections from before the setting: send those away.
            await Database.QueryAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
            var node = await RepeatBrokenAsync(() => NodeAsync());
            var store = OpenStore();
            await RepeatBrokenAsync(() => store.SubmitAsync(Some.Jobs(1), null, Stop));
            await RepeatBrokenAsync(() => store.SubmitAsync(Some.Jobs(3_000), null, Stop));
            var claim = await node.ClaimOneAsync();
            await node.EndAsync(claim, Outcome.Succeeded);
            var seen = await Database.QueryAsync("select distinct source, setting from public.seen");
            seen.Select(row => $"{row[0]} {row[1]}").ShouldBe(["job on", "lease on", "attempt on"], ignoreOrder: true);
        }
        finally
        {
            await Database.QueryAsync($"alter database {database.Name} reset synchronous_commit");
        }
    }

    // Here the database was away and has forgotten ends that it had answered, as one does that was a standby and behind.
    [Fact]
    public async Task A_lease_is_not_deleted_on_the_word_of_a_database_that_has_forgotten_it()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(150));
        var claims = await node.ClaimAsync(150);
        (await node.TurnAsync(node.Turn() with { Ends = [.. claims.Select(claim => node.End(claim, Outcome.Succeeded))] })).Ends.ShouldAllBe(verdict => verdict == EndVerdict.Accepted);
        await Database.QueryAsync("delete from millrace.attempt");
        await Database.QueryAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");

        await RepeatBrokenAsync(() => node.TurnAsync(node.Turn() with { EndedLeases = [claims[0].Lease] }));

        (await CountAsync("lease")).ShouldBe(1);
        (await PlacesAsync(claims[0].JobId)).ShouldBe(["lease"]);
        (await node.RescueAsync(claims[0].Lease)).Back.ShouldBe(150);
        (await PlacesAsync(claims[0].JobId)).ShouldBe(["ready"]);
    }

    private static async Task<T> RepeatBrokenAsync<T>(Func<Task<T>> operation)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await operation();
            }
            catch (StoreException e) when (e.IsTransient && tries < 20)
            {
                await Task.Yield();
            }
        }
    }
}
