namespace Millrace.Storage.Tests;

/// <summary>A process that runs jobs, as far as a store can tell: a store of its own, a row, a life sign, and the leases it holds.</summary>
internal sealed class TestNode(Func<IJobStore> open, FakeTimeProvider clock, string[] types) : IAsyncDisposable
{
    private IJobStore store = open();
    private readonly Dictionary<Guid, HashSet<(long, int)>> leases = [];
    private IHeartbeat? heartbeat;

    public Guid Id { get; } = Guid.NewGuid();

    public IJobStore Store => store;

    public static async Task<TestNode> StartAsync(
        Func<IJobStore> open, FakeTimeProvider clock, string[] types, NodeKind kind = NodeKind.Server, Guid? server = null)
    {
        var node = new TestNode(open, clock, types);
        await node.store.RegisterAsync(node.Row(kind, server), TestContext.Current.CancellationToken);
        node.heartbeat = node.store.OpenHeartbeat(node.Id, Some.Expiry);
        node.Beat().ShouldBeTrue("a node that was just registered must be alive");
        return node;
    }

    public NewNode Row(NodeKind kind = NodeKind.Server, Guid? server = null) => new()
    {
        Id = Id, Name = "test:1", Kind = kind, Server = server, Expiry = Some.Expiry, Types = types, Queues = ["default", "mail"],
    };

    public IHeartbeat Heartbeat => heartbeat ?? throw new InvalidOperationException("The node is dead.");

    public bool Beat(ProcessLoad? load = null) => Heartbeat.Beat(load);

    /// <summary>Time passes, and the node beats as it should.</summary>
    public void LiveFor(TimeSpan time)
    {
        for (var step = Some.Expiry / 2; time > TimeSpan.Zero; time -= step)
        {
            clock.Advance(time < step ? time : step);
            Beat().ShouldBeTrue("a node that beats in time lives");
        }
    }

    /// <summary>The process dies, or stops where it is: no life sign any more, nothing of it is held open, and its time runs out.
    /// What it says afterwards, it says through a new store, as a process that wakes up late would.</summary>
    public async Task DieAsync()
    {
        heartbeat?.Dispose();
        heartbeat = null;
        await store.DisposeAsync();
        store = open();
        clock.Advance(Some.Expiry + Some.Second);
    }

    public Turn Turn(int want = 0, string queue = "default") => new()
    {
        Node = Id, Queue = queue, Types = types, Want = want, Lease = Guid.NewGuid(),
    };

    public async Task<TurnAnswer> TurnAsync(Turn turn)
    {
        var answer = await store.TurnAsync(turn, TestContext.Current.CancellationToken);
        Remember(answer.Claims);
        return answer;
    }

    // Whoever asks for one job in these tests has nothing else to run.
    public async Task<IReadOnlyList<Claim>> ClaimAsync(int want = 1, string queue = "default", bool suspects = false) =>
        (await TurnAsync(Turn(want, queue) with { SuspectsOnly = suspects, IsAlone = want == 1 })).Claims;

    public async Task<Claim> ClaimOneAsync(string queue = "default") => (await ClaimAsync(1, queue)).ShouldHaveSingleItem();

    public AttemptEnd End(Claim claim, Outcome outcome, TimeSpan again = default, bool? charged = null) => new()
    {
        Claim = claim,
        Outcome = outcome,
        Charged = charged ?? outcome is not (Outcome.Snoozed or Outcome.Released),
        Started = clock.GetUtcNow(),
        Finished = clock.GetUtcNow(),
        Again = again,
        RemoveAfter = outcome.IsFinal() ? Some.Minute : null,
        Error = outcome is Outcome.Failed or Outcome.Discarded ? "Oops" : null,
    };

    public Task<EndVerdict> EndAsync(Claim claim, Outcome outcome, TimeSpan again = default) => EndAsync(End(claim, outcome, again));

    public async Task<EndVerdict> EndAsync(AttemptEnd end) => (await EndAllAsync(end)).ShouldHaveSingleItem();

    public async Task<IReadOnlyList<EndVerdict>> EndAllAsync(params AttemptEnd[] ends) => (await TurnAsync(Ending(ends))).Ends;

    /// <summary>A turn that ends these runs and says which leases are empty with it, as a node does.</summary>
    public Turn Ending(params AttemptEnd[] ends)
    {
        foreach (var end in ends)
            if (leases.TryGetValue(end.Claim.Lease, out var runs))
                runs.Remove((end.Claim.JobId, end.Claim.Run));
        var touched = ends.Select(end => end.Claim.Lease).Distinct().ToArray();
        return Turn() with { Ends = ends, EmptyLeases = [.. touched.Where(lease => !leases.TryGetValue(lease, out var runs) || runs.Count == 0)] };
    }

    public Task<RescueAnswer> RescueAsync(Guid lease, Func<LeasedRun, RescueVerdict>? decide = null) =>
        store.RescueAsync(lease, Id, decide ?? Some.Again, TestContext.Current.CancellationToken);

    /// <summary>What the upkeep of a node does about dead nodes, all of it: two sightings, burial, rescue of every lease.</summary>
    public async Task<RescueAnswer[]> SweepAsync(Func<LeasedRun, RescueVerdict>? decide = null)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        Beat();
        foreach (var sighting in (await store.SurveyAsync(Id, cancellationToken)).Expired)
            await store.BuryAsync(sighting, cancellationToken);
        var answers = new List<RescueAnswer>();
        foreach (var (lease, _) in (await store.SurveyAsync(Id, cancellationToken)).LeasesOfTheDead)
            answers.Add(await RescueAsync(lease, decide));
        return [.. answers];
    }

    private void Remember(IReadOnlyList<Claim> claims)
    {
        foreach (var claim in claims)
        {
            if (!leases.TryGetValue(claim.Lease, out var runs))
                leases[claim.Lease] = runs = [];
            runs.Add((claim.JobId, claim.Run));
        }
    }

    public async ValueTask DisposeAsync()
    {
        heartbeat?.Dispose();
        await store.DisposeAsync();
    }
}
