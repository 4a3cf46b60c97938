using System.Globalization;

namespace Millrace.Processes;

/// <summary>
/// A line that a child sends up. One word and its values; nothing in it is trusted further than this parser goes, because the child runs the handlers' code.
/// </summary>
internal abstract record ChildMessage
{
    /// <summary>Longer lines are not read to their end.</summary>
    public const int MaxLength = 16 * 1024;

    /// <summary>It registered under this identity: first, and again whenever it was taken for dead.</summary>
    public sealed record Node(Guid Id) : ChildMessage;

    /// <summary>It works.</summary>
    public sealed record Ready : ChildMessage;

    /// <summary>Its life sign was tried just now. Silence means a frozen process.</summary>
    public sealed record Alive : ChildMessage;

    /// <summary>It cannot start.</summary>
    public sealed record Fault(string Text) : ChildMessage;

    /// <summary>It would rather be replaced.</summary>
    public sealed record Recycle(string Reason) : ChildMessage;

    /// <summary>A job with a hard deadline has begun.</summary>
    public sealed record Began(long JobId, int Run, TimeSpan Timeout) : ChildMessage;

    /// <summary>It has ended.</summary>
    public sealed record Ended(long JobId, int Run) : ChildMessage;

    public string ToLine() => this switch
    {
        Node node => $"node {node.Id:D}",
        Ready => "ready",
        Alive => "alive",
        Fault fault => $"fault {OneLine(fault.Text)}",
        Recycle recycle => $"recycle {OneLine(recycle.Reason)}",
        Began began => string.Create(CultureInfo.InvariantCulture, $"began {began.JobId} {began.Run} {(long)began.Timeout.TotalMilliseconds}"),
        Ended ended => string.Create(CultureInfo.InvariantCulture, $"ended {ended.JobId} {ended.Run}"),
        _ => throw new InvalidOperationException($"{GetType().Name} has no line."),
    };

    /// <returns>Null for what no child of ours would say.</returns>
    public static ChildMessage? Parse(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var (word, rest) = space < 0 ? (line, "") : (line[..space], line[(space + 1)..]);
        var values = rest.Split(' ');
        return word switch
        {
            "node" when Guid.TryParseExact(rest, "D", out var id) => new Node(id),
            "ready" when rest.Length == 0 => new Ready(),
            "alive" when rest.Length == 0 => new Alive(),
            "fault" => new Fault(rest),
            "recycle" => new Recycle(rest),
            "began" when values.Length == 3 && TryRun(values, out var job, out var run)
                && long.TryParse(values[2], NumberStyles.None, CultureInfo.InvariantCulture, out var timeout) && timeout <= int.MaxValue => new Began(job, run, TimeSpan.FromMilliseconds(timeout)),
            "ended" when values.Length == 2 && TryRun(values, out var job, out var run) => new Ended(job, run),
            _ => null,
        };
    }

    private static bool TryRun(string[] values, out long job, out int run)
    {
        run = 0;
        return long.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out job)
            && int.TryParse(values[1], NumberStyles.None, CultureInfo.InvariantCulture, out run);
    }

    private static string OneLine(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length < MaxLength / 2 ? line : line[..(MaxLength / 2)];
    }
}
