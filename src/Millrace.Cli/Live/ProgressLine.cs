using Millrace.Cli.Output;
using Spectre.Console;

namespace Millrace.Cli.Live;

/// <summary>A bar with rate and time to go on standard error, where one can be drawn; nothing elsewhere.</summary>
internal static class ProgressLine
{
    /// <param name="invocation">The command.</param>
    /// <param name="title">What is done.</param>
    /// <param name="most">How many there are; null when that is not known.</param>
    /// <param name="work">Tells how far it is.</param>
    public static async Task<TResult> RunAsync<TResult>(Invocation invocation, string title, long? most, Func<IProgress<(long Done, long Skipped)>?, Task<TResult>> work)
    {
        if (invocation.IsQuiet || !invocation.Terminal.CanDrawProgress)
            return await work(null).ConfigureAwait(false);
        return await DrawAsync(invocation, title, most, work).ConfigureAwait(false);
    }

    // Apart, so that the library is loaded only when something is drawn.
    private static async Task<TResult> DrawAsync<TResult>(Invocation invocation, string title, long? most, Func<IProgress<(long Done, long Skipped)>?, Task<TResult>> work) =>
        await Screen.OnError(invocation.Terminal).Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new CountColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(Neutral.Line(title)), maxValue: Math.Max(1, most ?? 1));
                task.IsIndeterminate = most is null;
                return await work(new Reporter(task)).ConfigureAwait(false);
            }).ConfigureAwait(false);

    private sealed class Reporter(ProgressTask task) : IProgress<(long Done, long Skipped)>
    {
        public void Report((long Done, long Skipped) value) => task.Value = value.Done + value.Skipped;
    }

    private sealed class CountColumn : ProgressColumn
    {
        public override Spectre.Console.Rendering.IRenderable Render(Spectre.Console.Rendering.RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text($"{Words.Count((long)task.Value)}{(task.Speed is { } rate ? $"  {Words.Count((long)rate)}/s" : "")}");
    }
}
