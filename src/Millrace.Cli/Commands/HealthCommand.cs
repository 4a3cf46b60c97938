using System.CommandLine;
using System.Globalization;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace health</c>: one line for probes.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan window = TimeSpan.FromMinutes(15);

    private static readonly Option<TimeSpan?> maxOldest = GlobalOptions.Span(new("--max-oldest") { HelpName = "span", Description = "How long a job may be ready without being claimed. 5m by default." });
    private static readonly Option<double?> maxFailedRate = new("--max-failed-rate")
    {
        HelpName = "percent",
        Description = "How many of the attempts of the last 15 minutes may have failed, such as 5%. Not checked by default.",
        CustomParser = result =>
        {
            if (double.TryParse(result.Tokens[0].Value.TrimEnd('%'), NumberStyles.Float, CultureInfo.InvariantCulture, out var percent) && percent is >= 0 and <= 100)
                return percent;
            result.AddError($"--max-failed-rate: \"{result.Tokens[0].Value}\" is not a percentage such as 5%.");
            return null;
        },
    };

    public static Command Make(Leaves leaves) => leaves.Make("health", "Say in one line whether jobs are getting done. Ends with code 1 when they are not.", RunAsync, maxOldest, maxFailedRate);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var (oldestLimit, rateLimit) = (invocation.Parsed.GetValue(maxOldest) ?? TimeSpan.FromMinutes(5), invocation.Parsed.GetValue(maxFailedRate));
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var counts = await store.Inspection.CountAsync(invocation.Token).ConfigureAwait(false);
        var query = StatsCommand.QueryOf(window, counts.Now);
        var stats = StatGroup.Of(await store.Inspection.ReadStatsAsync(query, invocation.Token).ConfigureAwait(false), StatGrouping.Type);
        var (attempts, failed) = (stats.Sum(group => group.Succeeded + group.Failed + group.Retried), stats.Sum(group => group.Failed + group.Retried));
        var rate = attempts == 0 ? 0 : 100.0 * failed / attempts;
        var oldest = counts.OldestReady is { } since ? counts.Now - since : TimeSpan.Zero;
        var ready = counts.ByState.GetValueOrDefault(StateSet.Ready);
        var isWell = oldest <= oldestLimit && !(rate > rateLimit);

        var members = new Members
        {
            { "isHealthy", isWell }, { "ready", ready }, { "oldestReadyMs", oldest }, { "maxOldestMs", oldestLimit }, { "attempts", attempts }, { "failed", failed }, { "failedPercent", rate }, { "maxFailedPercent", rateLimit },
        };
        invocation.Write("millrace.health.v1", isWell ? "ok" : "unhealthy", members, page => page.Line(
            string.Create(CultureInfo.InvariantCulture, $"{(isWell ? "ok" : "unhealthy")}: {Words.Count(ready, JobCounts.Cap)} ready, the oldest for {Words.Span(oldest)} (limit {Words.Span(oldestLimit)}); {rate:0.#}% of {Words.Count(attempts)} attempts failed in {Words.Span(window)}{(rateLimit is { } most ? $" (limit {most:0.#}%)" : "")}"),
            isWell ? Ink.Green : Ink.Red));
        return isWell ? ExitCode.Ok : ExitCode.Findings;
    }
}
