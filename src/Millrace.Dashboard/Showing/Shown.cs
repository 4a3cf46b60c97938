using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Dashboard.Showing;

/// <summary>
/// A stored text that may be shown. It can only be made by <see cref="Redaction"/>, and what leaves through the API and has been stored by others is of this type: so nothing can be shown that was not redacted.
/// </summary>
[JsonConverter(typeof(ShownConverter))]
internal readonly struct Shown
{
    private readonly string? text;

    private Shown(string text) => this.text = text;

    /// <param name="stored">What is stored.</param>
    /// <param name="redact">Makes of it what may be shown. When it fails nothing is shown.</param>
    public static Shown Of(string stored, Func<string, string> redact)
    {
        try
        {
            return new Shown(redact(stored));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return new Shown(Inspecting.Redactor.Blank);
        }
    }

    public override string ToString() => text ?? "";
}

internal sealed class ShownConverter : JsonConverter<Shown>
{
    public override Shown Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException("What was shown is not read back.");

    public override void Write(Utf8JsonWriter writer, Shown value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
