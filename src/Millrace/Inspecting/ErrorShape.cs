using System.Security.Cryptography;
using System.Text;

namespace Millrace.Inspecting;

/// <summary>What two failures of one cause have in common: the first line without what varies in it, and the topmost frame of the application's own code. Pure.</summary>
/// <param name="Line">The first line, secrets blanked.</param>
/// <param name="Pattern">The same with <c>#</c> for numbers and ids, and <c>…</c> for what stands in quotes, for paths and addresses.</param>
/// <param name="Frame">The method, without arguments, file and line; empty when there is no stack.</param>
internal sealed record ErrorShape(string Line, string Pattern, string Frame)
{
    /// <summary>What is part of everybody's stack.</summary>
    private static readonly string[] foreign = ["System.", "Microsoft.", "Millrace.", "Npgsql.", "Interop.", "Internal."];

    public static ErrorShape Of(string error)
    {
        var line = error.AsSpan().TrimStart();
        var end = line.IndexOfAny('\n', '\r');
        var first = Redactor.Text((end < 0 ? line : line[..end]).Trim().ToString());
        return new ErrorShape(first, PatternOf(first), FrameOf(error));
    }

    /// <summary>16 characters that stay the same over restarts and machines.</summary>
    public string Fingerprint(string type) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{type}\n{Pattern}\n{Frame}")).AsSpan(0, 8));

    /// <summary>The longest part of the first line that does not vary, to look for in errors; null when there is none worth it.</summary>
    public string? LongestConstant(int most)
    {
        // The pattern's marks may stand in the message itself: then the part between them is shorter than it could be, and right all the same.
        var longest = Pattern.Split('#', '…').SelectMany(part => part.Split(Redactor.Blank)).Select(part => part.Trim(' ', '"', '\'')).MaxBy(part => part.Length) ?? "";
        while (longest.Length > 0 && Encoding.UTF8.GetByteCount(longest) > most)
            longest = longest[..(char.IsSurrogate(longest[^1]) ? ^2 : ^1)];
        return longest.Trim().Length < 4 ? null : longest.Trim();
    }

    private static string PatternOf(string line)
    {
        var pattern = new StringBuilder(line.Length);
        for (var i = 0; i < line.Length;)
        {
            var end = EndOfQuoted(line, i);
            if (end > i)
            {
                pattern.Append(line[i]).Append('…').Append(line[i]);
                i = end;
            }
            else if (IsOfWord(line[i]))
            {
                while (++end < line.Length && IsOfWord(line[end]))
                {
                }
                AppendWord(line.AsSpan(i, end - i), pattern);
                i = end;
            }
            else
            {
                pattern.Append(line[i++]);
            }
        }

        return pattern.ToString();
    }

    /// <summary>Where the quoted text ends that begins here; <paramref name="start"/> when none does.</summary>
    private static int EndOfQuoted(string line, int start)
    {
        if (line[start] is not ('"' or '\'') || (start > 0 && char.IsLetterOrDigit(line[start - 1])))
            return start;
        for (var i = start + 1; i < line.Length; i++)
        {
            if (line[i] == line[start] && (i + 1 == line.Length || !char.IsLetterOrDigit(line[i + 1])))
                return i + 1;
        }

        return start;
    }

    private static void AppendWord(ReadOnlySpan<char> word, StringBuilder pattern)
    {
        if (word.Length > 1 && (word.Count('/') > 1 || word[0] == '/' || word.Count('\\') > 1))
        {
            pattern.Append('…');
            return;
        }

        // Ids are runs of letters and digits in which digits are not only at the end: 3f2a…, but not Int32.
        for (var i = 0; i < word.Length;)
        {
            var end = i;
            while (end < word.Length && (char.IsAsciiLetterOrDigit(word[end]) || (word[end] == '-' && IsId(word[i..end]))))
                end++;
            if (end == i)
            {
                pattern.Append(word[i++]);
                continue;
            }

            if (IsId(word[i..end]))
                pattern.Append('#');
            else
                AppendWithoutDigits(word[i..end], pattern);
            i = end;
        }
    }

    private static bool IsId(ReadOnlySpan<char> run)
    {
        var digits = run.IndexOfAnyInRange('0', '9');
        return digits >= 0 && run.Length >= 6 && run[digits..].IndexOfAnyExceptInRange('0', '9') > 0 && !run.ContainsAnyExcept("0123456789abcdefABCDEF-");
    }

    private static void AppendWithoutDigits(ReadOnlySpan<char> run, StringBuilder pattern)
    {
        for (var i = 0; i < run.Length; i++)
        {
            if (!char.IsAsciiDigit(run[i]))
                pattern.Append(run[i]);
            else if (i == 0 || !char.IsAsciiDigit(run[i - 1]))
                pattern.Append('#');
        }
    }

    private static string FrameOf(string error)
    {
        var topmost = "";
        foreach (var each in error.AsSpan().EnumerateLines())
        {
            var line = each.TrimStart();
            if (!line.StartsWith("at ", StringComparison.Ordinal) || line.Length == each.Length)
                continue;
            var method = line[3..];
            var arguments = method.IndexOf('(');
            method = arguments < 0 ? method : method[..arguments];
            var isForeign = false;
            foreach (var name in foreign)
                isForeign |= method.StartsWith(name, StringComparison.Ordinal);
            if (isForeign && topmost.Length > 0)
                continue;
            var frame = new StringBuilder();
            // The compiler numbers what it makes.
            AppendWithoutDigits(method, frame);
            if (!isForeign)
                return frame.ToString();
            topmost = frame.ToString();
        }

        return topmost;
    }

    private static bool IsOfWord(char c) => char.IsLetterOrDigit(c) || c is '/' or '\\' or '.' or '-' or '_' or ':' or '%';
}
