using System.Buffers.Binary;
using System.Text;

namespace Millrace.Postgres;

/// <summary>
/// Reads a row that the server has packed into one value with <c>record_send</c>: value by value, in order. The counterpart of <see cref="CopyBuffer"/>, for the same reason: a column
/// that is read through the data reader costs as much as ten that are read here (docs/decisions/0020).
/// </summary>
internal ref struct SentRecord
{
    private ReadOnlySpan<byte> rest;

    public SentRecord(ReadOnlySpan<byte> sent) =>
        // The number of values, which the caller knows.
        rest = sent[sizeof(int)..];

    public short Short() => BinaryPrimitives.ReadInt16BigEndian(Next());

    public int Int() => BinaryPrimitives.ReadInt32BigEndian(Next());

    public long Long() => BinaryPrimitives.ReadInt64BigEndian(Next());

    public long? LongOrNull() => TryNext(out var value) ? BinaryPrimitives.ReadInt64BigEndian(value) : null;

    public string Text() => Encoding.UTF8.GetString(Next());

    public string? TextOrNull() => TryNext(out var value) ? Encoding.UTF8.GetString(value) : null;

    public DateTimeOffset Time() => new(CopyBuffer.Epoch + Long() * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

    private ReadOnlySpan<byte> Next() => TryNext(out var value) ? value : throw new InvalidOperationException("The server has sent null for a value that is never null.");

    private bool TryNext(out ReadOnlySpan<byte> value)
    {
        // Before each value: the number of its type, which the statement has settled, and its length, which is -1 for null.
        var length = BinaryPrimitives.ReadInt32BigEndian(rest[sizeof(int)..]);
        rest = rest[(2 * sizeof(int))..];
        if (length < 0)
        {
            value = default;
            return false;
        }

        value = rest[..length];
        rest = rest[length..];
        return true;
    }
}
