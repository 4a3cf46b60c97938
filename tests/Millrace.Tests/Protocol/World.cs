using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Tests.Protocol;

internal enum Place
{
    Ready,
    Scheduled,
    Quarantine,
}

/// <summary>A row of ready, scheduled or waiting.</summary>
internal readonly record struct PendingJob(int Job, Place Place, int Run, int Attempt, int Crashes, bool IsSuspect);

/// <summary>One entry of a lease's lists.</summary>
internal readonly record struct Listed(int Job, int Run, int Attempt, int Crashes, bool IsSuspect);

/// <summary>A row of lease. Its size is that of the batch it was made for.</summary>
internal sealed record LeaseRow(int Id, int Node, int Size, Rows<Listed> Runs)
{
    public bool Lists(int job, int run) => Runs.Any(listed => listed.Job == job && listed.Run == run);
}

/// <summary>A row of attempt. Whether the lease held the job alone is for the invariants to look at.</summary>
internal readonly record struct EndedRun(int Job, int Run, int Attempt, Outcome Outcome, bool IsCharged, int Node, bool IsRescued, bool WasAlone);

/// <summary>What is stored. Ids of jobs, nodes and leases are small numbers.</summary>
internal sealed record Database(Rows<PendingJob> Pending, Rows<LeaseRow> Leases, Rows<EndedRun> Ended, Rows<int> Jobs)
{
    /// <summary>Requests to cancel.</summary>
    public Rows<int> Wishes { get; init; } = Rows<int>.None;

    public Rows<int> Buried { get; init; } = Rows<int>.None;

    /// <summary>Nodes whose row has expired by the database's clock, and how often each has beaten.</summary>
    public Rows<int> Expired { get; init; } = Rows<int>.None;

    public Rows<(int Node, int Beat)> Beats { get; init; } = Rows<(int, int)>.None;

    /// <summary>Which runs have committed what their user's transaction did.</summary>
    public Rows<(int Job, int Run)> Effects { get; init; } = Rows<(int, int)>.None;

    /// <summary>From which run on a job counts its attempts, after an operator's retry. The store keeps no such thing: it is for the invariants.</summary>
    public Rows<(int Job, int Run)> Retried { get; init; } = Rows<(int, int)>.None;

    /// <summary>Jobs of which somebody was told that they are cancelled, or asked to stop. For the invariants.</summary>
    public Rows<int> Promised { get; init; } = Rows<int>.None;

    /// <summary>The one key of the model: who holds it, or -1.</summary>
    public int KeyHolder { get; init; } = -1;

    public EndedRun? EndOf(int job, int run)
    {
        foreach (var end in Ended)
            if (end.Job == job && end.Run == run)
                return end;
        return null;
    }

    public LeaseRow? Lease(int id) => Leases.FirstOrDefault(lease => lease.Id == id);

    /// <summary>Listed by a lease, and not ended (rule 9).</summary>
    public IEnumerable<Listed> Running(int job) => Leases.SelectMany(lease => lease.Runs).Where(run => run.Job == job && EndOf(job, run.Run) is null);

    public bool IsPending(int job) => Pending.Any(pending => pending.Job == job);

    public int CountsFrom(int job) => Retried.Where(retried => retried.Job == job).Select(retried => retried.Run).DefaultIfEmpty(1).Max();

    public bool IsFinished(int job) => Ended.Any(end => end.Job == job && end.Outcome.IsFinal() && end.Run >= CountsFrom(job));
}

internal enum Phase
{
    Running,

    /// <summary>Its end was sent, and the answer was lost.</summary>
    Sent,

    /// <summary>Its user's transaction has taken its snapshot.</summary>
    InTransaction,
}

/// <summary>A run in the hands of a process.</summary>
internal readonly record struct HeldRun(int Lease, int Job, int Run, int Attempt, Phase Phase = Phase.Running, Outcome Sent = default, bool SawItself = false);

/// <summary>A process: its identity, the runs it holds, and the claim whose answer it waits for (0: none).</summary>
internal sealed record Process(int Node, Rows<HeldRun> Holds, int Expects = 0);

[Flags]
internal enum Happened
{
    None = 0,
    EndWasLost = 1,
    ClaimWasLost = 2,
    Froze = 4,
    Cancelled = 8,
    CancelIsHalfway = 16,
    Retried = 32,
    Submitted = 64,
    Restored = 128,
    ClockJumped = 256,
}

/// <summary>Everything at one moment.</summary>
internal sealed record World(Database Db, Process First, Process Second)
{
    public int Claims { get; init; }

    public int Kills { get; init; }

    public Happened Happened { get; init; }

    public Database? Backup { get; init; }

    /// <summary>What a sweeper has seen: which node was expired, and its beat then.</summary>
    public Rows<(int Node, int Beat)> Sightings { get; init; } = Rows<(int, int)>.None;

    /// <summary>What went wrong in the very step that led here.</summary>
    public string? Fault { get; init; }

    public World With(int process, Process changed) => process == 0 ? this with { First = changed } : this with { Second = changed };
}

/// <summary>A step, and where it leads. Faults are not relied on to finish a job.</summary>
internal readonly record struct Step(string Label, World To, bool IsFault = false);

/// <summary>The protocol: which steps are possible, and what each does. One step is one transaction of a store, or one thing that a process notices.</summary>
internal sealed class Protocol(Scenario scenario)
{
    private readonly ResolvedPolicy policy = new() { MaxAttempts = scenario.MaxAttempts };

    public World Begin()
    {
        int[] jobs = [.. Enumerable.Range(0, scenario.Jobs)];
        // With a key, the second job is submitted later.
        var stored = scenario.Allows(Steps.Keys) ? [0] : jobs;
        var db = new Database(new([.. stored.Select(job => new PendingJob(job, Place.Ready, 1, 1, 0, false))]), Rows<LeaseRow>.None, Rows<EndedRun>.None, new(stored))
        {
            KeyHolder = scenario.Allows(Steps.Keys) ? 0 : -1,
        };
        return new World(db, new Process(1, Rows<HeldRun>.None), new Process(2, Rows<HeldRun>.None));
    }

    public IEnumerable<Step> StepsFrom(World world) =>
        StepsOf(world, 0, world.First).Concat(StepsOf(world, 1, world.Second)).Concat(Upkeep(world)).Concat(Sweeps(world)).Concat(People(world));

    private IEnumerable<Step> StepsOf(World world, int i, Process process) =>
        Claims(world, i, process).Concat(process.Holds.SelectMany(run => Ends(world, i, process, run))).Concat(Bookkeeping(world, i, process)).Concat(Deaths(world, i, process));

    // ---- claims

    private IEnumerable<Step> Claims(World world, int i, Process process)
    {
        var (db, node) = (world.Db, process.Node);
        if (process.Expects > 0)
        {
            // The repeated turn is given what its first try claimed (rule 7). A node that is dead by then is told so, and claims nothing (rule 8).
            var claimed = db.Buried.Has(node) ? null : db.Lease(process.Expects) is { } own && own.Node == node ? own : null;
            yield return new($"node {node} repeats claim {process.Expects}", world.With(i, Holding(process with { Expects = 0 }, claimed, db)));
            yield break;
        }

        if (world.Claims == scenario.Claims || db.Buried.Has(node))
            yield break;
        foreach (var batch in Batches(db))
        {
            var lease = new LeaseRow(world.Claims + 1, node, batch.Length, new([.. batch.Select(job => new Listed(job.Job, job.Run, job.Attempt, job.Crashes, job.IsSuspect))]));
            var to = world with { Claims = world.Claims + 1, Db = db with { Pending = db.Pending.Without(batch.Contains), Leases = db.Leases.With(lease) } };
            var what = $"node {node} claims {string.Join(" and ", batch.Select(job => $"job {job.Job} run {job.Run}"))} as lease {lease.Id}";
            yield return new(what, to.With(i, Holding(process, lease, to.Db)));
            if (scenario.Allows(Steps.LoseClaims) && !world.Happened.HasFlag(Happened.ClaimWasLost))
                yield return new($"{what}, answer lost",
                    (to with { Happened = to.Happened | Happened.ClaimWasLost }).With(i, scenario.Has(Flaw.LostClaimIsForgotten) ? process : process with { Expects = lease.Id }), IsFault: true);
        }
    }

    private IEnumerable<PendingJob[]> Batches(Database db)
    {
        var line = db.Pending.Where(job => job.Place == Place.Ready && job.Run <= scenario.Runs).OrderBy(job => job.Job).ToArray();
        var ordinary = scenario.Has(Flaw.SuspectsInCompany) ? line : [.. line.Where(job => !job.IsSuspect)];
        if (ordinary.Length > 1)
            yield return ordinary;
        foreach (var job in line)
            yield return [job];
    }

    private static Process Holding(Process process, LeaseRow? lease, Database db) => lease is null ? process : process with
    {
        Holds = lease.Runs.Where(run => db.EndOf(run.Job, run.Run) is null)
            .Aggregate(process.Holds, (holds, run) => holds.With(new HeldRun(lease.Id, run.Job, run.Run, run.Attempt))),
    };

    // ---- ends

    private IEnumerable<Step> Ends(World world, int i, Process process, HeldRun run)
    {
        var name = $"job {run.Job} run {run.Run}";
        var dropped = process with { Holds = process.Holds.Without(run) };
        switch (run.Phase)
        {
            case Phase.Running:
                foreach (var outcome in Outcomes(run))
                {
                    var (db, accepted) = End(world.Db, process.Node, run, outcome);
                    var what = $"node {process.Node} ends {name} as {outcome.ToWord()}";
                    yield return new(accepted ? what : $"{what}: stale", (world with { Db = db }).With(i, dropped));
                    if (accepted && scenario.Allows(Steps.LoseEnds) && !world.Happened.HasFlag(Happened.EndWasLost))
                        yield return new($"{what}, answer lost", Unanswered(world with { Db = db }, i, process, run, outcome), IsFault: true);
                }

                if (scenario.Allows(Steps.Transactions))
                {
                    var seen = run with { Phase = Phase.InTransaction, SawItself = IsGuarded(world.Db, process.Node, run) };
                    yield return new($"the transaction of {name} takes its snapshot", world.With(i, process with { Holds = process.Holds.Without(run).With(seen) }));
                }

                break;
            case Phase.Sent:
                yield return Repeat(world, i, process, run, dropped, name);
                break;
            case Phase.InTransaction:
                yield return Commit(world, run, name, to => to.With(i, dropped), process.Node);
                if (scenario.Allows(Steps.LoseEnds) && !world.Happened.HasFlag(Happened.EndWasLost) && Commit(world, run, name, to => to, process.Node) is { To: { } done } && done.Db.EndOf(run.Job, run.Run)?.Node == process.Node)
                    yield return new($"the transaction of {name} commits, answer lost", Unanswered(done, i, process, run, Outcome.Succeeded), IsFault: true);
                break;
        }
    }

    private IEnumerable<Outcome> Outcomes(HeldRun run)
    {
        yield return Outcome.Succeeded;
        // A job that would go on behind the edge of the exploration only succeeds.
        if (run.Run >= scenario.Runs)
            yield break;
        if (scenario.Allows(Steps.Fail))
            yield return run.Attempt >= scenario.MaxAttempts ? Outcome.Discarded : Outcome.Failed;
        if (scenario.Allows(Steps.Snooze))
            yield return Outcome.Snoozed;
        if (scenario.Allows(Steps.Release))
            yield return Outcome.Released;
    }

    private static World Unanswered(World world, int i, Process process, HeldRun run, Outcome outcome) =>
        (world with { Happened = world.Happened | Happened.EndWasLost })
            .With(i, process with { Holds = process.Holds.Without(run).With(run with { Phase = Phase.Sent, Sent = outcome, SawItself = false }) });

    private Step Repeat(World world, int i, Process process, HeldRun run, Process dropped, string name)
    {
        var (db, accepted) = End(world.Db, process.Node, run, run.Sent);
        var row = db.EndOf(run.Job, run.Run);
        var isMine = row is { IsRescued: false } && row.Value.Node == process.Node;
        var fault = accepted ? $"the end of {name} was accepted twice"
            : isMine && scenario.Has(Flaw.ZeroRowsAreStale) ? $"{name} was told that its accepted end is stale"
            : null;
        return new($"node {process.Node} repeats the end of {name}: {(accepted ? "accepted" : isMine ? "it had been accepted" : "stale")}", (world with { Db = db, Fault = fault }).With(i, dropped));
    }

    /// <summary>What an end must find, besides that nobody ended the run before.</summary>
    private bool IsGuarded(Database db, int node, HeldRun run) => db.Lease(run.Lease) is { } lease && lease.Node == node && scenario.Guard switch
    {
        Guard.LeaseListsTheRun => lease.Lists(run.Job, run.Run),
        Guard.LeaseAndJobAreThere => db.Jobs.Has(run.Job),
        Guard.LeaseListsWhatIsNotSure => (run.Phase != Phase.Sent && !db.Buried.Has(node)) || lease.Lists(run.Job, run.Run),
        _ => true,
    };

    private (Database Db, bool Accepted) End(Database db, int node, HeldRun run, Outcome asked)
    {
        var isFree = scenario.Has(Flaw.AttemptIsTheFence)
            ? db.Running(run.Job).Any(running => running.Attempt == run.Attempt)
            : scenario.Has(Flaw.NoFence)
            || (IsGuarded(db, node, run) && (db.EndOf(run.Job, run.Run) is null || (asked == Outcome.Released && scenario.Has(Flaw.ReleaseWritesNoRow))));
        if (!isFree)
            return (db, false);

        var outcome = asked.IsFinal() ? asked : Final(db, run.Job) ?? asked;
        if (outcome == Outcome.Released && scenario.Has(Flaw.ReleaseIsFinal))
            outcome = Outcome.Discarded;
        var isCharged = asked is Outcome.Succeeded or Outcome.Failed or Outcome.Discarded || (asked == Outcome.Snoozed && scenario.Has(Flaw.SnoozeIsCharged));
        var size = db.Lease(run.Lease)?.Size ?? 0;
        if (!(outcome == Outcome.Released && scenario.Has(Flaw.ReleaseWritesNoRow)))
            db = db with { Ended = db.Ended.With(new EndedRun(run.Job, run.Run, run.Attempt, outcome, asked is not Outcome.Snoozed && isCharged, node, IsRescued: false, WasAlone: size == 1)) };
        if (outcome.IsFinal())
            return (Finish(db, run.Job), true);

        var listed = db.Lease(run.Lease)?.Runs.FirstOrDefault(listed => listed.Job == run.Job && listed.Run == run.Run) ?? default;
        var next = outcome == Outcome.Released && scenario.Has(Flaw.ReleaseReusesTheRun) ? run.Run : run.Run + 1;
        var place = outcome == Outcome.Released ? Place.Ready : Place.Scheduled;
        // A run that was handed back unstarted tells nothing about what made it a suspect.
        var isSuspect = outcome == Outcome.Released && size == 1 && listed.Crashes > 0;
        return (db with { Pending = db.Pending.With(new PendingJob(run.Job, place, next, run.Attempt + (isCharged ? 1 : 0), listed.Crashes, isSuspect)) }, true);
    }

    /// <summary>How a run ends that would be pending again, when it may not be: a wish to cancel it, or a newer job with its key (rules 16 and 17).</summary>
    private Outcome? Final(Database db, int job)
    {
        if (db.Wishes.Has(job) && !scenario.Has(Flaw.WishIsIgnored))
            return Outcome.Cancelled;
        return db.KeyHolder >= 0 && db.KeyHolder != job && !scenario.Has(Flaw.KeyIsNotLookedAt) ? Outcome.Superseded : null;
    }

    private Database Finish(Database db, int job) => db with
    {
        Wishes = db.Wishes.Without(job),
        KeyHolder = db.KeyHolder == job ? -1 : db.KeyHolder,
    };

    /// <summary>The last statement of a user's transaction. It sees its lease as its snapshot does; its job's row, locked, and the primary key of the attempt as they are (rule 5).</summary>
    private Step Commit(World world, HeldRun run, string name, Func<World, World> then, int node)
    {
        var db = world.Db;
        var isStored = db.Jobs.Has(run.Job) || scenario.Has(Flaw.CompletionLocksNoJob);
        if (run.SawItself && isStored && db.EndOf(run.Job, run.Run) is null)
        {
            var size = db.Lease(run.Lease)?.Size ?? 0;
            db = Finish(db with
            {
                Ended = db.Ended.With(new EndedRun(run.Job, run.Run, run.Attempt, Outcome.Succeeded, true, node, IsRescued: false, WasAlone: size == 1)),
                Effects = db.Effects.With((run.Job, run.Run)),
            }, run.Job);
            return new($"the transaction of {name} commits", then(world with { Db = db }));
        }

        if (scenario.Has(Flaw.EffectsOutsideTheFence))
            db = db with { Effects = db.Effects.With((run.Job, run.Run)) };
        return new($"the transaction of {name} is stale", then(world with { Db = db }));
    }

    // ---- what a process does besides

    private IEnumerable<Step> Bookkeeping(World world, int i, Process process)
    {
        var db = world.Db;
        foreach (var lease in db.Leases.Where(lease => lease.Node == process.Node))
        {
            // Lazily, and perhaps in a turn whose answer is lost (rule 9).
            if (lease.Runs.Any(run => db.EndOf(run.Job, run.Run) is not null))
                yield return new($"node {process.Node} shrinks lease {lease.Id}", world with { Db = Shrunk(db, lease) });
            var isKnown = process.Expects == lease.Id || process.Holds.Any(run => run.Lease == lease.Id);
            if (!isKnown && !db.Buried.Has(process.Node) && !scenario.Has(Flaw.LostClaimIsForgotten) && !scenario.Has(Flaw.NobodyReconciles))
                yield return new($"node {process.Node} hands back lease {lease.Id}, which it does not know", world with { Db = Rescued(db, lease, RescueDecision.NeverStarted, []) });
        }

        if (db.Buried.Has(process.Node))
            yield return new($"node {process.Node} learns that it is dead", world.With(i, new Process(process.Node + 10, Rows<HeldRun>.None)));
    }

    private IEnumerable<Step> Deaths(World world, int i, Process process)
    {
        var db = world.Db;
        if (scenario.Allows(Steps.Kill) && world.Kills < scenario.Kills)
        {
            var after = scenario.Allows(Steps.Sweep) ? db with { Expired = db.Expired.With(process.Node) } : db with { Buried = db.Buried.With(process.Node) };
            yield return new($"node {process.Node} is killed", (world with { Db = after, Kills = world.Kills + 1 }).With(i, new Process(process.Node + 10, Rows<HeldRun>.None)), IsFault: true);
        }

        // It goes on by and by, as if nothing had happened.
        if (scenario.Allows(Steps.Freeze) && !world.Happened.HasFlag(Happened.Froze) && process.Holds.Count > 0 && !db.Buried.Has(process.Node))
            yield return new($"node {process.Node} freezes and is buried", world with { Db = db with { Buried = db.Buried.With(process.Node) }, Happened = world.Happened | Happened.Froze }, IsFault: true);
    }

    // ---- upkeep

    private IEnumerable<Step> Upkeep(World world)
    {
        var db = world.Db;
        foreach (var job in db.Pending.Where(job => job.Place == Place.Scheduled))
            yield return new($"job {job.Job} is due", world with { Db = db with { Pending = db.Pending.Without(job).With(job with { Place = Place.Ready }) } });
        foreach (var lease in db.Leases.Where(lease => db.Buried.Has(lease.Node) || scenario.Has(Flaw.RescueOfTheLiving)))
        {
            yield return new($"lease {lease.Id} is rescued", world with { Db = Rescued(db, lease, Decide, []), Fault = db.Buried.Has(lease.Node) ? null : $"lease {lease.Id} was taken from a node that lives" });
            // Jobs whose completion is in flight stay in the lease for the next sweep (rule 13).
            int[] busy = [.. world.First.Holds.Concat(world.Second.Holds).Where(run => run.Lease == lease.Id && run.Phase == Phase.InTransaction).Select(run => run.Job)];
            if (busy.Length > 0 && lease.Runs.Count > busy.Length)
                yield return new($"lease {lease.Id} is rescued but for what is in a transaction", world with { Db = Rescued(db, lease, Decide, busy) });
        }

        // A row that a restore brought back, of a node that is no more: it expires.
        if (world.Happened.HasFlag(Happened.Restored))
            foreach (var node in NodesOf(world).Where(node => node != world.First.Node && node != world.Second.Node && !db.Buried.Has(node)))
                yield return new($"node {node}, which is no more, is buried", world with { Db = db with { Buried = db.Buried.With(node) } });

        if (!scenario.Allows(Steps.Prune))
            yield break;
        foreach (var job in db.Jobs.Where(job => db.IsFinished(job) && !db.IsPending(job)))
            if (scenario.Has(Flaw.PruneLooksAtNoLeases) || !db.Leases.Any(lease => lease.Runs.Any(run => run.Job == job)))
                yield return new($"job {job} is pruned", world with { Db = db with { Jobs = db.Jobs.Without(job), Ended = db.Ended.Without(end => end.Job == job) } });
    }

    private static Database Shrunk(Database db, LeaseRow lease)
    {
        var left = lease.Runs.Without(run => db.EndOf(run.Job, run.Run) is not null);
        return db with { Leases = left.Count == 0 ? db.Leases.Without(lease) : db.Leases.Without(lease).With(lease with { Runs = left }) };
    }

    private Database Rescued(Database db, LeaseRow lease, Func<LeasedRun, RescueVerdict> decide, int[] skipped)
    {
        foreach (var run in lease.Runs)
        {
            var isOver = db.EndOf(run.Job, run.Run) is not null && !scenario.Has(Flaw.RescueLooksAtNoEnds);
            if (isOver || skipped.Contains(run.Job) || (!db.Jobs.Has(run.Job) && !scenario.Has(Flaw.PruneLooksAtNoLeases)))
                continue;
            var verdict = decide(new LeasedRun(run.Job, run.Run, run.Attempt, run.Crashes, "send", null, IsAlone: lease.Size == 1));
            var outcome = Final(db, run.Job) ?? verdict.Outcome;
            db = db with { Ended = db.Ended.With(new EndedRun(run.Job, run.Run, run.Attempt, outcome, verdict.Charged, lease.Node, IsRescued: true, WasAlone: lease.Size == 1)) };
            if (outcome.IsFinal())
                db = Finish(db, run.Job);
            else
                db = db with
                {
                    Pending = db.Pending.With(new PendingJob(run.Job, verdict.IsQuarantined ? Place.Quarantine : Place.Ready, run.Run + 1,
                        run.Attempt + (verdict.Charged ? 1 : 0), verdict.Crashes, verdict.IsSuspect)),
                };
        }

        var left = lease.Runs.Without(run => !skipped.Contains(run.Job));
        return db with { Leases = left.Count == 0 ? db.Leases.Without(lease) : db.Leases.Without(lease).With(lease with { Runs = left }) };
    }

    private RescueVerdict Decide(LeasedRun run)
    {
        // The product's own decision.
        var verdict = RescueDecision.Decide(scenario.Has(Flaw.NeighboursAreCharged) ? run with { IsAlone = true } : run, policy, death: null);
        return scenario.Has(Flaw.CrashIsNotCounted) ? verdict with { Charged = false, Crashes = 0, IsQuarantined = false, Outcome = Outcome.Interrupted } : verdict;
    }

    // ---- two sightings

    private IEnumerable<Step> Sweeps(World world)
    {
        if (!scenario.Allows(Steps.Sweep))
            yield break;
        var db = world.Db;
        foreach (var node in NodesOf(world))
        {
            var beat = db.Beats.Where(row => row.Node == node).Select(row => row.Beat).DefaultIfEmpty(0).Max();
            var lives = world.First.Node == node || world.Second.Node == node;
            if (lives && !db.Expired.Has(node) && !db.Buried.Has(node) && beat < 2)
                yield return new($"node {node} beats", world with { Db = db with { Beats = db.Beats.Without(row => row.Node == node).With((node, beat + 1)) } });
            if (db.Expired.Has(node) && !db.Buried.Has(node) && !world.Sightings.Any(seen => seen.Node == node))
                yield return new($"node {node} is seen expired at beat {beat}", world with { Sightings = world.Sightings.With((node, beat)) });
            if (world.Sightings.Any(seen => seen.Node == node) && !db.Buried.Has(node))
            {
                var isSilent = db.Expired.Has(node) && world.Sightings.Has((node, beat));
                if (isSilent || scenario.Has(Flaw.BuryWithoutASecondLook))
                    yield return new($"node {node} is buried", world with { Db = db with { Buried = db.Buried.With(node) }, Fault = isSilent ? null : $"node {node} was buried though it lives" });
                else
                    yield return new($"node {node} is not buried: it lives", world with { Sightings = world.Sightings.Without(seen => seen.Node == node) });
            }
        }

        // The database's clock goes an hour ahead, and is set right again.
        if (!world.Happened.HasFlag(Happened.ClockJumped) && world is { Kills: 0, Claims: <= 1 })
            yield return new("the clock jumps", world with { Happened = world.Happened | Happened.ClockJumped, Db = db with { Expired = new(1, 2) } }, IsFault: true);
        else if (world.Happened.HasFlag(Happened.ClockJumped) && db.Expired.Count == 2 && world.Kills == 0)
            yield return new("the clock is set right", world with { Db = db with { Expired = Rows<int>.None } }, IsFault: true);
    }

    private static IEnumerable<int> NodesOf(World world) => world.Db.Leases.Select(lease => lease.Node).Concat([1, 2, world.First.Node, world.Second.Node]).Distinct();

    // ---- people

    private IEnumerable<Step> People(World world)
    {
        var db = world.Db;
        if (scenario.Allows(Steps.Cancel))
            foreach (var step in Cancels(world))
                yield return step;
        if (scenario.Allows(Steps.Retry) && !world.Happened.HasFlag(Happened.Retried) && db.Jobs.Has(0)
            && (scenario.Has(Flaw.RetryLooksAtNoLease) || !db.Running(0).Any()))
            yield return new("an operator retries job 0", world with { Db = Retry(db, 0), Happened = world.Happened | Happened.Retried }, IsFault: true);
        if (scenario.Allows(Steps.Keys) && !world.Happened.HasFlag(Happened.Submitted))
            foreach (var step in Submissions(world))
                yield return step;
        if (!scenario.Allows(Steps.Restore))
            yield break;
        if (world.Backup is null)
            yield return new("the database is backed up", world with { Backup = db }, IsFault: true);
        else if (!world.Happened.HasFlag(Happened.Restored) && world.Backup != db)
            yield return new("the database is restored", world with { Db = world.Backup, Happened = world.Happened | Happened.Restored }, IsFault: true);
    }

    private IEnumerable<Step> Cancels(World world)
    {
        var db = world.Db;
        if (world.Happened.HasFlag(Happened.CancelIsHalfway))
            yield return new("the wish to cancel job 0 is written", world with { Db = db with { Wishes = db.Wishes.With(0), Promised = db.Promised.With(0) }, Happened = world.Happened & ~Happened.CancelIsHalfway });
        if (world.Happened.HasFlag(Happened.Cancelled))
            yield break;
        var happened = world.Happened | Happened.Cancelled;
        if (db.IsPending(0))
            yield return new("job 0 is cancelled while it is pending", world with { Db = EndPending(db, 0, Outcome.Cancelled) with { Promised = db.Promised.With(0) }, Happened = happened }, IsFault: true);
        else if (db.Running(0).Any() && scenario.Has(Flaw.CancelInTwoSteps))
            yield return new("a cancel finds that job 0 runs", world with { Happened = happened | Happened.CancelIsHalfway }, IsFault: true);
        else if (db.Running(0).Any())
            yield return new("job 0 is asked to stop", world with { Db = db with { Wishes = db.Wishes.With(0), Promised = db.Promised.With(0) }, Happened = happened }, IsFault: true);
    }

    private Database EndPending(Database db, int job, Outcome outcome)
    {
        var pending = db.Pending.Single(pending => pending.Job == job);
        return Finish(db with
        {
            Pending = db.Pending.Without(pending),
            Ended = db.Ended.With(new EndedRun(job, pending.Run, pending.Attempt, outcome, IsCharged: false, Node: 0, IsRescued: false, WasAlone: false)),
        }, job);
    }

    private Database Retry(Database db, int job)
    {
        var last = db.Ended.Where(end => end.Job == job).Select(end => end.Run).DefaultIfEmpty(0).Max();
        var run = scenario.Has(Flaw.RetryBeginsAtRunOne) ? 1 : db.Pending.Where(pending => pending.Job == job).Select(pending => pending.Run).DefaultIfEmpty(last + 1).Max();
        return db with
        {
            Pending = db.Pending.Without(pending => pending.Job == job).With(new PendingJob(job, Place.Ready, run, 1, 0, false)),
            Wishes = db.Wishes.Without(job),
            Promised = db.Promised.Without(job),
            Retried = db.Retried.With((job, run)),
        };
    }

    /// <summary>Another job with the key of job 0, which takes the place of a pending one and the key of any other.</summary>
    private IEnumerable<Step> Submissions(World world)
    {
        var db = world.Db;
        var happened = world.Happened | Happened.Submitted;
        if (db.KeyHolder == 0 && db.IsPending(0))
            db = EndPending(db, 0, Outcome.Replaced);
        yield return new("job 1 is submitted with the key of job 0", world with
        {
            Happened = happened,
            Db = db with { Jobs = db.Jobs.With(1), Pending = db.Pending.With(new PendingJob(1, Place.Ready, 1, 1, 0, false)), KeyHolder = 1 },
        }, IsFault: true);
    }
}
