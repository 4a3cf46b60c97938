using System.Diagnostics;

// Processes are killed against the clock here: tests that run beside each other would measure each other.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Millrace.System.Tests;

/// <summary>Waits for something that can be seen from outside only.</summary>
public static class Eventually
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(25);

    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> IsAsync(Func<Task<bool>> condition, TimeSpan within, string what, Func<string>? details = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > within)
                throw new TimeoutException($"Not within {within.TotalSeconds} s: {what}.{(details is null ? null : $"\n{details()}")}");
            await PauseAsync(Look);
        }
        return watch.Elapsed;
    }

    public static Task<TimeSpan> IsAsync(Func<bool> condition, TimeSpan within, string what, Func<string>? details = null) =>
        IsAsync(() => Task.FromResult(condition()), within, what, details);

    public static Task PauseAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);
}
