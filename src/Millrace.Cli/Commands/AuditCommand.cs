using System.CommandLine;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace audit</c>: what people did, newest first.</summary>
internal static class AuditCommand
{
    private const int DefaultLimit = 50;
    private const int PageSize = 200;

    private static readonly Option<TimeSpan?> since = GlobalOptions.Span(new("--since") { HelpName = "span", Description = "How far to look back, such as 7d. As far as there is something, by default." });
    private static readonly Option<long?> job = new("--job") { HelpName = "id", Description = "Only what touched this job." };
    private static readonly Option<string?> by = new("--by") { HelpName = "name", Description = "Only what somebody did whose name contains this." };

    public static Command Make(Leaves leaves) => leaves.Make("audit", "List what people did, and why.", RunAsync, since, job, by);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var operations = await ReadAsync(invocation, store, now).ConfigureAwait(false);
        invocation.Write(OperationSheet.Make(time => invocation.When(time, now)), operations, new Members { { "now", now } });
        return ExitCode.Ok;
    }

    private static async Task<List<OperationRecord>> ReadAsync(Invocation invocation, IJobStore store, DateTimeOffset now)
    {
        var (limit, from, name) = (invocation.Limit ?? DefaultLimit, now - (invocation.Parsed.GetValue(since) ?? TimeSpan.FromDays(3660)), invocation.Parsed.GetValue(by));
        var (found, before) = (new List<OperationRecord>(), long.MaxValue);
        while (true)
        {
            var page = await store.Inspection.ReadOperationsAsync(before, invocation.Parsed.GetValue(job), PageSize, invocation.Token).ConfigureAwait(false);
            found.AddRange(page.Where(operation => operation.At >= from && (name is null || operation.Author.Name.Contains(name, StringComparison.OrdinalIgnoreCase))));
            if (found.Count >= limit || page.Count < PageSize || page[^1].At < from)
                return [.. found.Take(limit)];
            before = page[^1].Id;
        }
    }
}
