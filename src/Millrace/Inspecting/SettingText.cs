using System.Buffers;
using System.Text;
using System.Text.Json;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Inspecting;

/// <summary>Settings as they are stored with a node: a JSON array of objects. What comes back was written by any version, or by anybody who may write to the database. Pure.</summary>
internal static class SettingText
{
    private const int Most = 200;
    private const int LongestName = 100;
    private const int LongestValue = 1_000;

    public static string Write(IEnumerable<Setting> settings)
    {
        var buffer = new ArrayBufferWriter<byte>(2_048);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var setting in settings)
            {
                json.WriteStartObject();
                json.WriteString("name", setting.Name);
                json.WriteString("value", Sanitiser.Text(setting.Value, LongestValue));
                json.WriteString("source", Word(setting.Source));
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>What can be read of it; nothing of what is no such text.</summary>
    public static IReadOnlyList<Setting> Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Array ? [.. document.RootElement.EnumerateArray().Take(Most).Select(Read).OfType<Setting>()] : [];
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The second: half of a pair of UTF-16 code units, which JSON can write and .NET does not read.
            return [];
        }
    }

    public static string Word(SettingSource source) => source.ToString().ToLowerInvariant();

    private static Setting? Read(JsonElement one) =>
        one.ValueKind == JsonValueKind.Object && Member(one, "name") is { } name && Member(one, "value") is { } value
            ? new Setting(Spoken.Cut(name, LongestName), Spoken.Cut(value, LongestValue), Member(one, "source") switch
            {
                "application" => SettingSource.Application,
                "environment" => SettingSource.Environment,
                _ => SettingSource.Default,
            })
            : null;

    private static string? Member(JsonElement one, string name) => one.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
