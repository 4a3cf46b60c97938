namespace Millrace.Storage;

/// <summary>How many candidates a search looks at next: more each time, as far as the time that is left allows. Pure.</summary>
/// <param name="Most">How many it looks at altogether.</param>
/// <param name="Patience">How long it goes on.</param>
public readonly record struct Helpings(long Most, TimeSpan Patience)
{
    private const int Growth = 8;

    /// <summary>The next helping; 0 when it is time to stop.</summary>
    /// <param name="seen">How many were looked at, the last helping among them.</param>
    /// <param name="last">How many the last helping was.</param>
    /// <param name="took">How long that took.</param>
    /// <param name="spent">How long all has taken.</param>
    public int Next(long seen, int last, TimeSpan took, TimeSpan spent)
    {
        var left = Patience - spent;
        if (seen >= Most || left <= TimeSpan.Zero)
            return 0;
        var fits = took > TimeSpan.Zero ? (long)Math.Min(last * (left / took), int.MaxValue) : long.MaxValue;
        // So little more is not worth another statement.
        return fits < last / Growth ? 0 : (int)Math.Min(Math.Min((long)last * Growth, fits), Most - seen);
    }
}
