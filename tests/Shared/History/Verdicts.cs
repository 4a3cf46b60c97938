namespace Millrace.Histories;

/// <summary>What a history proves: figures, as Jepsen's total-queue gives them. All those that count as faults are to be zero.</summary>
public sealed record Verdicts
{
    /// <summary>Acknowledged, and neither done nor ended by anybody.</summary>
    public int Lost { get; init; }

    /// <summary>Ran, and was never submitted; or counts as a success without having done anything.</summary>
    public int Unexpected { get; init; }

    /// <summary>Done once more although no run was interrupted and nobody asked for it; or committed twice.</summary>
    public int Doubled { get; init; }

    /// <summary>Two runs of one job at once, without the first having been interrupted before.</summary>
    public int Overlapping { get; init; }

    /// <summary>An end was refused although nobody had ended the run.</summary>
    public int WronglyRefused { get; init; }

    /// <summary>A refused end changed something.</summary>
    public int StaleWrites { get; init; }

    /// <summary>Not finished when all was calm again.</summary>
    public int Stuck { get; init; }

    /// <summary>Seen in no place or in two.</summary>
    public int Astray { get; init; }

    /// <summary>Keys seen with two pending jobs.</summary>
    public int KeysTaken { get; init; }

    /// <summary>Ticks that made no job.</summary>
    public int TicksMissing { get; init; }

    /// <summary>Ticks that made more than one.</summary>
    public int TicksDoubled { get; init; }

    /// <summary>For people: how much happened. No faults.</summary>
    public int Submitted { get; init; }

    public int Effects { get; init; }

    /// <summary>Submissions without an answer that were stored after all.</summary>
    public int Recovered { get; init; }

    /// <summary>Done once more because a run was interrupted: what at-least-once allows.</summary>
    public int Repeated { get; init; }

    public int Interrupted { get; init; }

    public int Refused { get; init; }

    public int Ticks { get; init; }

    public int Faults { get; init; }

    /// <summary>What the first few faults are about.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    public bool AreClean => Lost + Unexpected + Doubled + Overlapping + WronglyRefused + StaleWrites + Stuck + Astray + KeysTaken + TicksMissing + TicksDoubled == 0;

    /// <summary>The figures of several experiments together.</summary>
    public Verdicts Plus(Verdicts other) => new()
    {
        Lost = Lost + other.Lost,
        Unexpected = Unexpected + other.Unexpected,
        Doubled = Doubled + other.Doubled,
        Overlapping = Overlapping + other.Overlapping,
        WronglyRefused = WronglyRefused + other.WronglyRefused,
        StaleWrites = StaleWrites + other.StaleWrites,
        Stuck = Stuck + other.Stuck,
        Astray = Astray + other.Astray,
        KeysTaken = KeysTaken + other.KeysTaken,
        TicksMissing = TicksMissing + other.TicksMissing,
        TicksDoubled = TicksDoubled + other.TicksDoubled,
        Submitted = Submitted + other.Submitted,
        Effects = Effects + other.Effects,
        Recovered = Recovered + other.Recovered,
        Repeated = Repeated + other.Repeated,
        Interrupted = Interrupted + other.Interrupted,
        Refused = Refused + other.Refused,
        Ticks = Ticks + other.Ticks,
        Faults = Faults + other.Faults,
        Details = [.. Details, .. other.Details],
    };

    public override string ToString() =>
        $"lost {Lost}, unexpected {Unexpected}, doubled {Doubled}, overlapping {Overlapping}, wrongly refused {WronglyRefused}, stale writes {StaleWrites}, stuck {Stuck}, astray {Astray}, "
        + $"keys {KeysTaken}, ticks -{TicksMissing} +{TicksDoubled} | {Submitted} submitted, {Effects} effects, {Recovered} recovered, {Repeated} repeated, {Interrupted} interrupted, "
        + $"{Refused} refused, {Ticks} ticks, {Faults} faults{(Details.Count == 0 ? "" : $" | {string.Join("; ", Details)}")}";
}
