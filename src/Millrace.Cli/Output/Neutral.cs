using System.Text;

namespace Millrace.Cli.Output;

/// <summary>Texts of jobs on their way to a terminal. They are hostile input: an escape sequence could recolour, overwrite or answer for the person who reads. Pure.</summary>
internal static class Neutral
{
    /// <summary>One line without anything that a terminal obeys: controls become their pictures (␛, ␊), marks of writing direction and other invisible characters become �.</summary>
    public static string Line(string text)
    {
        var isHarmless = true;
        foreach (var character in text)
            isHarmless &= IsHarmless(character);
        if (isHarmless)
            return text;
        var line = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                AppendPair(line, text[i], text[++i]);
            else
                line.Append(Replaced(text[i]));
        }

        return line.ToString();
    }

    /// <summary>Several lines, each neutral: for errors and log lines that are shown whole.</summary>
    public static IEnumerable<string> Lines(string text) => text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n').Select(Line);

    /// <summary>Whether JSON output leaves the character as it is. What it does not, it escapes.</summary>
    public static bool IsVisible(char character) => character >= ' ' && !IsInvisible(character) && character is not (>= '\u007f' and <= '\u009f');

    private static bool IsHarmless(char character) => IsVisible(character) && !char.IsSurrogate(character);

    private static char Replaced(char character) => character switch
    {
        '\t' => ' ',
        < ' ' => (char)('\u2400' + character),
        '\u007f' => '\u2421',
        _ => IsHarmless(character) ? character : '\ufffd',
    };

    // The tags U+E0000 to U+E007F are invisible too, and carry text.
    private static void AppendPair(StringBuilder line, char high, char low)
    {
        if (char.ConvertToUtf32(high, low) is >= 0xe0000 and <= 0xe0fff)
            line.Append('\ufffd');
        else
            line.Append(high).Append(low);
    }

    // Marks of writing direction, zero-width characters, separators of lines and paragraphs, the byte-order mark.
    private static bool IsInvisible(char character) => character
        is '\u061c' or '\u00ad'
        or (>= '\u200b' and <= '\u200f')
        or (>= '\u2028' and <= '\u202e')
        or (>= '\u2060' and <= '\u206f')
        or '\ufeff' or (>= '\ufff9' and <= '\ufffb');
}
