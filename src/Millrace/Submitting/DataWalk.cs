using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Millrace.Submitting;

/// <summary>One walk through one JSON text, with the path to where it is. Each submission makes one: it allocates nothing unless there is a fault to describe.</summary>
/// <param name="jobType">For the message.</param>
/// <param name="what">What the JSON is.</param>
/// <param name="utf8">The text.</param>
internal ref struct DataWalk(string jobType, string what, ReadOnlySpan<byte> utf8)
{
    private readonly ReadOnlySpan<byte> utf8 = utf8;

    // One step for each open object or array.
    private Path path;
    private int depth;

    public void Token(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                path[depth - 1] = Step.InObject;
                CheckText(ref reader, " in the name of a member");
                path[depth - 1] = Step.At((int)reader.TokenStartIndex, reader.ValueSpan.Length);
                return;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                depth--;
                return;
        }

        if (depth > 0 && path[depth - 1].IsArray)
            path[depth - 1].Index++;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray when depth == DataValidator.MaxDepth:
                throw Fault($"depth {DataValidator.MaxDepth}", $"is nested deeper than {DataValidator.MaxDepth} levels", "Flatten it, or store it elsewhere and submit a reference.");
            case JsonTokenType.StartObject:
                path[depth++] = Step.InObject;
                break;
            case JsonTokenType.StartArray:
                path[depth++] = Step.InArray;
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
        depth = 0;
        return Fault(
            Text($"{limit:N0} bytes"),
            Text($"is {sizeInBytes:N0} bytes; at most {limit:N0} are allowed"),
            Text($"Store the content elsewhere and submit a reference to it, or raise MillraceOptions.MaxDataSize (at most {DataValidator.HardMaxSizeInBytes:N0})."));
    }

    public readonly JobDataException NotJson(JsonException fault)
    {
        var position = Text($"line {(fault.LineNumber ?? 0) + 1}, byte {(fault.BytePositionInLine ?? 0) + 1}");
        return utf8.Contains((byte)0)
            ? Fault("no NUL character", "contains a NUL character, which no database stores in text", "Remove it, or encode binary content as base64.")
            : Fault("valid JSON", $"is not valid JSON at {position}", "Only strict JSON is stored: no comments, no trailing commas, one value.");
    }

    private readonly void CheckText(ref Utf8JsonReader reader, string where)
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

    private readonly void CheckNumber(ReadOnlySpan<byte> number)
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

    private readonly JobDataException LoneSurrogate(string where) =>
        Fault("no lone surrogate", $"contains half of a surrogate pair{where}, which is not a character", "It usually comes from cutting a text inside an emoji: cut by characters (Rune), or replace it.");

    private readonly JobDataException Fault(string limit, string fault, string advice)
    {
        var place = PathText();
        var subject = place == "$" ? $"{what} of job type \"{jobType}\"" : $"{what} of job type \"{jobType}\" at {place}";
        return new JobDataException(jobType, place, limit, $"{subject} {fault}. Nothing was stored. {advice}");
    }

    private readonly string PathText()
    {
        var text = new StringBuilder("$");
        foreach (var step in path[..depth])
        {
            if (step.IsArray && step.Index >= 0)
                text.Append('[').Append(step.Index).Append(']');
            else if (NameOf(step) is not { } name)
                continue;
            else if (IsPlain(name))
                text.Append('.').Append(name);
            else
                text.Append("['").Append(name.Length > 80 ? string.Concat(name.AsSpan(0, 80), "…") : name).Append("']");
        }

        return text.ToString();
    }

    // As the reader has it: without what is escaped. Null before the first member.
    private readonly string? NameOf(Step step)
    {
        if (step.NameLength < 0)
            return null;
        var reader = new Utf8JsonReader(utf8.Slice(step.NameAt, step.NameLength + 2));
        reader.Read();
        return reader.GetString();
    }

    private static bool IsPlain(string name) =>
        name.Length is > 0 and <= 80 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static string Short(ReadOnlySpan<byte> number) =>
        number.Length <= 60 ? Encoding.ASCII.GetString(number) : Encoding.ASCII.GetString(number[..60]) + "…";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private static int Hex(ReadOnlySpan<byte> text, int start) =>
        int.Parse(text.Slice(start, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    [InlineArray(DataValidator.MaxDepth)]
    private struct Path
    {
        private Step first;
    }

    /// <summary>Where the walk is in one object or array.</summary>
    private struct Step
    {
        public static readonly Step InObject = new() { NameLength = -1 };
        public static readonly Step InArray = new() { NameLength = -1, Index = -1, IsArray = true };

        /// <summary>Where the member's name begins, with its quote.</summary>
        public int NameAt { get; private init; }

        /// <summary>In bytes, as it is written, without its quotes; -1 for none.</summary>
        public int NameLength { get; private init; }

        /// <summary>Of the element; -1 before the first.</summary>
        public int Index { get; set; }

        public bool IsArray { get; private init; }

        public static Step At(int start, int length) => new() { NameAt = start, NameLength = length };
    }
}
