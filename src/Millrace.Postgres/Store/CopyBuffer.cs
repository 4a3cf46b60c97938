using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Npgsql;

namespace Millrace.Postgres;

/// <summary>
/// Rows in the binary format of COPY, made in memory and sent in large pieces. Npgsql's importer writes a value at a time through the connection, which costs four times as much
/// and keeps the server waiting (docs/decisions/0015).
/// </summary>
internal sealed class CopyBuffer : IDisposable
{
    // Small enough for the server to have work while the rest is made, large enough for few calls.
    private const int PieceSize = 16 * 1024;

    /// <summary>PostgreSQL counts microseconds from 2000. In ticks.</summary>
    public static readonly long Epoch = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    private byte[] bytes = ArrayPool<byte>.Shared.Rent(4 * PieceSize);
    private int length;

    // The signature, no flags, no extension.
    private static ReadOnlySpan<byte> Header => [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Sends one row for each item. A failure of the statement is thrown when all rows are sent.</summary>
    /// <param name="connection">Where a transaction is open.</param>
    /// <param name="copy">COPY … FROM STDIN in binary format.</param>
    /// <param name="items">The items.</param>
    /// <param name="write">Writes one item's row: <see cref="Row"/>, then each value.</param>
    /// <param name="cancellationToken">Stops waiting; what was sent is not stored.</param>
    public static async Task CopyAsync<T>(NpgsqlConnection connection, string copy, IEnumerable<T> items, Action<CopyBuffer, T> write, CancellationToken cancellationToken)
    {
        using var buffer = new CopyBuffer();
        var stream = await connection.BeginRawBinaryCopyAsync(copy, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            try
            {
                buffer.Add(Header);
                foreach (var item in items)
                {
                    write(buffer, item);
                    if (buffer.length < PieceSize)
                        continue;
                    await stream.WriteAsync(buffer.bytes.AsMemory(0, buffer.length), cancellationToken).ConfigureAwait(false);
                    buffer.length = 0;
                }

                // A row of -1 values is the end.
                buffer.Row(-1);
                await stream.WriteAsync(buffer.bytes.AsMemory(0, buffer.length), cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                // Otherwise disposing of the stream would end the statement as if it were complete.
                await stream.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    public void Row(short values) => BinaryPrimitives.WriteInt16BigEndian(Take(2), values);

    public void Null() => BinaryPrimitives.WriteInt32BigEndian(Take(4), -1);

    public void Write(bool value) => Sized(1)[0] = value ? (byte)1 : (byte)0;

    public void Write(short value) => BinaryPrimitives.WriteInt16BigEndian(Sized(2), value);

    public void Write(int value) => BinaryPrimitives.WriteInt32BigEndian(Sized(4), value);

    public void Write(long value) => BinaryPrimitives.WriteInt64BigEndian(Sized(8), value);

    public void Write(Guid value) => value.TryWriteBytes(Sized(16), bigEndian: true, out _);

    public void Write(DateTime value) => Write((value.Ticks - Epoch) / TimeSpan.TicksPerMicrosecond);

    public void Write(DateTime? value)
    {
        if (value is { } time)
            Write(time);
        else
            Null();
    }

    public void Write(long? value)
    {
        if (value is { } number)
            Write(number);
        else
            Null();
    }

    public void Write(string? value)
    {
        if (value is null)
        {
            Null();
            return;
        }

        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        Reserve(4 + most);
        var size = Encoding.UTF8.GetBytes(value, bytes.AsSpan(length + 4, most));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(length), size);
        length += 4 + size;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(bytes);

    private Span<byte> Sized(int size)
    {
        var span = Take(4 + size);
        BinaryPrimitives.WriteInt32BigEndian(span, size);
        return span[4..];
    }

    private void Add(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    private Span<byte> Take(int size)
    {
        Reserve(size);
        var span = bytes.AsSpan(length, size);
        length += size;
        return span;
    }

    private void Reserve(int size)
    {
        if (bytes.Length - length >= size)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length * 2, length + size));
        bytes.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = larger;
    }
}
