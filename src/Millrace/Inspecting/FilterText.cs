using System.Globalization;
using System.Text;
using Millrace.Storage;

namespace Millrace.Inspecting;

/// <summary>A <see cref="JobFilter"/> as text that <see cref="FilterParser"/> reads into the same filter: for links, for the audit, for showing how a filter was understood. Pure.</summary>
internal static class FilterText
{
    /// <summary>The text; empty for every job. Times are moments in UTC, so it means the same later.</summary>
    public static string Of(JobFilter filter) => string.Join(' ', filter.Terms.Select(Of));

    /// <summary>One term.</summary>
    public static string Of(IFilterTerm term) => (term.IsNot ? "-" : "") + term switch
    {
        StateTerm state => $"state:{Words(state.States)}",
        TextTerm text => $"{Name(text.Field)}{Sign(text.Match)}{string.Join(',', text.Values.Select(value => Value(value, text.Match)))}",
        NumberTerm number => $"{Name(number.Field)}:{Range(Number(number.From), Number(number.To))}",
        TimeTerm time => $"{Name(time.Field)}:{Range(Moment(time.From), Moment(time.To))}",
        DataTerm data => $"data.{string.Join('.', data.Path.Select(Member))}{Sign(data.Match)}{Value(data.Value, data.Match)}",
        _ => throw new ArgumentOutOfRangeException(nameof(term), term, "Not a term of a filter."),
    };

    /// <summary>A value as it stands in a filter, in quotes if it needs them.</summary>
    public static string Value(string value, TextMatch match = TextMatch.Exact)
    {
        // The empty value is no piece of a pattern: it needs quotes as among exact ones.
        if (match != TextMatch.Pattern || value.Length == 0)
            return NeedsQuotes(value, "\",*") ? Quoted(value) : value;
        // Stars stay outside of the quotes.
        return NeedsQuotes(value, "\",") ? string.Join('*', value.Split('*').Select(piece => NeedsQuotes(piece, "\",") && piece.Length > 0 ? Quoted(piece) : piece)) : value;
    }

    private static string Words(StateSet states) =>
        FilterWords.WordOf(states) ?? string.Join(',', Enum.GetValues<StateSet>().Where(state => state != StateSet.None && states.HasFlag(state)).Select(FilterWords.WordOf));

    private static string Name<TField>(TField field)
        where TField : struct, Enum => field.ToString().ToLowerInvariant();

    private static char Sign(TextMatch match) => match == TextMatch.Contains ? '~' : ':';

    private static string Range(string? from, string? to) => from == to && from is not null ? from : $"{from}..{to}";

    private static string? Number(long? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static string? Moment(DateTimeOffset? moment) => moment is { } given ? FilterTime.Write(given) : null;

    private static string Member(string name) => NeedsQuotes(name, "\".:~<>=") ? Quoted(name) : name;

    private static bool NeedsQuotes(string text, string signs) => text.Length == 0 || text.Any(c => char.IsWhiteSpace(c) || signs.Contains(c));

    private static string Quoted(string text) => new StringBuilder(text).Replace("\\", "\\\\").Replace("\"", "\\\"").Insert(0, '"').Append('"').ToString();
}
