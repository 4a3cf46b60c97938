namespace Millrace.Storage.Tests;

public sealed class OperationsOnSqlite() : OperationsContract(new SqliteDatabase());

public sealed class OperationsOnPostgres() : OperationsContract(new PostgresDatabase());

public sealed class OperationsOnPgBouncer() : OperationsContract(new PgBouncerDatabase());

/// <summary>What people may change, and what is written down of it.</summary>
public abstract class OperationsContract(TestDatabase database) : Changing(database)
{
    // ---- one job

    [Theory]
    [InlineData(OperationKind.Retry)]
    [InlineData(OperationKind.Cancel)]
    [InlineData(OperationKind.Delete)]
    [InlineData(OperationKind.RunNow)]
    [InlineData(OperationKind.Reprioritise)]
    public async Task A_change_touches_the_jobs_whose_state_allows_it_and_no_others(OperationKind kind)
    {
        foreach (var state in States)
        {
            var id = await JobInAsync(state);
            var before = await DetailAsync(id);

            var answer = await ChangeAsync(id, kind);

            var story = $"{kind} of a job that is {state}";
            var after = await DetailAsync(id);
            (await PlacesAsync(id)).ShouldHaveSingleItem(story);
            (answer.State, answer.Version).ShouldBe((after.Row.State, after.Version), story);
            if ((JobChanges.Allowed(kind) & state) == 0)
            {
                (answer.Result, answer.Operation).ShouldBe((ChangeResult.Skipped, null), story);
                after.Row.ShouldBe(before.Row, story);
                continue;
            }

            answer.Operation.ShouldNotBeNull(story);
            if (kind == OperationKind.Cancel && state == StateSet.Running)
            {
                answer.Result.ShouldBe(ChangeResult.Asked, story);
                after.CancelRequest.ShouldBe(new CancelRequest(id, "alice", "because"), story);
                continue;
            }

            answer.Result.ShouldBe(ChangeResult.Done, story);
            CheckChanged(kind, state, before, after, story);
            if (kind != OperationKind.Delete || (state & (StateSet.Succeeded | StateSet.Discarded | StateSet.Cancelled)) == 0)
                after.Version.ShouldNotBe(before.Version, story);
            (await IsListedAsync(id)).ShouldBe(kind != OperationKind.Delete, story);
        }
    }

    private static void CheckChanged(OperationKind kind, StateSet state, JobDetail before, JobDetail after, string story)
    {
        var isFinished = before.Record.IsFinished;
        switch (kind)
        {
            case OperationKind.Retry:
                (after.Row.State, after.Row.Attempt, after.Row.Run).ShouldBe((JobState.Ready, 1, before.Row.Run + (isFinished ? 1 : 0)), story);
                break;
            case OperationKind.Cancel:
                (after.Row.State, after.Row.LastOutcome, after.Row.Run, after.Row.Error).ShouldBe((JobState.Cancelled, Outcome.Cancelled, before.Row.Run, "Cancelled by alice: because"), story);
                break;
            case OperationKind.Delete when isFinished:
                (after.Row.State, after.Row.Run, after.RemoveAt).ShouldBe((before.Row.State, before.Row.Run, before.RemoveAt), story);
                break;
            case OperationKind.Delete:
                (after.Row.State, after.Row.Run, after.Row.Error).ShouldBe((JobState.Cancelled, before.Row.Run, "Deleted by alice: because"), story);
                break;
            case OperationKind.RunNow:
                (after.Row.State, after.Row.Attempt, after.Row.Run).ShouldBe((JobState.Ready, before.Row.Attempt, before.Row.Run), story);
                break;
            default:
                (after.Row with { Priority = 0 }).ShouldBe(before.Row, $"{story} ({state})");
                after.Row.Priority.ShouldBe((short)-7, story);
                break;
        }
    }

    [Fact]
    public async Task A_job_that_is_not_stored_is_unknown() =>
        (await ChangeAsync(4711, OperationKind.Retry)).ShouldBe(new ChangeAnswer(ChangeResult.Unknown, null, null, null));

    [Fact]
    public async Task A_job_that_is_not_as_it_was_seen_is_left_alone()
    {
        var id = await JobInAsync(StateSet.Scheduled);
        var seen = (await DetailAsync(id)).Version;
        seen.ShouldBe("scheduled.1.0");
        await ChangedAsync(id, OperationKind.RunNow);

        (await ChangeAsync(id, OperationKind.Cancel, version: seen)).ShouldBe(new ChangeAnswer(ChangeResult.Moved, JobState.Ready, "ready.1.0", null));
        (await PlacesAsync(id)).ShouldBe(["ready"]);
        (await ChangeAsync(id, OperationKind.Cancel, version: "ready.1.0")).Result.ShouldBe(ChangeResult.Done);
    }

    [Fact]
    public async Task A_change_that_changes_nothing_is_skipped()
    {
        var (ready, node) = (await JobInAsync(StateSet.Ready), await NodeAsync());
        (await ChangeAsync(ready, OperationKind.Reprioritise, priority: 0)).Result.ShouldBe(ChangeResult.Skipped);
        var claim = await RunningAsync(node);
        (await ChangeAsync(claim.JobId, OperationKind.Cancel)).Result.ShouldBe(ChangeResult.Asked);
        (await ChangeAsync(claim.JobId, OperationKind.Cancel)).Result.ShouldBe(ChangeResult.Skipped);
        (await Look.ReadOperationsAsync(long.MaxValue, null, 10, Stop)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Only_changes_of_jobs_can_be_asked_for()
    {
        await Should.ThrowAsync<ArgumentException>(() => Operations.ChangeAsync(1, new JobChange(OperationKind.Drain), Alice, null, Stop));
        await Should.ThrowAsync<ArgumentException>(() => Operations.ChangeAsync(1, new JobChange(OperationKind.Reprioritise), Alice, null, Stop));
        await Should.ThrowAsync<ArgumentException>(() => Operations.BeginAsync(new JobChange(OperationKind.Undo), Alice, "", 1, Stop));
    }

    [Fact]
    public async Task A_running_job_that_was_asked_to_stop_does_not_run_again()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await ChangeAsync(claim.JobId, OperationKind.Cancel);
        (await Store.ReadCancelRequestsAsync([claim.JobId], Stop)).ShouldHaveSingleItem().ShouldBe(new CancelRequest(claim.JobId, "alice", "because"));
        (await node.EndAsync(claim, Outcome.Failed)).ShouldBe(EndVerdict.Cancelled);
    }

    [Fact]
    public async Task A_job_whose_key_a_newer_job_holds_is_not_retried()
    {
        var node = await NodeAsync();
        var old = await RunningAsync(node, Some.Job(key: Some.Key()));
        await node.EndAsync(old, Outcome.Discarded);
        await SubmitAsync(Some.Job(key: Some.Key(), delay: Hour));
        (await ChangeAsync(old.JobId, OperationKind.Retry)).ShouldSatisfyAllConditions(
            answer => answer.Result.ShouldBe(ChangeResult.KeyIsTaken), answer => answer.State.ShouldBe(JobState.Discarded), answer => answer.Operation.ShouldBeNull());
        (await ChangeAllAsync(OperationKind.Retry, old.JobId)).Skipped.ShouldBe(1);
    }

    [Fact]
    public async Task A_retried_job_holds_its_key_again()
    {
        var node = await NodeAsync();
        var old = await RunningAsync(node, Some.Job(key: Some.Key()));
        await node.EndAsync(old, Outcome.Discarded);
        await ChangedAsync(old.JobId, OperationKind.Retry);
        (await SubmitAsync(Some.Job(key: Some.Key()))).ShouldBe(new SubmitAnswer(old.JobId, SubmitState.Kept));
    }

    [Theory]
    [InlineData(OperationKind.Cancel)]
    [InlineData(OperationKind.Delete)]
    public async Task A_pending_job_that_ends_lets_its_key_go(OperationKind kind)
    {
        var job = Some.Job(key: Some.Key(), delay: Hour);
        await SubmitAsync(job);
        await ChangedAsync(job.Id, kind);
        (await SubmitAsync(Some.Job(key: Some.Key()))).State.ShouldBe(SubmitState.Created);
    }

    [Fact]
    public async Task A_job_with_a_better_priority_is_claimed_first_and_keeps_it_when_it_runs_again()
    {
        var node = await NodeAsync();
        var (first, second) = (Some.Job(), Some.Job());
        await SubmitAllAsync(first, second);
        await ChangedAsync(second.Id, OperationKind.Reprioritise, -5);

        var claim = await node.ClaimOneAsync();

        (claim.JobId, claim.Priority).ShouldBe((second.Id, (short)-5));
        (await PlacesAsync(second.Id)).ShouldBe(["lease"]);
        await node.EndAsync(claim, Outcome.Failed);
        (await RowAsync(second.Id)).Priority.ShouldBe((short)-5);
        (await node.ClaimOneAsync()).JobId.ShouldBe(second.Id);
        (await node.ClaimOneAsync()).JobId.ShouldBe(first.Id);
    }

    [Fact]
    public async Task A_job_that_runs_now_runs_the_attempt_it_waited_for()
    {
        var id = await JobInAsync(StateSet.Retrying);
        await ChangedAsync(id, OperationKind.RunNow);
        var claim = await (await NodeAsync()).ClaimOneAsync((await RowAsync(id)).Queue);
        (claim.JobId, claim.Run, claim.Attempt).ShouldBe((id, 2, 2));
    }

    // ---- deleted jobs

    [Fact]
    public async Task A_deleted_job_is_in_no_list_and_is_removed_when_its_undo_is_over()
    {
        var (pending, kept) = (await JobInAsync(StateSet.Ready), await JobInAsync(StateSet.Scheduled));
        var operation = await ChangedAsync(pending, OperationKind.Delete);

        (await RowAsync(pending)).DeletedBy.ShouldBe(operation);
        (await Look.ListAsync(new JobListing(), Stop)).Jobs.ShouldHaveSingleItem().Id.ShouldBe(kept);
        (await Look.ReadMatchesAsync(JobFilter.All, 0, long.MaxValue, 10, Stop)).Ids.ShouldBe([kept]);
        Clock.Advance(IJobOperations.UndoWindow - Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(0);
        Clock.Advance(2 * Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);
        (await Store.FindAsync(pending, Stop)).ShouldBeNull();
        (await CountAsync("deleted_job")).ShouldBe(0);
        (await CountAsync("operation_job")).ShouldBe(0);
        (await Look.ReadOperationsAsync(long.MaxValue, pending, 10, Stop)).ShouldHaveSingleItem().Id.ShouldBe(operation);
    }

    [Fact]
    public async Task A_deleted_job_whose_time_is_up_before_is_removed_then()
    {
        var id = await JobInAsync(StateSet.Succeeded);
        await ChangedAsync(id, OperationKind.Delete);
        Clock.Advance(2 * Some.Minute);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task A_deleted_job_cannot_be_changed()
    {
        var id = await JobInAsync(StateSet.Discarded);
        await ChangedAsync(id, OperationKind.Delete);
        (await ChangeAsync(id, OperationKind.Retry)).Result.ShouldBe(ChangeResult.Skipped);
        (await ChangeAsync(id, OperationKind.Delete)).Result.ShouldBe(ChangeResult.Skipped);
        (await ChangeAllAsync(OperationKind.Retry, id)).ShouldSatisfyAllConditions(end => end.Done.ShouldBe(0), end => end.Skipped.ShouldBe(1));
        (await PlacesAsync(id)).ShouldBe(["finished"]);
    }

    [Fact]
    public async Task A_deleted_job_that_code_retries_is_back()
    {
        var id = await JobInAsync(StateSet.Discarded);
        var operation = await ChangedAsync(id, OperationKind.Delete);
        (await Store.RetryAsync(id, Stop)).ShouldBe(RetryResult.Ready);
        (await IsListedAsync(id)).ShouldBeTrue();
        (await UndoAsync(operation)).ShouldSatisfyAllConditions(answer => answer.Restored.ShouldBe(0), answer => answer.Lost.ShouldBe(1));
        (await PlacesAsync(id)).ShouldBe(["ready"]);
    }

    // ---- many jobs

    [Fact]
    public async Task Many_jobs_are_changed_in_batches_that_add_up()
    {
        List<long> ids = [await JobInAsync(StateSet.Discarded), await JobInAsync(StateSet.Scheduled), await JobInAsync(StateSet.Running), 4711];
        var change = Change(OperationKind.Retry);
        var operation = await Operations.BeginAsync(change, Alice, "state:failed", 4, Stop);
        (await Look.FindOperationAsync(operation, Stop)).ShouldNotBeNull().ShouldSatisfyAllConditions(
            begun => begun.Ended.ShouldBeNull(), begun => begun.UndoUntil.ShouldBeNull(), begun => begun.Expected.ShouldBe(4), begun => begun.Done.ShouldBe(0));

        var first = await Operations.ApplyAsync(operation, change, ids[..2], Stop);
        var second = await Operations.ApplyAsync(operation, change, ids[2..], Stop);
        Clock.Advance(Some.Second);
        var end = await Operations.EndAsync(operation, "It was stopped.", Stop);

        (first.Done, first.Skipped, second.Done, second.Skipped).ShouldBe((2, 0, 0, 2));
        first.Queues.ShouldBe([(await RowAsync(ids[0])).Queue, (await RowAsync(ids[1])).Queue], ignoreOrder: true);
        second.Queues.ShouldBeEmpty();
        end.ShouldBe(new OperationRecord
        {
            Id = operation, Kind = OperationKind.Retry, At = Some.Noon, Author = Alice, Target = "state:failed", Expected = 4, Done = 2, Skipped = 2, Ended = Clock.GetUtcNow(),
            Error = "It was stopped.", UndoUntil = Clock.GetUtcNow() + IJobOperations.UndoWindow,
        });
        (await Look.FindOperationAsync(operation, Stop)).ShouldBe(end);
        (await Look.ReadOperationsAsync(long.MaxValue, ids[0], 10, Stop)).ShouldHaveSingleItem().ShouldBe(end);
        (await Look.ReadOperationsAsync(long.MaxValue, ids[2], 10, Stop)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(OperationKind.Retry)]
    [InlineData(OperationKind.Cancel)]
    [InlineData(OperationKind.Delete)]
    [InlineData(OperationKind.RunNow)]
    [InlineData(OperationKind.Reprioritise)]
    public async Task A_batch_does_to_each_job_what_a_single_change_does(OperationKind kind)
    {
        var pairs = new List<(StateSet State, long Single, long InBatch)>();
        foreach (var state in States)
            pairs.Add((state, await JobInAsync(state), await JobInAsync(state)));
        var results = new Dictionary<long, ChangeResult>();
        foreach (var (_, single, _) in pairs)
            results[single] = (await ChangeAsync(single, kind)).Result;

        var end = await ChangeAllAsync(kind, [.. pairs.Select(pair => pair.InBatch)]);

        end.Done.ShouldBe(results.Values.Count(result => result is ChangeResult.Done or ChangeResult.Asked));
        end.Skipped.ShouldBe(pairs.Count - end.Done);
        foreach (var (state, single, inBatch) in pairs)
        {
            (await PlacesAsync(inBatch)).ShouldHaveSingleItem($"{state}");
            (await DetailAsync(inBatch)).Version.ShouldBe((await DetailAsync(single)).Version, $"{kind} of {state}");
            (await IsListedAsync(inBatch)).ShouldBe(await IsListedAsync(single));
        }
    }

    [Fact]
    public async Task A_change_of_many_jobs_begins_once_for_each_claim()
    {
        var (claim, change) = (Guid.NewGuid(), Change(OperationKind.Reprioritise, 3));

        var first = await Operations.BeginOnceAsync(claim, change, Alice, "state:failed", 4, Stop);
        Clock.Advance(Some.Second);
        var again = await Operations.BeginOnceAsync(claim, change, Alice with { Name = "bob" }, "all jobs", 9, Stop);
        var other = await Operations.BeginOnceAsync(Guid.NewGuid(), change, Alice, "state:failed", 4, Stop);

        first.IsNew.ShouldBeTrue();
        again.ShouldBe(new BegunOperation(first.Operation, IsNew: false));
        other.IsNew.ShouldBeTrue();
        other.Operation.ShouldBeGreaterThan(first.Operation);
        (await Look.ReadOperationsAsync(long.MaxValue, null, 10, Stop)).Select(record => record.Id).ShouldBe([other.Operation, first.Operation]);
        var plain = await Operations.BeginAsync(change, Alice, "state:failed", 4, Stop);
        plain.ShouldBeGreaterThan(other.Operation);
        var begun = (await Look.FindOperationAsync(first.Operation, Stop)).ShouldNotBeNull();
        begun.At.ShouldBe(Some.Noon);
        begun.ShouldBe((await Look.FindOperationAsync(plain, Stop)).ShouldNotBeNull() with { Id = first.Operation, At = Some.Noon });
        await Should.ThrowAsync<ArgumentException>(() => Operations.BeginOnceAsync(Guid.NewGuid(), new JobChange(OperationKind.Undo), Alice, "", 1, Stop));
    }

    [Fact]
    public async Task However_many_servers_ask_at_once_a_change_begins_once()
    {
        var servers = Enumerable.Range(0, 4).Select(_ => OpenStore()).ToArray();

        for (var round = 1; round <= 10; round++)
        {
            var claim = Guid.NewGuid();
            var begun = await Task.WhenAll(servers.Select(server => Task.Run(() => server.Operations.BeginOnceAsync(claim, Change(OperationKind.Cancel), Alice, "these", 1, Stop), Stop)));

            begun.Count(one => one.IsNew).ShouldBe(1);
            begun.Select(one => one.Operation).Distinct().ShouldHaveSingleItem();
            (await CountAsync("operation")).ShouldBe(round);
        }
    }

    [Fact]
    public async Task A_claim_is_forgotten_with_its_operation()
    {
        var claim = Guid.NewGuid();
        var old = await Operations.BeginOnceAsync(claim, Change(OperationKind.Cancel), Alice, "", 1, Stop);
        Clock.Advance(Hour);
        var young = Guid.NewGuid();
        await Operations.BeginOnceAsync(young, Change(OperationKind.Cancel), Alice, "", 1, Stop);

        (await Operations.ForgetAsync(Some.Noon + Some.Minute, Stop)).ShouldBe(1);

        (await CountAsync("once")).ShouldBe(1);
        (await Operations.BeginOnceAsync(young, Change(OperationKind.Cancel), Alice, "", 1, Stop)).IsNew.ShouldBeFalse();
        (await Operations.BeginOnceAsync(claim, Change(OperationKind.Cancel), Alice, "", 1, Stop)).ShouldSatisfyAllConditions(
            answer => answer.IsNew.ShouldBeTrue(), answer => answer.Operation.ShouldBeGreaterThan(old.Operation));
    }

    [Fact]
    public async Task A_batch_that_is_sent_again_does_nothing_twice()
    {
        var ids = new[] { await JobInAsync(StateSet.Scheduled), await JobInAsync(StateSet.Scheduled) };
        var change = Change(OperationKind.Cancel);
        var operation = await Operations.BeginAsync(change, Alice, "", 2, Stop);
        await Operations.ApplyAsync(operation, change, ids, Stop);
        await Operations.ApplyAsync(operation, change, ids, Stop);
        (await Operations.EndAsync(operation, null, Stop)).Done.ShouldBe(2);
        (await UndoAsync(operation)).Restored.ShouldBe(2);
    }

    [Fact]
    public async Task An_operation_that_has_ended_changes_nothing_more()
    {
        var id = await JobInAsync(StateSet.Ready);
        var change = Change(OperationKind.Cancel);
        var operation = await Operations.BeginAsync(change, Alice, "", 1, Stop);
        var end = await Operations.EndAsync(operation, null, Stop);
        (await Operations.ApplyAsync(operation, change, [id], Stop)).Done.ShouldBe(0);
        (await Operations.ApplyAsync(4711, change, [id], Stop)).Done.ShouldBe(0);
        (await PlacesAsync(id)).ShouldBe(["ready"]);
        Clock.Advance(Some.Minute);
        (await Operations.EndAsync(operation, "again", Stop)).ShouldBe(end);
    }

    [Fact]
    public async Task A_batch_has_at_most_1000_jobs_and_may_have_none()
    {
        var operation = await Operations.BeginAsync(Change(OperationKind.Cancel), Alice, "", 1, Stop);
        (await Operations.ApplyAsync(operation, Change(OperationKind.Cancel), [], Stop)).ShouldSatisfyAllConditions(answer => answer.Done.ShouldBe(0), answer => answer.Skipped.ShouldBe(0));
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Operations.ApplyAsync(operation, Change(OperationKind.Cancel), [.. Enumerable.Range(1, 1001).Select(i => (long)i)], Stop));
    }

    // ---- the audit

    [Fact]
    public async Task A_change_is_recorded_with_who_when_what_and_why()
    {
        var id = await JobInAsync(StateSet.Scheduled);
        Clock.Advance(Some.Second);
        var operation = await ChangedAsync(id, OperationKind.Reprioritise, 9);
        var record = (await Look.FindOperationAsync(operation, Stop)).ShouldNotBeNull();
        (record with { Before = null, After = null }).ShouldBe(new OperationRecord
        {
            Id = operation, Kind = OperationKind.Reprioritise, At = Clock.GetUtcNow(), Author = Alice, Target = $"job {id}", JobId = id, Expected = 1, Done = 1, Ended = Clock.GetUtcNow(),
            UndoUntil = Clock.GetUtcNow() + IJobOperations.UndoWindow,
        });
        record.Before.ShouldNotBeNull().ShouldContain("\"priority\":0");
        record.After.ShouldNotBeNull().ShouldContain("\"priority\":9");
    }

    [Fact]
    public async Task What_was_done_by_other_means_is_recorded_too()
    {
        var operation = await Operations.RecordAsync(OperationKind.Rerun, Alice with { Reason = null }, "job 5", 5, """{"job":"6"}""", Stop);
        var record = (await Look.FindOperationAsync(operation, Stop)).ShouldNotBeNull();
        (record.Kind, record.At, record.Author, record.Target, record.JobId, record.Ended, record.After, record.UndoUntil)
            .ShouldBe((OperationKind.Rerun, Some.Noon, new Author("alice", "code"), "job 5", 5L, Some.Noon, """{"job":"6"}""", null));
        (await Look.ReadOperationsAsync(long.MaxValue, 5, 10, Stop)).ShouldHaveSingleItem();
        (await UndoAsync(operation)).Result.ShouldBe(UndoResult.Never);
    }

    [Fact]
    public async Task Old_operations_are_forgotten()
    {
        var id = await JobInAsync(StateSet.Scheduled);
        await ChangedAsync(id, OperationKind.RunNow);
        await Operations.RecordAsync(OperationKind.Submit, Alice, "", null, null, Stop);
        Clock.Advance(Hour);
        var kept = await ChangedAsync(id, OperationKind.Cancel);

        (await Operations.ForgetAsync(Some.Noon + Some.Minute, Stop)).ShouldBe(2);

        (await Look.ReadOperationsAsync(long.MaxValue, null, 10, Stop)).ShouldHaveSingleItem().Id.ShouldBe(kept);
        (await CountAsync("operation_job")).ShouldBe(1);
        Clock.Advance(TimeSpan.FromDays(91));
        (await Store.SurveyAsync(Guid.NewGuid(), Stop)).NeedsTidying.ShouldBeTrue();
        await Store.TidyAsync(Stop);
        (await CountAsync("operation")).ShouldBe(0);
        (await CountAsync("operation_job")).ShouldBe(0);
    }

    [Fact]
    public async Task An_id_of_an_operation_is_never_given_twice()
    {
        var first = await Operations.RecordAsync(OperationKind.Submit, Alice, "", null, null, Stop);
        Clock.Advance(Hour);
        await Operations.ForgetAsync(Clock.GetUtcNow(), Stop);
        (await Operations.RecordAsync(OperationKind.Submit, Alice, "", null, null, Stop)).ShouldBeGreaterThan(first);
    }
}
