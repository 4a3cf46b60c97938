namespace Millrace;

/// <summary>What a schedule does about ticks that passed while no node was there to fire them. Ticks that are at most 10 seconds late are not missed: each is fired.</summary>
public enum MissedTicks
{
    /// <summary>Fire once for the latest of them. The default.</summary>
    Last,

    /// <summary>Fire none of them but the latest, if it is at most 60 seconds old; go on with the next.</summary>
    Skip,

    /// <summary>Fire each of them, but at most 100, and none that is older than 24 hours.</summary>
    All,
}
