using System.CommandLine;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace stats</c>: how many attempts ended how, how long they waited and ran.</summary>
internal static class StatsCommand
{
    private static readonly Option<TimeSpan?> since = GlobalOptions.Span(new("--since") { HelpName = "span", Description = "How far to look back. 24h by default." });
    private static readonly Option<StatGrouping> by = new("--by") { HelpName = "what", Description = "type, queue or time. type by default." };

    public static Command Make(Leaves leaves) => leaves.Make("stats", "Rates, failures, waiting and running times.", RunAsync, since, by);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var (span, grouping) = (invocation.Parsed.GetValue(since) ?? TimeSpan.FromHours(24), invocation.Parsed.GetValue(by));
        var query = QueryOf(span, now) with { ByType = grouping == StatGrouping.Type, ByQueue = grouping == StatGrouping.Queue };
        var groups = StatGroup.Of(await store.Inspection.ReadStatsAsync(query, invocation.Token).ConfigureAwait(false), grouping);
        invocation.Write(Sheet(invocation, grouping), groups, new Members { { "from", query.From }, { "to", query.To }, { "stepMs", query.Step }, { "by", grouping.ToString().ToLowerInvariant() } });
        return ExitCode.Ok;
    }

    /// <summary>Buckets that the store has: minutes for a few hours, hours for more.</summary>
    public static StatQuery QueryOf(TimeSpan span, DateTimeOffset now)
    {
        var step = span <= TimeSpan.FromHours(3) ? TimeSpan.FromMinutes(1) : TimeSpan.FromHours(1);
        var from = now - span;
        return new StatQuery { From = from.AddTicks(-(from.UtcTicks % step.Ticks)), To = now, Step = step };
    }

    private static Sheet<StatGroup> Sheet(Invocation invocation, StatGrouping grouping) => new(
        "millrace.stats.v1",
        "rows",
        group => group.Name,
        [
            new(grouping == StatGrouping.Time ? "at" : grouping.ToString().ToLowerInvariant(), grouping.ToString().ToUpperInvariant(), group => grouping == StatGrouping.Time ? group.At : group.Name) { Text = group => grouping == StatGrouping.Time ? Words.Time(group.At, invocation.IsUtc) : group.Name },
            new("succeeded", "SUCCEEDED", group => group.Succeeded) { IsRight = true },
            new("failed", "FAILED", group => group.Failed) { IsRight = true, Ink = group => group.Failed > 0 ? Ink.Red : Ink.Plain },
            new("retried", "RETRIED", group => group.Retried) { IsRight = true },
            new("cancelled", "CANCELLED", group => group.Cancelled) { IsRight = true },
            new("interrupted", "INTERRUPTED", group => group.Interrupted) { IsRight = true },
            new("other", null, group => group.Other),
            new("failedPercent", "FAILED %", group => group.FailedPercent) { IsRight = true },
            new("wait", null, group => Percentiles(group.Wait)),
            new(null, "WAIT P50", group => group.Wait.Percentile(0.5)) { IsRight = true },
            new(null, "P95", group => group.Wait.Percentile(0.95)) { IsRight = true },
            new("run", null, group => Percentiles(group.Run)),
            new(null, "RUN P50", group => group.Run.Percentile(0.5)) { IsRight = true },
            new(null, "P95", group => group.Run.Percentile(0.95)) { IsRight = true },
            new(null, "P99", group => group.Run.Percentile(0.99)) { IsRight = true },
        ]);

    private static Members? Percentiles(Histogram histogram) => histogram.Count == 0
        ? null
        : new Members { { "p50Ms", histogram.Percentile(0.5) }, { "p95Ms", histogram.Percentile(0.95) }, { "p99Ms", histogram.Percentile(0.99) } };
}
