using System.Globalization;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

/// <summary>A filter as a statement: candidates by id from the narrowest source, then the conditions. Values are parameters, all of them.</summary>
internal sealed class Matching
{
    /// <summary>How many candidates one call looks at.</summary>
    public const int MostCandidates = 100_000;

    private const StateSet Live = StateSet.Ready | StateSet.Scheduled | StateSet.Retrying | StateSet.Waiting | StateSet.Quarantined | StateSet.Running;

    private readonly List<string> conditions = [];
    private readonly List<NpgsqlParameter> values = [];
    private readonly StateSet states = JobChanges.AllStates;
    private readonly List<string[]> tags = [];
    private readonly List<string[]> schedules = [];
    private readonly List<long> parents = [];
    private readonly bool isAboutFailures;
    private DateTimeOffset? failedFrom;
    private DateTimeOffset? failedTo;
    private long lowest;
    private long highest = long.MaxValue;

    public Matching(JobFilter filter, StateSet within = JobChanges.AllStates)
    {
        states &= within;
        foreach (var term in filter.Terms)
        {
            switch (term)
            {
                case StateTerm state:
                    states &= state.IsNot ? JobChanges.AllStates & ~state.States : state.States;
                    break;
                case TextTerm text:
                    Add(TextCondition(text), text.IsNot);
                    if (text is { Match: TextMatch.Exact, IsNot: false })
                        Narrow(text);
                    isAboutFailures |= text is { Field: TextField.Outcome, Match: TextMatch.Exact, IsNot: false } && text.Values.All(static word => word is "failed" or "discarded" or "interrupted");
                    break;
                case NumberTerm number:
                    Add(NumberCondition(number), number.IsNot);
                    if (!number.IsNot)
                        Narrow(number);
                    break;
                case TimeTerm time:
                    Add(RangeCondition(TimeColumn(time.Field), time.From is { } from ? At("", from) : null, time.To is { } to ? At("", to) : null), time.IsNot);
                    if (time is { Field: TimeField.Finished, IsNot: false })
                        Narrow(time);
                    break;
                case DataTerm data:
                    Add(DataCondition(data), data.IsNot);
                    break;
                default:
                    throw new ArgumentException($"A filter has no term of type {term.GetType().Name}.", nameof(filter));
            }
        }

        isAboutFailures |= states == StateSet.Discarded;
        if (states != JobChanges.AllStates)
            Add($"v.state = any({Value(Texts("", [.. JobChanges.WordsOf(states)]))})", isNot: false);
    }

    /// <summary>False: nothing needs to be asked.</summary>
    public bool CanMatch => states != StateSet.None;

    /// <summary>The newest first.</summary>
    public bool IsDescending { get; init; }

    /// <summary>What may be searched, the narrowest first.</summary>
    public IEnumerable<MatchSource> Sources
    {
        get
        {
            if (parents.Count > 0)
                yield return MatchSource.Parent;
            if (tags.Count > 0)
                yield return MatchSource.Tag;
            if ((states & ~Live) == StateSet.None)
                yield return MatchSource.Places;
            if (schedules.Count > 0)
                yield return MatchSource.Schedule;
            if (isAboutFailures)
                yield return MatchSource.Failures;
            if ((states & Live) == StateSet.None)
                yield return MatchSource.Finished;
        }
    }

    // ---- conditions

    private void Add(string condition, bool isNot) => conditions.Add(isNot ? $"not coalesce({condition}, false)" : condition);

    private string Value(NpgsqlParameter parameter)
    {
        parameter.ParameterName = $"v{values.Count.ToString(CultureInfo.InvariantCulture)}";
        values.Add(parameter);
        return "@" + parameter.ParameterName;
    }

    private string TextCondition(TextTerm term)
    {
        var compare = Comparison(term.Match, term.Values);
        return term.Field switch
        {
            TextField.Type => compare("j.type"),
            TextField.Queue => compare("j.queue"),
            TextField.Tag => compare("j.tag"),
            TextField.Schedule => compare("j.schedule"),
            TextField.Error => compare("last.error"),
            TextField.Outcome => compare("last.outcome"),
            TextField.Worker => $"({compare("v.node::text")} or exists (select from millrace.node n where n.id = v.node and {compare("n.name")}))",
            _ => throw new ArgumentOutOfRangeException(nameof(term), term.Field, "Not a text of a job."),
        };
    }

    private string NumberCondition(NumberTerm term) => RangeCondition(
        term.Field switch
        {
            NumberField.Id => "j.id",
            NumberField.User => "j.user_id",
            NumberField.Priority => "v.priority",
            NumberField.Attempt => "v.attempt",
            NumberField.Parent => "j.parent",
            _ => throw new ArgumentOutOfRangeException(nameof(term), term.Field, "Not a number of a job."),
        },
        term.From is { } from ? Long("", from) : null,
        term.To is { } to ? Long("", to) : null);

    private static string TimeColumn(TimeField field) => field switch
    {
        TimeField.Created => "j.created",
        TimeField.Due => "v.due",
        TimeField.Started => "v.started",
        TimeField.Finished => "v.finished",
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "Not a time of a job."),
    };

    // A range without limits still asks for a value.
    private string RangeCondition(string column, NpgsqlParameter? from, NpgsqlParameter? to)
    {
        var parts = new List<string>();
        if (from is not null)
            parts.Add($"{column} >= {Value(from)}");
        if (to is not null)
            parts.Add($"{column} <= {Value(to)}");
        return parts.Count == 0 ? $"{column} is not null" : $"({string.Join(" and ", parts)})";
    }

    private string DataCondition(DataTerm term)
    {
        if (term.Path.Any(static name => !IsStorable(name)))
            return "false";
        var compare = Comparison(term.Match, [term.Value]);
        return compare($"millrace.data_text(j.data, {Value(Texts("", [.. term.Path]))})");
    }

    // A value that no column can hold is none, or the database would refuse the statement.
    private Func<string, string> Comparison(TextMatch match, IReadOnlyList<string> texts)
    {
        var stored = texts.Where(IsStorable).Distinct(StringComparer.Ordinal);
        switch (match)
        {
            case TextMatch.Exact:
                var exact = Value(Texts("", [.. stored]));
                return column => $"{column} = any({exact})";
            case TextMatch.Pattern:
                var patterns = Value(Texts("", [.. stored.Select(PatternOf)]));
                return column => $"{column} like any({patterns})";
            case TextMatch.Contains:
                // The collation "C" knows no other capitals than A to Z.
                var parts = Value(Texts("", [.. stored.Select(static text => $"%{Escape(Lower(text))}%")]));
                return column => $"lower({column} collate \"C\") like any({parts})";
            default:
                throw new ArgumentOutOfRangeException(nameof(match), match, "Not a way to compare a text.");
        }
    }

    private static string PatternOf(string text) => string.Join('%', text.Split('*').Select(Escape));

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);

    private static string Lower(string text) => string.Create(text.Length, text, static (lower, from) =>
    {
        for (var i = 0; i < from.Length; i++)
            lower[i] = char.IsAsciiLetterUpper(from[i]) ? (char)(from[i] | 0x20) : from[i];
    });

    internal static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || (char.IsSurrogate(text[i]) && (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[++i]))))
                return false;
        }

        return true;
    }

    // ---- candidates

    private void Narrow(TextTerm term)
    {
        string[] texts = [.. term.Values.Where(IsStorable).Distinct(StringComparer.Ordinal)];
        // Each schedule is walked along its index: many of them are one walk over all jobs.
        if (term.Field == TextField.Tag)
            tags.Add(texts);
        else if (term.Field == TextField.Schedule && texts.Length <= 20)
            schedules.Add(texts);
    }

    // A job that has failed ended with its failure: the time of that is in the index of failures.
    private void Narrow(TimeTerm term)
    {
        if (term.From is { } from && (failedFrom is null || from > failedFrom))
            failedFrom = from;
        if (term.To is { } to && (failedTo is null || to < failedTo))
            failedTo = to;
    }

    private void Narrow(NumberTerm term)
    {
        if (term.Field == NumberField.Parent && term.From is { } parent && term.To == parent)
            parents.Add(parent);
        if (term.Field != NumberField.Id)
            return;
        lowest = Math.Max(lowest, term.From is { } from && from > long.MinValue ? from - 1 : long.MinValue);
        highest = Math.Min(highest, term.To is { } to && to < long.MaxValue ? to + 1 : long.MaxValue);
    }

    /// <summary>The parameters of a search between two ids, neither of them included.</summary>
    public NpgsqlParameter[] Values(long low, long high) =>
        [.. SourceValues(), .. values.Select(static value => value.Clone()), Long("low", Math.Max(low, lowest)), Long("high", Math.Min(high, highest))];

    /// <summary>Those that a source has.</summary>
    public NpgsqlParameter[] SourceValues() =>
        [Texts("tags", tags.FirstOrDefault() ?? []), Texts("schedules", schedules.FirstOrDefault() ?? []), Long("parent", parents.Count > 0 ? parents[0] : null),
         At("failed_from", failedFrom ?? DateTimeOffset.UnixEpoch), At("failed_to", failedTo ?? DateTimeOffset.MaxValue)];

    // ---- the statement

    /// <summary>One helping of a search: how many candidates it had, the last of them, and with each row (or none) the columns asked for.</summary>
    public string Search(MatchSource source, string columns) => Ordered($"""
        with candidate as materialized (
            {Candidates.From(source, states)}
        ),
        {Standing.Running},
        matched as materialized (
            select {columns}
            from candidate c
            {Standing.Joins}
            where d.job_id is null{string.Concat(conditions.Select(static condition => "\n        and " + condition))}
            order by j.id @order
            limit @limit
        )
        select seen.count, seen.last, m.*
        from (select count(*) as count, @extreme(id) as last from candidate) seen
        left join matched m on true
        order by m.id @order
        """);

    /// <summary>The same, counted by state, type and queue.</summary>
    public string Count(MatchSource source) => Ordered($"""
        with candidate as materialized (
            {Candidates.From(source, states)}
        ),
        {Standing.Running},
        matched as materialized (
            select v.state, j.type, j.queue, count(*) as count, (array_agg(j.id))[1:5] as some
            from candidate c
            {Standing.Joins}
            where d.job_id is null{string.Concat(conditions.Select(static condition => "\n        and " + condition))}
            group by v.state, j.type, j.queue
        )
        select seen.count, seen.last, m.state, m.type, m.queue, m.count, m.some
        from (select count(*) as count, @extreme(id) as last from candidate) seen
        left join matched m on true
        """);

    private string Ordered(string text) => text
        .Replace("{order}", "@order", StringComparison.Ordinal)
        .Replace("@order", IsDescending ? "desc" : "asc", StringComparison.Ordinal)
        .Replace("@extreme", IsDescending ? "min" : "max", StringComparison.Ordinal);

    /// <summary>The state that a word of <see cref="Standing"/> is.</summary>
    public static JobState StateOf(string word) => JobChanges.StateOf(word) switch
    {
        StateSet.Ready => JobState.Ready,
        StateSet.Scheduled or StateSet.Retrying => JobState.Scheduled,
        StateSet.Waiting or StateSet.Quarantined => JobState.Waiting,
        StateSet.Running => JobState.Running,
        StateSet.Succeeded => JobState.Succeeded,
        StateSet.Discarded => JobState.Discarded,
        _ => JobState.Cancelled,
    };
}
