using Microsoft.Extensions.Logging;
using Millrace.Storage;

namespace Millrace.Telemetry;

/// <summary>The lines that any logger wrote during one attempt, up to a limit, until they are stored.</summary>
internal sealed class AttemptLog(long jobId, int run, Func<DateTimeOffset> now)
{
    /// <summary>DESIGN §8: 1 MB per attempt. What comes after is counted, not kept.</summary>
    public const int MaxSizeInBytes = 1024 * 1024;

    private static readonly AsyncLocal<AttemptLog?> Flow = new();

    private readonly Lock gate = new();
    private List<LogLine>? unsaved;
    private int line;
    private long size;
    private long dropped;

    /// <summary>That of the attempt in whose flow we are; null outside.</summary>
    public static AttemptLog? Current
    {
        get => Flow.Value;
        set => Flow.Value = value;
    }

    public void Add(LogLevel level, string category, string message, string? properties, string? exception)
    {
        var bytes = 2L * (message.Length + (properties?.Length ?? 0) + (exception?.Length ?? 0)) + 64;
        lock (gate)
        {
            if (size + bytes > MaxSizeInBytes)
            {
                if (dropped++ == 0)
                    (unsaved ??= []).Add(new LogLine(jobId, run, ++line, now(), LogLevel.Warning, "Millrace", $"The log of this attempt reached its limit of {MaxSizeInBytes:N0} bytes; later lines are not kept.", null, null));
                return;
            }
            size += bytes;
            (unsaved ??= []).Add(new LogLine(jobId, run, ++line, now(), level, category, message, properties, exception));
        }
    }

    /// <summary>What has gathered since the last call.</summary>
    public IReadOnlyList<LogLine> Take()
    {
        lock (gate)
        {
            if (unsaved is not { } taken)
                return [];
            unsaved = null;
            return taken;
        }
    }
}
