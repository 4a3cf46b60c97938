using System.Globalization;
using Millrace.Bench.Contenders;

namespace Millrace.Bench.Workers;

/// <summary>The worker's side of the pipes. Out: "ready", then "count N" and "ping N TIME". In: a line to start; the end of the stream to stop.</summary>
internal static class WorkerProgram
{
    // Long enough to cost nothing, short enough to end a drain in time.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    public static async Task<int> RunAsync(string contender, string database, WorkerMode mode)
    {
        var kept = mode == WorkerMode.Keep ? Arrivals.KeepPings() : [];
        if (mode == WorkerMode.Tell)
            Arrivals.OnPing = static (number, started) => Say(string.Create(CultureInfo.InvariantCulture, $"ping {number} {started}"));

        await using var worker = await All.Named(contender).BuildWorkerAsync(database);
        Say("ready");
        if (await Console.In.ReadLineAsync() is null)
            return 0;
        using var timer = new Timer(Count);
        timer.Change(Pause, Pause);
        await worker.StartAsync();
        await Console.In.ReadToEndAsync();
        await worker.StopAsync();
        Count(null);
        foreach (var (number, started) in kept)
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ping {number} {started}"));
        Console.Out.Flush();
        return 0;
    }

    private static long told;

    private static void Count(object? state)
    {
        var count = Arrivals.Count;
        if (Interlocked.Exchange(ref told, count) != count)
            Say(string.Create(CultureInfo.InvariantCulture, $"count {count}"));
    }

    private static void Say(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
