using System.Globalization;
using Millrace.Histories;
using Millrace.Storage;

namespace Millrace.Tests.Simulated;

/// <summary>
/// The real store under everything that can go wrong, in virtual time. A seed that fails is named by the message; run it again with MILLRACE_TEST_SEED=seed.
/// MILLRACE_TEST_SEEDS=count runs more of them.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Steps = 2000;

    [Fact]
    public Task Twenty_seeds_lose_nothing_and_double_nothing() => HoldAsync(0, 20);

    [Fact]
    [Trait("Speed", "Slow")]
    public Task Two_hundred_seeds_lose_nothing_and_double_nothing() => HoldAsync(20, int.Parse(Environment.GetEnvironmentVariable("MILLRACE_TEST_SEEDS") ?? "180", CultureInfo.InvariantCulture));

    [Fact]
    public async Task The_same_seed_gives_the_same_history()
    {
        var first = await Simulation.RunAsync(4711, Steps);
        var second = await Simulation.RunAsync(4711, Steps);
        var other = await Simulation.RunAsync(4712, Steps);

        output.WriteLine($"{first.Events.Count} events, {first.Hash()}");
        second.Events.ShouldBe(first.Events);
        second.Hash().ShouldBe(first.Hash());
        other.Hash().ShouldNotBe(first.Hash());
    }

    [Theory]
    [InlineData(nameof(Sabotage.CommitsWhatWasRefused))]
    [InlineData(nameof(Sabotage.RescuesIntoNothing))]
    [InlineData(nameof(Sabotage.ClaimsWithoutTaking))]
    [InlineData(nameof(Sabotage.ForgetsClaims))]
    [InlineData(nameof(Sabotage.ReportsRolledBackAsStored))]
    [InlineData(nameof(Sabotage.TicksWithoutMovingOn))]
    public async Task What_is_broken_on_purpose_is_noticed(string name)
    {
        var sabotage = Enum.Parse<Sabotage>(name);
        for (var seed = 0; seed < 200; seed++)
        {
            Verdicts verdicts;
            try
            {
                verdicts = HistoryChecker.Check((await Simulation.RunAsync(seed, Steps, sabotage)).Events);
            }
            catch (StoreException exception) when (exception.Fault == StoreFault.Rejected)
            {
                output.WriteLine($"noticed with seed {seed}, by the database itself: {exception.InnerException?.Message}");
                return;
            }

            if (verdicts.AreClean)
                continue;
            output.WriteLine($"noticed with seed {seed}: {verdicts}");
            return;
        }

        Assert.Fail($"{sabotage} went unnoticed.");
    }

    private async Task HoldAsync(int from, int count)
    {
        var began = TimeProvider.System.GetTimestamp();
        if (Environment.GetEnvironmentVariable("MILLRACE_TEST_SEED") is { } only)
            (from, count) = (int.Parse(only, CultureInfo.InvariantCulture), 1);
        // Each step waits for the store's own thread: several seeds at a time keep the processors busy.
        var all = new Verdicts[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 2 * Environment.ProcessorCount }, async (i, _) =>
        {
            var history = await Simulation.RunAsync(from + i, Steps);
            all[i] = HistoryChecker.Check(history.Events);
            if (count == 1 && Environment.GetEnvironmentVariable("MILLRACE_TEST_HISTORY") is { } file)
                await File.WriteAllLinesAsync(file, history.Events.Select(happened => happened.ToString()), CancellationToken.None);
        });
        var failed = Enumerable.Range(0, count).Where(i => !all[i].AreClean).ToArray();
        foreach (var i in failed)
            output.WriteLine($"seed {from + i}: {all[i]}");
        var sum = all.Aggregate(new Verdicts(), (before, verdicts) => before.Plus(verdicts) with { Details = [] });
        output.WriteLine($"{count} seeds of {Steps} steps in {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s: {sum}");
        failed.ShouldBeEmpty($"The first is seed {from + failed.FirstOrDefault()}. Again with MILLRACE_TEST_SEED={from + failed.FirstOrDefault()}; the events go to the file that MILLRACE_TEST_HISTORY names.");
    }
}
