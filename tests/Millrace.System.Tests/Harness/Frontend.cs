using System.Buffers.Binary;
using System.Text;

namespace Millrace.System.Tests;

/// <summary>
/// Reads along with what a client says to PostgreSQL: who it is, and when it commits. A commit is a simple query, or an Execute of a portal that was bound to a statement
/// that was parsed as one, perhaps long before.
/// </summary>
public sealed class Frontend
{
    private readonly HashSet<string> statements = new(StringComparer.Ordinal);
    private readonly HashSet<string> portals = new(StringComparer.Ordinal);
    private readonly List<byte> message = [];
    private bool isStarted;
    private int skip;
    private int commits;

    /// <summary>What the client calls itself; null before it has said so.</summary>
    public string? Application { get; private set; }

    /// <summary>How many commits were complete in what was read since the last time.</summary>
    public int TakeCommits()
    {
        var taken = commits;
        commits = 0;
        return taken;
    }

    public void Read(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty)
        {
            if (skip > 0)
            {
                var passed = Math.Min(skip, piece.Length);
                skip -= passed;
                piece = piece[passed..];
                continue;
            }
            // The first messages have no type.
            var head = isStarted ? 5 : 4;
            if (message.Count < head)
            {
                message.Add(piece[0]);
                piece = piece[1..];
                continue;
            }
            var length = BinaryPrimitives.ReadInt32BigEndian(Bytes[(head - 4)..head]) + head - 4;
            // Data is not looked at, however much it is.
            if (isStarted && message.Count == head && !"QPBEC"u8.Contains(message[0]))
            {
                skip = length - head;
                message.Clear();
                continue;
            }
            var rest = Math.Min(length - message.Count, piece.Length);
            message.AddRange(piece[..rest]);
            piece = piece[rest..];
            if (message.Count == length)
                Understand(head);
        }
        // A message without a body ends with its head.
        if (isStarted && message.Count == 5 && BinaryPrimitives.ReadInt32BigEndian(Bytes[1..]) == 4)
            message.Clear();
    }

    private Span<byte> Bytes => global::System.Runtime.InteropServices.CollectionsMarshal.AsSpan(message);

    private void Understand(int head)
    {
        var body = Bytes[head..];
        if (!isStarted)
            Begin(body);
        else
            Follow((char)message[0], body);
        message.Clear();
    }

    private void Begin(ReadOnlySpan<byte> body)
    {
        // 3.0; anything else asks for encryption, which is answered by one letter, or cancels.
        if (BinaryPrimitives.ReadInt32BigEndian(body) != 3 << 16)
            return;
        isStarted = true;
        var words = Encoding.UTF8.GetString(body[4..]).Split('\0');
        var at = Array.IndexOf(words, "application_name");
        Application = at >= 0 ? words[at + 1] : "";
    }

    private void Follow(char type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case 'Q':
                if (IsCommit(Text(ref body)))
                    commits++;
                break;
            case 'P':
                Mark(statements, Text(ref body), IsCommit(Text(ref body)));
                break;
            case 'B':
                Mark(portals, Text(ref body), statements.Contains(Text(ref body)));
                break;
            case 'E':
                if (portals.Contains(Text(ref body)))
                    commits++;
                break;
            case 'C':
                (body[0] == 'S' ? statements : portals).Remove(Encoding.UTF8.GetString(body[1..^1]));
                break;
        }
    }

    private static void Mark(HashSet<string> set, string name, bool isCommit)
    {
        if (isCommit)
            set.Add(name);
        else
            set.Remove(name);
    }

    private static bool IsCommit(string sql) => sql.Trim().TrimEnd(';').Equals("commit", StringComparison.OrdinalIgnoreCase);

    private static string Text(ref ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        var text = Encoding.UTF8.GetString(body[..end]);
        body = body[(end + 1)..];
        return text;
    }
}
