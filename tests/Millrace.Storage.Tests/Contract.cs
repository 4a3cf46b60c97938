using System.Data;
using System.Data.Common;

namespace Millrace.Storage.Tests;

/// <summary>What every group of tests of the contract has: a fresh database, a store on it, and a clock that stands still until it is moved.</summary>
public abstract class Contract(TestDatabase database) : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> toDispose = [];
    private IJobStore? store;

    private protected FakeTimeProvider Clock { get; } = new(Some.Noon);

    protected TestDatabase Database => database;

    /// <summary>The store of a process that submits, looks and tends.</summary>
    protected IJobStore Store => store ?? throw new InvalidOperationException("Not initialized.");

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.CreateAsync();
        store = OpenStore();
        await store.MigrateAsync(apply: true, Stop);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var item in Enumerable.Reverse(toDispose))
            await item.DisposeAsync();
        await database.DropAsync();
        GC.SuppressFinalize(this);
    }

    // ---- arrange

    /// <summary>Another process on the same database.</summary>
    protected IJobStore OpenStore(TimeProvider? time = null)
    {
        var opened = database.Open(new StoreClock(time ?? Clock));
        toDispose.Add(opened);
        return opened;
    }

    private protected async Task<TestNode> NodeAsync(params string[] types)
    {
        var node = await TestNode.StartAsync(() => database.Open(new StoreClock(Clock)), Clock, types.Length == 0 ? ["send", "report"] : types);
        toDispose.Add(node);
        return node;
    }

    /// <summary>A worker process of a server.</summary>
    private protected async Task<TestNode> WorkerAsync(TestNode server)
    {
        var worker = await TestNode.StartAsync(() => database.Open(new StoreClock(Clock)), Clock, ["send", "report"], NodeKind.Worker, server.Id);
        toDispose.Add(worker);
        return worker;
    }

    /// <summary>A session of the application's own, beside the store: the one whose transactions are in the way.</summary>
    protected async Task<DbConnection> ConnectAsync()
    {
        var connection = await Store.Handlers.OpenConnectionAsync(Stop);
        toDispose.Add(connection);
        return connection;
    }

    protected async Task<DbTransaction> BeginAsync(IsolationLevel level = IsolationLevel.ReadCommitted)
    {
        var connection = await ConnectAsync();
        return await connection.BeginTransactionAsync(database.HasOneWriter ? IsolationLevel.Serializable : level, Stop);
    }

    private protected async Task<SubmitAnswer> SubmitAsync(NewJob job, DbTransaction? transaction = null) =>
        (await Store.SubmitAsync([job], transaction, Stop)).ShouldHaveSingleItem();

    private protected async Task<IReadOnlyList<SubmitAnswer>> SubmitAllAsync(params NewJob[] jobs) => await Store.SubmitAsync(jobs, null, Stop);

    /// <summary>Submits one job and claims it: the common beginning of a test about a running job.</summary>
    private protected async Task<Claim> RunningAsync(TestNode node, NewJob? job = null)
    {
        job ??= Some.Job();
        await SubmitAsync(job);
        return await node.ClaimOneAsync(job.Queue);
    }

    // ---- look

    protected async Task<JobRecord> FindAsync(long id) => (await Store.FindAsync(id, Stop)).ShouldNotBeNull($"job {id} must be stored");

    protected async Task<JobState> StateAsync(long id) => (await FindAsync(id)).State;

    protected async Task<AttemptRecord[]> AttemptsAsync(long id) => [.. await Store.ReadAttemptsAsync(id, Stop)];

    /// <summary>Every place in which a job is. More or less than one breaks the design.</summary>
    protected async Task<string[]> PlacesAsync(long id) =>
        [.. (await database.QueryAsync(database.PlacesSql, ("id", id))).Select(row => (string)row[0]!)];

    protected async Task<long> CountAsync(string table, string where = "true")
    {
        var rows = await database.QueryAsync($"select count(*) from {database.Table(table)} where {where}");
        return Convert.ToInt64(rows[0][0], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Repeats an operation that met another transaction, as every caller of a store does.</summary>
    protected static async Task<T> RepeatAsync<T>(Func<Task<T>> operation)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await operation();
            }
            catch (StoreException e) when (e.Fault == StoreFault.Conflict && tries < 200)
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>Waits until the operation is over, or stands still because a session that the test holds is in its way.</summary>
    protected async Task SettleAsync(Task operation)
    {
        // With one writer at a time an operation that has not finished stands in line for the writer's place: nothing can be observed, nothing has to be.
        while (!operation.IsCompleted && !database.HasOneWriter && !await database.SomebodyWaitsAsync())
            await Task.Yield();
    }
}
