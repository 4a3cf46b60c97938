namespace Millrace.Storage.Tests;

/// <summary>What tests about changes by people have: jobs in each state, and one who changes them.</summary>
public abstract class Changing(TestDatabase database) : Contract(database)
{
    protected static readonly Author Alice = new("alice", "code", "because");

    protected static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    protected static readonly StateSet[] States =
    [
        StateSet.Quarantined, StateSet.Ready, StateSet.Scheduled, StateSet.Retrying, StateSet.Waiting, StateSet.Running, StateSet.Succeeded, StateSet.Discarded, StateSet.Cancelled,
    ];

    protected static readonly StateSet[] Pending = [StateSet.Quarantined, StateSet.Ready, StateSet.Scheduled, StateSet.Retrying, StateSet.Waiting];

    private TestNode? worker;

    protected IJobInspection Look => Store.Inspection;

    protected IJobOperations Operations => Store.Operations;

    protected Task<ChangeAnswer> ChangeAsync(long id, OperationKind kind, short? priority = null, string? version = null) =>
        Operations.ChangeAsync(id, Change(kind, priority), Alice, version, Stop);

    protected static JobChange Change(OperationKind kind, short? priority = null) => new(kind, priority ?? (kind == OperationKind.Reprioritise ? (short)-7 : null));

    /// <summary>Changes the job, which must work.</summary>
    /// <returns>The operation.</returns>
    protected async Task<long> ChangedAsync(long id, OperationKind kind, short? priority = null)
    {
        var answer = await ChangeAsync(id, kind, priority);
        answer.Result.ShouldBe(ChangeResult.Done, $"{kind} of job {id}");
        return answer.Operation.ShouldNotBeNull();
    }

    /// <summary>Changes the jobs in one operation from its beginning to its end.</summary>
    protected async Task<OperationRecord> ChangeAllAsync(OperationKind kind, params long[] ids)
    {
        var operation = await Operations.BeginAsync(Change(kind), Alice, "these", ids.Length, Stop);
        foreach (var batch in ids.Chunk(1000))
            await Operations.ApplyAsync(operation, Change(kind), batch, Stop);
        return await Operations.EndAsync(operation, null, Stop);
    }

    protected Task<UndoAnswer> UndoAsync(long operation) => Operations.UndoAsync(operation, Alice, Stop);

    protected async Task<JobDetail> DetailAsync(long id) => (await Look.FindAsync(id, Stop)).ShouldNotBeNull($"job {id} must be stored");

    protected async Task<JobRow> RowAsync(long id) => (await DetailAsync(id)).Row;

    protected async Task<StateSet> StateSetAsync(long id)
    {
        var row = await RowAsync(id);
        return JobChanges.StateOf(row.State, row.WaitsFor, row.Attempt);
    }

    protected async Task<bool> IsListedAsync(long id) =>
        (await Look.ListAsync(new JobListing { Filter = new JobFilter([new NumberTerm(NumberField.Id, id, id)]) }, Stop)).Jobs.Count == 1;

    /// <summary>A job in this state, in a queue of its own.</summary>
    protected async Task<long> JobInAsync(StateSet state, JobKey? key = null)
    {
        worker ??= await NodeAsync();
        worker.Beat();
        var job = Some.Job(state == StateSet.Waiting ? "rare" : "send", key: key, delay: state == StateSet.Scheduled ? Hour : default, queue: $"q{Some.Id()}");
        switch (state)
        {
            case StateSet.Ready or StateSet.Scheduled:
                await SubmitAsync(job);
                break;
            case StateSet.Waiting:
                await SubmitAsync(job);
                await Store.TidyAsync(Stop);
                break;
            case StateSet.Quarantined:
                var doomed = await NodeAsync();
                await RunningAsync(doomed, job);
                await doomed.DieAsync();
                await worker.SweepAsync(Some.Quarantine);
                break;
            default:
                await EndAsync(worker, await RunningAsync(worker, job), state);
                break;
        }

        (await StateSetAsync(job.Id)).ShouldBe(state);
        return job.Id;
    }

    private static async Task EndAsync(TestNode node, Claim claim, StateSet state)
    {
        if (state == StateSet.Retrying)
            await node.EndAsync(claim, Outcome.Failed, Hour);
        else if (state != StateSet.Running)
            await node.EndAsync(claim, state switch { StateSet.Succeeded => Outcome.Succeeded, StateSet.Discarded => Outcome.Discarded, _ => Outcome.Cancelled });
    }
}
