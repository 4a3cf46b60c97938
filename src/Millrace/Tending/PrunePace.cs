namespace Millrace.Tending;

/// <summary>How long the removal of old jobs rests between two batches. Pure.</summary>
internal static class PrunePace
{
    // A removed job costs the database as much as one that is run. One part in five of a connection's time is what a backlog does not feel (docs/decisions/0023).
    private const int Rests = 4;

    // A batch that was held up by locks must not hold up the next one for minutes.
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(2);

    /// <summary>How long it gives way. After that the old jobs come first: a database that is always busy would grow for ever.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <param name="batch">How long the last batch took.</param>
    /// <param name="sinceBegin">How long this run has been removing.</param>
    /// <param name="isBusy">Jobs are in line that this process could run.</param>
    public static TimeSpan RestAfter(TimeSpan batch, TimeSpan sinceBegin, bool isBusy)
    {
        if (!isBusy || sinceBegin >= Patience)
            return TimeSpan.Zero;
        var rest = batch * Rests;
        return rest < LongestRest ? rest : LongestRest;
    }
}
