using System.Diagnostics;

namespace Millrace.Bench;

/// <summary>What is being done, on the standard error: one line that changes on a terminal, a line for each step elsewhere.</summary>
internal sealed class Progress
{
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly bool isTerminal = !Console.IsErrorRedirected;

    public TimeSpan Elapsed => clock.Elapsed;

    public void Say(string what)
    {
        var line = $"[{clock.Elapsed:mm\\:ss}] {what}";
        if (isTerminal)
            Console.Error.Write($"\r\u001b[K{line}");
        else
            Console.Error.WriteLine(line);
    }

    public void End()
    {
        if (isTerminal)
            Console.Error.Write("\r\u001b[K");
    }
}
