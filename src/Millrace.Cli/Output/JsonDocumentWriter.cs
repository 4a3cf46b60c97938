using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Millrace.Cli.Output;

/// <summary>Writes <see cref="Members"/> as JSON: ids and other 64-bit names as text (their callers do that), times in UTC with microseconds, spans as milliseconds. Pure.</summary>
internal static class JsonDocumentWriter
{
    // Readable text in any script; what a terminal might obey is escaped below.
    private static readonly JavaScriptEncoder encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static string Write(Members members, bool indented)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = indented, Encoder = encoder, NewLine = "\n" }))
            WriteObject(writer, members);
        return Escape(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static void WriteObject(Utf8JsonWriter writer, Members members)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in members)
        {
            if (value is null)
                continue;
            writer.WritePropertyName(name);
            WriteValue(writer, value);
        }

        writer.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter writer, object value)
    {
        switch (value)
        {
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool isTrue:
                writer.WriteBooleanValue(isTrue);
                break;
            case short or int or long:
                writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case double number:
                writer.WriteNumberValue(double.IsFinite(number) ? Math.Round(number, 3) : 0);
                break;
            case DateTimeOffset time:
                writer.WriteStringValue(Words.Iso(time));
                break;
            case TimeSpan span:
                writer.WriteNumberValue(Math.Round(span.TotalMilliseconds, 3));
                break;
            case Guid id:
                writer.WriteStringValue(id);
                break;
            case Members inner:
                WriteObject(writer, inner);
                break;
            case JsonText json:
                WriteJson(writer, json.Text);
                break;
            case IEnumerable items:
                writer.WriteStartArray();
                foreach (var item in items)
                    WriteValue(writer, item ?? "");
                writer.WriteEndArray();
                break;
            default:
                throw new InvalidOperationException($"A value of {value.GetType()} has no form in JSON.");
        }
    }

    // Text that was to be JSON and is not (cut, or redacted in a way that broke it) stands there as a text.
    private static void WriteJson(Utf8JsonWriter writer, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            document.RootElement.WriteTo(writer);
        }
        catch (JsonException)
        {
            writer.WriteStringValue(text);
        }
    }

    private static string Escape(string json)
    {
        StringBuilder? escaped = null;
        for (var i = 0; i < json.Length; i++)
        {
            var isTag = char.IsHighSurrogate(json[i]) && i + 1 < json.Length && char.ConvertToUtf32(json[i], json[i + 1]) is >= 0xe0000 and <= 0xe0fff;
            if (json[i] == '\n' || Neutral.IsVisible(json[i]) && !isTag)
            {
                escaped?.Append(json[i]);
                continue;
            }

            escaped ??= new StringBuilder(json, 0, i, json.Length + 64);
            escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)json[i]:x4}");
            if (isTag)
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)json[++i]:x4}");
        }

        return escaped?.ToString() ?? json;
    }
}
