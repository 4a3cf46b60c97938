namespace Millrace.Tests.Protocol;

/// <summary>One rule of the protocol, left out or broken. A model that does not notice proves nothing.</summary>
internal enum Flaw
{
    None,

    /// <summary>Ends are accepted without the primary key of the attempt, and without the lease.</summary>
    NoFence,

    /// <summary>The number of the attempt is the fence. A run that was not charged repeats it.</summary>
    AttemptIsTheFence,

    /// <summary>A rescuer ends every run that its list shows, also those that have ended.</summary>
    RescueLooksAtNoEnds,

    /// <summary>A user's transaction commits although its completion wrote no row.</summary>
    EffectsOutsideTheFence,

    /// <summary>A process that dies charges nobody, so that a job can kill one after the other for ever.</summary>
    CrashIsNotCounted,

    /// <summary>What a stopping node cannot finish is over, instead of going back.</summary>
    ReleaseIsFinal,

    /// <summary>A node whose claim was not answered forgets it, and upkeep does not look for leases that nobody knows.</summary>
    LostClaimIsForgotten,

    /// <summary>A completion in an old snapshot does not lock the row of its job.</summary>
    CompletionLocksNoJob,

    /// <summary>Prune looks at no leases, and rescue at no jobs.</summary>
    PruneLooksAtNoLeases,

    /// <summary>After a restore of the database nobody compares the leases there with those that a node holds.</summary>
    NobodyReconciles,

    /// <summary>Cancel looks where the job is, and writes its wish later.</summary>
    CancelInTwoSteps,

    /// <summary>A release writes no row of an attempt.</summary>
    ReleaseWritesNoRow,

    /// <summary>Zero rows mean stale, without a look at whose row is there.</summary>
    ZeroRowsAreStale,

    /// <summary>A release hands the job back under the same run.</summary>
    ReleaseReusesTheRun,

    /// <summary>A snooze counts as an attempt.</summary>
    SnoozeIsCharged,

    /// <summary>Retry, snooze, release and rescue do not look for a wish to cancel.</summary>
    WishIsIgnored,

    /// <summary>An operator's retry begins with run 1 again.</summary>
    RetryBeginsAtRunOne,

    /// <summary>An operator's retry looks for no lease.</summary>
    RetryLooksAtNoLease,

    /// <summary>A run that would be pending again does not look who holds its key by now.</summary>
    KeyIsNotLookedAt,

    /// <summary>Everybody in a batch is charged when the process dies.</summary>
    NeighboursAreCharged,

    /// <summary>Suspects are claimed with others.</summary>
    SuspectsInCompany,

    /// <summary>A sweeper buries by what it saw, without comparing beat and expiry again.</summary>
    BuryWithoutASecondLook,

    /// <summary>A rescuer takes the leases of nodes that live.</summary>
    RescueOfTheLiving,
}

/// <summary>What an end must find to be accepted, besides that nobody ended the run before.</summary>
internal enum Guard
{
    /// <summary>Its lease, of the same node, lists the run. The rule.</summary>
    LeaseListsTheRun,

    /// <summary>Its lease is there and of the same node.</summary>
    LeaseIsThere,

    /// <summary>Its lease is there and of the same node, and the job is stored.</summary>
    LeaseAndJobAreThere,

    /// <summary>Its lease is there and of the same node, and lists the run if the end may have been sent before or the node was buried. What PostgreSQL asks of many ends at once.</summary>
    LeaseListsWhatIsNotSure,
}

/// <summary>What may happen in an exploration. Fewer steps allow more jobs.</summary>
[Flags]
internal enum Steps
{
    None = 0,
    Fail = 1,
    Snooze = 2,
    Release = 4,
    Kill = 8,
    Freeze = 16,
    LoseEnds = 32,
    LoseClaims = 64,
    Transactions = 128,
    Cancel = 256,
    Retry = 512,
    Prune = 1024,
    Keys = 2048,
    Restore = 4096,
    Sweep = 8192,
    Ends = Fail | Snooze | Release,
    Faults = Kill | Freeze | LoseEnds,
}

/// <summary>An exploration: how many jobs, what may happen, and how far it goes.</summary>
internal sealed record Scenario(string Name, int Jobs, Steps Steps)
{
    public int Claims { get; init; } = 3;

    public int Runs { get; init; } = 3;

    public int Kills { get; init; } = 1;

    public int MaxAttempts { get; init; } = 2;

    public Flaw Flaw { get; init; }

    public Guard Guard { get; init; }

    public bool Allows(Steps step) => Steps.HasFlag(step);

    public bool Has(Flaw flaw) => Flaw == flaw;

    /// <summary>The protocol as it is, explored as far as a few seconds go.</summary>
    public static IEnumerable<Scenario> Sound =>
    [
        new("two jobs, lost answers, a frozen node", 2, Steps.Release | Steps.Freeze | Steps.LoseEnds) { Claims = 2, Runs = 2 },
        new("one job, every end, transactions", 1, Steps.Ends | Steps.Freeze | Steps.LoseEnds | Steps.Transactions) { Runs = 2 },
        new("two jobs, transactions", 2, Steps.Transactions | Steps.Freeze) { Runs = 2 },
        new("a cancel", 1, Steps.Ends | Steps.Faults | Steps.Cancel) { Claims = 2, Runs = 2 },
        new("lost answers to claims", 1, Steps.Fail | Steps.Faults | Steps.LoseClaims) { Runs = 2 },
        new("prune", 2, Steps.Freeze | Steps.LoseEnds | Steps.Transactions | Steps.Prune) { Claims = 2, Runs = 2 },
        new("an operator's retry", 1, Steps.Fail | Steps.Freeze | Steps.LoseEnds | Steps.Cancel | Steps.Retry | Steps.Prune) { Claims = 2, Runs = 2 },
        new("a key", 2, Steps.Fail | Steps.Release | Steps.Freeze | Steps.Keys) { Runs = 2 },
        new("crashes", 1, Steps.Kill) { Claims = 4, Runs = 4, Kills = 4, MaxAttempts = 9 },
        new("crashes in company", 2, Steps.Kill) { Runs = 3, Kills = 2 },
        new("a restore", 1, Steps.Fail | Steps.Restore | Steps.Freeze) { Runs = 2 },
        new("two jobs, a restore", 2, Steps.Restore) { Claims = 2, Runs = 2 },
        new("sweeps and a clock that jumps", 1, Steps.Sweep | Steps.Kill) { Claims = 1, Runs = 2 },
    ];

    /// <summary>The same, explored farther.</summary>
    public static IEnumerable<Scenario> SoundAndWide =>
    [
        new("two jobs, lost answers, a frozen node", 2, Steps.Fail | Steps.Release | Steps.Freeze | Steps.LoseEnds) { Runs = 2 },
        new("one job, every end, transactions", 1, Steps.Ends | Steps.Faults | Steps.Transactions),
        new("two jobs, transactions, lost answers", 2, Steps.Transactions | Steps.Freeze | Steps.LoseEnds) { Runs = 2 },
        new("a cancel, transactions", 1, Steps.Ends | Steps.Faults | Steps.Transactions | Steps.Cancel) { Claims = 2, Runs = 2 },
        new("lost answers to claims", 1, Steps.Ends | Steps.Faults | Steps.LoseClaims),
        new("two jobs, lost answers to claims", 2, Steps.Fail | Steps.LoseClaims | Steps.Kill) { Runs = 2 },
        new("prune", 2, Steps.Fail | Steps.Freeze | Steps.LoseEnds | Steps.Transactions | Steps.Prune) { Claims = 2, Runs = 2 },
        new("an operator's retry", 1, Steps.Fail | Steps.Faults | Steps.Cancel | Steps.Retry | Steps.Prune),
        new("a key, lost answers", 2, Steps.Fail | Steps.Release | Steps.Freeze | Steps.LoseEnds | Steps.Keys) { Runs = 2 },
        new("crashes in company", 2, Steps.Kill) { Claims = 4, Runs = 4, Kills = 3, MaxAttempts = 9 },
    ];

    /// <summary>Every flaw, in the surroundings in which it shows.</summary>
    public static IEnumerable<Scenario> Mutants =>
    [
        Mutant(Flaw.NoFence, 1, Steps.Ends | Steps.Freeze),
        Mutant(Flaw.AttemptIsTheFence, 2, Steps.Freeze),
        Mutant(Flaw.RescueLooksAtNoEnds, 2, Steps.Transactions | Steps.Kill),
        Mutant(Flaw.EffectsOutsideTheFence, 1, Steps.Ends | Steps.Faults | Steps.Transactions),
        Mutant(Flaw.CrashIsNotCounted, 1, Steps.Kill) with { Claims = 5, Runs = 5, Kills = 4, MaxAttempts = 9 },
        Mutant(Flaw.ReleaseIsFinal, 1, Steps.Ends | Steps.Faults),
        Mutant(Flaw.LostClaimIsForgotten, 1, Steps.Ends | Steps.LoseClaims),
        Mutant(Flaw.CompletionLocksNoJob, 1, Steps.Fail | Steps.Faults | Steps.Transactions | Steps.Prune),
        Mutant(Flaw.PruneLooksAtNoLeases, 1, Steps.Kill | Steps.Freeze | Steps.Transactions | Steps.Prune),
        Mutant(Flaw.NobodyReconciles, 1, Steps.Fail | Steps.Restore),
        Mutant(Flaw.CancelInTwoSteps, 1, Steps.Ends | Steps.Faults | Steps.Cancel),
        Mutant(Flaw.ReleaseWritesNoRow, 2, Steps.Release | Steps.Freeze | Steps.LoseEnds),
        Mutant(Flaw.ZeroRowsAreStale, 1, Steps.Ends | Steps.Faults),
        Mutant(Flaw.ReleaseReusesTheRun, 1, Steps.Ends | Steps.Faults),
        Mutant(Flaw.SnoozeIsCharged, 1, Steps.Ends | Steps.Faults),
        Mutant(Flaw.WishIsIgnored, 1, Steps.Ends | Steps.Faults | Steps.Cancel),
        Mutant(Flaw.RetryBeginsAtRunOne, 1, Steps.Fail | Steps.Retry),
        Mutant(Flaw.RetryLooksAtNoLease, 1, Steps.Fail | Steps.Retry),
        Mutant(Flaw.KeyIsNotLookedAt, 2, Steps.Fail | Steps.Keys),
        Mutant(Flaw.NeighboursAreCharged, 2, Steps.Kill),
        Mutant(Flaw.SuspectsInCompany, 2, Steps.Kill) with { Kills = 2 },
        Mutant(Flaw.BuryWithoutASecondLook, 1, Steps.Sweep),
        Mutant(Flaw.RescueOfTheLiving, 1, Steps.Ends),
    ];

    private static Scenario Mutant(Flaw flaw, int jobs, Steps steps) => new(flaw.ToString(), jobs, steps) { Flaw = flaw };
}
