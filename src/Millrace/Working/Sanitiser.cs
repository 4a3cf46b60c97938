using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Millrace.Working;

/// <summary>Makes any text storable and readable, so that a failure can always be stored. Never throws.</summary>
internal static partial class Sanitiser
{
    public const int MaxErrorInBytes = 16 * 1024;

    /// <summary>
    /// The text without what a database would refuse or a terminal would obey: NUL and lone surrogates become U+FFFD, escape sequences of
    /// terminals go, other control characters but line feed and tab become their visible pictures, a carriage return becomes a line feed.
    /// </summary>
    /// <param name="text">Any text; null gives the empty text.</param>
    /// <param name="limitInBytes">The result has at most so many bytes in UTF-8, the mark <c>… (cut, 1,234,567 bytes)</c> included; the mark tells the size before the cut.</param>
    public static string Text(string? text, int limitInBytes)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        if (text.Length <= limitInBytes && text.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0)
            return text;
        return Cut(Clean(text, limitInBytes), limitInBytes, text);
    }

    /// <summary>As <see cref="Text"/>, with secrets masked. Cleaned first, so that an invisible character cannot hide a key word.</summary>
    public static string TextWithoutSecrets(string? text, int limitInBytes) =>
        string.IsNullOrEmpty(text) ? "" : Cut(MaskSecrets(Clean(text, 2 * Math.Max(limitInBytes, 256))), limitInBytes, text);

    /// <summary>Replaces the values of passwords, keys and tokens, as they stand in connection strings, addresses and headers, by <c>***</c>.</summary>
    public static string MaskSecrets(string text)
    {
        var masked = Assignments().Replace(text, "$1***");
        masked = Credentials().Replace(masked, "$1***@");
        return Bearers().Replace(masked, "$1***");
    }

    /// <summary>Shortens a text that is clean already, at a character's border.</summary>
    private static string Cut(string clean, int limitInBytes, string original)
    {
        var sizeInBytes = Encoding.UTF8.GetByteCount(clean);
        if (sizeInBytes <= limitInBytes)
            return clean;
        var total = Math.Max(sizeInBytes, Encoding.UTF8.GetByteCount(original));
        var mark = string.Create(CultureInfo.InvariantCulture, $"… (cut, {total:N0} bytes)");
        var room = limitInBytes - Encoding.UTF8.GetByteCount(mark);
        return room < 0 ? Head(clean, Math.Max(limitInBytes, 0)) : Head(clean, room) + mark;
    }

    private static string Head(string text, int limitInBytes)
    {
        var size = 0;
        var end = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            size += rune.Utf8SequenceLength;
            if (size > limitInBytes)
                break;
            end += rune.Utf16SequenceLength;
        }

        return text[..end];
    }

    /// <summary>Cleans at least so much of the text that the limit can be filled.</summary>
    private static string Clean(string text, int limitInBytes)
    {
        var clean = new StringBuilder(Math.Min(text.Length, limitInBytes + 2));
        for (var i = 0; i < text.Length; i++)
        {
            // One character more than fits: Cut then knows that something is missing.
            if (clean.Length > limitInBytes)
                break;
            var c = text[i];
            if (c == '\u001b')
                i += SequenceLength(text.AsSpan(i), clean);
            else if (c == '\r')
                AppendLineEnd(text, i, clean);
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                clean.Append(c).Append(text[++i]);
            else
                clean.Append(Visible(c));
        }

        return clean.ToString();
    }

    private static char Visible(char c) => c switch
    {
        '\n' or '\t' => c,
        '\0' => '\uFFFD',
        < ' ' => (char)('\u2400' + c),
        '\u007f' => '\u2421',
        >= '\u0080' and <= '\u009f' => '\uFFFD',
        _ => char.IsSurrogate(c) ? '\uFFFD' : c,
    };

    private static void AppendLineEnd(string text, int i, StringBuilder clean)
    {
        if (i + 1 == text.Length || text[i + 1] != '\n')
            clean.Append('\n');
    }

    /// <summary>How many characters after the escape belong to its sequence; an escape that begins none becomes visible.</summary>
    private static int SequenceLength(ReadOnlySpan<char> text, StringBuilder clean)
    {
        var next = text.Length > 1 ? text[1] : '\0';
        if (next == '[')
        {
            var end = 2;
            while (end < text.Length && end < 64 && text[end] is >= ' ' and <= '?')
                end++;
            if (end < text.Length && text[end] is >= '@' and <= '~')
                return end;
        }
        else if (next is ']' or 'P' or '_' or '^')
        {
            // A title or a link, up to its end mark. Without one near by it is no sequence: it must not swallow the rest of the text.
            var end = text[..Math.Min(text.Length, 2_048)].IndexOfAny('\u0007', '\u009c');
            var other = text[..Math.Min(text.Length, 2_048)].IndexOf("\u001b\\", StringComparison.Ordinal);
            if (other > 0 && (end < 0 || other < end))
                return other + 1;
            if (end > 0)
                return end;
        }

        clean.Append('\u241b');
        return 0;
    }

    // "token: x" alone stays as it is: parsers say "unexpected token: x".
    [GeneratedRegex("""((?:(?:password|passwd|pwd|passphrase|secret|api[_ -]?key|access[_ -]?key|account[_ -]?key|shared[_ -]?access[_ -]?(?:key|signature))"?\s*[:=]\s*|(?:token|credential)(?:"\s*:|\s*=)\s*))(?:"[^"\n]*"|'[^'\n]*'|[^;&,\n"']+)""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Assignments();

    [GeneratedRegex("""(://[^\s:/@]{1,200}:)[^\s/@]{1,500}@""", RegexOptions.CultureInvariant)]
    private static partial Regex Credentials();

    [GeneratedRegex("""(\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}""", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Bearers();
}
