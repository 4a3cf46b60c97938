using Millrace.Storage;

namespace Millrace.Working;

/// <summary>How busy this process is, for people. Read by the thread that beats, which needs no thread of the pool for it.</summary>
internal sealed class LoadMeter(TimeProvider time, Func<TimeSpan> processorTime)
{
    private (long At, TimeSpan Used)? last;

    public LoadMeter(TimeProvider time)
        : this(time, static () => Environment.CpuUsage.TotalTime)
    {
    }

    /// <summary>Since it was last asked; null when the system does not tell, which is no reason not to beat.</summary>
    public ProcessLoad? Read()
    {
        try
        {
            return new ProcessLoad(ReadCpu(), Environment.WorkingSet, ThreadPool.PendingWorkItemCount);
        }
        catch (Exception exception) when (exception is IOException or PlatformNotSupportedException or InvalidOperationException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private double? ReadCpu()
    {
        var now = (At: time.GetTimestamp(), Used: processorTime());
        var before = last;
        last = now;
        var passed = before is { } then ? time.GetElapsedTime(then.At, now.At) : TimeSpan.Zero;
        return before is { } known && passed > TimeSpan.Zero ? Math.Round(Math.Max(0, (now.Used - known.Used) / passed), 3) : null;
    }
}
