using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Millrace.Submitting;

/// <summary>Data and results to JSON text and back, with the application's options.</summary>
internal sealed class JobJson
{
    private readonly JsonSerializerOptions options;

    public JobJson(JsonSerializerOptions options)
    {
        this.options = options.IsReadOnly ? options : WithResolver(new JsonSerializerOptions(options));
    }

    public string Write<TValue>(TValue value) => JsonSerializer.Serialize(value, (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue)));

    /// <summary>Reads a value that must be there.</summary>
    /// <exception cref="JsonException">The text is not what the type expects, or is null.</exception>
    public TValue Read<TValue>(string json) =>
        JsonSerializer.Deserialize(json, (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue)))
            ?? throw new JsonException($"The stored data is null, but the type {typeof(TValue).Name} needs a value.");

    public TValue? ReadOrDefault<TValue>(string? json) =>
        json is null ? default : JsonSerializer.Deserialize(json, (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue)));

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Used only while reflection-based serialization is switched on; trimmed programs bring their own resolver.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Used only while reflection-based serialization is switched on; native programs bring their own resolver.")]
    private static JsonSerializerOptions WithResolver(JsonSerializerOptions options)
    {
        if (options.TypeInfoResolver is null && JsonSerializer.IsReflectionEnabledByDefault)
            options.TypeInfoResolver = new DefaultJsonTypeInfoResolver();
        options.MakeReadOnly();
        return options;
    }
}
