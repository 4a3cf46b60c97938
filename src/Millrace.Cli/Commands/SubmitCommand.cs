using System.CommandLine;
using Millrace.Cli.Changing;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Cli.Submitting;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace submit TYPE --data …</c>: a job, or a schedule, by hand.</summary>
internal static class SubmitCommand
{
    private static readonly Argument<string> type = new("type") { Description = "The name of a type in the catalogue (millrace types)." };
    private static readonly Option<string?> data = new("--data", "-d") { HelpName = "json", Description = "The arguments: JSON, @file, or - for standard input. null by default." };
    private static readonly Option<string?> due = new("--due") { HelpName = "time", Description = "When it may run, such as 2026-11-25T13:00:00Z." };
    private static readonly Option<TimeSpan?> delay = GlobalOptions.Span(new("--in") { HelpName = "span", Description = "After how long it may run, such as 10m." });
    private static readonly Option<string?> tag = new("--tag") { HelpName = "tag", Description = "A mark to find it by, and to deduplicate with." };
    private static readonly Option<WhenPending> whenPending = new("--when-pending") { HelpName = "what", Description = "When a job with this tag is pending: submit, keep, replace or postpone." };
    private static readonly Option<string?> queue = new("--queue") { HelpName = "name", Description = "The queue. The type's own by default." };
    private static readonly Option<short> priority = new("--priority", "-p") { HelpName = "n", Description = "Lower runs first. 0 by default." };
    private static readonly Option<long> user = new("--user") { HelpName = "id", Description = "Whose job it is. 0, the system, by default." };
    private static readonly Option<string?> cron = new("--cron") { HelpName = "expression", Description = "Makes it recurring. Needs --persistent." };
    private static readonly Option<string?> zone = new("--zone") { HelpName = "name", Description = "The time zone of --cron, such as Europe/Berlin. UTC by default." };
    private static readonly Option<bool> persistent = new("--persistent") { Description = "Keep the schedule until it is cancelled." };
    private static readonly Option<bool> wait = new("--wait") { Description = "Wait until it has finished. Ends with code 1 when it did not succeed." };
    private static readonly Option<bool> forceUnknown = new("--force-unknown") { Description = "Also a type that no process has registered, and data that does not fit its schema." };

    public static Command Make(Leaves leaves) => leaves.Make(
        "submit", "Submit a job by hand.", RunAsync, type, data, due, delay, tag, whenPending, queue, priority, user, cron, zone, persistent, wait, forceUnknown);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var parsed = invocation.Parsed;
        RefuseContradictions(parsed);
        var json = await DataText.ReadAsync(invocation, parsed.GetValue(data)).ConfigureAwait(false);
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var known = await FindTypeAsync(invocation, store, json).ConfigureAwait(false);
        var name = known?.Name ?? parsed.GetRequiredValue(type);
        var options = OptionsOf(parsed, known, invocation.Time.GetUtcNow());
        var what = $"{(options.CronSchedule is { } expression ? $"the schedule {options.Tag ?? name} ({expression})" : name)} to {store.Name}";
        if (invocation.IsDryRun)
        {
            invocation.Write("millrace.submission.v1", null, new Members { { "type", name }, { "data", new JsonText(json) }, { "queue", options.Queue }, { "tag", options.Tag } }, page => page.Line($"Submit {what}?"));
            return ExitCode.Ok;
        }

        await Confirmation.AskInProductionAsync(invocation, $"Submit {what}").ConfigureAwait(false);
        var client = SubmitClient.On(store);
        var result = await client.SubmitNamedAsync(name, json, options, invocation.Token).ConfigureAwait(false);
        var isSchedule = options.CronSchedule is not null;
        await store.Operations.RecordAsync(OperationKind.Submit, invocation.Author, isSchedule ? $"schedule {options.Tag ?? name}" : name, isSchedule ? null : result.Id, null, invocation.Token).ConfigureAwait(false);
        if (isSchedule)
        {
            var schedule = options.Tag ?? name;
            invocation.Write("millrace.submission.v1", schedule, new Members { { "schedule", schedule }, { "outcome", Words.Snake(result.Outcome.ToString()) } }, page => page.Line($"Schedule {schedule} {(result.Outcome == Submitted.Created ? "is stored" : "was there before, the same")}."));
            return ExitCode.Ok;
        }

        if (parsed.GetValue(wait))
            return await WaitAsync(invocation, store, client, result).ConfigureAwait(false);
        invocation.Write("millrace.submission.v1", JobSheet.Id(result.Id), new Members { { "id", JobSheet.Id(result.Id) }, { "outcome", Words.Snake(result.Outcome.ToString()) } }, page => page.Line(SentenceOf(result)));
        return ExitCode.Ok;
    }

    private static void RefuseContradictions(ParseResult parsed)
    {
        var isCron = parsed.GetValue(cron) is not null;
        if (isCron && !parsed.GetValue(persistent))
            throw CommandException.Usage("A schedule that is not persistent lives as long as the process that submitted it, and this one ends at once: it would be gone before its first tick. Add --persistent to keep it until it is cancelled. Nothing was stored.");
        if (!isCron && (parsed.GetValue(persistent) || parsed.GetValue(zone) is not null))
            throw CommandException.Usage("--persistent and --zone belong to --cron, which is not given. Nothing was stored.");
        if (isCron && (parsed.GetValue(wait) || parsed.GetValue(due) is not null || parsed.GetValue(delay) is not null))
            throw CommandException.Usage("A schedule's cron expression says when it runs: --due, --in and --wait cannot go with --cron. Nothing was stored.");
        if (parsed.GetValue(due) is not null && parsed.GetValue(delay) is not null)
            throw CommandException.Usage("--due and --in both say when it runs. Give one of them. Nothing was stored.");
    }

    private static async Task<TypeDescription?> FindTypeAsync(Invocation invocation, IJobStore store, string json)
    {
        var wanted = invocation.Parsed.GetRequiredValue(type);
        var types = await store.Inspection.ReadTypesAsync(invocation.Token).ConfigureAwait(false);
        var known = TypeCommands.Find(types, wanted)?.Description;
        if (invocation.Parsed.GetValue(forceUnknown))
            return known;
        if (known is null)
            throw CommandException.NotFound($"No process has registered the type \"{wanted}\".{NearestName.Question(wanted, types.Select(entry => entry.Description.Name))} Nothing was stored. To submit it all the same, for a process to come: --force-unknown");
        if (known.Schema is { } schema && DataCheck.Faults(json, schema) is { Count: > 0 } faults)
            throw CommandException.Usage($"The data does not fit the type \"{known.Name}\":\n{string.Join('\n', faults)}\nNothing was stored. What it takes: millrace types schema {known.Name}");
        return known;
    }

    private static JobOptions OptionsOf(ParseResult parsed, TypeDescription? known, DateTimeOffset now) => new()
    {
        Tag = parsed.GetValue(tag),
        WhenPending = parsed.GetValue(whenPending),
        Queue = parsed.GetValue(queue) ?? known?.Queue,
        Priority = parsed.GetValue(priority),
        UserId = parsed.GetValue(user),
        Due = parsed.GetValue(due) is { } text ? DueOf(text, now) : null,
        Delay = parsed.GetValue(delay) ?? TimeSpan.Zero,
        CronSchedule = parsed.GetValue(cron),
        TimeZone = parsed.GetValue(zone),
        Persistent = parsed.GetValue(persistent),
    };

    private static DateTimeOffset DueOf(string text, DateTimeOffset now)
    {
        try
        {
            return Spans.ParseTime(text, now, back: false);
        }
        catch (FormatException exception)
        {
            throw CommandException.Usage($"--due: {exception.Message}");
        }
    }

    private static async Task<ExitCode> WaitAsync(Invocation invocation, IJobStore store, IJobClient client, SubmitResult result)
    {
        invocation.Say($"{SentenceOf(result)} Waiting for its end.", Ink.Dim);
        await client.WaitAsync(result.Id, invocation.Timeout ?? Timeout.InfiniteTimeSpan, invocation.Interrupted).ConfigureAwait(false);
        var job = await store.Inspection.FindAsync(result.Id, CancellationToken.None).ConfigureAwait(false) ?? throw ShowCommand.NotStored(result.Id);
        var texts = new JobTexts(null, IsRaw: false);
        var members = new Members { { "id", JobSheet.Id(result.Id) }, { "outcome", Words.Snake(result.Outcome.ToString()) }, { "state", Words.State(job.Row) }, { "result", texts.Json(job.Record.Result) is { } json ? new JsonText(json) : null }, { "error", texts.Text(job.Record.Error) } };
        invocation.Write("millrace.submission.v1", JobSheet.Id(result.Id), members, page =>
        {
            page.Line($"Job {result.Id} {Words.State(job.Row)}.", Words.InkOf(Words.State(job.Row)));
            page.Pair("result", texts.Json(job.Record.Result));
            if (texts.Text(job.Record.Error) is { } error)
                page.Block(error, Ink.Red);
        });
        return job.Row.State == JobState.Succeeded ? ExitCode.Ok : ExitCode.Findings;
    }

    private static string SentenceOf(SubmitResult result) => result.Outcome switch
    {
        Submitted.Created => $"Job {result.Id} was submitted.",
        Submitted.Kept => $"Job {result.Id} is pending with this tag, and was kept. Nothing new was stored.",
        Submitted.Replaced => $"Job {result.Id} was submitted in the place of the one that was pending.",
        _ => $"Job {result.Id} is pending with this tag, and its due time was moved.",
    };
}
