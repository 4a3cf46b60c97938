using System.Globalization;
using System.Text;

namespace Millrace.Histories;

/// <summary>What clients, handlers and the database did, each thing written down by who saw it.</summary>
public enum Happening
{
    /// <summary>A submission was answered: the job is stored.</summary>
    Submitted,

    /// <summary>A submission was refused, kept out by another job's key, or rolled back: there is no such job.</summary>
    NotSubmitted,

    /// <summary>A submission was given up without an answer: there may be such a job.</summary>
    PerhapsSubmitted,

    /// <summary>A handler began.</summary>
    Started,

    /// <summary>A handler did what the job is for, outside the database.</summary>
    Effect,

    /// <summary>A handler did what the job is for, in the transaction that completed it, and it committed.</summary>
    Committed,

    /// <summary>A handler is over: it returned, threw, or died with its process.</summary>
    Stopped,

    /// <summary>A run's end was accepted. The detail is its outcome.</summary>
    Ended,

    /// <summary>A run's end was refused as stale.</summary>
    Refused,

    /// <summary>A rescuer ended a run. The detail is the outcome it wrote.</summary>
    Interrupted,

    /// <summary>Somebody made a job run again that had finished, or waited.</summary>
    Retried,

    /// <summary>The database says how a finished job ended. The detail is the outcome.</summary>
    Finished,

    /// <summary>When all was calm again, a job was not finished. The detail is where it was.</summary>
    Unfinished,

    /// <summary>An end that was refused changed something.</summary>
    StaleWrite,

    /// <summary>A look at the database found a job in no place, or in two. The detail says which.</summary>
    Astray,

    /// <summary>A look at the database found two pending jobs with one key. The detail is the key.</summary>
    KeyTwice,

    /// <summary>A tick of a schedule ought to have made a job. The detail names schedule and time.</summary>
    TickDue,

    /// <summary>A tick of a schedule made a job. The detail names schedule and time.</summary>
    TickFired,

    /// <summary>Something was broken on purpose. The detail says what.</summary>
    Fault,
}

/// <summary>One line of a history.</summary>
/// <param name="At">When, in microseconds of whatever clock all writers share.</param>
/// <param name="What">What happened.</param>
/// <param name="Job">The job; 0 for none.</param>
/// <param name="Run">The run; 0 for none.</param>
/// <param name="Detail">One word.</param>
public readonly record struct HistoryEvent(long At, Happening What, long Job = 0, int Run = 0, string Detail = "-")
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At} {What} {Job} {Run} {Detail}");

    /// <summary>Reads what <see cref="ToString"/> wrote: processes write their events to files, one a line.</summary>
    public static HistoryEvent Parse(string line)
    {
        var parts = line.Split(' ', 5);
        return new HistoryEvent(
            long.Parse(parts[0], CultureInfo.InvariantCulture), Enum.Parse<Happening>(parts[1]),
            long.Parse(parts[2], CultureInfo.InvariantCulture), int.Parse(parts[3], CultureInfo.InvariantCulture), parts[4]);
    }
}

/// <summary>The events of one experiment, in their order. Safe to use from any thread.</summary>
public sealed class History
{
    private readonly Lock gate = new();
    private readonly List<HistoryEvent> events = [];

    public IReadOnlyList<HistoryEvent> Events
    {
        get
        {
            lock (gate)
                return [.. events];
        }
    }

    public void Add(HistoryEvent happened)
    {
        lock (gate)
            events.Add(happened);
    }

    /// <summary>The same for two histories if, and as good as only if, they are the same.</summary>
    public string Hash()
    {
        var text = new StringBuilder();
        foreach (var happened in Events)
            text.Append(happened.ToString()).Append('\n');
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];
    }
}
