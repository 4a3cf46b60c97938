using System.CommandLine;
using Millrace.Cli.Live;
using Millrace.Cli.Output;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace list [FILTER]</c>: jobs, newest first.</summary>
internal static class ListCommand
{
    private const int DefaultLimit = 50;
    private const int PageSize = 200;

    private static readonly Argument<string?> filterText = new("filter") { Arity = ArgumentArity.ZeroOrOne, Description = "Which jobs, such as 'state:failed type:mail*'. See docs/filter.md." };
    private static readonly Option<bool> watch = new("--watch", "-w") { Description = "Show it again every second until interrupted." };
    private static readonly Option<long?> before = new("--before") { HelpName = "id", Description = "Only jobs with a smaller id: the next page." };

    public static Command Make(Leaves leaves) => leaves.Make("list", "List jobs, newest first.", RunAsync, filterText, watch, before);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        Filters.Parse(invocation.Parsed.GetValue(filterText), invocation.Time.GetUtcNow());
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        if (invocation.Parsed.GetValue(watch))
            return await Watching.RunAsync(invocation, store, () => WriteAsync(invocation, store)).ConfigureAwait(false);
        await WriteAsync(invocation, store).ConfigureAwait(false);
        return ExitCode.Ok;
    }

    private static async Task WriteAsync(Invocation invocation, IJobStore store)
    {
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var filter = Filters.Parse(invocation.Parsed.GetValue(filterText), now);
        var schemas = invocation.Format is OutputFormat.Json or OutputFormat.Csv
            ? await JobSheet.ReadSchemasAsync(store, invocation.Token).ConfigureAwait(false)
            : new Dictionary<string, string?>();
        var (jobs, next, isPartial) = await ReadAsync(invocation, store, filter).ConfigureAwait(false);
        invocation.Write(
            JobSheet.Make(time => invocation.When(time, now), schemas),
            jobs,
            new Members { { "now", now }, { "next", next is { } id ? JobSheet.Id(id) : null }, { "isPartial", isPartial } });
        if (isPartial)
            invocation.Say($"The search stopped before the end. To go on: --before {next}", Ink.Yellow);
        else if (next is not null && jobs.Count > 0)
            invocation.Say($"There are more. To go on: --before {next}", Ink.Dim);
    }

    private static async Task<(List<JobRow> Jobs, long? Next, bool IsPartial)> ReadAsync(Invocation invocation, IJobStore store, JobFilter filter)
    {
        var limit = invocation.Limit ?? DefaultLimit;
        var (jobs, next) = (new List<JobRow>(), invocation.Parsed.GetValue(before));
        while (true)
        {
            var page = await store.Inspection.ListAsync(new JobListing { Filter = filter, BeforeId = next, Limit = Math.Min(PageSize, limit - jobs.Count) }, invocation.Token).ConfigureAwait(false);
            jobs.AddRange(page.Jobs);
            next = page.Next;
            if (next is null || page.IsPartial || jobs.Count >= limit)
                return (jobs, next, page.IsPartial);
        }
    }
}
