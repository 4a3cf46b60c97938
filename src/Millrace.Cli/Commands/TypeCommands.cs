using System.CommandLine;
using Millrace.Cli.Output;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace types [list|schema TYPE]</c>: the catalogue that processes have written.</summary>
internal static class TypeCommands
{
    private static readonly Argument<string> name = new("type") { Description = "The name of a type." };

    public static Command Make(Leaves leaves) => leaves.MakeGroup(
        "types",
        "Types of jobs: the catalogue that processes write at their start.",
        ListAsync,
        leaves.Make("list", "List types.", ListAsync),
        leaves.Make("schema", "Print the JSON Schema of a type's data.", SchemaAsync, name));

    /// <summary>The catalogue's entry of this name, or of a type that had it before.</summary>
    public static TypeRecord? Find(IReadOnlyList<TypeRecord> types, string wanted) =>
        types.FirstOrDefault(type => type.Description.Name == wanted) ?? types.FirstOrDefault(type => type.Description.Aliases.Contains(wanted));

    private static async Task<ExitCode> ListAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var types = await store.Inspection.ReadTypesAsync(invocation.Token).ConfigureAwait(false);
        invocation.Write(Sheet(time => invocation.When(time, now)), types, new Members { { "now", now } });
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> SchemaAsync(Invocation invocation)
    {
        var wanted = invocation.Parsed.GetRequiredValue(name);
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var types = await store.Inspection.ReadTypesAsync(invocation.Token).ConfigureAwait(false);
        var type = Find(types, wanted) ?? throw CommandException.NotFound($"No process has registered the type \"{wanted}\".{NearestName.Question(wanted, types.Select(known => known.Description.Name))} Which there are: millrace types");
        var schema = type.Description.Schema ?? throw CommandException.NotFound($"The type \"{wanted}\" has no schema: none could be made of its data.");
        invocation.Write("millrace.schema.v1", type.Description.Name, new Members { { "type", type.Description.Name }, { "dataSchema", new JsonText(schema) } }, page => page.Block(Indented(schema)));
        return ExitCode.Ok;
    }

    private static Sheet<TypeRecord> Sheet(Func<DateTimeOffset?, string?> when) => new(
        "millrace.types.v1",
        "types",
        type => type.Description.Name,
        [
            new("name", "TYPE", type => type.Description.Name),
            new("aliases", "ALIASES", type => type.Description.Aliases) { IsElastic = true },
            new("queue", "QUEUE", type => type.Description.Queue),
            new("maxAttempts", "ATTEMPTS", type => type.Description.MaxAttempts) { IsRight = true },
            new("timeoutMs", "TIMEOUT", type => type.Description.Timeout) { IsRight = true },
            new("retry", null, type => type.Description.Retry is { } retry ? new JsonText(retry) : null),
            new("isIsolated", "ISOLATED", type => type.Description.IsIsolated),
            new("nodes", "NODES", type => type.Nodes) { IsRight = true, Ink = type => type.Nodes == 0 ? Ink.Yellow : Ink.Plain },
            new("queues", null, type => type.Queues),
            new("firstSeen", null, type => type.FirstSeen),
            new("lastSeen", "LAST SEEN", type => type.LastSeen) { Text = type => when(type.LastSeen) },
        ]);

    private static string Indented(string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        using var stream = new MemoryStream();
        using (var writer = new System.Text.Json.Utf8JsonWriter(stream, new System.Text.Json.JsonWriterOptions { Indented = true, NewLine = "\n" }))
            document.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }
}
