using System.Globalization;
using Millrace.Histories;
using Millrace.Testing;

namespace Millrace.Tests.Simulated;

/// <summary>What is broken on purpose in a simulation, to see whether it is noticed.</summary>
internal enum Sabotage
{
    None,

    /// <summary>A handler commits its transaction although its completion was refused.</summary>
    CommitsWhatWasRefused,

    /// <summary>A rescuer takes a lease away and puts no job back.</summary>
    RescuesIntoNothing,

    /// <summary>A claim leaves its row in line.</summary>
    ClaimsWithoutTaking,

    /// <summary>A node forgets a claim whose answer was lost, and nobody compares leases.</summary>
    ForgetsClaims,

    /// <summary>A submission that was rolled back is reported as stored.</summary>
    ReportsRolledBackAsStored,

    /// <summary>A tick makes its job and does not move the schedule's cursor.</summary>
    TicksWithoutMovingOn,
}

/// <summary>What decides in a simulation: one source of chance, one clock, and the history that comes of them.</summary>
internal sealed class Fate(int seed)
{
    // An exchange with the database goes wrong this often, half of the time after it was done.
    private const double ShareOfLostAnswers = 0.05;

    public Random Random { get; } = new(seed);

    public TestClock Clock { get; } = new();

    public History History { get; } = new();

    /// <summary>Whether anything may go wrong.</summary>
    public bool IsCalm { get; set; }

    public Guid NewGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.NextBytes(bytes);
        return new Guid(bytes);
    }

    public bool Happens(double probability) => Random.NextDouble() < probability;

    public TimeSpan Seconds(int from, int to) => TimeSpan.FromSeconds(Random.Next(from, to + 1));

    public T OneOf<T>(IReadOnlyList<T> things) => things[Random.Next(things.Count)];

    public void Note(Happening what, long job = 0, int run = 0, string detail = "-") => History.Add(new HistoryEvent(Now, what, job, run, detail));

    public long Now => (Clock.Now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>An exchange with the database. Its request may be lost, and so may its answer.</summary>
    /// <returns>Whether it was done, and whether whoever asked learned of it.</returns>
    public async Task<(bool IsDone, bool IsAnswered, T? Value)> AskAsync<T>(string what, Func<Task<T>> ask)
    {
        var roll = IsCalm ? 1 : Random.NextDouble();
        if (roll < ShareOfLostAnswers / 2)
        {
            Note(Happening.Fault, detail: $"{what}-request-lost");
            return (false, false, default);
        }

        var value = await ask();
        if (roll >= ShareOfLostAnswers)
            return (true, true, value);
        Note(Happening.Fault, detail: $"{what}-answer-lost");
        return (true, false, value);
    }

    public static string Tick(string schedule, DateTimeOffset time) => string.Create(CultureInfo.InvariantCulture, $"{schedule}@{time:O}");
}
