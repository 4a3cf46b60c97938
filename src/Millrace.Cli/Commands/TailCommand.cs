using System.CommandLine;
using Millrace.Cli.Live;
using Millrace.Cli.Output;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace tail [FILTER]</c>: changes of state and log lines as they come, until interrupted.</summary>
internal static class TailCommand
{
    private const int JobsWithLogs = 100;
    private const int LinesOfALook = 200;

    private static readonly Argument<string?> filterText = new("filter") { Arity = ArgumentArity.ZeroOrOne, Description = "Which jobs, such as 'queue:mail'. See docs/filter.md." };
    private static readonly Option<bool> logs = new("--logs") { Description = "Only log lines." };
    private static readonly Option<bool> events = new("--events") { Description = "Only changes of state." };

    public static Command Make(Leaves leaves) => leaves.Make("tail", "Follow changes of state and log lines.", RunAsync, filterText, logs, events);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var parsed = invocation.Parsed;
        if (invocation.Format is OutputFormat.Csv or OutputFormat.Id || invocation.Format == OutputFormat.Json && !invocation.IsStream)
            throw CommandException.Usage("What has no end cannot be one document. Use --ndjson: one JSON object on each line.");
        var filter = Filters.Parse(parsed.GetValue(filterText), invocation.Time.GetUtcNow());
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var schemas = await JobSheet.ReadSchemasAsync(store, invocation.Token).ConfigureAwait(false);
        var tail = new Tail(invocation, store, filter, schemas, withEvents: !parsed.GetValue(logs), withLogs: !parsed.GetValue(events));
        return await tail.RunAsync().ConfigureAwait(false);
    }

    private sealed class Tail(Invocation invocation, IJobStore store, JobFilter filter, IReadOnlyDictionary<string, string?> schemas, bool withEvents, bool withLogs)
    {
        private readonly JobTrail changes = new(store.Inspection, filter);
        private readonly Dictionary<long, (int Run, int Line, bool IsOver)> followed = [];
        private readonly Sheet<JobRow> sheet = JobSheet.Make(_ => null, schemas);
        private readonly JobTexts texts = new(null, IsRaw: false);

        public async Task<ExitCode> RunAsync()
        {
            await changes.BeginAsync(invocation.Token).ConfigureAwait(false);
            string? seen = null;
            try
            {
                while (true)
                {
                    var pulse = await store.Inspection.ReadPulseAsync(invocation.Token).ConfigureAwait(false);
                    if (pulse != seen || withLogs)
                        await LookAsync().ConfigureAwait(false);
                    seen = pulse;
                    invocation.Terminal.FlushStream();
                    await Task.Delay(Watching.Pause, invocation.Time, invocation.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (invocation.Interrupted.IsCancellationRequested)
            {
                return ExitCode.Interrupted;
            }
        }

        private async Task LookAsync()
        {
            var entries = new List<(DateTimeOffset At, Action Write)>();
            foreach (var job in await changes.LookAsync(invocation.Token).ConfigureAwait(false))
            {
                if (withEvents)
                    entries.Add((JobTrail.MomentOf(job), () => Write(job)));
                Follow(job);
            }

            if (withLogs)
                await ReadLogsAsync(entries).ConfigureAwait(false);
            foreach (var (_, write) in entries.OrderBy(entry => entry.At))
                write();
        }

        private void Follow(JobRow job)
        {
            var isOver = job.State != JobState.Running;
            if (followed.TryGetValue(job.Id, out var place))
                followed[job.Id] = place with { IsOver = isOver };
            else if (followed.Count < JobsWithLogs && job.Run > 0)
                followed[job.Id] = (job.Run - 1, int.MaxValue, isOver);
        }

        private async Task ReadLogsAsync(List<(DateTimeOffset At, Action Write)> entries)
        {
            foreach (var (jobId, place) in followed.ToList())
            {
                var lines = await store.Inspection.ReadLogAsync(jobId, place.Run, place.Line, LinesOfALook, invocation.Token).ConfigureAwait(false);
                foreach (var line in lines)
                    entries.Add((line.At, () => Write(line)));
                if (lines.Count > 0)
                    followed[jobId] = (lines[^1].Run, lines[^1].Line, place.IsOver);
                else if (place.IsOver)
                    followed.Remove(jobId);
            }
        }

        private void Write(JobRow job)
        {
            if (invocation.IsStream)
            {
                invocation.Terminal.Out.WriteLine(JsonDocumentWriter.Write(new Members { { "event", "state" }, { "at", JobTrail.MomentOf(job) }, { "job", sheet.Of(job) } }, indented: false));
                return;
            }

            var state = Words.State(job);
            var note = job.Error is { } error && job.State != JobState.Succeeded && job.State != JobState.Running ? $"  {Redactor.Text(error).Split('\n', 2)[0]}" : "";
            WriteLine(JobTrail.MomentOf(job), state.PadRight(11), $"{job.Id} {job.Type}{(job.Tag is { } tag ? $" {tag}" : "")} in {job.Queue}, attempt {job.Attempt}{note}", Words.InkOf(state));
        }

        private void Write(LogLine line)
        {
            if (invocation.IsStream)
                invocation.Terminal.Out.WriteLine(JsonDocumentWriter.Write(new Members { { "event", "log" }, { "at", line.At }, { "line", JobDocument.Of(line, texts) } }, indented: false));
            else
                WriteLine(line.At, JobView.LevelOf(line.Level).PadRight(11), $"{line.JobId} {texts.Text(line.Message)}", JobView.InkOf(line.Level));
        }

        private void WriteLine(DateTimeOffset at, string what, string text, Ink ink)
        {
            var terminal = invocation.Terminal;
            terminal.Out.WriteLine($"{terminal.Paint(JobView.TimeOf(at, invocation.IsUtc), Ink.Dim)} {terminal.Paint(what, ink)} {Neutral.Line(text)}");
        }
    }
}
