using System.Diagnostics;

// Processes are started here, many of them: tests that run beside each other would measure each other.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Millrace.Cli.Tests;

/// <summary>Waits for something that can be seen from outside only.</summary>
internal static class Eventually
{
    private static readonly TimeSpan look = TimeSpan.FromMilliseconds(25);

    public static async Task IsAsync(Func<Task<bool>> condition, string what, Func<string>? details = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(1))
                throw new TimeoutException($"Not within a minute: {what}.\n{details?.Invoke()}");
            await Task.Delay(look, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public static Task IsAsync(Func<bool> condition, string what, Func<string>? details = null) => IsAsync(() => Task.FromResult(condition()), what, details);
}
