using System.Globalization;
using System.Text;

namespace Millrace.Testing;

/// <summary>What happened on a server, in order, for people.</summary>
internal sealed class Timeline(Func<DateTimeOffset> now)
{
    private const int LinesOfTail = 60;

    private readonly Lock gate = new();
    private readonly List<(DateTimeOffset At, string What)> lines = [];

    public void Add(string what)
    {
        lock (gate)
            lines.Add((now(), what));
    }

    public override string ToString()
    {
        lock (gate)
            return Write(0);
    }

    /// <summary>The end of it, as the last part of a message.</summary>
    public string Tail()
    {
        lock (gate)
        {
            if (lines.Count == 0)
                return $"{Environment.NewLine}Nothing has happened yet.";
            var first = Math.Max(0, lines.Count - LinesOfTail);
            return $"{Environment.NewLine}What happened{(first == 0 ? "" : $" (the last {LinesOfTail} of {lines.Count} lines)")}:{Environment.NewLine}{Write(first)}";
        }
    }

    public static string Show(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);

    public static string FirstLine(string text) => text.Split('\n', 2)[0].TrimEnd();

    public static string Short(string text) => text.Length <= 120 ? text : $"{text[..117]}...";

    private string Write(int first)
    {
        var text = new StringBuilder();
        DateTimeOffset? shown = null;
        foreach (var (at, what) in lines.Skip(first))
        {
            // The same time is written once, so that one sees at a glance what happened together.
            text.Append(at == shown ? new string(' ', 23) : Show(at)).Append("  ").AppendLine(what);
            shown = at;
        }
        return text.ToString().TrimEnd();
    }
}
