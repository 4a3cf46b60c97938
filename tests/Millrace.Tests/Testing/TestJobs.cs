namespace Millrace.Tests.Testing;

[Job("welcome", MaxAttempts = 5)]
public sealed record Welcome(string Email);

[Job("count", MaxAttempts = 3)]
public sealed record Count(int To);

[Job("tick")]
public sealed record Tick;

[Job("wait", Timeout = "00:01:00", MaxAttempts = 1)]
public sealed record Wait(TimeSpan Time);

/// <summary>Where handlers write what they did.</summary>
public sealed class Diary
{
    private readonly List<string> lines = [];

    public IReadOnlyList<string> Lines => lines;

    public void Add(string line)
    {
        lock (lines)
            lines.Add(line);
    }
}
