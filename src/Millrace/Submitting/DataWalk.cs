using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Millrace.Submitting;

/// <summary>One walk through one JSON text, with the path to where it is.</summary>
internal sealed class DataWalk(string jobType, string what)
{
    // One entry for each open object or array: the member's name, or the index when the name is null.
    private readonly List<(string? Name, int Index, bool IsArray)> path = [];

    public void Token(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                path[^1] = (null, -1, false);
                CheckText(ref reader, " in the name of a member");
                path[^1] = (reader.GetString(), 0, false);
                return;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                path.RemoveAt(path.Count - 1);
                return;
        }

        if (path.Count > 0 && path[^1].IsArray)
            path[^1] = (null, path[^1].Index + 1, true);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray when path.Count == DataValidator.MaxDepth:
                throw Fault($"depth {DataValidator.MaxDepth}", $"is nested deeper than {DataValidator.MaxDepth} levels", "Flatten it, or store it elsewhere and submit a reference.");
            case JsonTokenType.StartObject:
                path.Add((null, -1, false));
                break;
            case JsonTokenType.StartArray:
                path.Add((null, -1, true));
                break;
            case JsonTokenType.String:
                CheckText(ref reader, "");
                break;
            case JsonTokenType.Number:
                CheckNumber(reader.ValueSpan);
                break;
        }
    }

    public JobDataException TooLarge(int sizeInBytes, int limit)
    {
        path.Clear();
        return Fault(
            Text($"{limit:N0} bytes"),
            Text($"is {sizeInBytes:N0} bytes; at most {limit:N0} are allowed"),
            Text($"Store the content elsewhere and submit a reference to it, or raise MillraceOptions.MaxDataSize (at most {DataValidator.HardMaxSizeInBytes:N0})."));
    }

    public JobDataException NotJson(ReadOnlySpan<byte> utf8, JsonException fault)
    {
        var position = Text($"line {(fault.LineNumber ?? 0) + 1}, byte {(fault.BytePositionInLine ?? 0) + 1}");
        return utf8.Contains((byte)0)
            ? Fault("no NUL character", "contains a NUL character, which no database stores in text", "Remove it, or encode binary content as base64.")
            : Fault("valid JSON", $"is not valid JSON at {position}", "Only strict JSON is stored: no comments, no trailing commas, one value.");
    }

    private void CheckText(ref Utf8JsonReader reader, string where)
    {
        var text = reader.ValueSpan;
        if (!Utf8.IsValid(text))
            throw LoneSurrogate(where);
        if (!reader.ValueIsEscaped)
            return;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
                continue;
            i++;
            if (text[i] != 'u')
                continue;
            var unit = Hex(text, i + 1);
            i += 4;
            if (unit == 0)
                throw Fault("no NUL character", $"contains a NUL character (\\u0000){where}, which no database stores in text", "Remove it, or encode binary content as base64.");
            if (!char.IsSurrogate((char)unit))
                continue;
            var isPair = char.IsHighSurrogate((char)unit) && i + 6 < text.Length && text[i + 1] == '\\' && text[i + 2] == 'u'
                && char.IsLowSurrogate((char)Hex(text, i + 3));
            if (!isPair)
                throw LoneSurrogate(where);
            i += 6;
        }
    }

    private void CheckNumber(ReadOnlySpan<byte> number)
    {
        var end = number.IndexOfAny((byte)'e', (byte)'E');
        var mantissa = end < 0 ? number : number[..end];
        var digits = mantissa.Length - mantissa.Count((byte)'-') - mantissa.Count((byte)'.');
        if (digits > DataValidator.MaxDigits)
            throw Fault($"{DataValidator.MaxDigits} digits", Text($"is a number of {digits:N0} digits; at most {DataValidator.MaxDigits} are allowed"), "Submit it as a string.");
        if (end < 0)
            return;
        var exponent = number[(end + 1)..].TrimStart((byte)'+');
        var isRead = int.TryParse(exponent, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power);
        if (!isRead || (long)Math.Abs((long)power) + digits > DataValidator.MaxDigitsWrittenOut)
            throw Fault(
                $"{DataValidator.MaxDigitsWrittenOut} digits written out",
                $"is the number {Short(number)}, which has more than {DataValidator.MaxDigitsWrittenOut} digits when it is written out",
                "Submit it as a string.");
    }

    private JobDataException LoneSurrogate(string where) =>
        Fault("no lone surrogate", $"contains half of a surrogate pair{where}, which is not a character", "It usually comes from cutting a text inside an emoji: cut by characters (Rune), or replace it.");

    private JobDataException Fault(string limit, string fault, string advice)
    {
        var place = PathText();
        var subject = place == "$" ? $"{what} of job type \"{jobType}\"" : $"{what} of job type \"{jobType}\" at {place}";
        return new JobDataException(jobType, place, limit, $"{subject} {fault}. Nothing was stored. {advice}");
    }

    private string PathText()
    {
        var text = new StringBuilder("$");
        foreach (var (name, index, isArray) in path)
        {
            if (isArray && index >= 0)
                text.Append('[').Append(index).Append(']');
            else if (name is not null && IsPlain(name))
                text.Append('.').Append(name);
            else if (name is not null)
                text.Append("['").Append(name.Length > 80 ? string.Concat(name.AsSpan(0, 80), "…") : name).Append("']");
        }

        return text.ToString();
    }

    private static bool IsPlain(string name) =>
        name.Length is > 0 and <= 80 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static string Short(ReadOnlySpan<byte> number) =>
        number.Length <= 60 ? Encoding.ASCII.GetString(number) : Encoding.ASCII.GetString(number[..60]) + "…";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private static int Hex(ReadOnlySpan<byte> text, int start) =>
        int.Parse(text.Slice(start, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
