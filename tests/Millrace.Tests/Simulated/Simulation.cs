using Millrace.Histories;
using Millrace.Sqlite;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Tending;
using Millrace.Testing;

namespace Millrace.Tests.Simulated;

/// <summary>
/// Three nodes, people who submit, cancel and retry, a schedule, and everything that can go wrong, on one database file, in virtual time: which of them does what next is drawn
/// from a seed. The store is the real one; the same seed gives the same history. In the end everything heals, the work is drained, and the history is judged.
/// </summary>
internal sealed class Simulation : IAsyncDisposable
{
    private const int Nodes = 3;
    private const string Schedule = "beat";

    private static readonly TimeSpan tickEvery = TimeSpan.FromSeconds(10);

    private readonly string folder;
    private readonly Fate fate;
    private readonly Sabotage sabotage;
    private readonly SqliteStore client;
    private readonly List<SqliteStore> stores = [];
    private readonly List<SimulatedNode> nodes = [];
    private readonly IdSource ids;
    private readonly List<long> known = [];
    private readonly List<(NewJob Job, DateTimeOffset GiveUp)> unanswered = [];
    private readonly Dictionary<long, string> finished = [];
    private Observer? observer;

    private Simulation(int seed, Sabotage sabotage)
    {
        folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"millrace-simulation-{Guid.NewGuid():N}");
        fate = new Fate(seed);
        this.sabotage = sabotage;
        client = Open();
        ids = new IdSource(client);
    }

    private Observer Observer => observer ?? throw new InvalidOperationException("Not begun.");

    public static async Task<History> RunAsync(int seed, int steps, Sabotage sabotage = Sabotage.None)
    {
        await using var simulation = new Simulation(seed, sabotage);
        await simulation.BeginAsync();
        for (var step = 0; step < steps; step++)
        {
            await simulation.StepAsync();
            if (step % 100 == 99)
                simulation.Look();
        }

        await simulation.HealAsync();
        return simulation.fate.History;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes.Where(node => !node.IsDown))
            node.Crash();
        observer?.Dispose();
        foreach (var store in stores)
            await store.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private SqliteStore Open()
    {
        // Nothing here has to survive a power cut.
        var store = new SqliteStore(new SqliteFile(Path.Combine(folder, "jobs.db"), new SqliteOptions { Synchronous = SqliteSynchronous.Normal }), new StoreClock(fate.Clock));
        stores.Add(store);
        return store;
    }

    private async Task BeginAsync()
    {
        await client.MigrateAsync(apply: true, CancellationToken.None);
        observer = new Observer(Path.Combine(folder, "jobs.db"));
        for (var i = 0; i < Nodes; i++)
        {
            nodes.Add(new SimulatedNode(fate, Open(), observer, sabotage));
            await nodes[i].StartAsync();
        }

        await client.PutScheduleAsync(new Schedule
        {
            Name = Schedule,
            Cron = "*/10 * * * * *",
            Zone = "Etc/UTC",
            IsPersistent = true,
            MissedTicks = MissedTicks.All,
            Template = new NewJob { Id = 0, Nonce = 0, Type = "tick" },
            NextDue = fate.Clock.Now + tickEvery,
        }, null, null, CancellationToken.None);
    }

    // ---- what happens next

    private Task StepAsync()
    {
        var node = fate.OneOf(nodes);
        return fate.Random.Next(1000) switch
        {
            < 90 => SubmitAsync(),
            < 110 => SubmitInTransactionAsync(),
            < 150 => RepeatSubmissionsAsync(),
            < 400 when node.CanAct => node.TurnAsync(fate.Happens(0.7) ? fate.Random.Next(1, 13) : 0, isForSuspect: fate.Happens(0.25)),
            < 700 when node.CanAct => node.WorkAsync(),
            < 750 when node.CanAct => node.SweepAsync(),
            < 790 => PromoteAsync(),
            < 840 => TickAsync(),
            < 850 => client.TidyAsync(CancellationToken.None),
            < 860 => PruneAsync(),
            < 885 => CancelAsync(),
            < 900 => RetryAsync(),
            < 910 when node.CanAct => node.LookForCancelsAsync(),
            < 917 when !node.IsDown => Do(node.Crash),
            < 924 when node.CanAct => Do(node.Freeze),
            < 936 when node.IsFrozen => ThawAsync(node),
            < 946 when node.IsDown => node.StartAsync(),
            < 948 when node.CanAct => node.LeaveAsync(),
            < 951 => client.PauseQueueAsync(SimulatedNode.Queue, fate.Happens(0.3), CancellationToken.None),
            < 954 => Do(() => fate.Clock.Advance(fate.Seconds(20, 120))),
            _ => Do(() => fate.Clock.Advance(fate.Seconds(0, 6))),
        };
    }

    private static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    /// <summary>Its handlers go on at once, and may be over before it exchanges a word with the database.</summary>
    private async Task ThawAsync(SimulatedNode node)
    {
        node.Thaw();
        for (var count = fate.Random.Next(8); count > 0; count--)
            await node.WorkAsync();
    }

    private void Look()
    {
        foreach (var contradiction in Observer.LookForContradictions(fate.Now))
            fate.History.Add(contradiction);
    }

    // ---- people

    private async Task<NewJob> NewJobAsync(System.Data.Common.DbTransaction? transaction = null) => new()
    {
        Id = await ids.NextAsync(transaction, CancellationToken.None),
        Nonce = fate.Random.NextInt64(),
        Type = "work",
        Priority = (short)fate.Random.Next(3),
        Delay = fate.Happens(0.3) ? fate.Seconds(1, 60) : TimeSpan.Zero,
        Policy = fate.Happens(0.2) ? """{"maxAttempts":1}""" : null,
        Key = !fate.Happens(0.4) ? null : new JobKey(
            $"key-{fate.Random.Next(4)}",
            fate.OneOf([WhenPending.Keep, WhenPending.Replace, WhenPending.Postpone]),
            fate.OneOf([Unique.WhilePending, Unique.WhilePending, Unique.WhilePendingOrRunning, Unique.Within(TimeSpan.FromSeconds(20))])),
    };

    private async Task SubmitAsync()
    {
        var jobs = new List<NewJob>();
        for (var count = fate.Happens(0.2) ? fate.Random.Next(2, 6) : 1; count > 0; count--)
            jobs.Add(await NewJobAsync());
        var (_, isAnswered, answers) = await fate.AskAsync("submit", () => client.SubmitAsync(jobs, null, CancellationToken.None));
        if (!isAnswered)
            unanswered.AddRange(jobs.Select(job => (job, fate.Clock.Now + TimeSpan.FromSeconds(10))));
        else
            NoteAnswers(jobs, answers ?? []);
    }

    /// <summary>A submission without an answer is sent again under the same ids until its time is up.</summary>
    private async Task RepeatSubmissionsAsync()
    {
        foreach (var waiting in unanswered.ToArray())
        {
            if (!fate.IsCalm && fate.Happens(0.1))
            {
                // Whoever submitted it is gone.
                fate.Note(Happening.PerhapsSubmitted, waiting.Job.Id);
                unanswered.Remove(waiting);
                continue;
            }

            var (_, isAnswered, answers) = await fate.AskAsync("submit", () => client.SubmitAsync([waiting.Job], null, CancellationToken.None));
            if (isAnswered)
                NoteAnswers([waiting.Job], answers ?? []);
            else if (fate.Clock.Now >= waiting.GiveUp)
                fate.Note(Happening.PerhapsSubmitted, waiting.Job.Id);
            else
                continue;
            unanswered.Remove(waiting);
        }
    }

    private async Task SubmitInTransactionAsync()
    {
        await using var connection = await client.Handlers.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var job = await NewJobAsync(transaction);
        var answers = await client.SubmitAsync([job], transaction, CancellationToken.None);
        if (fate.Happens(0.6))
        {
            await transaction.CommitAsync();
            NoteAnswers([job], answers);
        }
        else
        {
            await transaction.RollbackAsync();
            fate.Note(sabotage == Sabotage.ReportsRolledBackAsStored ? Happening.Submitted : Happening.NotSubmitted, job.Id);
        }
    }

    private void NoteAnswers(IReadOnlyList<NewJob> jobs, IReadOnlyList<SubmitAnswer> answers)
    {
        for (var i = 0; i < jobs.Count; i++)
        {
            var isStored = answers[i].State is SubmitState.Created or SubmitState.Replaced;
            fate.Note(isStored ? Happening.Submitted : Happening.NotSubmitted, jobs[i].Id);
            if (isStored)
                known.Add(jobs[i].Id);
        }
    }

    // Mostly of those that came lately: old ones are finished.
    private long SomeJob() => known[Math.Max(0, known.Count - 1 - (int)(fate.Random.NextDouble() * fate.Random.NextDouble() * known.Count))];

    private async Task CancelAsync()
    {
        if (known.Count > 0)
            await fate.AskAsync("cancel", () => client.CancelAsync(SomeJob(), "somebody", null, CancellationToken.None));
    }

    private async Task RetryAsync()
    {
        if (known.Count > 0)
            await RetryAsync(SomeJob());
    }

    private async Task RetryAsync(long job)
    {
        var (isDone, _, result) = await fate.AskAsync("retry", () => client.RetryAsync(job, CancellationToken.None));
        if (!isDone || result != RetryResult.Ready)
            return;
        fate.Note(Happening.Retried, job);
        finished.Remove(job);
    }

    // ---- upkeep

    private Task PromoteAsync() => fate.AskAsync("promote", () => client.PromoteAsync(fate.IsCalm ? 1000 : fate.Random.Next(1, 20), CancellationToken.None));

    /// <returns>Whether a tick was due.</returns>
    private async Task<bool> TickAsync()
    {
        var numbers = new Queue<long>();
        for (var i = 0; i < TickPlanner.MostJobs; i++)
            numbers.Enqueue(await ids.NextAsync(null, CancellationToken.None));
        TickPlan? plan = null;
        DateTimeOffset? cursor = null;
        var (isDone, _, answer) = await fate.AskAsync("tick", () => client.TickAsync((schedule, now) =>
        {
            cursor = schedule.NextDue;
            return plan = TickPlanner.Plan(schedule, now, numbers.Dequeue, () => fate.Random.NextInt64());
        }, CancellationToken.None));
        foreach (var job in plan?.Jobs ?? [])
        {
            fate.Note(Happening.Submitted, job.Id);
            fate.Note(Happening.TickFired, job.Id, 0, Fate.Tick(Schedule, job.Due ?? default));
        }

        if (sabotage == Sabotage.TicksWithoutMovingOn && cursor is { } back && fate.Happens(0.05) && !fate.IsCalm)
            Observer.SetTickBack(Schedule, back);
        return !isDone || answer is not null;
    }

    private async Task PruneAsync()
    {
        NoteFinished();
        await fate.AskAsync("prune", () => client.PruneAsync(fate.Random.Next(1, 50), CancellationToken.None));
    }

    private void NoteFinished()
    {
        foreach (var (job, outcome) in Observer.Finished())
            if (finished.TryAdd(job, outcome))
                fate.Note(Happening.Finished, job, 0, outcome);
    }

    // ---- the end

    private async Task HealAsync()
    {
        fate.IsCalm = true;
        await client.PauseQueueAsync(SimulatedNode.Queue, isPaused: false, CancellationToken.None);
        await RepeatSubmissionsAsync();
        foreach (var node in nodes)
        {
            if (node.IsFrozen)
                node.Thaw();
            if (node.IsDown)
                await node.StartAsync();
        }

        while (await TickAsync())
        {
        }

        for (var tick = TestClock.DefaultStart + tickEvery; tick <= fate.Clock.Now; tick += tickEvery)
            fate.Note(Happening.TickDue, 0, 0, Fate.Tick(Schedule, tick));
        await client.RemoveScheduleAsync(Schedule, CancellationToken.None);
        // The longest wait of a job is a minute.
        for (var round = 0; round < 30 && (Observer.Open().Count > 0 || nodes.Any(node => node.HasWork)); round++)
            await DrainAsync(round);

        foreach (var (job, place) in Observer.Open())
            fate.Note(Happening.Unfinished, job, 0, place);
        NoteFinished();
        Look();
    }

    private async Task DrainAsync(int round)
    {
        fate.Clock.Advance(TimeSpan.FromSeconds(15));
        await PromoteAsync();
        foreach (var (job, _) in Observer.Open().Where(open => open.Place == "quarantine"))
            await RetryAsync(job);
        if (round % 4 == 0)
            await client.TidyAsync(CancellationToken.None);
        foreach (var node in nodes)
        {
            await node.SweepAsync();
            await node.LookForCancelsAsync();
            // A death leaves suspects, which are claimed one by one.
            for (var turn = 0; turn < 100 && (turn < 2 || node.HasHands); turn++)
            {
                while (node.HasHands)
                    await node.WorkAsync();
                await node.TurnAsync(want: turn == 0 ? 50 : 1, isForSuspect: turn > 0);
            }

            while (node.HasHands)
                await node.WorkAsync();
            await node.TurnAsync(want: 0, isForSuspect: false);
        }
    }
}
