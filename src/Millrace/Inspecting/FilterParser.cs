using System.Globalization;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Inspecting;

/// <summary>The filter language of dashboard, command line and links, read into a <see cref="JobFilter"/>. Pure; <c>docs/filter.md</c> describes it.</summary>
internal static class FilterParser
{
    /// <summary>How long a filter may be, in characters.</summary>
    public const int Longest = 200;

    /// <summary>How many terms it may have.</summary>
    public const int MostTerms = 20;

    /// <summary>Reads a filter.</summary>
    /// <param name="text">What was typed; null or empty for every job.</param>
    /// <param name="now">What <c>-1h</c> counts from.</param>
    /// <exception cref="FilterException">It does not parse.</exception>
    public static JobFilter Parse(string? text, DateTimeOffset now)
    {
        if (string.IsNullOrWhiteSpace(text))
            return JobFilter.All;
        if (text.Length > Longest)
            throw new FilterException(Longest, text.Length - Longest, $"A filter has at most {Longest} characters; this one has {text.Length}.");
        var terms = new List<IFilterTerm>();
        var scanner = new FilterScanner(text);
        while (scanner.Next() is { } term)
            terms.Add(terms.Count < MostTerms ? Read(term, now) : throw term.Fault($"A filter has at most {MostTerms} terms; this is one more."));
        return new JobFilter(terms);
    }

    private static IFilterTerm Read(WrittenTerm term, DateTimeOffset now)
    {
        if (term.Path.Count == 0)
            return ReadWord(term);
        var name = term.Path[0];
        var field = FilterWords.FindField(name.Text) ?? throw UnknownField(name);
        if (field.Kind != FilterKind.Data && term.Path.Count > 1)
            throw new FilterException(term.Path[1].Start, Math.Max(1, term.Path[1].Length), $"Only data has members; {field.Name} is one text. Expected {Expected(field)}.");
        return field.Kind switch
        {
            FilterKind.State => ReadStates(term, field),
            FilterKind.Outcome => ReadOutcomes(term, field),
            FilterKind.Text => ReadText(term, field),
            FilterKind.Number => ReadNumber(term, field),
            FilterKind.Time => ReadTime(term, field, now),
            _ => ReadData(term, field),
        };
    }

    /// <summary>A word without a field: a number is an id, everything else a part of the type's name.</summary>
    private static IFilterTerm ReadWord(WrittenTerm term)
    {
        if (term.Values is [{ IsQuoted: false } only] && long.TryParse(only.Text.AsSpan().TrimStart('#'), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return new NumberTerm(NumberField.Id, id, id, term.IsNot);
        return TextOf(term, TextField.Type, term.Values.Any(value => value.HasStar) ? TextMatch.Pattern : TextMatch.Contains);
    }

    private static StateTerm ReadStates(WrittenTerm term, FilterField field)
    {
        Demand(term, field, ":", "=");
        var states = StateSet.None;
        foreach (var value in term.Values)
            states |= FilterWords.FindStates(value.Text) ?? throw UnknownWord(value, field, FilterWords.States.Select(state => state.Word));
        return new StateTerm(states, term.IsNot);
    }

    private static TextTerm ReadOutcomes(WrittenTerm term, FilterField field)
    {
        Demand(term, field, ":", "=");
        foreach (var value in term.Values)
        {
            if (!FilterWords.Outcomes.Contains(value.Text, StringComparer.OrdinalIgnoreCase))
                throw UnknownWord(value, field, FilterWords.Outcomes);
        }

        return new TextTerm(TextField.Outcome, TextMatch.Exact, [.. term.Values.Select(value => value.Text.ToLowerInvariant())], term.IsNot);
    }

    private static TextTerm ReadText(WrittenTerm term, FilterField field)
    {
        Demand(term, field, ":", "=", "~");
        return TextOf(term, Enum.Parse<TextField>(field.Name, ignoreCase: true), MatchOf(term));
    }

    private static TextTerm TextOf(WrittenTerm term, TextField field, TextMatch match)
    {
        foreach (var value in term.Values)
            Fits(value, match);
        return new TextTerm(field, match, [.. term.Values.Select(value => value.Text)], term.IsNot);
    }

    private static DataTerm ReadData(WrittenTerm term, FilterField field)
    {
        if (term.Path.Count == 1)
            throw term.Path[0].Fault("Say which member of the data is meant: data.path~doc, data.customer.id:42.");
        if (term.Path.FirstOrDefault(name => name.Length == 0) is { } empty)
            throw new FilterException(empty.Start - 1, 1, "A member of the data lacks its name here. Put a name with dots in quotes: data.\"a.b\":1.");
        Demand(term, field, ":", "=", "~");
        var value = TheOnly(term, "A member of the data is compared with one value. Put a comma that is meant in quotes.");
        return new DataTerm([.. term.Path.Skip(1).Select(name => name.Text)], MatchOf(term), Fits(value, MatchOf(term)), term.IsNot);
    }

    private static NumberTerm ReadNumber(WrittenTerm term, FilterField field)
    {
        Demand(term, field, ":", "=", "<", "<=", ">", ">=");
        var number = Enum.Parse<NumberField>(field.Name, ignoreCase: true);
        var (sign, value) = Comparison(term, $"{field.Name} takes one number, or a range such as 1..500.");
        if (Range(sign, value) is { } range)
        {
            var (from, to) = (range.From is { } first ? Number(first) : (long?)null, range.To is { } last ? Number(last) : (long?)null);
            return from > to ? throw value.Fault($"The range is empty: {from} is more than {to}.") : new NumberTerm(number, from, to, term.IsNot);
        }

        var given = Number(value);
        return sign switch
        {
            "<" when given > long.MinValue => new NumberTerm(number, null, given - 1, term.IsNot),
            "<=" => new NumberTerm(number, null, given, term.IsNot),
            ">" when given < long.MaxValue => new NumberTerm(number, given + 1, null, term.IsNot),
            ">=" => new NumberTerm(number, given, null, term.IsNot),
            "<" or ">" => throw value.Fault("There is no number beyond this one."),
            _ => new NumberTerm(number, given, given, term.IsNot),
        };

        static long Number(WrittenValue value) =>
            long.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw value.Fault($"\"{value.Text}\" is not a whole number. Expected a number, or a range such as 1..500, 1.. or ..500.");
    }

    private static TimeTerm ReadTime(WrittenTerm term, FilterField field, DateTimeOffset now)
    {
        Demand(term, field, ":", "=", "<", "<=", ">", ">=");
        var time = Enum.Parse<TimeField>(field.Name, ignoreCase: true);
        var (sign, value) = Comparison(term, $"{field.Name} takes one time, or a range such as -2h..now.");
        if (Range(sign, value) is { } range)
        {
            var (from, to) = (range.From is { } first ? Time(first).First : (DateTimeOffset?)null, range.To is { } last ? Time(last).Last : (DateTimeOffset?)null);
            return from > to ? throw value.Fault("The range is empty: it ends before it begins.") : new TimeTerm(time, from, to, term.IsNot);
        }

        var given = Time(value);
        if (sign is ":" or "=" && value.Text is ['-' or '+', ..] or "now")
            throw value.Fault($"{value.Text} is a moment, and hardly any job has exactly that. Write {field.Name}>{value.Text} for since then, {field.Name}<{value.Text} for before, or a range.");
        return sign switch
        {
            "<" => new TimeTerm(time, null, given.First - FilterTime.Step, term.IsNot),
            "<=" => new TimeTerm(time, null, given.Last, term.IsNot),
            ">" => new TimeTerm(time, given.Last + FilterTime.Step, null, term.IsNot),
            ">=" => new TimeTerm(time, given.First, null, term.IsNot),
            _ => new TimeTerm(time, given.First, given.Last, term.IsNot),
        };

        FilterTime Time(WrittenValue value) => FilterTime.Read(value.Text, now) ?? throw value.Fault($"\"{value.Text}\" is not a time. Expected {FilterTime.Expected}.");
    }

    /// <summary>The sign and the one value. A comparison may stand behind a colon: <c>attempt:&gt;3</c>.</summary>
    private static (string Sign, WrittenValue Value) Comparison(WrittenTerm term, string message)
    {
        var value = TheOnly(term, message);
        if (term.Operator != ":" || value.IsQuoted)
            return (term.Operator, value);
        var sign = value.Text switch
        {
            ['<' or '>', '=', ..] => value.Text[..2],
            ['<' or '>', ..] => value.Text[..1],
            _ => "",
        };
        return sign.Length == 0 ? (":", value) : (sign, Part(value, sign.Length, value.Text.Length));
    }

    /// <summary>The ends of <c>a..b</c>, <c>a..</c> and <c>..b</c>; null when it is none of these.</summary>
    private static (WrittenValue? From, WrittenValue? To)? Range(string sign, WrittenValue value)
    {
        var dots = value.IsQuoted || sign is not (":" or "=") ? -1 : value.Text.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0)
            return null;
        if (value.Text.Length == 2)
            throw value.Fault("A range has at least one end: 1..500, 1.. or ..500.");
        return (dots == 0 ? null : Part(value, 0, dots), dots + 2 == value.Text.Length ? null : Part(value, dots + 2, value.Text.Length));
    }

    // Only of values without quotes, where characters of the value and of the text are the same.
    private static WrittenValue Part(WrittenValue value, int from, int to) =>
        value with { Text = value.Text[from..to], Start = from < value.Length ? value.Start + from : value.Start, Length = Math.Max(1, to - from) };

    private static WrittenValue TheOnly(WrittenTerm term, string message) => term.Values.Count == 1 ? term.Values[0] : throw term.Values[1].Fault(message);

    private static TextMatch MatchOf(WrittenTerm term) =>
        term.Operator == "~" ? TextMatch.Contains : term.Values.Any(value => value.HasStar) ? TextMatch.Pattern : TextMatch.Exact;

    private static string Fits(WrittenValue value, TextMatch match) => match switch
    {
        TextMatch.Contains when value.Text.Length == 0 => throw value.Fault("Every text contains the empty one. Write at least a character."),
        TextMatch.Pattern when value.HasQuotedStar => throw value.Fault("A star in quotes means itself, and cannot stand in one term with a pattern. Use ~ to look for a part of the text."),
        _ => value.Text,
    };

    private static void Demand(WrittenTerm term, FilterField field, params ReadOnlySpan<string> operators)
    {
        if (!operators.Contains(term.Operator))
            throw new FilterException(term.OperatorAt, term.Operator.Length, $"{term.Operator} does not go with {field.Name}. Expected {Expected(field)}.");
    }

    private static string Expected(FilterField field) => field.Kind switch
    {
        FilterKind.State or FilterKind.Outcome => $"{field.Name}: and a word, such as {field.Example}",
        FilterKind.Text or FilterKind.Data => $": (is, or a pattern with *) or ~ (contains), such as {field.Example}",
        _ => $": with a value or a range, or one of < <= > >=, such as {field.Example}",
    };

    private static FilterException UnknownField(WrittenValue name) =>
        name.Length == 0
            ? name.Fault("A field is missing here. Put a text that begins with this sign in quotes.")
            : name.Fault($"There is no field \"{name.Text}\".{NearestName.Question(name.Text, FilterWords.Fields.Select(field => field.Name))} Fields: {string.Join(", ", FilterWords.Fields.Select(field => field.Name))}. A text to look for in the type goes in quotes.");

    private static FilterException UnknownWord(WrittenValue value, FilterField field, IEnumerable<string> known)
    {
        var words = known.ToList();
        return value.Fault($"\"{value.Text}\" is not a word of {field.Name}.{NearestName.Question(value.Text, words)} Words: {string.Join(", ", words)}.");
    }
}
