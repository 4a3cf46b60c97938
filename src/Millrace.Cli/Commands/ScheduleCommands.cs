using System.CommandLine;
using Millrace.Cli.Changing;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Inspecting;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Tending;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace schedules list|show|run|pause|resume|next</c>.</summary>
internal static class ScheduleCommands
{
    private const int DefaultRuns = 10;

    private static readonly Argument<string> name = new("schedule") { Description = "The name of a schedule: the tag it was submitted with, or its type." };
    private static readonly Argument<string> expression = new("expression") { Description = "A cron expression of six fields (with seconds) or five, in quotes." };
    private static readonly Option<string?> zone = new("--zone") { HelpName = "name", Description = "The time zone, such as Europe/Berlin. UTC by default." };
    private static readonly Option<int> count = new("--count") { HelpName = "n", Description = "How many times. 10 by default.", DefaultValueFactory = _ => DefaultRuns };
    private static readonly PauseOptions pause = new();

    public static Command Make(Leaves leaves) => leaves.MakeGroup(
        "schedules",
        "Recurring jobs: when they come next; run, pause and resume them.",
        ListAsync,
        leaves.Make("list", "List schedules.", ListAsync),
        leaves.Make("show", "Show one schedule and the jobs it made.", ShowAsync, name),
        leaves.Make("run", "Submit the job of a schedule now. Its ticks stay as they are.", RunAsync, name),
        leaves.Make("pause", "Stop the ticks of a schedule. Those that fall into the pause are skipped.", invocation => SetAsync(invocation, isPaused: true), name, pause.Until, pause.For),
        leaves.Make("resume", "Let the ticks of a schedule go on.", invocation => SetAsync(invocation, isPaused: false), name),
        leaves.Make("next", "Tell when a cron expression comes next. Needs no database.", NextAsync, expression, zone, count));

    private static async Task<ExitCode> ListAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var schedules = await store.Inspection.ReadSchedulesAsync(invocation.Token).ConfigureAwait(false);
        invocation.Write(ScheduleSheet.Make(time => invocation.When(time, now), now), schedules, new Members { { "now", now } });
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> ShowAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var record = await FindAsync(invocation, store).ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var schemas = await JobSheet.ReadSchemasAsync(store, invocation.Token).ConfigureAwait(false);
        var runs = await store.Inspection.ReadScheduleRunsAsync(record.Schedule.Name, Math.Min(200, invocation.Limit ?? DefaultRuns), invocation.Token).ConfigureAwait(false);
        var (sheet, jobs) = (ScheduleSheet.Make(time => invocation.When(time, now), now), JobSheet.Make(time => invocation.When(time, now), schemas));
        var data = Redactor.Json(record.Schedule.Template.Data, schemas.GetValueOrDefault(record.Schedule.Template.Type));
        var members = new Members { { "schedule", sheet.Of(record) }, { "data", new JsonText(data) }, { "runs", runs.Select(jobs.Of) } };
        invocation.Write("millrace.schedule.v1", record.Schedule.Name, members, page =>
        {
            foreach (var column in sheet.Columns.Where(column => column.Header is not null))
                page.Pair(column.Header?.ToLowerInvariant() ?? "", column.Text?.Invoke(record) ?? (column.Value(record) as string));
            page.Pair("data", data);
            page.Heading("next");
            foreach (var time in ScheduleSheet.Next(record.Schedule.Cron, record.Schedule.Zone, now, 5))
                page.Block($"{Words.Time(time, invocation.IsUtc)}  {Words.Away(time, now)}");
            page.Heading("runs");
            page.Table(jobs, runs);
        });
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var record = await FindAsync(invocation, store).ConfigureAwait(false);
        var question = $"Run schedule {record.Schedule.Name} ({record.Schedule.Template.Type}) in {store.Name} now";
        if (invocation.IsDryRun)
            return Toggles.Say(invocation, record.Schedule.Name, changed: true, question + "?");
        await Confirmation.AskInProductionAsync(invocation, question).ConfigureAwait(false);
        var ids = await store.TakeIdsAsync(1, invocation.Token).ConfigureAwait(false);
        var job = ScheduleRun.Of(record.Schedule, ids.First);
        var answer = await store.Operations.RunScheduleAsync(record.Schedule.Name, job, invocation.Author, invocation.Token).ConfigureAwait(false) ?? throw Unknown(record.Schedule.Name, []);
        await store.RingAsync([job.Queue], invocation.Token).ConfigureAwait(false);
        var members = new Members { { "id", JobSheet.Id(answer.Id) }, { "outcome", answer.State.ToString().ToLowerInvariant() } };
        invocation.Write("millrace.submission.v1", JobSheet.Id(answer.Id), members, page => page.Line($"Job {answer.Id} was {answer.State.ToString().ToLowerInvariant()}."));
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> SetAsync(Invocation invocation, bool isPaused)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var schedule = (await FindAsync(invocation, store).ConfigureAwait(false)).Schedule.Name;
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var until = isPaused ? pause.Read(invocation.Parsed, now) : null;
        var question = $"{(isPaused ? "Pause" : "Resume")} schedule {schedule} in {store.Name}";
        if (invocation.IsDryRun)
            return Toggles.Say(invocation, schedule, changed: true, question + "?");
        await Confirmation.AskInProductionAsync(invocation, question).ConfigureAwait(false);
        var changed = await store.Operations.PauseScheduleAsync(schedule, isPaused, until, invocation.Author, invocation.Token).ConfigureAwait(false) ?? throw Unknown(schedule, []);
        return Toggles.Say(invocation, schedule, changed, (isPaused, changed) switch
        {
            (true, true) => $"Schedule {schedule} is paused{Toggles.Until(until, invocation)}. Ticks until then are skipped.",
            (true, false) => $"Schedule {schedule} was paused before.",
            (false, true) => $"Schedule {schedule} goes on.",
            _ => $"Schedule {schedule} was not paused.",
        });
    }

    private static Task<ExitCode> NextAsync(Invocation invocation)
    {
        var (cron, zoneName, most) = (invocation.Parsed.GetRequiredValue(expression), invocation.Parsed.GetValue(zone), invocation.Parsed.GetValue(count));
        if (most is < 1 or > 1000)
            throw CommandException.Usage($"--count must be 1 to 1,000; it is {most}.");
        var times = CronTimes.Parse(cron, zoneName);
        var now = invocation.Time.GetUtcNow();
        var next = ScheduleSheet.Next(cron, zoneName, now, most);
        var words = CronWords.Say(times.Expression);
        var members = new Members { { "cron", times.Expression }, { "words", words }, { "zone", times.Zone }, { "next", next.Select(time => (object)time) } };
        invocation.Write("millrace.next.v1", null, members, page =>
        {
            page.Line($"{words} ({times.Zone})", Ink.Dim);
            var local = TimeZoneInfo.FindSystemTimeZoneById(times.Zone);
            foreach (var time in next)
                page.Line($"{TimeZoneInfo.ConvertTime(time, local):yyyy-MM-dd HH:mm:ss zzz}  {Words.Away(time, now)}");
        });
        return Task.FromResult(ExitCode.Ok);
    }

    private static async Task<ScheduleRecord> FindAsync(Invocation invocation, IJobStore store)
    {
        var wanted = invocation.Parsed.GetRequiredValue(name);
        var schedules = await store.Inspection.ReadSchedulesAsync(invocation.Token).ConfigureAwait(false);
        return schedules.FirstOrDefault(record => record.Schedule.Name == wanted) ?? throw Unknown(wanted, schedules.Select(record => record.Schedule.Name));
    }

    private static CommandException Unknown(string wanted, IEnumerable<string> known) =>
        CommandException.NotFound($"There is no schedule \"{wanted}\".{NearestName.Question(wanted, known)} Which there are: millrace schedules");
}
