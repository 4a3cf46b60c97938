using System.Globalization;
using System.Text.Json;

namespace Millrace.Dashboard.Changing;

/// <summary>
/// Whether JSON is what a schema of the catalogue asks for, as far as those schemas go: types, members, items, choices. Words of a schema that it does not know ask for nothing. Pure.
/// </summary>
internal sealed class SchemaCheck(JsonElement root)
{
    private const int Deepest = 64;

    /// <summary>The first fault, as a sentence; null when there is none.</summary>
    public static string? Fault(string data, string schema)
    {
        using var wanted = JsonDocument.Parse(schema);
        using var given = JsonDocument.Parse(data);
        return new SchemaCheck(wanted.RootElement).Fault(given.RootElement, wanted.RootElement, "$", 0);
    }

    private string? Fault(JsonElement value, JsonElement schema, string path, int depth)
    {
        if (schema.ValueKind == JsonValueKind.False)
            return $"{path} must not be there.";
        if (schema.ValueKind != JsonValueKind.Object || depth > Deepest)
            return null;
        if (schema.TryGetProperty("$ref", out var reference))
            return Follow(reference) is { } target ? Fault(value, target, path, depth + 1) : null;
        return TypeFault(value, schema, path)
            ?? ChoiceFault(value, schema, path, depth)
            ?? value.ValueKind switch
            {
                JsonValueKind.Object => MembersFault(value, schema, path, depth),
                JsonValueKind.Array => ItemsFault(value, schema, path, depth),
                JsonValueKind.Number => RangeFault(value, schema, path),
                _ => null,
            };
    }

    private static string? TypeFault(JsonElement value, JsonElement schema, string path)
    {
        if (!schema.TryGetProperty("type", out var type))
            return null;
        string[] names = type.ValueKind == JsonValueKind.Array ? [.. type.EnumerateArray().Select(name => name.ToString())] : [type.ToString()];
        return names.Any(name => IsOf(value, name)) ? null : $"{path} must be {string.Join(" or ", names)}; it is {NameOf(value)}.";
    }

    private string? ChoiceFault(JsonElement value, JsonElement schema, string path, int depth)
    {
        if (schema.TryGetProperty("enum", out var choices) && choices.ValueKind == JsonValueKind.Array && !choices.EnumerateArray().Any(choice => JsonElement.DeepEquals(choice, value)))
            return $"{path} must be one of {string.Join(", ", choices.EnumerateArray().Take(20).Select(choice => choice.GetRawText()))}.";
        if (schema.TryGetProperty("const", out var only) && !JsonElement.DeepEquals(only, value))
            return $"{path} must be {only.GetRawText()}.";
        foreach (var word in new[] { "anyOf", "oneOf" })
        {
            if (schema.TryGetProperty(word, out var any) && any.ValueKind == JsonValueKind.Array && any.GetArrayLength() > 0
                && any.EnumerateArray().Select(one => Fault(value, one, path, depth + 1)).All(fault => fault is not null))
                return $"{path} is none of the forms that it may have.";
        }

        return null;
    }

    private string? MembersFault(JsonElement value, JsonElement schema, string path, int depth)
    {
        if (schema.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.Array)
        {
            foreach (var name in required.EnumerateArray())
                if (!value.TryGetProperty(name.ToString(), out _))
                    return $"{path} must have the member \"{name}\".";
        }

        var known = schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object;
        var others = schema.TryGetProperty("additionalProperties", out var additional) ? additional : default;
        foreach (var member in value.EnumerateObject())
        {
            var place = $"{path}.{member.Name}";
            if (known && properties.TryGetProperty(member.Name, out var property))
            {
                if (Fault(member.Value, property, place, depth + 1) is { } fault)
                    return fault;
            }
            else if (others.ValueKind == JsonValueKind.False)
            {
                return $"{place} is not a member of this type.";
            }
            else if (others.ValueKind == JsonValueKind.Object && Fault(member.Value, others, place, depth + 1) is { } other)
            {
                return other;
            }
        }

        return null;
    }

    private string? ItemsFault(JsonElement value, JsonElement schema, string path, int depth)
    {
        if (!schema.TryGetProperty("items", out var items))
            return null;
        var i = 0;
        foreach (var item in value.EnumerateArray())
            if (Fault(item, items, string.Create(CultureInfo.InvariantCulture, $"{path}[{i++}]"), depth + 1) is { } fault)
                return fault;
        return null;
    }

    private static string? RangeFault(JsonElement value, JsonElement schema, string path)
    {
        var number = value.GetDouble();
        if (schema.TryGetProperty("minimum", out var least) && least.TryGetDouble(out var low) && number < low)
            return string.Create(CultureInfo.InvariantCulture, $"{path} must be at least {low}.");
        return schema.TryGetProperty("maximum", out var most) && most.TryGetDouble(out var high) && number > high
            ? string.Create(CultureInfo.InvariantCulture, $"{path} must be at most {high}.")
            : null;
    }

    /// <summary>Another place of the same schema: <c>#/properties/next</c>.</summary>
    private JsonElement? Follow(JsonElement reference)
    {
        if (reference.ValueKind != JsonValueKind.String || reference.GetString() is not ['#', .. var pointer])
            return null;
        var at = root;
        foreach (var part in pointer.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)))
        {
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(part, out var member))
                at = member;
            else if (at.ValueKind == JsonValueKind.Array && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var i) && i < at.GetArrayLength())
                at = at[i];
            else
                return null;
        }

        return at;
    }

    private static bool IsOf(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "number" => value.ValueKind == JsonValueKind.Number,
        // 1.0 is a whole number too.
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && Math.Floor(number) == number,
        _ => true,
    };

    private static string NameOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => "boolean",
        _ => value.ValueKind.ToString().ToLowerInvariant(),
    };
}
