using Millrace.Inspecting;

namespace Millrace.Cli.Output;

/// <summary>The texts of one job on their way to a person: without secrets, unless they were asked for.</summary>
/// <param name="Schema">The JSON Schema of its type; null for none.</param>
/// <param name="IsRaw">As they are stored.</param>
internal sealed record JobTexts(string? Schema, bool IsRaw)
{
    public string? Data(string? json) => json is null || IsRaw ? json : Redactor.Json(json, Schema);

    public string? Json(string? json) => json is null || IsRaw ? json : Redactor.Json(json, null);

    public string? Text(string? text) => text is null || IsRaw ? text : Redactor.Text(text);
}
