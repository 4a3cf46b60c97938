using System.CommandLine;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Inspecting;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace failures</c>: failed attempts, grouped by their cause.</summary>
internal static class FailuresCommand
{
    private const int Most = 10_000;

    private static readonly Option<TimeSpan?> since = GlobalOptions.Span(new("--since") { HelpName = "span", Description = "How far to look back. 24h by default." });

    public static Command Make(Leaves leaves) => leaves.Make("failures", "Group failed attempts by their cause.", RunAsync, since);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var from = now - (invocation.Parsed.GetValue(since) ?? TimeSpan.FromHours(24));
        var failures = await store.Inspection.ReadFailuresAsync(from, Most, invocation.Token).ConfigureAwait(false);
        var groups = FailureGroup.Group(failures, from, now).Take(invocation.Limit ?? int.MaxValue).ToList();
        invocation.Write(Sheet(time => invocation.When(time, now)), groups, new Members { { "since", from }, { "isPartial", failures.Count == Most } });
        if (failures.Count == Most)
            invocation.Say($"Only the newest {Words.Count(Most)} failed attempts were read. A shorter --since shows the rest.", Ink.Yellow);
        return ExitCode.Ok;
    }

    private static Sheet<FailureGroup> Sheet(Func<DateTimeOffset?, string?> when) => new(
        "millrace.failures.v1",
        "groups",
        group => group.Fingerprint,
        [
            new("fingerprint", null, group => group.Fingerprint),
            new("count", "ATTEMPTS", group => group.Count) { IsRight = true },
            new("jobs", "JOBS", group => group.Jobs) { IsRight = true },
            new("trend", "TREND", group => group.Trend.Select(count => (object)count)) { Text = group => Sparkline.Of(group.Trend) },
            new("last", "LAST", group => group.Last) { Text = group => when(group.Last) },
            new("first", null, group => group.First),
            new("type", "TYPE", group => group.Type),
            new("title", "ERROR", group => Redactor.Text(group.Title)) { IsElastic = true, Ink = _ => Ink.Red },
            new("sample", null, group => Redactor.Text(group.Sample)),
            new("sampleJob", "JOB", group => JobSheet.Id(group.SampleJob)) { IsRight = true },
            new("filter", null, group => group.Filter),
        ]);
}
