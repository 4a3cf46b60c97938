using FolderIndex.Jobs;
using Spectre.Console;

namespace FolderIndex;

/// <summary>What a person sees of a run that ends: a progress bar on a terminal, a few plain lines elsewhere. All of it on standard error, so that standard output has the result alone.</summary>
internal sealed class ProgressView : IDisposable
{
    private readonly TaskCompletionSource ended = new();
    private readonly IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private readonly bool isTerminal = !Console.IsErrorRedirected;
    private ProgressTask? bar;
    private Task drawing = Task.CompletedTask;
    private long nextLine = 1000;

    private ProgressView()
    {
    }

    public static ProgressView Start(string title)
    {
        var view = new ProgressView();
        view.Say(title);
        if (view.isTerminal)
            view.Draw();
        return view;
    }

    /// <summary>A line of its own.</summary>
    public void Say(string line)
    {
        if (isTerminal)
            console.WriteLine(line);
        else
            Console.Error.WriteLine(line);
    }

    /// <summary>How far it is. There is more to do with each batch of files that is found.</summary>
    public void Show(ScanStatus status)
    {
        var done = status.Succeeded + status.Failed;
        var all = done + status.Pending;
        var text = $"{done:N0} of {all:N0} jobs";
        if (bar is not null)
        {
            bar.MaxValue = all;
            bar.Value = done;
            bar.Description = text;
        }
        else if (!isTerminal && done >= nextLine)
        {
            Say($"  {text}");
            nextLine = done + 1000;
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

    private void Draw() =>
        drawing = console.Progress()
            .Columns(new SpinnerColumn(), new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn(), new ElapsedTimeColumn())
            .AutoClear(true)
            .StartAsync(async progress =>
            {
                bar = progress.AddTask("looking for files");
                await ended.Task;
            });
}
