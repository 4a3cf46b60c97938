using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Processes;

/// <summary>What a child process is for.</summary>
internal enum ChildRole
{
    /// <summary>Runs jobs, many at a time.</summary>
    Worker,

    /// <summary>Runs one job at a time with no other in its process: the isolated types, and suspects.</summary>
    Isolated,
}

/// <summary>The first line of the control pipe: what a child is told about itself. Everything else it finds out as its parent did, by running the same program.</summary>
/// <param name="Instance">The name of the Millrace instance it works for.</param>
/// <param name="Name">Its place among the server's children.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Server">The node of its server, which owns what it schedules.</param>
/// <param name="Recorder">The file in which it notes what it runs.</param>
internal sealed record ChildSettings(string Instance, string Name, ChildRole Role, Guid Server, string Recorder)
{
    public string ToLine() => JsonSerializer.Serialize(this, ChildSettingsJson.Default.ChildSettings);

    /// <exception cref="JsonException">It is not such a line.</exception>
    public static ChildSettings FromLine(string line) => JsonSerializer.Deserialize(line, ChildSettingsJson.Default.ChildSettings) ?? throw new JsonException("The line is empty.");
}

[JsonSerializable(typeof(ChildSettings))]
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
internal sealed partial class ChildSettingsJson : JsonSerializerContext;
