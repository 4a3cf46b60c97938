using System.Globalization;
using System.Text;

namespace Millrace.Submitting;

/// <summary>Checks the names that people give: type, tag, queue, key, schedule, and headers. The same for both stores.</summary>
internal static class NameValidator
{
    public const int MaxSizeInBytes = 200;
    public const int MaxHeadersInBytes = 4 * 1024;

    /// <summary>Checks one name.</summary>
    /// <param name="what">What it names, as the sentence begins: <c>Tag</c>, <c>Queue</c>, <c>Job type</c>, <c>Key</c>.</param>
    /// <param name="name">1 to 200 bytes in UTF-8, no control characters, no lone surrogates.</param>
    /// <param name="parameter">The parameter or property to blame.</param>
    /// <exception cref="ArgumentException">The name cannot be stored.</exception>
    public static void Check(string what, string name, string? parameter = null)
    {
        if (Fault(what, name) is { } fault)
            throw new ArgumentException($"{fault} Nothing was stored.", parameter);
    }

    /// <summary>What is wrong with a name, as a sentence; null when nothing is.</summary>
    public static string? Fault(string what, string name)
    {
        if (name.Length == 0)
            return $"{what} is empty; it must have 1 to {MaxSizeInBytes} bytes.";
        var sizeInBytes = Encoding.UTF8.GetByteCount(name);
        if (sizeInBytes > MaxSizeInBytes)
            return string.Create(CultureInfo.InvariantCulture,
                $"{what} \"{Shown(name)}\" has {sizeInBytes:N0} bytes in UTF-8; at most {MaxSizeInBytes} are allowed. Use a shorter one, or a hash of it.");
        return CharacterFault(name) is { } fault ? $"{what} \"{Shown(name)}\" {fault}." : null;
    }

    /// <summary>Checks headers: names as other names are, values without NUL and lone surrogates, 4 KB in all.</summary>
    /// <exception cref="ArgumentException">They cannot be stored.</exception>
    public static void CheckHeaders(IReadOnlyDictionary<string, string> headers, string? parameter = null)
    {
        long sizeInBytes = 0;
        foreach (var (name, value) in headers)
        {
            Check("Header", name, parameter);
            if (value is null)
                throw new ArgumentException($"Header \"{name}\" is null; a header is a string. Leave it out instead. Nothing was stored.", parameter);
            if (value.Contains('\0') || HasLoneSurrogate(value))
                throw new ArgumentException($"The value of header \"{name}\" contains a NUL character or half of a surrogate pair. Nothing was stored.", parameter);
            sizeInBytes += Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value);
        }

        if (sizeInBytes > MaxHeadersInBytes)
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture,
                    $"The headers have {sizeInBytes:N0} bytes in all; at most {MaxHeadersInBytes:N0} are allowed. Nothing was stored. Put larger content into the job's data."),
                parameter);
    }

    /// <summary>Whether a UTF-16 text contains half of a surrogate pair.</summary>
    public static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        for (var i = text.IndexOfAnyInRange('\uD800', '\uDFFF'); i >= 0 && i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return true;
            i++;
        }

        return false;
    }

    private static string? CharacterFault(string name)
    {
        if (HasLoneSurrogate(name))
            return "contains half of a surrogate pair, which is not a character";
        foreach (var c in name)
            if (char.IsControl(c))
                return $"contains the control character U+{(int)c:X4}; names are single lines of visible text";
        return null;
    }

    // A message must be readable and storable whatever the name was.
    private static string Shown(string name)
    {
        var shown = new StringBuilder();
        foreach (var rune in name.EnumerateRunes())
        {
            if (shown.Length >= 60)
                return shown.Append('…').ToString();
            shown.Append(Rune.IsControl(rune) ? "\uFFFD" : rune.ToString());
        }

        return shown.ToString();
    }
}
