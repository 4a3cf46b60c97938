using FolderIndex.Jobs;
using Spectre.Console;

namespace FolderIndex;

/// <summary>What a person sees of a run that ends: a progress bar on a terminal, a few plain lines elsewhere. All of it on standard error, so that standard output has the result alone.</summary>
internal sealed class ProgressView : IDisposable
{
    private readonly TaskCompletionSource ended = new();
    private readonly IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private ProgressTask? bar;
    private Task drawing = Task.CompletedTask;
    private long most = 1;
    private long lastLine;

    private ProgressView()
    {
    }

    public static ProgressView Start(string title)
    {
        var view = new ProgressView();
        view.Say(title);
        if (!Console.IsErrorRedirected)
            view.Draw();
        return view;
    }

    /// <summary>A line of its own.</summary>
    public void Say(string line) => console.WriteLine(line);

    /// <summary>How many jobs are left. There may be more than before: each batch that is listed adds some.</summary>
    public void Show(long pending)
    {
        most = Math.Max(most, pending);
        if (bar is not null)
        {
            bar.MaxValue = most;
            bar.Value = most - pending;
            bar.Description = $"jobs left: {pending:N0}";
        }
        else if (Math.Abs(pending - lastLine) >= 1000)
        {
            Say($"  jobs left: {pending:N0}");
            lastLine = pending;
        }
    }

    /// <summary>Takes the bar away and says what was found.</summary>
    public void End(Report? report, IEnumerable<string> failures)
    {
        Dispose();
        if (report is not null)
            Say($"{string.Join(", ", report.Outcomes.OrderBy(outcome => outcome.Key).Select(outcome => $"{outcome.Value:N0} {Word(outcome.Key)}"))}, {report.Removed:N0} removed");
        foreach (var failure in failures)
            Say($"failed: {failure}");
    }

    public void Dispose()
    {
        ended.TrySetResult();
        drawing.GetAwaiter().GetResult();
    }

    private static string Word(FileOutcome outcome) => outcome == FileOutcome.TooLarge ? "too large" : outcome.ToString().ToLowerInvariant();

    private void Draw()
    {
        var ready = new TaskCompletionSource();
        drawing = console.Progress()
            .Columns(new SpinnerColumn(), new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn(), new ElapsedTimeColumn())
            .AutoClear(true)
            .StartAsync(async progress =>
            {
                bar = progress.AddTask("");
                ready.SetResult();
                await ended.Task;
            });
        ready.Task.GetAwaiter().GetResult();
    }
}
