namespace Millrace.Dashboard.Watching;

/// <summary>For how long an answer is good over what happens, by what it took to make: a question that is asked without a pause then costs the database a twentieth of a processor, however much it has to count. Pure.</summary>
internal static class Dear
{
    /// <summary>However dear an answer was, it is not kept for longer. Shorter than the settling of <see cref="Broadcast"/>.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(4);

    private const int Worth = 20;

    /// <param name="before">What the same took the time before. Dear is what was so twice: the first time a process answers at all, or waits for a connection, says nothing.</param>
    /// <param name="took">What it took now.</param>
    public static TimeSpan LifeOf(TimeSpan before, TimeSpan took)
    {
        var life = (before < took ? before : took) * Worth;
        return life < Longest ? life : Longest;
    }
}
