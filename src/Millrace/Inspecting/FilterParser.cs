using Millrace.Storage;

namespace Millrace.Inspecting;

/// <summary>The filter language of dashboard, command line and links, read into a <see cref="JobFilter"/>. Pure; <c>docs/filter.md</c> describes it.</summary>
internal static class FilterParser
{
    /// <summary>How long a filter may be, in characters.</summary>
    public const int Longest = 200;

    /// <summary>Reads a filter.</summary>
    /// <param name="text">What was typed; null or empty for every job.</param>
    /// <param name="now">What <c>-1h</c> counts from.</param>
    /// <exception cref="FilterException">It does not parse.</exception>
    public static JobFilter Parse(string? text, DateTimeOffset now) => throw new NotImplementedException();
}
