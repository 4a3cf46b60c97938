using System.Globalization;

namespace Millrace.Bench.Measuring;

/// <summary>Processor time from Linux's /proc. Zero everywhere else.</summary>
internal static class Cpu
{
    // Hundredths of a second on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Of the server's processes, those that have ended included.</summary>
    public static double SecondsOfServer(int postmaster)
    {
        if (ReadStat(postmaster) is not { } own)
            return 0;
        var ticks = own.Own + own.Children;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && ReadStat(pid) is { } child && child.Parent == postmaster)
                ticks += child.Own;
        }

        return ticks / TicksPerSecond;
    }

    /// <summary>Of all programs on this machine.</summary>
    public static double SecondsOfAll()
    {
        if (!File.Exists("/proc/stat"))
            return 0;
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // user, nice, system; then idle and iowait, which are none; then interrupts.
        return new[] { 1, 2, 3, 6, 7 }.Sum(field => double.Parse(fields[field], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    private static (int Parent, double Own, double Children)? ReadStat(int pid)
    {
        try
        {
            // The name in parentheses may hold anything; what follows it is the third field of the line and so on.
            var fields = File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            double Ticks(int field) => double.Parse(fields[field - 3], CultureInfo.InvariantCulture);
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), Ticks(14) + Ticks(15), Ticks(16) + Ticks(17));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has ended, or this is not Linux.
            return null;
        }
    }
}
