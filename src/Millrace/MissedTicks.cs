namespace Millrace;

/// <summary>What a schedule does about ticks that passed while no node was there to fire them.</summary>
public enum MissedTicks
{
    /// <summary>Fire once for the latest of them. The default.</summary>
    Last,

    /// <summary>Fire none of them; go on with the next.</summary>
    Skip,

    /// <summary>Fire each of them, but at most 100, and none that is older than 24 hours.</summary>
    All,
}
