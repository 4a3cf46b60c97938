using CsCheck;

namespace Millrace.Storage.Tests;

public sealed class UndoOnSqlite() : UndoContract(new SqliteDatabase());

public sealed class UndoOnPostgres() : UndoContract(new PostgresDatabase());

public sealed class UndoOnPgBouncer() : UndoContract(new PgBouncerDatabase());

/// <summary>Taking back what people did, and what happens when jobs go on meanwhile.</summary>
public abstract class UndoContract(TestDatabase database) : Changing(database)
{
    private async Task RestoredAsync(long operation, long restored = 1, long lost = 0)
    {
        var answer = await UndoAsync(operation);
        (answer.Result, answer.Restored, answer.Lost).ShouldBe((UndoResult.Done, restored, lost));
        (await Look.FindOperationAsync(answer.Operation.ShouldNotBeNull(), Stop)).ShouldNotBeNull().ShouldSatisfyAllConditions(
            undo => undo.Kind.ShouldBe(OperationKind.Undo), undo => undo.Target.ShouldBe($"operation {operation}"), undo => undo.Done.ShouldBe(restored), undo => undo.Skipped.ShouldBe(lost),
            undo => undo.Ended.ShouldBe(Clock.GetUtcNow()), undo => undo.UndoUntil.ShouldBeNull(), undo => undo.Author.ShouldBe(Alice));
        (await Look.FindOperationAsync(operation, Stop)).ShouldNotBeNull().UndoneBy.ShouldBe(answer.Operation);
    }

    // ---- back to where it was

    [Theory]
    [InlineData(OperationKind.Cancel)]
    [InlineData(OperationKind.Delete)]
    public async Task A_pending_job_that_was_ended_goes_back_to_its_place_with_a_new_run(OperationKind kind)
    {
        foreach (var state in Pending)
        {
            var id = await JobInAsync(state);
            var (before, waiting) = (await RowAsync(id), await SinceAsync(id));
            var operation = await ChangedAsync(id, kind);

            await RestoredAsync(operation);

            var after = await RowAsync(id);
            (after.State, after.WaitsFor, after.Attempt, after.Due, after.Priority, after.Run, after.DeletedBy)
                .ShouldBe((before.State, before.WaitsFor, before.Attempt, before.Due, before.Priority, before.Run + 1, null), $"{kind} of {state}");
            (await PlacesAsync(id)).ShouldHaveSingleItem($"{state}");
            (await SinceAsync(id)).ShouldBe(waiting);
            (await IsListedAsync(id)).ShouldBeTrue();
            (await DetailAsync(id)).RemoveAt.ShouldBeNull();
        }

        Clock.Advance(TimeSpan.FromDays(1));
        (await Store.PruneAsync(100, Stop)).ShouldBe(0, "an end that was taken back removes nothing");
    }

    private Task<long> SinceAsync(long id) => CountAsync("waiting", $"id = {id} and since is not null");

    [Fact]
    public async Task A_job_that_comes_back_into_line_has_its_old_place_there()
    {
        var node = await NodeAsync();
        var (first, second) = (Some.Job(), Some.Job());
        await SubmitAsync(first);
        Clock.Advance(Some.Second);
        await SubmitAsync(second);
        await RestoredAsync(await ChangedAsync(first.Id, OperationKind.Cancel));

        var claim = await node.ClaimOneAsync();

        (claim.JobId, claim.Run, claim.Attempt).ShouldBe((first.Id, 2, 1));
        (await node.EndAsync(claim, Outcome.Succeeded)).ShouldBe(EndVerdict.Accepted);
        (await AttemptsAsync(first.Id)).Select(attempt => attempt.Outcome).ShouldBe([Outcome.Cancelled, Outcome.Succeeded]);
    }

    [Fact]
    public async Task A_suspect_that_comes_back_is_a_suspect_still()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead);
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync();
        await RestoredAsync(await ChangedAsync(claim.JobId, OperationKind.Cancel));
        (await node.ClaimAsync()).ShouldBeEmpty();
        (await node.ClaimAsync(suspects: true)).ShouldHaveSingleItem().Crashes.ShouldBe(1);
    }

    [Fact]
    public async Task A_job_whose_time_has_come_meanwhile_is_ready_soon()
    {
        var job = Some.Job(delay: Some.Minute);
        await SubmitAsync(job);
        var operation = await ChangedAsync(job.Id, OperationKind.Delete);
        Clock.Advance(2 * Some.Minute);
        await RestoredAsync(operation);
        await Store.PromoteAsync(10, Stop);
        (await PlacesAsync(job.Id)).ShouldBe(["ready"]);
    }

    [Theory]
    [InlineData(StateSet.Succeeded)]
    [InlineData(StateSet.Discarded)]
    [InlineData(StateSet.Cancelled)]
    public async Task A_finished_job_that_was_deleted_or_retried_is_finished_again_and_is_removed_at_its_time(StateSet state)
    {
        foreach (var kind in new[] { OperationKind.Delete, OperationKind.Retry })
        {
            var id = await JobInAsync(state);
            var before = await DetailAsync(id);
            var operation = await ChangedAsync(id, kind);
            Clock.Advance(Some.Second);

            await RestoredAsync(operation);

            var after = await DetailAsync(id);
            after.Row.ShouldBe(before.Row, $"{kind} of {state}");
            (after.Version, after.RemoveAt).ShouldBe((before.Version, before.RemoveAt));
            after.RemoveAt.ShouldNotBeNull();
            (await IsListedAsync(id)).ShouldBeTrue();
            Clock.Advance(2 * Some.Minute);
            (await Store.PruneAsync(10, Stop)).ShouldBe(1);
        }
    }

    [Theory]
    [InlineData(OperationKind.Retry)]
    [InlineData(OperationKind.RunNow)]
    public async Task A_job_that_was_made_ready_and_has_not_begun_waits_again_as_it_did(OperationKind kind)
    {
        foreach (var state in Pending.Where(state => (JobChanges.Allowed(kind) & state) != 0))
        {
            var id = await JobInAsync(state);
            var before = await DetailAsync(id);
            var operation = await ChangedAsync(id, kind);
            await RestoredAsync(operation);
            var after = await DetailAsync(id);
            after.Row.ShouldBe(before.Row, $"{kind} of {state}");
            after.Version.ShouldBe(before.Version);
        }
    }

    [Fact]
    public async Task A_priority_is_what_it_was_wherever_the_job_waits()
    {
        foreach (var state in Pending)
        {
            var id = await JobInAsync(state);
            var before = await RowAsync(id);
            await RestoredAsync(await ChangedAsync(id, OperationKind.Reprioritise, 5));
            (await RowAsync(id)).ShouldBe(before, $"{state}");
        }
    }

    // ---- keys

    [Theory]
    [InlineData(OperationKind.Cancel)]
    [InlineData(OperationKind.Delete)]
    public async Task A_job_that_comes_back_holds_its_key_as_it_did(OperationKind kind)
    {
        var job = Some.Job(key: Some.Key(until: Unique.WhilePendingOrRunning), queue: "mail");
        await SubmitAsync(job);
        await RestoredAsync(await ChangedAsync(job.Id, kind));
        (await SubmitAsync(Some.Job(key: Some.Key()))).ShouldBe(new SubmitAnswer(job.Id, SubmitState.Kept));
        await (await NodeAsync()).ClaimOneAsync("mail");
        (await SubmitAsync(Some.Job(key: Some.Key()))).ShouldBe(new SubmitAnswer(job.Id, SubmitState.Kept), "it was unique while it runs, and is again");
    }

    [Theory]
    [InlineData(OperationKind.Cancel)]
    [InlineData(OperationKind.Delete)]
    public async Task A_job_whose_key_somebody_has_taken_meanwhile_does_not_come_back(OperationKind kind)
    {
        var job = Some.Job(key: Some.Key(), delay: Hour);
        await SubmitAsync(job);
        var operation = await ChangedAsync(job.Id, kind);
        var newer = Some.Job(key: Some.Key(), delay: Hour);
        await SubmitAsync(newer);

        await RestoredAsync(operation, restored: 0, lost: 1);

        (await PlacesAsync(job.Id)).ShouldBe(["finished"]);
        (await SubmitAsync(Some.Job(key: Some.Key()))).ShouldBe(new SubmitAnswer(newer.Id, SubmitState.Kept));
    }

    [Fact]
    public async Task A_retry_that_is_taken_back_lets_the_key_go()
    {
        var node = await NodeAsync();
        var old = await RunningAsync(node, Some.Job(key: Some.Key()));
        await node.EndAsync(old, Outcome.Discarded);
        await RestoredAsync(await ChangedAsync(old.JobId, OperationKind.Retry));
        (await SubmitAsync(Some.Job(key: Some.Key()))).State.ShouldBe(SubmitState.Created);
    }

    // ---- jobs that have gone on

    [Theory]
    [InlineData(OperationKind.Retry)]
    [InlineData(OperationKind.RunNow)]
    public async Task A_job_that_has_begun_is_left_alone(OperationKind kind)
    {
        var node = await NodeAsync();
        foreach (var outcome in new Outcome?[] { null, Outcome.Succeeded, Outcome.Failed, Outcome.Released })
        {
            var id = await JobInAsync(StateSet.Retrying);
            var operation = await ChangedAsync(id, kind);
            var claim = await node.ClaimOneAsync((await RowAsync(id)).Queue);
            if (outcome is { } end)
                await node.EndAsync(claim, end);
            var before = await DetailAsync(id);
            await RestoredAsync(operation, restored: 0, lost: 1);
            (await DetailAsync(id)).Version.ShouldBe(before.Version, $"{kind}, {outcome}");
            (await PlacesAsync(id)).ShouldHaveSingleItem();
        }
    }

    [Fact]
    public async Task A_cancelled_job_that_was_retried_or_deleted_since_is_left_alone()
    {
        var (retried, deleted) = (await JobInAsync(StateSet.Scheduled), await JobInAsync(StateSet.Scheduled));
        var operation = (await ChangeAllAsync(OperationKind.Cancel, retried, deleted)).Id;
        await ChangedAsync(retried, OperationKind.Retry);
        await ChangedAsync(deleted, OperationKind.Delete);
        await RestoredAsync(operation, restored: 0, lost: 2);
        (await PlacesAsync(retried)).ShouldBe(["ready"]);
        (await PlacesAsync(deleted)).ShouldBe(["finished"]);
        (await IsListedAsync(deleted)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_priority_that_was_changed_again_stays()
    {
        var id = await JobInAsync(StateSet.Scheduled);
        var operation = await ChangedAsync(id, OperationKind.Reprioritise, 5);
        await ChangedAsync(id, OperationKind.Reprioritise, 6);
        await RestoredAsync(operation, restored: 0, lost: 1);
        (await RowAsync(id)).Priority.ShouldBe((short)6);
    }

    [Fact]
    public async Task A_running_job_that_was_asked_to_stop_is_not_brought_back()
    {
        var (running, pending) = (await JobInAsync(StateSet.Running), await JobInAsync(StateSet.Ready));
        var operation = (await ChangeAllAsync(OperationKind.Cancel, running, pending)).Id;
        await RestoredAsync(operation, restored: 1, lost: 1);
        (await PlacesAsync(running)).ShouldBe(["lease"]);
        (await PlacesAsync(pending)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task Jobs_that_were_removed_meanwhile_are_lost()
    {
        var (finished, pending) = (await JobInAsync(StateSet.Succeeded), await JobInAsync(StateSet.Ready));
        var operation = (await ChangeAllAsync(OperationKind.Delete, finished, pending)).Id;
        Clock.Advance(2 * Some.Minute);
        (await Store.PruneAsync(10, Stop)).ShouldBe(1);
        await RestoredAsync(operation, restored: 1, lost: 1);
        (await PlacesAsync(pending)).ShouldBe(["ready"]);
    }

    // ---- whether at all

    [Fact]
    public async Task An_operation_is_undone_once_in_its_time_after_its_end()
    {
        (await UndoAsync(4711)).ShouldBe(new UndoAnswer(UndoResult.Unknown, 0, 0, null));
        var id = await JobInAsync(StateSet.Scheduled);
        var open = await Operations.BeginAsync(Change(OperationKind.Cancel), Alice, "", 1, Stop);
        await Operations.ApplyAsync(open, Change(OperationKind.Cancel), [id], Stop);
        (await UndoAsync(open)).ShouldBe(new UndoAnswer(UndoResult.NotEnded, 0, 0, null));
        Clock.Advance(Hour);
        await Operations.EndAsync(open, null, Stop);
        await RestoredAsync(open);
        (await UndoAsync(open)).ShouldBe(new UndoAnswer(UndoResult.Before, 0, 0, null));
        var undo = (await Look.FindOperationAsync(open, Stop)).ShouldNotBeNull().UndoneBy.ShouldNotBeNull();
        (await UndoAsync(undo)).ShouldBe(new UndoAnswer(UndoResult.Never, 0, 0, null));
        var late = await ChangedAsync(id, OperationKind.Reprioritise);
        Clock.Advance(IJobOperations.UndoWindow + Some.Second);
        (await UndoAsync(late)).ShouldBe(new UndoAnswer(UndoResult.TooLate, 0, 0, null));
    }

    [Fact]
    public async Task A_change_whose_process_is_gone_is_ended_by_upkeep_and_can_be_undone()
    {
        var node = await NodeAsync();
        var (done, rest) = (await JobInAsync(StateSet.Scheduled), await JobInAsync(StateSet.Scheduled));
        var open = await Operations.BeginAsync(Change(OperationKind.Cancel), Alice, "these", 2, Stop);
        node.LiveFor(IJobOperations.AbandonedAfter / 2);
        await Operations.ApplyAsync(open, Change(OperationKind.Cancel), [done], Stop);
        node.LiveFor(IJobOperations.AbandonedAfter);
        // A word in between, without a job: it goes on.
        await Operations.ApplyAsync(open, Change(OperationKind.Cancel), [], Stop);
        node.LiveFor(IJobOperations.AbandonedAfter);
        (await Store.SurveyAsync(node.Id, Stop)).NeedsTidying.ShouldBeFalse("it has just said that it goes on");
        await Store.TidyAsync(Stop);
        (await Look.FindOperationAsync(open, Stop)).ShouldNotBeNull().Ended.ShouldBeNull();

        node.LiveFor(Some.Second);
        (await Store.SurveyAsync(node.Id, Stop)).NeedsTidying.ShouldBeTrue();
        await Store.TidyAsync(Stop);

        var ended = (await Look.FindOperationAsync(open, Stop)).ShouldNotBeNull();
        (ended.Ended, ended.Error, ended.Done, ended.UndoUntil).ShouldBe((Clock.GetUtcNow(), JobChanges.Abandoned, 1L, Clock.GetUtcNow() + IJobOperations.UndoWindow));
        // One that only stood still finds that it is over.
        (await Operations.ApplyAsync(open, Change(OperationKind.Cancel), [rest], Stop)).Done.ShouldBe(0);
        (await Operations.EndAsync(open, null, Stop)).Error.ShouldBe(JobChanges.Abandoned);
        Clock.Advance(IJobOperations.UndoWindow - Some.Second);
        await RestoredAsync(open);
    }

    [Fact]
    public async Task A_deletion_that_takes_long_can_be_undone_as_a_whole()
    {
        var (first, last) = (await JobInAsync(StateSet.Ready), await JobInAsync(StateSet.Scheduled));
        var delete = await Operations.BeginAsync(Change(OperationKind.Delete), Alice, "these", 2, Stop);
        await Operations.ApplyAsync(delete, Change(OperationKind.Delete), [first], Stop);
        Clock.Advance(IJobOperations.UndoWindow + Some.Minute);
        (await Store.PruneAsync(10, Stop)).ShouldBe(0, "it has not ended");
        await Operations.ApplyAsync(delete, Change(OperationKind.Delete), [last], Stop);
        await Operations.EndAsync(delete, null, Stop);
        Clock.Advance(IJobOperations.UndoWindow - Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(0, "it can still be undone");

        await RestoredAsync(delete, restored: 2);
        (await StateSetAsync(first)).ShouldBe(StateSet.Ready);

        var again = await ChangeAllAsync(OperationKind.Delete, first, last);
        Clock.Advance(IJobOperations.UndoWindow + Some.Second);
        (await Store.PruneAsync(10, Stop)).ShouldBe(2);
        (await UndoAsync(again.Id)).Result.ShouldBe(UndoResult.TooLate);
    }

    [Fact]
    public async Task A_change_whose_process_is_gone_is_undone_without_upkeep()
    {
        var id = await JobInAsync(StateSet.Scheduled);
        var open = await Operations.BeginAsync(Change(OperationKind.Cancel), Alice, "these", 1, Stop);
        await Operations.ApplyAsync(open, Change(OperationKind.Cancel), [id], Stop);
        Clock.Advance(IJobOperations.AbandonedAfter + Some.Second);

        await RestoredAsync(open);
        (await Look.FindOperationAsync(open, Stop)).ShouldNotBeNull().Error.ShouldBe(JobChanges.Abandoned);
    }

    [Fact]
    public async Task Many_thousand_jobs_come_back_too()
    {
        var jobs = Some.Jobs(2500);
        await SubmitAllAsync(jobs);
        var end = await ChangeAllAsync(OperationKind.Delete, [.. jobs.Select(job => job.Id)]);
        end.Done.ShouldBe(2500);
        (await CountAsync("ready")).ShouldBe(0);
        await RestoredAsync(end.Id, restored: 2500);
        (await CountAsync("ready")).ShouldBe(2500);
        (await CountAsync("deleted_job")).ShouldBe(0);
    }

    // ---- everything at once

    [Fact]
    public async Task However_claims_race_with_people_each_job_is_in_exactly_one_place()
    {
        var jobs = Some.Jobs(60);
        await SubmitAllAsync(jobs);
        long[] ids = [.. jobs.Select(job => job.Id)];
        var node = await NodeAsync();
        var others = Enumerable.Range(0, 4).Select(_ => OpenStore()).ToArray();

        async Task WorkAsync()
        {
            var random = new Random(1);
            Outcome[] outcomes = [Outcome.Succeeded, Outcome.Failed, Outcome.Released, Outcome.Discarded];
            for (var i = 0; i < 60; i++)
            {
                var claims = await RepeatAsync(() => node.ClaimAsync(5));
                if (claims.Count > 0)
                    await RepeatAsync(() => node.EndAllAsync([.. claims.Select(claim => node.End(claim, outcomes[random.Next(4)]))]));
            }
        }

        async Task OperateAsync(IJobStore store, int seed)
        {
            var random = new Random(seed);
            OperationKind[] kinds = [OperationKind.Retry, OperationKind.Cancel, OperationKind.Delete, OperationKind.RunNow, OperationKind.Reprioritise];
            var done = new List<long>();
            for (var i = 0; i < 40; i++)
            {
                var change = Change(kinds[random.Next(kinds.Length)], null);
                change = change.Priority is null ? change : change with { Priority = (short)random.Next(-9, 9) };
                var operation = await RepeatAsync(() => store.Operations.BeginAsync(change, Alice, "", 9, Stop));
                await RepeatAsync(() => store.Operations.ApplyAsync(operation, change, [.. Enumerable.Range(0, 9).Select(_ => ids[random.Next(ids.Length)]).Distinct()], Stop));
                await RepeatAsync(() => store.Operations.EndAsync(operation, null, Stop));
                await RepeatAsync(() => store.Operations.ChangeAsync(ids[random.Next(ids.Length)], change, Alice, null, Stop));
                done.Add(operation);
                if (random.Next(3) == 0)
                    await RepeatAsync(() => store.Operations.UndoAsync(done[random.Next(done.Count)], Alice, Stop));
            }
        }

        await Task.WhenAll([Task.Run(WorkAsync, Stop), .. others.Select((store, i) => Task.Run(() => OperateAsync(store, 10 + i), Stop))]);

        foreach (var id in ids)
            (await PlacesAsync(id)).ShouldHaveSingleItem($"job {id}");
        (await CountAsync("deleted_job", $"job_id in (select id from {Database.Table("ready")})")).ShouldBe(0, "a deleted job does not run");
        (await Look.ReportAsync(Stop)).Findings.ShouldNotContain(finding => finding.Severity == Severity.Error);
    }

    private enum Step
    {
        Retry, Cancel, Delete, RunNow, Reprioritise, Batch, Undo, UndoOld, Claim, End, EndLater, Pass, Promote, Prune, Die,
    }

    [Fact]
    public async Task Any_sequence_of_changes_undos_claims_and_ends_leaves_each_job_in_exactly_one_place()
    {
        var steps = Gen.Select(Gen.Int[0, Enum.GetValues<Step>().Length - 1], Gen.Int[0, 1_000]).Array[20, 60];
        await steps.SampleSeededAsync(async sequence =>
        {
            var world = new World(this, await NodeAsync());
            await world.BeginAsync();
            foreach (var (step, choice) in sequence)
                await world.DoAsync((Step)step, choice);
        }, iter: 10);
    }

    private sealed class World(UndoContract contract, TestNode first)
    {
        private static readonly Outcome[] Outcomes = [Outcome.Succeeded, Outcome.Failed, Outcome.Snoozed, Outcome.Released, Outcome.Discarded, Outcome.Cancelled];

        private static readonly OperationKind[] Kinds = [OperationKind.Retry, OperationKind.Cancel, OperationKind.Delete, OperationKind.RunNow, OperationKind.Reprioritise];

        private readonly string queue = $"q{Some.Id()}";
        private readonly List<long> ids = [];
        private readonly List<long> operations = [];
        private readonly List<Claim> held = [];
        private TestNode node = first;

        public async Task BeginAsync()
        {
            var jobs = new[]
            {
                Some.Job(queue: queue), Some.Job(queue: queue), Some.Job(queue: queue, delay: Some.Minute), Some.Job(queue: queue, key: Some.Key(queue)), Some.Job(queue: queue, priority: 3),
            };
            await contract.SubmitAllAsync(jobs);
            ids.AddRange(jobs.Select(job => job.Id));
        }

        public async Task DoAsync(Step step, int choice)
        {
            node.Beat();
            await ActAsync(step, choice);
            foreach (var id in ids.ToArray())
                await CheckAsync(id, $"job {id} after {step} {choice}");
        }

        private async Task ActAsync(Step step, int choice)
        {
            var any = ids.Count == 0 ? 4711 : ids[choice % ids.Count];
            switch (step)
            {
                case Step.Retry or Step.Cancel or Step.Delete or Step.RunNow or Step.Reprioritise:
                    var kind = Kinds[(int)step];
                    if ((await contract.ChangeAsync(any, kind, kind == OperationKind.Reprioritise ? (short)(choice % 5) : null)).Operation is { } operation)
                        operations.Add(operation);
                    break;
                case Step.Batch when ids.Count > 0:
                    operations.Add((await contract.ChangeAllAsync(Kinds[choice % Kinds.Length], [.. ids])).Id);
                    break;
                case Step.Undo or Step.UndoOld when operations.Count > 0:
                    await contract.UndoAsync(step == Step.Undo ? operations[^1] : operations[choice % operations.Count]);
                    break;
                case Step.Claim:
                    held.AddRange(await node.ClaimAsync(1 + (choice % 3), queue, suspects: choice % 4 == 0));
                    break;
                case Step.End or Step.EndLater when held.Count > 0:
                    var claim = held[choice % held.Count];
                    held.Remove(claim);
                    await node.EndAsync(claim, Outcomes[choice % Outcomes.Length], step == Step.End ? default : Some.Minute);
                    break;
                case Step.Pass:
                    node.LiveFor(choice % 3 == 0 ? TimeSpan.FromMinutes(6) : Some.Second);
                    break;
                case Step.Promote:
                    node.LiveFor(20 * Some.Second);
                    await contract.Store.PromoteAsync(100, Stop);
                    break;
                case Step.Prune:
                    await contract.Store.PruneAsync(100, Stop);
                    break;
                case Step.Die:
                    held.Clear();
                    await node.DieAsync();
                    node = await contract.NodeAsync();
                    await node.SweepAsync(choice % 3 == 0 ? Some.Quarantine : Some.Again);
                    break;
            }
        }

        private async Task CheckAsync(long id, string story)
        {
            var places = await contract.PlacesAsync(id);
            if (await contract.Look.FindAsync(id, Stop) is not { } job)
            {
                places.ShouldBeEmpty(story);
                ids.Remove(id);
                return;
            }

            places.ShouldHaveSingleItem(story).ShouldBe(job.Row.State switch
            {
                JobState.Ready => "ready", JobState.Scheduled => "scheduled", JobState.Waiting => "waiting", JobState.Running => "lease", _ => "finished",
            }, story);
            if (job.Row.DeletedBy is not null)
                job.Record.IsFinished.ShouldBeTrue($"{story}: what is deleted does not run");
            if (!job.Record.IsFinished)
                job.RemoveAt.ShouldBeNull(story);
            var runs = (await contract.AttemptsAsync(id)).Select(attempt => attempt.Run).ToArray();
            runs.ShouldBe(Enumerable.Range(1, runs.Length), $"{story}: each run has one row");
        }
    }
}
