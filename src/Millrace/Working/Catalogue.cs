using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Millrace.Inspecting;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Working;

/// <summary>What others can know of this process's types without its code.</summary>
internal static class Catalogue
{
    private static readonly JsonSchemaExporterOptions marking = new() { TransformSchemaNode = Mark };

    public static IReadOnlyList<TypeDescription> Of(TypeRegistry types, JobPolicies policies, JobJson json) => [.. types.Types.Select(type => Describe(type, policies.For(type.Name, null), json))];

    /// <summary>The JSON Schema of a type's data, with marks at members that carry <see cref="SensitiveAttribute"/>; null when none can be made, or it would say nothing.</summary>
    public static string? SchemaOf(Type data, JobJson json)
    {
        try
        {
            return json.Find(data)?.GetJsonSchemaAsNode(marking) is JsonObject { Count: > 0 } schema ? schema.ToJsonString() : null;
        }
        catch (Exception exception) when (exception is NotSupportedException or InvalidOperationException or ArgumentException or JsonException)
        {
            // Converters of the application's own say nothing of their shape, and some refuse. The catalogue is a help and must not keep a worker from starting.
            return null;
        }
    }

    private static TypeDescription Describe(JobType type, ResolvedPolicy policy, JobJson json) => new()
    {
        Name = type.Name,
        Aliases = type.Aliases,
        Queue = policy.Queue,
        MaxAttempts = policy.MaxAttempts,
        Timeout = policy.Timeout == Timeout.InfiniteTimeSpan ? null : policy.Timeout,
        Retry = policy.Retry.Equals(RetryPolicy.Default) ? null : Write(policy.Retry),
        IsIsolated = type.IsIsolated,
        Schema = SchemaOf(type.DataType, json),
    };

    private static JsonNode Mark(JsonSchemaExporterContext context, JsonNode schema)
    {
        if (context.PropertyInfo is not { } member || !(IsMarked(member.AttributeProvider) || IsMarked(member.AssociatedParameter?.AttributeProvider)))
            return schema;
        // "Anything" is written as true.
        var marked = schema as JsonObject ?? [];
        marked[SensitiveNames.Mark] = true;
        return marked;
    }

    private static bool IsMarked(System.Reflection.ICustomAttributeProvider? member) => member?.IsDefined(typeof(SensitiveAttribute), inherit: true) == true;

    private static string Write(RetryPolicy policy)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer))
            RetryPolicyJson.Write(json, policy);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
