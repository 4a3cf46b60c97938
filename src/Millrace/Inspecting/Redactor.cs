namespace Millrace.Inspecting;

/// <summary>The one place through which every stored text goes on its way to a person: members marked <c>[Sensitive]</c>, members with names like a password's, and secrets in connection strings are blanked. Pure.</summary>
internal static class Redactor
{
    /// <summary>What stands in place of a value.</summary>
    public const string Blank = "•••• redacted";

    /// <summary>JSON text without what is secret in it. Text that is not JSON (a cut preview too) is taken as far as it can be read, and never shows more than the whole would.</summary>
    /// <param name="json">The data, result, headers or properties.</param>
    /// <param name="schema">The schema from the catalogue of types; null when there is none.</param>
    public static string Json(string json, string? schema) => throw new NotImplementedException();

    /// <summary>Free text (an error, a log line) without passwords of connection strings, bearer tokens and the like.</summary>
    public static string Text(string text) => throw new NotImplementedException();
}
