using System.Globalization;

namespace Millrace;

/// <summary>In how many child processes jobs run.</summary>
public readonly record struct WorkerProcesses
{
    /// <summary>More than this on one machine is taken for a mistake.</summary>
    public const int Most = 256;

    private readonly int count;

    private WorkerProcesses(int count) => this.count = count;

    /// <summary>None: jobs run in the application's own process.</summary>
    public static WorkerProcesses None { get; }

    /// <summary>One for each processor that this process may use.</summary>
    public static WorkerProcesses PerCpu { get; } = new(Math.Min(Environment.ProcessorCount, Most));

    /// <summary>How many there are; 0 for <see cref="None"/>.</summary>
    public int Count => count;

    /// <summary>A number of processes. Checked at start: 0 to 256.</summary>
    public static implicit operator WorkerProcesses(int count) => new(count);

    /// <summary>A number of processes. Checked at start: 0 to 256.</summary>
    public static WorkerProcesses FromInt32(int count) => new(count);

    /// <summary>Reads <c>cpus</c>, or a number from 0 to 256, as in the environment variable <c>MILLRACE_WORKERS</c>.</summary>
    public static bool TryParse(string? text, out WorkerProcesses processes)
    {
        if (string.Equals(text, "cpus", StringComparison.OrdinalIgnoreCase))
        {
            processes = PerCpu;
            return true;
        }
        var isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= Most;
        processes = new WorkerProcesses(isNumber ? count : 0);
        return isNumber;
    }

    /// <summary>The number.</summary>
    public override string ToString() => count.ToString(CultureInfo.InvariantCulture);
}
