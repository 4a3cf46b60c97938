using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Millrace.Cli.Benching;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Cli.Targets;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace bench</c>: how fast this database is, measured in a schema or file of its own that is gone afterwards.</summary>
internal static class BenchCommand
{
    private static readonly Option<BenchProfile> what = new("--what") { HelpName = "what", Description = "throughput, latency or all." };
    private static readonly Option<TimeSpan?> duration = GlobalOptions.Span(new("--duration") { HelpName = "span", Description = "How long each phase takes. 5s by default." });
    private static readonly Option<int> concurrency = new("--concurrency") { HelpName = "n", Description = "How many callers, and jobs at once. 8 by default.", DefaultValueFactory = _ => 8 };

    public static Command Make(Leaves leaves) => leaves.Make("bench", "Measure this database, in a schema or file of its own that is gone afterwards.", RunAsync, what, duration, concurrency);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var (span, callers) = (invocation.Parsed.GetValue(duration) ?? TimeSpan.FromSeconds(5), invocation.Parsed.GetValue(concurrency));
        if (span < TimeSpan.FromMilliseconds(100) || span > TimeSpan.FromHours(1))
            throw CommandException.Usage("--duration must be 100ms to 1h.");
        if (callers is < 1 or > 1000)
            throw CommandException.Usage("--concurrency must be 1 to 1,000.");
        var place = BenchPlace.Beside(invocation.Target);
        await using (place.ConfigureAwait(false))
        {
            invocation.Say($"In {Stores.NameOf(place.Target)}, which is gone afterwards.", Ink.Dim);
            var results = await new BenchRun(place, span, callers, invocation.Time, line => invocation.Say(line, Ink.Dim)).RunAsync(invocation.Parsed.GetValue(what), invocation.Token).ConfigureAwait(false);
            await using var store = Stores.Make(place.Target);
            var report = await store.Inspection.ReportAsync(invocation.Token).ConfigureAwait(false);
            var machine = new Members { { "cores", Environment.ProcessorCount }, { "system", RuntimeInformation.OSDescription }, { "runtime", RuntimeInformation.FrameworkDescription }, { "server", report.Server } };
            invocation.Write(Sheet, results, new Members { { "machine", machine }, { "durationMs", span }, { "concurrency", callers } });
        }

        return ExitCode.Ok;
    }

    private static Sheet<BenchResult> Sheet { get; } = new(
        "millrace.bench.v1",
        "phases",
        result => result.Name,
        [
            new("name", "PHASE", result => result.Name),
            new("count", "JOBS", result => result.Count) { IsRight = true },
            new("tookMs", "TOOK", result => result.Took) { IsRight = true },
            new("perSecond", "PER SECOND", result => result.PerSecond) { IsRight = true, Text = result => result.PerSecond.ToString("N0", CultureInfo.InvariantCulture) },
            new("p50Ms", "P50", result => result.Percentile(0.5)) { IsRight = true },
            new("p95Ms", "P95", result => result.Percentile(0.95)) { IsRight = true },
            new("p99Ms", "P99", result => result.Percentile(0.99)) { IsRight = true },
            new("p999Ms", "P99.9", result => result.Percentile(0.999)) { IsRight = true },
        ]);
}
