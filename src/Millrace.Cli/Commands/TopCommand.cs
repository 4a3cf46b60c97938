using System.CommandLine;
using Millrace.Cli.Live;
using Millrace.Cli.Output;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace top</c>: a live view of everything. Where nothing can be drawn, a line whenever something changes.</summary>
internal static class TopCommand
{
    private const int MostFailures = 2000;
    private const int MostRunning = 200;

    public static Command Make(Leaves leaves) => leaves.Make("top", "Watch queues, running jobs, failures and workers. Keys: q quits, p pauses, arrows choose and scroll.", RunAsync);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        if (invocation.Terminal.CanDrawLive && invocation.Format == OutputFormat.Table)
            return await DrawAsync(invocation, store).ConfigureAwait(false);
        return await Watching.RunAsync(invocation, store, async () => WriteLine(invocation, await store.Inspection.CountAsync(invocation.Token).ConfigureAwait(false))).ConfigureAwait(false);
    }

    // Apart, so that the library is loaded only when something is drawn.
    private static Task<ExitCode> DrawAsync(Invocation invocation, IJobStore store) => new TopScreen(invocation, token => ReadAsync(store, token)).RunAsync();

    private static async Task<TopState> ReadAsync(IJobStore store, CancellationToken cancellationToken)
    {
        var inspection = store.Inspection;
        var counts = await inspection.CountAsync(cancellationToken).ConfigureAwait(false);
        var (hour, step) = (TimeSpan.FromHours(1), TimeSpan.FromMinutes(1));
        var to = counts.Now.AddTicks(-(counts.Now.UtcTicks % step.Ticks)) + step;
        var stats = await inspection.ReadStatsAsync(new StatQuery { From = to - hour, To = to, Step = step }, cancellationToken).ConfigureAwait(false);
        var failures = await inspection.ReadFailuresAsync(counts.Now - hour, MostFailures, cancellationToken).ConfigureAwait(false);
        var running = new JobListing { Filter = new JobFilter([new StateTerm(StateSet.Running)]), Limit = MostRunning };
        return new TopState(
            store.Name,
            counts,
            Minutes(StatGroup.Of(stats, StatGrouping.Time), to - hour, to),
            await inspection.ReadQueuesAsync(cancellationToken).ConfigureAwait(false),
            (await inspection.ListAsync(running, cancellationToken).ConfigureAwait(false)).Jobs,
            FailureGroup.Group(failures, counts.Now - hour, counts.Now),
            await inspection.ReadWorkersAsync(cancellationToken).ConfigureAwait(false));
    }

    // Minutes in which nothing ended have no row, and still take their place.
    private static IReadOnlyList<StatGroup> Minutes(IReadOnlyList<StatGroup> groups, DateTimeOffset from, DateTimeOffset to)
    {
        var known = groups.ToDictionary(group => group.At.UtcTicks);
        var minutes = new List<StatGroup>();
        for (var at = from; at < to; at += TimeSpan.FromMinutes(1))
            minutes.Add(known.GetValueOrDefault(at.UtcTicks) ?? new StatGroup("", at));
        return minutes;
    }

    private static void WriteLine(Invocation invocation, JobCounts counts)
    {
        if (invocation.Format == OutputFormat.Json)
        {
            var states = new Members();
            foreach (var (state, count) in counts.ByState.OrderBy(pair => pair.Key))
                states.Add(Words.State(state), count);
            invocation.Terminal.Out.WriteLine(JsonDocumentWriter.Write(new Members { { "now", counts.Now }, { "counts", states }, { "oldestReady", counts.OldestReady } }, indented: false));
            return;
        }

        invocation.Terminal.Out.WriteLine($"{Words.Time(counts.Now, invocation.IsUtc)}  {string.Join("  ", counts.ByState.OrderBy(pair => pair.Key).Select(pair => $"{Words.State(pair.Key)} {Words.Count(pair.Value, JobCounts.Cap)}"))}");
    }
}
