using Millrace.Inspecting;

namespace Millrace.Dashboard.Showing;

/// <summary>The one place where stored texts become <see cref="Shown"/>.</summary>
internal sealed class Redaction(TypeBook types, Func<string, string, string>? then)
{
    /// <summary>Free text: a name, an error, a line of a log.</summary>
    public Shown Text(string text, string type = "") => Shown.Of(text, stored => Then(type, Redactor.Text(stored)));

    /// <summary>A value with a name beside it: blank when the name is that of a secret.</summary>
    public Shown Named(string name, string value) => Shown.Of(value, stored => Then("", Redactor.Named(name, stored)));

    public Shown? Maybe(string? text, string type = "") => text is null ? null : Text(text, type);

    public IReadOnlyList<Shown> Texts(IEnumerable<string> texts) => [.. texts.Select(text => Text(text))];

    /// <summary>JSON text of a job: its data and what else is stored as JSON. Members that its type marks as sensitive are blanked.</summary>
    public Shown Json(string json, string type) => Shown.Of(json, stored => Then(type, Redactor.Json(stored, types.SchemaOf(type))));

    public Shown? MaybeJson(string? json, string type) => json is null ? null : Json(json, type);

    /// <summary>A schema from the catalogue of types: it describes data and holds none. A member called "password" is described by an object, and must stay.</summary>
    public Shown? Schema(string? schema) => schema is null ? null : Shown.Of(schema, stored => stored);

    private string Then(string type, string text) => then is null ? text : then(type, text);
}
