namespace Millrace.Dashboard.Watching;

/// <summary>For how long an answer is good over what happens, by what it took to make: a question that is asked without a pause then costs the database a twentieth of a processor, however much it has to count. Pure.</summary>
internal static class Dear
{
    /// <summary>However dear an answer was, it is not kept for longer. Shorter than the settling of <see cref="Broadcast"/>.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(4);

    /// <summary>However much all who look ask, they are told of changes at least this often.</summary>
    public static readonly TimeSpan LongestBetweenPulses = TimeSpan.FromSeconds(3);

    private const int Worth = 20;

    private const int Pace = 8;

    /// <summary>How long after a pulse the next one comes, by what the answers to the last one have taken together: fifty people on ten pages take an eighth of a processor at most, until that means longer than three seconds.</summary>
    /// <param name="least">When they took little.</param>
    /// <param name="before">What they took after the pulse before.</param>
    /// <param name="spent">What they took after this one.</param>
    public static TimeSpan BetweenPulses(TimeSpan least, TimeSpan before, TimeSpan spent)
    {
        var between = (before < spent ? before : spent) * Pace;
        return between < least ? least : between < LongestBetweenPulses ? between : LongestBetweenPulses;
    }

    /// <summary>For how long one answer is kept.</summary>
    /// <param name="before">What the same took the time before. Dear is what was so twice: the first time a process answers at all, or waits for a connection, says nothing.</param>
    /// <param name="took">What it took now.</param>
    public static TimeSpan LifeOf(TimeSpan before, TimeSpan took)
    {
        var life = (before < took ? before : took) * Worth;
        return life < Longest ? life : Longest;
    }
}
