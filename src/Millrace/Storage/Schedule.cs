namespace Millrace.Storage;

/// <summary>A recurring submission as a store keeps it.</summary>
public sealed record Schedule
{
    /// <summary>The name: the tag it was submitted with, or its type's name.</summary>
    public required string Name { get; init; }

    /// <summary>The cron expression, six fields with seconds (or five).</summary>
    public required string Cron { get; init; }

    /// <summary>The IANA name of its time zone.</summary>
    public required string Zone { get; init; }

    /// <summary>Whether it is kept until it is cancelled. Otherwise it goes when the last server that submitted it has stopped or died.</summary>
    public bool IsPersistent { get; init; }

    /// <summary>What to do about ticks that nobody was there to fire.</summary>
    public MissedTicks MissedTicks { get; init; }

    /// <summary>What each tick submits. Its id, nonce and due time are not used.</summary>
    public required NewJob Template { get; init; }

    /// <summary>Grows whenever the schedule is changed, so that a tick decided for an old version is not fired.</summary>
    public long Version { get; init; }

    /// <summary>Since when a person has paused it, though its own time to resume may have come; null when nobody has.</summary>
    public Pause? Pause { get; init; }

    /// <summary>When the next tick is due. Null: the expression has no further tick.</summary>
    public DateTimeOffset? NextDue { get; init; }

    /// <summary>The last tick that was fired or skipped; null before the first.</summary>
    public DateTimeOffset? LastTick { get; init; }
}

/// <summary>What a tick of a schedule is to do. Decided in pure code, carried out by the store in one transaction with the row locked.</summary>
/// <param name="Jobs">One job for each tick to fire, with ids.</param>
/// <param name="LastTick">The tick up to which everything is now fired or skipped.</param>
/// <param name="NextDue">The next tick; null when there is none any more.</param>
/// <param name="Skipped">How many ticks were skipped.</param>
public sealed record TickPlan(IReadOnlyList<NewJob> Jobs, DateTimeOffset LastTick, DateTimeOffset? NextDue, int Skipped);
