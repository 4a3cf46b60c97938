using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Millrace.Submitting;

/// <summary>Data and results to JSON text and back, with the application's options.</summary>
internal sealed class JobJson
{
    private readonly JsonSerializerOptions options;
    private readonly Lazy<JsonSerializerOptions> strict;

    public JobJson(JsonSerializerOptions options)
    {
        this.options = options.IsReadOnly ? options : WithResolver(new JsonSerializerOptions(options));
        strict = new Lazy<JsonSerializerOptions>(() =>
        {
            var copy = new JsonSerializerOptions(this.options);
            copy.Converters.Insert(0, new SurrogateKeeper());
            return copy;
        });
    }

    public string Write<TValue>(TValue value)
    {
        var text = JsonSerializer.Serialize(value, (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue)));
        // The serializer replaces half of a surrogate pair by U+FFFD without a word. Where that character turns up, which is rare, it is written
        // again as it is, so that the validator sees it and says where.
        return text.Contains("\\ufffd", StringComparison.OrdinalIgnoreCase) || text.Contains('\ufffd')
            ? JsonSerializer.Serialize(value, (JsonTypeInfo<TValue>)strict.Value.GetTypeInfo(typeof(TValue)))
            : text;
    }

    /// <summary>Reads a value that must be there.</summary>
    /// <exception cref="JsonException">The text is not what the type expects, or is null.</exception>
    public TValue Read<TValue>(string json) =>
        JsonSerializer.Deserialize(json, (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue)))
            ?? throw new JsonException($"The stored data is null, but the type {typeof(TValue).Name} needs a value.");

    public TValue? ReadOrDefault<TValue>(string? json) =>
        json is null ? default : JsonSerializer.Deserialize(json, (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue)));

    /// <summary>How a type is written; null when the application's options do not know it.</summary>
    public JsonTypeInfo? Find(Type type) => options.TryGetTypeInfo(type, out var info) ? info : null;

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Used only while reflection-based serialization is switched on; trimmed programs bring their own resolver.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Used only while reflection-based serialization is switched on; native programs bring their own resolver.")]
    private static JsonSerializerOptions WithResolver(JsonSerializerOptions options)
    {
        if (options.TypeInfoResolver is null && JsonSerializer.IsReflectionEnabledByDefault)
            options.TypeInfoResolver = new DefaultJsonTypeInfoResolver();
        options.MakeReadOnly();
        return options;
    }

    /// <summary>Writes halves of surrogate pairs as what they are.</summary>
    private sealed class SurrogateKeeper : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
        {
            if (NameValidator.HasLoneSurrogate(value))
                writer.WriteRawValue($"\"{string.Concat(value.Select(c => $"\\u{(int)c:x4}"))}\"", skipInputValidation: true);
            else
                writer.WriteStringValue(value);
        }

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
        {
            if (NameValidator.HasLoneSurrogate(value))
                throw new JsonException("A property name contains half of a surrogate pair, which is not a character.");
            writer.WritePropertyName(value);
        }
    }
}
