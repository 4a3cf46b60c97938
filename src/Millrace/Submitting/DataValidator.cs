using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Millrace.Submitting;

/// <summary>
/// Checks JSON before it is stored, the same for both stores. PostgreSQL and SQLite differ in what they accept and in what they cut off
/// (NUL, lone surrogates), so neither of them is asked.
/// </summary>
internal static class DataValidator
{
    public const int DefaultMaxSizeInBytes = 256 * 1024;
    public const int HardMaxSizeInBytes = 1024 * 1024;
    public const int MaxDepth = 32;
    public const int MaxDigits = 40;

    /// <summary>
    /// How many digits a number may have when it is written out without an exponent. Every finite <see cref="double"/> fits (5E-324 needs
    /// 324 places and 17 digits); <c>1e131071</c>, fourteen bytes that a jsonb column turns into 131,072, does not.
    /// </summary>
    public const int MaxDigitsWrittenOut = 350;

    /// <summary>Checks JSON text.</summary>
    /// <param name="jobType">For the message.</param>
    /// <param name="json">The text as it would be stored.</param>
    /// <param name="maxSizeInBytes">Counted in UTF-8.</param>
    /// <param name="what">What the JSON is: <c>Data</c>, <c>Result</c>.</param>
    /// <exception cref="JobDataException">It cannot be stored.</exception>
    public static void Check(string jobType, string json, int maxSizeInBytes = DefaultMaxSizeInBytes, string what = "Data")
    {
        // No text has fewer bytes than characters: a huge one is refused without encoding it.
        if (json.Length > maxSizeInBytes)
            throw new DataWalk(jobType, what, default).TooLarge(Encoding.UTF8.GetByteCount(json), maxSizeInBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(json.Length * 3);
        try
        {
            Check(jobType, buffer.AsSpan(0, Encode(json, buffer)), maxSizeInBytes, what);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Checks JSON in UTF-8, without byte order mark. See the other form.</summary>
    public static void Check(string jobType, ReadOnlySpan<byte> utf8, int maxSizeInBytes = DefaultMaxSizeInBytes, string what = "Data")
    {
        var check = new DataWalk(jobType, what, utf8);
        if (utf8.Length > maxSizeInBytes)
            throw check.TooLarge(utf8.Length, maxSizeInBytes);
        // The reader's own limit lies above ours, so that ours can name the path.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth + 2 });
        try
        {
            while (reader.Read())
                check.Token(ref reader);
        }
        catch (JsonException fault)
        {
            throw check.NotJson(fault);
        }
    }

    // A lone surrogate becomes three bytes that are not UTF-8, for the walk to find where it knows the path. The encoder would put a
    // replacement character there, and what was stored would not be what was given.
    private static int Encode(ReadOnlySpan<char> text, Span<byte> buffer)
    {
        var written = 0;
        while (Utf8.FromUtf16(text, buffer[written..], out var read, out var bytes, replaceInvalidSequences: false) == OperationStatus.InvalidData)
        {
            written += bytes;
            var lone = text[read];
            buffer[written++] = (byte)(0xE0 | (lone >> 12));
            buffer[written++] = (byte)(0x80 | ((lone >> 6) & 0x3F));
            buffer[written++] = (byte)(0x80 | (lone & 0x3F));
            text = text[(read + 1)..];
            if (text.IsEmpty)
                return written;
        }

        return written + Encoding.UTF8.GetByteCount(text);
    }
}
