using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using FolderIndex.Jobs;

namespace FolderIndex;

/// <summary>A file that holds text: its first 8 KB are UTF-8 without a NUL. Anything else counts as binary, also text in an older encoding.</summary>
internal sealed class TextFile
{
    public const int LargestSizeInBytes = 10 * 1024 * 1024;

    private const int HeadSizeInBytes = 8 * 1024;
    private const int LongestWord = 64;

    private readonly byte[] content;

    private TextFile(byte[] content)
    {
        this.content = content;
        ContentHash = Convert.ToHexStringLower(SHA256.HashData(content));
    }

    public string ContentHash { get; }

    public int SizeInBytes => content.Length;

    /// <summary>Reads a file, or says why it is not to be indexed.</summary>
    public static (TextFile? File, FileOutcome Problem) Read(string path)
    {
        try
        {
            // A pipe or a device has no length, and opening it could wait for ever: it counts as an empty file.
            var info = new FileInfo(path);
            if (info.Length == 0)
                return (new TextFile([]), default);
            if (info.Length > LargestSizeInBytes)
                return (null, FileOutcome.TooLarge);

            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var buffer = new byte[info.Length];
            var head = ReadInto(buffer.AsSpan(0, Math.Min(buffer.Length, HeadSizeInBytes)), stream);
            if (!IsText(buffer.AsSpan(0, head), isAll: head == buffer.Length))
                return (null, FileOutcome.Binary);
            var rest = ReadInto(buffer.AsSpan(head), stream);
            return (new TextFile(buffer[..(head + rest)]), default);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, FileOutcome.Vanished);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            return (null, FileOutcome.Unreadable);
        }
    }

    /// <summary>How often each word occurs. A word is a run of letters and digits in lower case, cut at 64.</summary>
    public IReadOnlyDictionary<string, int> CountWords()
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var bySpan = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> lower = stackalloc char[LongestWord];
        var text = Encoding.UTF8.GetString(content).AsSpan();
        for (var start = 0; start < text.Length;)
        {
            var end = start;
            while (end < text.Length && char.IsLetterOrDigit(text[end]))
                end++;
            if (end > start)
            {
                var word = text[start..Math.Min(end, start + LongestWord)];
                var key = lower[..word.ToLowerInvariant(lower)];
                bySpan[key] = bySpan.TryGetValue(key, out var count) ? count + 1 : 1;
            }
            start = end + 1;
        }
        return counts;
    }

    // The file may have become shorter since its length was read.
    private static int ReadInto(Span<byte> buffer, Stream stream) => stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);

    private static bool IsText(ReadOnlySpan<byte> head, bool isAll)
    {
        if (head.Contains((byte)0))
            return false;
        // The head may end in the middle of a character: more data is needed then, and that is fine.
        Span<char> decoded = stackalloc char[HeadSizeInBytes];
        return Utf8.ToUtf16(head, decoded, out _, out _, replaceInvalidSequences: false, isFinalBlock: isAll) is OperationStatus.Done or OperationStatus.NeedMoreData;
    }
}
