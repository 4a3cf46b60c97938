using System.Reflection;

namespace Millrace.Working;

/// <summary>Which program this is, and which version of it.</summary>
internal static class ApplicationVersion
{
    private const int Longest = 100;

    // Of a commit's forty digits, as many as people read.
    private const int ShortCommit = 8;

    private static readonly Assembly? entry = Assembly.GetEntryAssembly();

    /// <summary>Null in a program that has no entry assembly.</summary>
    public static string? Name { get; } = entry?.GetName().Name is { Length: > 0 } name ? Sanitiser.Text(name, Longest) : null;

    private static readonly string? informational = entry?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    /// <param name="configured">What the application says; null for what its assembly says.</param>
    public static string? Of(string? configured) => (configured ?? (informational is null ? null : Shorten(informational))) is { Length: > 0 } version ? Sanitiser.Text(version, Longest) : null;

    /// <summary><c>1.4.2+3f9c01ab</c> of <c>1.4.2+3f9c01ab…</c>: what stands behind the plus sign is the commit. Pure.</summary>
    public static string Shorten(string version) =>
        version.Split('+', 2) is [var number, { Length: > ShortCommit } commit] && commit.All(char.IsAsciiHexDigit) ? $"{number}+{commit[..ShortCommit]}" : version;
}
