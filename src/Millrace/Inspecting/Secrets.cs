namespace Millrace.Inspecting;

/// <summary>
/// Finds secrets in free text by their shape. Written as scans and not as expressions: each looks at every character a bounded number of times, whatever the text. When in doubt about where a
/// secret ends they take more. Pure.
/// </summary>
internal static class Secrets
{
    private const int LongestName = 64;

    // What is known to begin a key, and then at least ten characters of it.
    private static readonly string[] prefixes =
        ["eyJ", "AKIA", "ASIA", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "npm_", "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-", "sk-", "sk_live_", "sk_test_", "rk_live_", "whsec_"];

    /// <summary>Where secrets stand, in no order; some may overlap.</summary>
    public static List<Range> In(string text)
    {
        var found = new List<Range>();
        Assignments(text, found);
        Words(text, found);
        PrivateKeys(text, found);
        return found;
    }

    /// <summary><c>Password=x;</c>, <c>"password": "x"</c>, <c>api key: x</c>, <c>?token=x&amp;</c></summary>
    private static void Assignments(string text, List<Range> found)
    {
        for (var i = text.AsSpan().IndexOfAny('=', ':'); i >= 0 && i < text.Length; i++)
        {
            if (text[i] is not ('=' or ':') || IsComparison(text, i) || NameBefore(text, i) is not { } name)
                continue;
            var start = i + 1;
            while (start < text.Length && text[start] is ' ' or '\t' or '\\')
                start++;
            var end = EndOfValue(text, start, name);
            // "Unexpected token: x" is a parser's word and no secret.
            if (end <= start || (name.IsToken && end - start < 6))
                continue;
            found.Add(start..end);
            i = end - 1;
        }
    }

    private static bool IsComparison(string text, int at) =>
        text[at] == '=' && ((at + 1 < text.Length && text[at + 1] is '=' or '>') || (at > 0 && text[at - 1] is '=' or '!' or '<' or '>'));

    /// <summary>The name before a sign, if it is a secret's.</summary>
    private static AssignedName? NameBefore(string text, int sign)
    {
        var end = sign;
        while (end > 0 && sign - end < LongestName && text[end - 1] is ' ' or '\t' or '"' or '\'' or '\\' or '`')
            end--;
        var start = end;
        while (start > 0 && end - start < LongestName && IsOfName(text[start - 1]))
            start--;
        var name = text.AsSpan(start, end - start);
        if (name.Length == 0)
            return null;
        // In "Token.cs:line 5" and "InvalidTokenException: …" the colon is no assignment.
        var last = text[sign] == ':' ? name[(name.LastIndexOf('.') + 1)..] : name;
        if (last.EndsWith("Exception", StringComparison.Ordinal) || last.EndsWith("Error", StringComparison.Ordinal))
            return null;
        var isInQuery = start > 0 && text[start - 1] is '?' or '&';
        if (SensitiveNames.Look(last) || (isInQuery && name.EndsWith("sig", StringComparison.OrdinalIgnoreCase)))
            return new AssignedName(text[sign], isInQuery, text[sign] == ':' && end == sign && last.Equals("token", StringComparison.OrdinalIgnoreCase));
        var phrase = start;
        for (var spaces = 0; phrase > 0 && end - phrase < LongestName && (IsOfName(text[phrase - 1]) || (text[phrase - 1] == ' ' && ++spaces <= 2));)
            phrase--;
        return phrase < start && SensitiveNames.EndsLike(text.AsSpan(phrase, end - phrase)) ? new AssignedName(text[sign], isInQuery, false) : null;
    }

    private static int EndOfValue(string text, int start, AssignedName name)
    {
        if (start == text.Length)
            return start;
        if (text[start] is '"' or '\'')
            return EndOfQuoted(text, start);
        if (text[start] is '{' or '[')
            return EndOfBrackets(text, start);
        for (var i = start; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '\n' or '\r' || (name.IsInQuery ? c is '&' or '#' or '"' or '\'' or ' ' : c == ';' && !IsHeader(name)))
                return i;
            // A quote ends it that was opened before the whole: "Host=x;Password=y". In it's it does not.
            if (c is '"' or '\'' && (i + 1 == text.Length || !char.IsLetterOrDigit(text[i + 1])))
                return i;
        }

        return text.Length;
    }

    // Cookie: a=1; b=2
    private static bool IsHeader(AssignedName name) => name.Sign == ':';

    private static int EndOfQuoted(string text, int start)
    {
        for (var i = start + 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
                i++;
            else if (text[i] == text[start])
                return i + 1;
        }

        return text.Length;
    }

    private static int EndOfBrackets(string text, int start)
    {
        var depth = 0;
        for (var i = start; i < text.Length; i++)
        {
            if (text[i] == '"')
                i = EndOfQuoted(text, i) - 1;
            else if (text[i] is '{' or '[')
                depth++;
            else if (text[i] is '}' or ']' && --depth == 0)
                return i + 1;
        }

        return text.Length;
    }

    /// <summary>What a single word shows: keys with known beginnings, what follows Bearer or Basic, and the password in an address.</summary>
    private static void Words(string text, List<Range> found)
    {
        var isAfterScheme = false;
        for (var start = 0; start < text.Length;)
        {
            if (char.IsWhiteSpace(text[start]))
            {
                start++;
                continue;
            }

            var end = start;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
                end++;
            var word = text.AsSpan(start, end - start);
            if (isAfterScheme && LooksMade(word))
                found.Add(start..end);
            Keys(text, start, end, found);
            Address(text, start, end, found);
            var bare = word.Trim("\"'([{,:=");
            isAfterScheme = bare.EndsWith("Bearer", StringComparison.OrdinalIgnoreCase) || bare.EndsWith("Basic", StringComparison.OrdinalIgnoreCase);
            start = end;
        }
    }

    // "Bearer authentication" is English.
    private static bool LooksMade(ReadOnlySpan<char> word) =>
        word.Length >= 20 || (word.Length >= 6 && word.TrimEnd(".,;:!?)\"'").ContainsAnyExceptInRange('a', 'z'));

    private static void Keys(string text, int start, int end, List<Range> found)
    {
        for (var i = start; i < end; i++)
        {
            if ((i > start && IsOfKey(text[i - 1])) || !IsOfKey(text[i]))
                continue;
            var last = i;
            while (last < end && (IsOfKey(text[last]) || text[last] == '.'))
                last++;
            var run = text.AsSpan(i, last - i);
            foreach (var prefix in prefixes)
            {
                if (run.Length < prefix.Length + 10 || !run.StartsWith(prefix, StringComparison.Ordinal))
                    continue;
                found.Add(i..last);
                break;
            }

            i = last;
        }
    }

    /// <summary><c>postgres://user:password@host</c>. A password may hold an at sign or a slash that nobody encoded: up to the last at sign.</summary>
    private static void Address(string text, int start, int end, List<Range> found)
    {
        var scheme = text.AsSpan(start, end - start).IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return;
        var authority = start + scheme + 3;
        var at = text.AsSpan(authority, end - authority).LastIndexOf('@');
        var colon = text.AsSpan(authority, Math.Max(0, at)).IndexOf(':');
        if (at < 0 || colon < 0)
            return;
        var password = text.AsSpan(authority + colon + 1, at - colon - 1);
        var slash = password.IndexOf('/');
        // A port, and an address of mail somewhere behind it.
        if (slash > 0 && !password[..slash].ContainsAnyExceptInRange('0', '9'))
            return;
        if (password.Length > 0)
            found.Add((authority + colon + 1)..(authority + at));
    }

    private static void PrivateKeys(string text, List<Range> found)
    {
        for (var from = 0; text.IndexOf("-----BEGIN ", from, StringComparison.Ordinal) is >= 0 and var begin;)
        {
            var label = text.IndexOf("-----", begin + 11, StringComparison.Ordinal);
            var body = label < 0 ? text.Length : label + 5;
            var end = text.IndexOf("-----END ", body, StringComparison.Ordinal);
            if (label < 0 || text.AsSpan(begin, label - begin).Contains("PRIVATE", StringComparison.Ordinal))
                found.Add(Math.Min(body, text.Length)..(end < 0 ? text.Length : end));
            // Whatever has no end has none later either.
            if (end < 0)
                return;
            from = end;
        }
    }

    private static bool IsOfName(char c) => char.IsLetterOrDigit(c) || c is '_' or '-' or '.';

    private static bool IsOfKey(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-';

    /// <param name="Sign">What stands behind it.</param>
    /// <param name="IsInQuery">It stands in the query of an address.</param>
    /// <param name="IsToken">It is the mere word token, without quotes.</param>
    private readonly record struct AssignedName(char Sign, bool IsInQuery, bool IsToken);
}
