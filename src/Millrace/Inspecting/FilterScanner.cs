using System.Text;
using Millrace.Submitting;

namespace Millrace.Inspecting;

/// <summary>Cuts a filter into its terms, as they are written: spaces, signs, names, operators, quotes and commas. What they mean is <see cref="FilterParser"/>'s.</summary>
internal sealed class FilterScanner(string text)
{
    private const string Operators = ":~<>=";

    private int at;

    /// <summary>The next term; null at the end.</summary>
    /// <exception cref="FilterException">It is not a term.</exception>
    public WrittenTerm? Next()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
            at++;
        if (at == text.Length)
            return null;

        var start = at;
        var isNot = text[at] == '-';
        if (isNot && (++at == text.Length || char.IsWhiteSpace(text[at])))
            throw new FilterException(start, 1, "A - stands before a term that must not hold, without a space: -queue:mail.");
        if (TryPath() is not { } path)
            return new WrittenTerm(isNot, [], "", start, Values(start), start, at - start);

        var operatorAt = at;
        var sign = Operator();
        return new WrittenTerm(isNot, path, sign, operatorAt, Values(start), start, at - start);
    }

    /// <summary>A name, or several with dots between them, with an operator behind. Null: it is a word without a field, and nothing was read.</summary>
    private List<WrittenValue>? TryPath()
    {
        var start = at;
        var path = new List<WrittenValue>();
        while (at < text.Length)
        {
            var from = at;
            if (text[at] == '"' && path.Count > 0)
            {
                var name = new StringBuilder();
                Quoted(name);
                path.Add(Checked(new WrittenValue(name.ToString(), true, false, false, from, at - from)));
            }
            else
            {
                while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] is not ('.' or '"') && !Operators.Contains(text[at]))
                    at++;
                path.Add(Checked(new WrittenValue(text[from..at], false, false, false, from, at - from)));
            }

            if (at < text.Length && text[at] == '.')
                at++;
            else if (at < text.Length && Operators.Contains(text[at]))
                return path;
            else
                break;
        }

        at = start;
        return null;
    }

    private string Operator()
    {
        var length = text[at] is '<' or '>' && at + 1 < text.Length && text[at + 1] == '=' ? 2 : 1;
        at += length;
        return text[(at - length)..at];
    }

    /// <summary>Values with commas between them, up to the next space.</summary>
    private List<WrittenValue> Values(int term)
    {
        var values = new List<WrittenValue> { Value(term) };
        while (at < text.Length && text[at] == ',')
        {
            at++;
            values.Add(Value(term));
        }

        return values;
    }

    /// <summary>Bare and quoted pieces without anything between them.</summary>
    private WrittenValue Value(int term)
    {
        var start = at;
        var value = new StringBuilder();
        var (isQuoted, hasStar, hasQuotedStar) = (false, false, false);
        while (at < text.Length && text[at] != ',' && !char.IsWhiteSpace(text[at]))
        {
            if (text[at] == '"')
            {
                var before = value.Length;
                Quoted(value);
                isQuoted = true;
                hasQuotedStar |= value.ToString(before, value.Length - before).Contains('*');
            }
            else
            {
                hasStar |= text[at] == '*';
                value.Append(text[at++]);
            }
        }

        if (at == start)
            throw new FilterException(term, Math.Max(1, at - term), $"{text[term..at]} lacks a value. Write one behind it without a space; put it in quotes when it has spaces.");
        return Checked(new WrittenValue(value.ToString(), isQuoted, hasStar, hasQuotedStar, start, at - start));
    }

    /// <summary>From one quote to the other. A backslash stands before a quote or a backslash that is meant; before anything else it is itself.</summary>
    private void Quoted(StringBuilder into)
    {
        var start = at++;
        for (; at < text.Length; at++)
        {
            if (text[at] == '"')
            {
                at++;
                return;
            }

            if (text[at] == '\\' && at + 1 < text.Length && text[at + 1] is '"' or '\\')
                at++;
            if (at < text.Length)
                into.Append(text[at]);
        }

        throw new FilterException(start, text.Length - start, "This quote is not closed. Write \\\" for a quote inside of quotes.");
    }

    private static WrittenValue Checked(WrittenValue value)
    {
        if (value.Text.Contains('\0') || NameValidator.HasLoneSurrogate(value.Text))
            throw value.Fault("A NUL character, or half of a surrogate pair, is in no stored text.");
        return Encoding.UTF8.GetByteCount(value.Text) <= NameValidator.MaxSizeInBytes
            ? value
            : throw value.Fault($"A value has at most {NameValidator.MaxSizeInBytes} bytes in UTF-8; this one has {Encoding.UTF8.GetByteCount(value.Text)}.");
    }
}

/// <summary>A term as it is written.</summary>
/// <param name="IsNot">A - stands before it.</param>
/// <param name="Path">The field, and for data the members; none for a word without a field.</param>
/// <param name="Operator">What stands behind it; empty for a word without a field.</param>
/// <param name="OperatorAt">Where.</param>
/// <param name="Values">At least one.</param>
/// <param name="Start">Where it begins.</param>
/// <param name="Length">How long it is.</param>
internal sealed record WrittenTerm(bool IsNot, IReadOnlyList<WrittenValue> Path, string Operator, int OperatorAt, IReadOnlyList<WrittenValue> Values, int Start, int Length)
{
    public FilterException Fault(string message) => new(Start, Length, message);
}

/// <summary>A value as it is written, or a name.</summary>
/// <param name="Text">Without quotes.</param>
/// <param name="IsQuoted">A part of it, at least, was in quotes.</param>
/// <param name="HasStar">A star stands in it, not in quotes: it is a pattern.</param>
/// <param name="HasQuotedStar">A star stands in it in quotes: it means itself.</param>
/// <param name="Start">Where it begins.</param>
/// <param name="Length">How long it is.</param>
internal sealed record WrittenValue(string Text, bool IsQuoted, bool HasStar, bool HasQuotedStar, int Start, int Length)
{
    public FilterException Fault(string message) => new(Start, Math.Max(1, Length), message);
}
