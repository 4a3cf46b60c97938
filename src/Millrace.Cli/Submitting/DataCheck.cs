using System.Text.Json;
using Millrace.Submitting;

namespace Millrace.Cli.Submitting;

/// <summary>
/// Whether data fits the JSON Schema of its type, as far as a typing error shows: members that are missing, unknown or of another kind. Names are compared as the serializer reads them, whatever their case. Pure.
/// </summary>
internal static class DataCheck
{
    private const int Deepest = 32;

    /// <summary>What does not fit, one sentence each. Nothing when it fits, or when the schema cannot tell.</summary>
    public static IReadOnlyList<string> Faults(string data, string schema)
    {
        using var given = JsonDocument.Parse(data);
        using var expected = JsonDocument.Parse(schema);
        var faults = new List<string>();
        Compare("$", given.RootElement, expected.RootElement, faults, 0);
        return faults;
    }

    private static void Compare(string path, JsonElement given, JsonElement schema, List<string> faults, int depth)
    {
        if (depth > Deepest || schema.ValueKind != JsonValueKind.Object)
            return;
        if (!Fits(given, schema, out var kinds))
        {
            faults.Add($"{path} is {KindOf(given)}; it must be {string.Join(" or ", kinds)}.");
            return;
        }

        if (given.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
            CompareMembers(path, given, schema, properties, faults, depth);
        else if (given.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out var items))
            CompareItems(path, given, items, faults, depth);
    }

    private static void CompareMembers(string path, JsonElement given, JsonElement schema, JsonElement properties, List<string> faults, int depth)
    {
        var known = properties.EnumerateObject().ToDictionary(member => member.Name, member => member.Value, StringComparer.OrdinalIgnoreCase);
        var names = given.EnumerateObject().Select(member => member.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var missing in RequiredOf(schema).Where(name => !names.Contains(name)))
            faults.Add($"{path}.{missing} is missing.");
        foreach (var member in given.EnumerateObject())
        {
            if (known.TryGetValue(member.Name, out var inner))
                Compare($"{path}.{member.Name}", member.Value, inner, faults, depth + 1);
            else if (!AllowsOthers(schema))
                faults.Add($"{path}.{member.Name} is not a member of this type.{NearestName.Question(member.Name, known.Keys)}");
        }
    }

    private static void CompareItems(string path, JsonElement given, JsonElement items, List<string> faults, int depth)
    {
        var index = 0;
        foreach (var item in given.EnumerateArray())
            Compare($"{path}[{index++}]", item, items, faults, depth + 1);
    }

    private static IEnumerable<string> RequiredOf(JsonElement schema) => schema.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.Array
        ? required.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString() ?? "")
        : [];

    // The serializer ignores members it does not know, but who types one by hand has mistyped another. Only a dictionary takes any.
    private static bool AllowsOthers(JsonElement schema) => schema.TryGetProperty("additionalProperties", out var others) && others.ValueKind != JsonValueKind.False;

    private static bool Fits(JsonElement given, JsonElement schema, out List<string> kinds)
    {
        kinds = [];
        if (!schema.TryGetProperty("type", out var type))
            return true;
        kinds = type.ValueKind == JsonValueKind.Array ? [.. type.EnumerateArray().Select(name => name.ToString())] : [type.ToString()];
        var kind = KindOf(given);
        return kinds.Contains(kind) || (kind == "integer" && kinds.Contains("number"));
    }

    private static string KindOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => element.TryGetInt64(out _) ? "integer" : "number",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        _ => "null",
    };
}
