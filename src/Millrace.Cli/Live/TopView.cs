using System.Globalization;
using Millrace.Cli.Output;
using Millrace.Storage;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Millrace.Cli.Live;

/// <summary>What <c>millrace top</c> knows at one moment.</summary>
internal sealed record TopState(
    string Database,
    JobCounts Counts,
    IReadOnlyList<StatGroup> Minutes,
    IReadOnlyList<QueueRecord> Queues,
    IReadOnlyList<JobRow> Running,
    IReadOnlyList<Inspecting.FailureGroup> Failures,
    IReadOnlyList<WorkerRecord> Workers);

/// <summary>The panes of <c>millrace top</c>.</summary>
internal enum TopPane
{
    Queues,
    Running,
    Failures,
    Workers,
}

/// <summary>Draws <see cref="TopState"/> on a screen of a given size. Pure. Every text of a job is made neutral, and none is read as markup.</summary>
internal static class TopView
{
    private const int HeaderRows = 4;

    public static IRenderable Draw(TopState state, TopPane chosen, int scrolled, bool isPaused, bool isUtc, (int Columns, int Rows) size)
    {
        var paneRows = Math.Max(3, (size.Rows - HeaderRows - 1) / 2);
        var rows = Math.Max(1, paneRows - 3);
        var screen = new Layout("screen").SplitRows(
            new Layout("header") { Size = HeaderRows }.Update(Header(state, isPaused, size.Columns)),
            new Layout("upper").SplitColumns(Pane(TopPane.Queues, Queues(state)), Pane(TopPane.Running, Running(state))),
            new Layout("lower").SplitColumns(Pane(TopPane.Failures, Failures(state)), Pane(TopPane.Workers, Workers(state))),
            new Layout("keys") { Size = 1 }.Update(new Text("q quit   p pause   ←/→ pane   ↑/↓ scroll", new Style(Color.Grey))));
        return screen;

        Layout Pane(TopPane pane, IReadOnlyList<string[]> table)
        {
            var from = pane == chosen ? Math.Min(scrolled, Math.Max(0, table.Count - 1 - rows)) : 0;
            var title = $"{pane} {(table.Count - 1 > rows ? $"{from + 1}–{Math.Min(table.Count - 1, from + rows)} of {table.Count - 1}" : $"{table.Count - 1}")}";
            var panel = new Panel(Grid(table, from, rows)) { Header = new PanelHeader(title), Expand = true, BorderStyle = new Style(pane == chosen ? Color.Aqua : Color.Grey) };
            return new Layout(pane.ToString()).Update(panel);
        }

        string When(DateTimeOffset? time) => time is not { } known ? "" : isUtc ? Words.Time(known, isUtc) : Words.Away(known, state.Counts.Now);

        IReadOnlyList<string[]> Queues(TopState from) =>
        [
            ["queue", "ready", "running", "later", "/min", "nodes", "oldest"],
            .. from.Queues.OrderByDescending(queue => queue.Ready + queue.Running).ThenBy(queue => queue.Name, StringComparer.Ordinal).Select(queue => new[]
            {
                queue.Pause is null ? queue.Name : $"{queue.Name} (paused)", Words.Count(queue.Ready, JobCounts.Cap), Words.Count(queue.Running), Words.Count(queue.Scheduled + queue.Waiting),
                queue.EndsPerMinute.ToString("0", CultureInfo.InvariantCulture), Words.Count(queue.Nodes), When(queue.OldestReady),
            }),
        ];

        IReadOnlyList<string[]> Running(TopState from) =>
        [
            ["job", "type", "attempt", "since", "progress"],
            .. from.Running.OrderBy(job => job.Started).Select(job => new[]
            {
                JobSheet.Id(job.Id), job.Type, job.Attempt.ToString(CultureInfo.InvariantCulture), When(job.Started), job.Progress is { } percent ? $"{(int)percent}%" : "",
            }),
        ];

        IReadOnlyList<string[]> Failures(TopState from) =>
        [
            ["type", "jobs", "last", "error"],
            .. from.Failures.Select(group => new[] { group.Type, Words.Count(group.Jobs), When(group.Last), Inspecting.Redactor.Text(group.Title) }),
        ];

        IReadOnlyList<string[]> Workers(TopState from) =>
        [
            ["worker", "state", "running", "started"],
            .. from.Workers.Select(worker => new[] { worker.Name, !worker.IsAlive ? "gone" : worker.Drain is not null ? "draining" : worker.IsIdle ? "idle" : "working", Words.Count(worker.RunningCount), When(worker.Started) }),
        ];
    }

    private static Rows Header(TopState state, bool isPaused, int columns)
    {
        var (minutes, counts) = (state.Minutes, state.Counts.ByState);
        var wide = Math.Clamp(columns - 30, 10, 60);
        var recent = minutes.TakeLast(wide).ToList();
        return new Rows(
            new Text(Neutral.Line($"{state.Database}   {Words.Time(state.Counts.Now, isUtc: true)}{(isPaused ? "   PAUSED" : "")}"), new Style(isPaused ? Color.Yellow : Color.Default, decoration: Decoration.Bold)),
            new Text(string.Join("   ", counts.Where(pair => pair.Value > 0).OrderBy(pair => pair.Key).Select(pair => $"{Words.State(pair.Key)} {Words.Count(pair.Value, JobCounts.Cap)}"))),
            new Text($"done/min   {Sparkline.Of([.. recent.Select(minute => minute.Succeeded)])}  {Words.Count(minutes.Count > 0 ? minutes[^1].Succeeded : 0)}", new Style(Color.Green)),
            new Text($"failed/min {Sparkline.Of([.. recent.Select(minute => minute.Failed + minute.Retried)])}  {Words.Count(minutes.Count > 0 ? minutes[^1].Failed + minutes[^1].Retried : 0)}", new Style(Color.Red)));
    }

    private static Table Grid(IReadOnlyList<string[]> rows, int from, int count)
    {
        var table = new Table { Border = TableBorder.None, Expand = true, ShowHeaders = true };
        foreach (var header in rows[0])
            table.AddColumn(new TableColumn(new Text(header, new Style(Color.Grey))) { NoWrap = true, Padding = new Padding(0, 0, 1, 0) });
        foreach (var row in rows.Skip(1 + from).Take(count))
            table.AddRow(row.Select(cell => new Text(Neutral.Line(cell)) { Overflow = Overflow.Ellipsis }));
        return table;
    }
}
