using System.Collections.Concurrent;
using System.Globalization;
using CsCheck;

namespace Millrace;

/// <summary>
/// Properties, tried on the same cases in each run: the check of a change does not fail for a case that nobody changed.
/// A case that fails is given to CsCheck, which shrinks it and prints it with its seed.
/// MILLRACE_TEST_EXPLORE=60 looks for new cases instead, for 60 seconds per property; with CsCheck_Seed it begins with the case of that seed.
/// </summary>
internal static class SeededSamples
{
    // As many as CsCheck tries.
    private const int Usual = 100;

    private static int? SecondsToExplore =>
        Environment.GetEnvironmentVariable("MILLRACE_TEST_EXPLORE") is { Length: > 0 } seconds ? int.Parse(seconds, CultureInfo.InvariantCulture) : null;

    public static void SampleSeeded<T>(this Gen<T> gen, Action<T> assert, int iter = Usual) => gen.SampleSeeded(
        value =>
        {
            assert(value);
            return true;
        },
        iter);

    public static void SampleSeeded<T1, T2>(this Gen<(T1, T2)> gen, Action<T1, T2> assert, int iter = Usual) =>
        gen.SampleSeeded(of => assert(of.Item1, of.Item2), iter);

    public static void SampleSeeded<T1, T2, T3>(this Gen<(T1, T2, T3)> gen, Action<T1, T2, T3> assert, int iter = Usual) =>
        gen.SampleSeeded(of => assert(of.Item1, of.Item2, of.Item3), iter);

    public static void SampleSeeded<T1, T2, T3, T4>(this Gen<(T1, T2, T3, T4)> gen, Action<T1, T2, T3, T4> assert, int iter = Usual) =>
        gen.SampleSeeded(of => assert(of.Item1, of.Item2, of.Item3, of.Item4), iter);

    public static void SampleSeeded<T1, T2, T3, T4, T5>(this Gen<(T1, T2, T3, T4, T5)> gen, Action<T1, T2, T3, T4, T5> assert, int iter = Usual) =>
        gen.SampleSeeded(of => assert(of.Item1, of.Item2, of.Item3, of.Item4, of.Item5), iter);

    public static void SampleSeeded<T1, T2, T3, T4, T5, T6>(this Gen<(T1, T2, T3, T4, T5, T6)> gen, Action<T1, T2, T3, T4, T5, T6> assert, int iter = Usual) =>
        gen.SampleSeeded(of => assert(of.Item1, of.Item2, of.Item3, of.Item4, of.Item5, of.Item6), iter);

    public static void SampleSeeded<T1, T2>(this Gen<(T1, T2)> gen, Func<T1, T2, bool> holds, int iter = Usual) =>
        gen.SampleSeeded(of => holds(of.Item1, of.Item2), iter);

    public static void SampleSeeded<T1, T2, T3>(this Gen<(T1, T2, T3)> gen, Func<T1, T2, T3, bool> holds, int iter = Usual) =>
        gen.SampleSeeded(of => holds(of.Item1, of.Item2, of.Item3), iter);

    public static void SampleSeeded<T1, T2, T3, T4>(this Gen<(T1, T2, T3, T4)> gen, Func<T1, T2, T3, T4, bool> holds, int iter = Usual) =>
        gen.SampleSeeded(of => holds(of.Item1, of.Item2, of.Item3, of.Item4), iter);

    public static void SampleSeeded<T1, T2, T3, T4, T5>(this Gen<(T1, T2, T3, T4, T5)> gen, Func<T1, T2, T3, T4, T5, bool> holds, int iter = Usual) =>
        gen.SampleSeeded(of => holds(of.Item1, of.Item2, of.Item3, of.Item4, of.Item5), iter);

    public static void SampleSeeded<T>(this Gen<T> gen, Func<T, bool> holds, int iter = Usual)
    {
        if (SecondsToExplore is { } seconds)
        {
            gen.Sample(holds, time: seconds);
            return;
        }

        foreach (var (value, seed) in Cases(gen, iter))
        {
            Exception? fault = null;
            try
            {
                if (holds(value))
                    continue;
            }
            catch (Exception thrown)
            {
                fault = thrown;
            }

            gen.Sample(holds, seed: seed, iter: iter);
            throw FailedOnce(seed, fault);
        }
    }

    /// <summary>With more threads than one the order of the cases differs from run to run, and the cases do not.</summary>
    public static async Task SampleSeededAsync<T>(this Gen<T> gen, Func<T, Task> assert, int iter = Usual, int threads = 1)
    {
        if (SecondsToExplore is { } seconds)
        {
            await gen.SampleAsync(assert, time: seconds, threads: threads);
            return;
        }

        var failed = new ConcurrentQueue<(string Seed, Exception Fault)>();
        await Parallel.ForEachAsync(Cases(gen, iter), new ParallelOptions { MaxDegreeOfParallelism = threads }, async (one, _) =>
        {
            try
            {
                if (failed.IsEmpty)
                    await assert(one.Value);
            }
            catch (Exception fault)
            {
                failed.Enqueue((one.Seed, fault));
            }
        });

        if (failed.TryDequeue(out var first))
        {
            await gen.SampleAsync(assert, seed: first.Seed, iter: iter, threads: threads);
            throw FailedOnce(first.Seed, first.Fault);
        }
    }

    private static IEnumerable<(T Value, string Seed)> Cases<T>(Gen<T> gen, int count)
    {
        var random = new PCG(stream: 1, seed: 42);
        for (var i = 0; i < count; i++)
        {
            var seed = random.ToString();
            yield return (gen.Generate(random, null, out _), seed);
        }
    }

    private static CsCheckException FailedOnce(string seed, Exception? fault) =>
        new($"The case of the seed \"{seed}\" failed, and held when it was tried again: it depends on more than its values.", fault);
}
