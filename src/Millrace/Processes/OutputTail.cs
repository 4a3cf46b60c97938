using System.Text;
using Millrace.Working;

namespace Millrace.Processes;

/// <summary>Reads what a child writes to one of its streams, always and to the end, so that it never waits for us; passes it on in lines, and keeps the last ones as evidence.</summary>
/// <param name="forward">Takes each line.</param>
internal sealed class OutputTail(Action<string> forward)
{
    private const int MaxLineLength = 2000;

    // Enough for a stack; a crash says most in its first lines, and is the last to be written.
    private const int MaxKeptLength = 6000;

    private readonly Queue<string> kept = [];
    private readonly Lock gate = new();
    private int keptLength;

    /// <summary>The last lines, oldest first.</summary>
    public IReadOnlyList<string> Last
    {
        get
        {
            lock (gate)
                return [.. kept];
        }
    }

    /// <summary>By buffers, never by lines: a child may write megabytes without one.</summary>
    public async Task ReadAsync(TextReader reader, CancellationToken cancellationToken)
    {
        var buffer = new char[4096];
        var line = new StringBuilder();
        var left = 0L;
        try
        {
            while (await reader.ReadAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false) is > 0 and var count)
            {
                foreach (var letter in buffer.AsSpan(0, count))
                {
                    if (letter == '\n')
                        Flush(line, ref left);
                    else if (line.Length < MaxLineLength)
                        line.Append(letter);
                    else
                        left++;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The child is gone; a grandchild may still hold the other end.
        }
        Flush(line, ref left);
    }

    private void Flush(StringBuilder line, ref long left)
    {
        var text = line.ToString().TrimEnd('\r');
        line.Clear();
        var more = left;
        left = 0;
        if (text.Length == 0)
            return;
        text = Sanitiser.Text(more > 0 ? $"{text}… (and {more} more characters)" : text, 2 * MaxLineLength);
        lock (gate)
        {
            kept.Enqueue(text);
            keptLength += text.Length;
            while (keptLength > MaxKeptLength && kept.Count > 1)
                keptLength -= kept.Dequeue().Length;
        }
        forward(text);
    }
}
