using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Millrace.Inspecting;

/// <summary>The one place through which every stored text goes on its way to a person: members marked <c>[Sensitive]</c>, members with names like a password's, and secrets in connection strings are blanked. Pure.</summary>
internal static class Redactor
{
    /// <summary>What stands in place of a value.</summary>
    public const string Blank = "•••• redacted";

    private static readonly byte[] blankJson = Encoding.UTF8.GetBytes($"\"{Blank}\"");

    /// <summary>JSON text without what is secret in it. Text that is not JSON (a cut preview too) is taken as far as it can be read, and never shows more than the whole would.</summary>
    /// <param name="json">The data, result, headers or properties.</param>
    /// <param name="schema">The schema from the catalogue of types; null when there is none.</param>
    public static string Json(string json, string? schema)
    {
        IReadOnlySet<string>? marked = null;
        try
        {
            marked = string.IsNullOrEmpty(schema) ? null : SensitiveNames.Marked(schema);
        }
        catch (JsonException)
        {
            // A schema that cannot be read may have marked anything.
            return $"\"{Blank}\"";
        }

        if (json.Length == 0)
            return json;
        var utf8 = Encoding.UTF8.GetBytes(json);
        var text = new ArrayBufferWriter<byte>(utf8.Length + 64);
        if (Copy(utf8, marked, text, isWhole: true))
            return Encoding.UTF8.GetString(text.WrittenSpan);
        text.ResetWrittenCount();
        Copy(utf8, marked, text, isWhole: false);
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    /// <summary>A value that stands beside its name, without what is secret in it: nothing of it when the name is that of a secret.</summary>
    public static string Named(string name, string value) => SensitiveNames.Look(name) ? Blank : Text(value);

    /// <summary>Free text (an error, a log line) without passwords of connection strings, bearer tokens and the like.</summary>
    public static string Text(string text)
    {
        var secrets = Secrets.In(text);
        if (secrets.Count == 0)
            return text;
        secrets.Sort((left, right) => left.Start.Value.CompareTo(right.Start.Value));
        var shown = new StringBuilder(text.Length);
        var at = 0;
        foreach (var secret in secrets)
        {
            if (secret.Start.Value >= at)
                shown.Append(text, at, secret.Start.Value - at).Append(Blank);
            at = Math.Max(at, secret.End.Value);
        }

        return shown.Append(text, at, text.Length - at).ToString();
    }

    /// <summary>Copies JSON as it is written, with blanks in it.</summary>
    /// <param name="json">The text.</param>
    /// <param name="marked">Names that a schema marks.</param>
    /// <param name="into">Where it goes.</param>
    /// <param name="isWhole">False: it may end anywhere, and what cannot be read is left out.</param>
    /// <returns>False when it is not the whole of a JSON text.</returns>
    private static bool Copy(ReadOnlySpan<byte> json, IReadOnlySet<string>? marked, ArrayBufferWriter<byte> into, bool isWhole)
    {
        var reader = new Utf8JsonReader(json, isWhole, new JsonReaderState(new JsonReaderOptions { MaxDepth = 256 }));
        var (copied, expectsValue) = (0, true);
        try
        {
            while (reader.Read())
            {
                into.Write(json[copied..(int)reader.TokenStartIndex]);
                var token = json[(int)reader.TokenStartIndex..(int)reader.BytesConsumed];
                expectsValue = reader.TokenType == JsonTokenType.PropertyName;
                if (expectsValue && IsSecret(ref reader, marked))
                {
                    into.Write(token);
                    into.Write(blankJson);
                    if (!reader.Read() || !reader.TrySkip())
                        return false;
                    expectsValue = false;
                }
                else if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && Changed(ref reader) is { } text)
                {
                    WriteText(text, into);
                    into.Write(expectsValue ? ":"u8 : []);
                }
                else
                {
                    into.Write(token);
                }

                copied = (int)reader.BytesConsumed;
            }
        }
        catch (JsonException)
        {
            into.Write("…"u8);
            return false;
        }

        if (isWhole)
            into.Write(json[copied..]);
        else
            WriteCut(json[copied..], expectsValue, into);
        return true;
    }

    private static bool IsSecret(ref Utf8JsonReader reader, IReadOnlySet<string>? marked) =>
        Read(ref reader) is not { } name || SensitiveNames.Look(name) || marked?.Contains(name) == true;

    /// <summary>A text with blanks in it; null when it needs none.</summary>
    private static string? Changed(ref Utf8JsonReader reader)
    {
        if (Read(ref reader) is not { } text)
            return Blank;
        var shown = Text(text);
        return ReferenceEquals(shown, text) ? null : shown;
    }

    /// <summary>Null: half of a surrogate pair is escaped in it, which is no text.</summary>
    private static string? Read(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static void WriteText(string text, ArrayBufferWriter<byte> into)
    {
        into.Write("\""u8);
        into.Write(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        into.Write("\""u8);
    }

    /// <summary>What a cut has left of a text, without its last word: a half secret does not look like one.</summary>
    private static void WriteCut(ReadOnlySpan<byte> rest, bool expectsValue, ArrayBufferWriter<byte> into)
    {
        var text = rest.TrimStart(" \t\r\n"u8);
        var end = text.LastIndexOf((byte)' ');
        if (expectsValue && end > 0 && text[0] == '"')
        {
            into.Write("\""u8);
            into.Write(JsonEncodedText.Encode(Text(Unescaped(text[..end])), JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        }

        into.Write("…"u8);
    }

    private static string Unescaped(ReadOnlySpan<byte> open)
    {
        var reader = new Utf8JsonReader([.. open, (byte)'"']);
        try
        {
            return reader.Read() ? Read(ref reader) ?? "" : "";
        }
        catch (JsonException)
        {
            return "";
        }
    }
}
