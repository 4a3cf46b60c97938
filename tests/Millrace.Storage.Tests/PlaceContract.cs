using CsCheck;

namespace Millrace.Storage.Tests;

public sealed class PlaceOnSqlite() : PlaceContract(new SqliteDatabase());

public sealed class PlaceOnPostgres() : PlaceContract(new PostgresDatabase());

public sealed class PlaceOnPgBouncer() : PlaceContract(new PgBouncerDatabase());

/// <summary>Whatever is done in whatever order: a job is in exactly one place, and every claim ends in exactly one row.</summary>
public abstract class PlaceContract(TestDatabase database) : Contract(database)
{
    private static readonly Outcome[] Outcomes = [Outcome.Succeeded, Outcome.Failed, Outcome.Snoozed, Outcome.Released, Outcome.Discarded, Outcome.Cancelled];

    private enum Step
    {
        Submit, SubmitLater, Keep, Replace, Postpone, Claim, ClaimMany, ClaimSuspect, End, EndAgainLater, EndTwice, EndStale, Complete, Cancel, Retry, Promote, Tidy, Prune, Die,
    }

    [Fact]
    public async Task Any_sequence_of_operations_leaves_each_job_in_exactly_one_place()
    {
        var steps = Gen.Select(Gen.Int[0, Enum.GetValues<Step>().Length - 1], Gen.Int[0, 1_000]).Array[20, 50];
        await steps.SampleSeededAsync(async sequence =>
        {
            var world = new World(this, await NodeAsync());
            foreach (var (step, choice) in sequence)
                await world.DoAsync((Step)step, choice);
        }, iter: 10);
    }

    /// <summary>What one sequence has made and still holds.</summary>
    private sealed class World(PlaceContract contract, TestNode first)
    {
        private readonly string queue = $"q{Some.Id()}";
        private readonly List<long> ids = [];
        private readonly HashSet<long> finished = [];
        private readonly List<Claim> held = [];
        private readonly List<Claim> lost = [];
        private TestNode node = first;
        private Turn? lastTurn;

        private IJobStore Store => contract.Store;

        public async Task DoAsync(Step step, int choice)
        {
            await ActAsync(step, choice);
            foreach (var id in ids.ToArray())
                await CheckAsync(id, step, choice);
        }

        private async Task ActAsync(Step step, int choice)
        {
            node.Beat();
            var any = ids.Count == 0 ? 0 : ids[choice % ids.Count];
            switch (step)
            {
                case Step.Submit or Step.SubmitLater:
                    await SubmitAsync(Some.Job(queue: queue, delay: step == Step.Submit ? default : Some.Minute));
                    break;
                case Step.Keep or Step.Replace or Step.Postpone:
                    var mode = step switch { Step.Keep => WhenPending.Keep, Step.Replace => WhenPending.Replace, _ => WhenPending.Postpone };
                    await SubmitAsync(Some.Job(queue: queue, delay: choice % 2 * Some.Minute, key: Some.Key($"{queue}-{choice % 2}", mode)));
                    break;
                case Step.Claim or Step.ClaimMany:
                    held.AddRange(await node.ClaimAsync(step == Step.Claim ? 1 : 3, queue));
                    break;
                case Step.ClaimSuspect:
                    held.AddRange(await node.ClaimAsync(1, queue, suspects: true));
                    break;
                case Step.End or Step.EndAgainLater when held.Count > 0:
                    lastTurn = node.Ending(node.End(Take(choice), Outcomes[choice % Outcomes.Length], step == Step.End ? default : Some.Minute));
                    await node.TurnAsync(lastTurn);
                    break;
                case Step.EndTwice when lastTurn is not null:
                    await node.TurnAsync(lastTurn);
                    break;
                case Step.EndStale when lost.Count > 0:
                    var claim = lost[choice % lost.Count];
                    (await node.EndAsync(claim, Outcomes[choice % Outcomes.Length])).ShouldBe(EndVerdict.Stale);
                    break;
                case Step.Complete when held.Count > 0:
                    var end = node.End(Take(choice), Outcome.Succeeded);
                    await using (var connection = await node.Store.Handlers.OpenConnectionAsync(Stop))
                    await using (var transaction = await connection.BeginTransactionAsync(Stop))
                    {
                        (await node.Store.CompleteAsync(node.Id, end, transaction, Stop)).ShouldBeTrue();
                        await transaction.CommitAsync(Stop);
                    }
                    if (choice % 2 == 0)
                        await node.TurnAsync(node.Ending(end) with { Ends = [], Settled = [end] });
                    break;
                case Step.Cancel when ids.Count > 0:
                    await Store.CancelAsync(any, "somebody", null, Stop);
                    break;
                case Step.Retry when ids.Count > 0:
                    if (await Store.RetryAsync(any, Stop) == RetryResult.Ready)
                        finished.Remove(any);
                    break;
                case Step.Promote:
                    contract.Clock.Advance(20 * Some.Second);
                    node.Beat();
                    await Store.PromoteAsync(100, Stop);
                    break;
                case Step.Tidy:
                    await Store.TidyAsync(Stop);
                    break;
                case Step.Prune:
                    await Store.PruneAsync(100, Stop);
                    break;
                case Step.Die:
                    lost.AddRange(held);
                    held.Clear();
                    lastTurn = null;
                    await node.DieAsync();
                    node = await contract.NodeAsync();
                    await node.SweepAsync(choice % 4 == 0 ? Some.Discard : choice % 4 == 1 ? Some.Quarantine : Some.Again);
                    break;
            }
        }

        private async Task SubmitAsync(NewJob job)
        {
            var answer = await contract.SubmitAsync(job);
            if (answer.Id == job.Id)
                ids.Add(job.Id);
        }

        private Claim Take(int choice)
        {
            var claim = held[choice % held.Count];
            held.Remove(claim);
            return claim;
        }

        private async Task CheckAsync(long id, Step step, int choice)
        {
            var story = $"job {id} after {step} {choice}";
            var places = await contract.PlacesAsync(id);
            var record = await Store.FindAsync(id, Stop);
            if (record is null)
            {
                finished.ShouldContain(id, $"{story}: only a finished job may be gone");
                places.ShouldBeEmpty(story);
                ids.Remove(id);
                return;
            }
            var place = places.ShouldHaveSingleItem(story);
            place.ShouldBe(record.State switch
            {
                JobState.Ready => "ready", JobState.Scheduled => "scheduled", JobState.Waiting => "waiting", JobState.Running => "lease", _ => "finished",
            }, story);
            if (record.IsFinished)
                finished.Add(id);
            else
                finished.ShouldNotContain(id, $"{story}: a finished job does not come back by itself");
            var runs = (await contract.AttemptsAsync(id)).Select(attempt => attempt.Run).ToArray();
            runs.ShouldBe(Enumerable.Range(1, runs.Length), $"{story}: each run has one row");
        }
    }
}
