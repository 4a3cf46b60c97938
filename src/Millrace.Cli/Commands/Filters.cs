using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary>The dashboard's filter language on the command line.</summary>
internal static class Filters
{
    /// <exception cref="CommandException">It does not parse. The message points at the character.</exception>
    public static JobFilter Parse(string? text, DateTimeOffset now)
    {
        try
        {
            return FilterParser.Parse(text, now);
        }
        catch (FilterException exception)
        {
            var position = Math.Min(exception.Position, text?.Length ?? 0);
            throw CommandException.Usage($"{exception.Message}\n{text}\n{new string(' ', position)}{new string('^', Math.Max(1, Math.Min(exception.Length, (text?.Length ?? 0) - position)))}");
        }
    }

    /// <summary>Both: everything that one of them asks for.</summary>
    public static JobFilter And(JobFilter filter, params IEnumerable<IFilterTerm> terms) => new([.. filter.Terms, .. terms]);
}
