namespace Millrace.Dashboard.Showing;

/// <summary>The address of a job's trace in whatever shows traces. Pure.</summary>
internal static class TraceLink
{
    private const string Place = "{traceId}";

    /// <summary>What is wrong with a template; null when nothing is.</summary>
    public static string? Fault(string? template) =>
        template is null || (template.Contains(Place, StringComparison.Ordinal)
            && Uri.TryCreate(template.Replace(Place, "0", StringComparison.Ordinal), UriKind.Absolute, out var address)
            && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp))
            ? null
            : $"options.TraceLink must be an address of http or https with {Place} in it; it is \"{template}\".";

    /// <param name="template">Null for none.</param>
    /// <param name="traceParent">As it is stored with the job (W3C trace context); others wrote it, so only its hexadecimal digits get into an address.</param>
    public static string? Of(string? template, string? traceParent) =>
        template is not null && traceParent?.Split('-') is [_, { Length: 32 } traceId, ..] && traceId.All(char.IsAsciiHexDigit) ? template.Replace(Place, traceId, StringComparison.Ordinal) : null;
}
