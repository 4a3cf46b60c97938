using System.Text.Json.Nodes;
using Millrace.Dashboard.Answering;
using Millrace.Inspecting;

namespace Millrace.Dashboard.Changing;

/// <summary>
/// Data that somebody edited who was not shown all of it. What stands blanked in it is taken from the job it came from, at the same place and nowhere else: a secret cannot be moved to where it would be shown. Pure.
/// </summary>
internal static class BlankedData
{
    /// <param name="edited">As it came from the browser.</param>
    /// <param name="original">As it is stored; null when there is none.</param>
    /// <exception cref="Problem">Something is blanked that the original does not have.</exception>
    public static string Fill(string edited, string? original)
    {
        if (!edited.Contains('\u2022') && !edited.Contains("\\u2022", StringComparison.OrdinalIgnoreCase))
            return edited;
        var from = original is null ? null : JsonNode.Parse(original);
        return Fill(JsonNode.Parse(edited), from, "$")?.ToJsonString() ?? "null";
    }

    private static JsonNode? Fill(JsonNode? edited, JsonNode? original, string path)
    {
        switch (edited)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToList())
                    Put(members, name, value, Fill(value, (original as JsonObject)?[name], $"{path}.{name}"));
                return members;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    var old = original is JsonArray array && i < array.Count ? array[i] : null;
                    if (Fill(items[i], old, $"{path}[{i}]") is var filled && !ReferenceEquals(filled, items[i]))
                        items[i] = filled;
                }

                return items;
            case JsonValue value when value.TryGetValue<string>(out var text) && text == Redactor.Blank:
                return original?.DeepClone() ?? throw new Problem(
                    400, "redacted_value", "A blanked value has nothing behind it", $"At {path} stands \"{Redactor.Blank}\", but the job that this began with has no value there. Write a value.") { Field = path };
            default:
                return edited;
        }
    }

    private static void Put(JsonObject members, string name, JsonNode? old, JsonNode? filled)
    {
        if (!ReferenceEquals(old, filled))
            members[name] = filled;
    }
}
