using System.Globalization;
using System.Text;
using Millrace.Storage;

namespace Millrace.Sqlite;

/// <summary>A filter as SQL: where to look for candidates, and what must hold for them. What people typed only ever becomes a parameter.</summary>
internal sealed class Matching
{
    /// <summary>How many failed attempts are searched for a job instead of the jobs themselves.</summary>
    public const int FewFailures = 20_000;

    /// <summary>Tables that a condition needs beside the job.</summary>
    [Flags]
    private enum Needs
    {
        None = 0,
        Ready = 1,
        Scheduled = 2,
        Waiting = 4,
        Leased = 8,
        Last = 16,
        Node = Leased | Last | 32,
        Places = Ready | Scheduled | Waiting,
        State = Places | Leased | Last,
    }

    private readonly JobFilter filter;
    private readonly List<string> conditions = ["not exists (select 1 from millrace_deleted_job gone where gone.job_id = c.id)"];
    private readonly List<(string Name, object? Value)> values = [];
    private Needs needs;
    private bool searchesFailures;

    public Matching(JobFilter filter)
    {
        this.filter = filter;
        foreach (var term in filter.Terms)
            // What is not there is null, and null does not hold. Not "is true": SQLite takes the bare one apart and asks for each part as early as it can.
            conditions.Add($"({Condition(term)}){(term.IsNot ? " is not true" : "")}");
    }

    /// <summary>No job with a smaller id matches.</summary>
    public long LeastId => Math.Max(1, IdTerms().Max(term => term.From) ?? 1);

    /// <summary>No job with a larger id matches.</summary>
    public long GreatestId => IdTerms().Min(term => term.To) ?? long.MaxValue;

    // ---- statements

    /// <summary>Ids that match among the next <c>@chunk</c> candidates between <c>@after</c> and <c>@before</c>, at most <c>@want</c>.</summary>
    public string IdsSql(string order) => $"""
        {From(order, needs, "c.id")}
        order by c.id {order}
        limit @want
        """;

    /// <summary>How many candidates these were, and the last of them.</summary>
    public string EndSql(string order) => $"select count(*), {(order == "desc" ? "min" : "max")}(id) from ({Candidates(order)})";

    /// <summary>Those that match, at most <c>@want</c>, counted by state, type and queue.</summary>
    public string CountSql(string order) => $"""
        select state, type, queue, count(*)
        from (
            {From(order, needs | Needs.State, $"{Standing.State} as state, j.type as type, j.queue as queue")}
            limit @want
        )
        group by state, type, queue
        """;

    /// <summary>Ids of those that match and are in one of <c>@states</c>.</summary>
    public string SamplesSql(string order) => $"""
        {From(order, needs | Needs.State, "c.id")}
          and ({Standing.State}) & @states <> 0
        order by c.id {order}
        limit @want
        """;

    public IEnumerable<(string Name, object? Value)> Values(long after, long before, long chunk, long want) =>
        [.. values, ("@after", after), ("@before", before), ("@chunk", chunk), ("@want", want)];

    private string From(string order, Needs tables, string columns) => $"""
        {(tables.HasFlag(Needs.Leased) ? $"with {Standing.Leased}" : "")}
        select {columns}
        from ({Candidates(order)}) c
        cross join millrace_job j on j.id = c.id
        {Joins(tables)}
        where {string.Join("\n  and ", conditions)}
        """;

    // The last run first, as in Standing.
    private static string Joins(Needs tables) => string.Join('\n', new[]
    {
        (Needs.Last, Standing.JoinLast), (Needs.Ready, Standing.JoinReady),
        (Needs.Scheduled, Standing.JoinScheduled), (Needs.Waiting, Standing.JoinWaiting), (Needs.Node, Standing.JoinNode),
    }.Where(join => tables.HasFlag(join.Item1)).Select(join => join.Item2));

    // ---- candidates

    /// <summary>Whether every job that matches has a failed attempt. There are many attempts and few of these, as a rule.</summary>
    public bool IsOfFailures =>
        filter.Terms.Any(term => !term.IsNot && term switch
        {
            StateTerm states => states.States == StateSet.Discarded,
            TextTerm { Field: TextField.Outcome, Match: TextMatch.Exact } outcome => outcome.Values.All(word => word is "failed" or "discarded" or "interrupted"),
            _ => false,
        });

    /// <summary>Whether there are more of them than <c>@few</c>.</summary>
    public static string ManyFailuresSql => "select 1 from millrace_attempt where success = false limit 1 offset @few";

    public void SearchFailures() => searchesFailures = true;

    /// <summary>How many candidates to look at first: few, because the first page is what people mostly want; but failures have no order by job, so all at once.</summary>
    public int FirstChunk => searchesFailures ? FewFailures + 1 : 1000;

    private string Candidates(string order)
    {
        var arms = Arms();
        return arms.Count == 1
            ? Arm(arms[0], order)
            : $"{string.Join("\nunion\n", arms.Select(arm => $"select id from ({Arm(arm, order)})"))}\norder by id {order}\nlimit @chunk";
    }

    private static string Arm(Source source, string order)
    {
        var (id, distinct) = source.IsOfRuns ? ("job_id", "distinct") : ("id", "");
        return $"select {distinct} {id} as id from {source.Table} where {source.Condition} and {id} > @after and {id} < @before order by {id} {order} limit @chunk";
    }

    /// <param name="Table">Has a row of each job that may match.</param>
    /// <param name="Condition">Which of its rows.</param>
    /// <param name="IsOfRuns">Whether a job may have several rows there.</param>
    private sealed record Source(string Table, string Condition = "true", bool IsOfRuns = false);

    /// <summary>The narrowest sources that together have a row of each job that may match.</summary>
    private List<Source> Arms()
    {
        if (Single(NumberField.Parent) is { } parent)
            return [new("millrace_job", $"parent = {Value(parent)}")];
        if (Exact(TextField.Tag) is { } tags)
            return [.. tags.Select(tag => new Source("millrace_job", $"tag = {Value(tag)}"))];
        if (Exact(TextField.Schedule) is { } schedules)
            return [.. schedules.Select(schedule => new Source("millrace_job", $"schedule = {Value(schedule)}"))];
        if (searchesFailures)
            return [new("millrace_attempt indexed by millrace_attempt_failure", "success = false", IsOfRuns: true)];
        var states = filter.Terms.OfType<StateTerm>().Where(term => !term.IsNot).Aggregate(JobChanges.AllStates, (all, term) => all & term.States);
        const StateSet Finished = StateSet.Succeeded | StateSet.Discarded | StateSet.Cancelled;
        if ((states & Finished) == 0)
            return Places(states);
        return (states & ~Finished) == 0 ? [new("millrace_attempt", IsOfRuns: true)] : [new("millrace_job")];
    }

    private static List<Source> Places(StateSet states)
    {
        var places = new List<Source>();
        if ((states & StateSet.Ready) != 0)
            places.Add(new("millrace_ready"));
        if ((states & (StateSet.Scheduled | StateSet.Retrying)) != 0)
            places.Add(new("millrace_scheduled"));
        if ((states & (StateSet.Waiting | StateSet.Quarantined)) != 0)
            places.Add(new("millrace_waiting"));
        if ((states & StateSet.Running) != 0)
            places.Add(new("(select distinct job.value as id from millrace_lease l join json_each(l.job_ids) job)"));
        return places.Count > 0 ? places : [new("millrace_job", "false")];
    }

    // More than a few arms are slower than looking at the jobs.
    private IReadOnlyList<string>? Exact(TextField field) => filter.Terms.OfType<TextTerm>()
        .FirstOrDefault(term => !term.IsNot && term.Field == field && term.Match == TextMatch.Exact && term.Values.Count <= 8)?.Values.Distinct(StringComparer.Ordinal).ToList();

    private long? Single(NumberField field) => filter.Terms.OfType<NumberTerm>()
        .FirstOrDefault(term => !term.IsNot && term.Field == field && term.From is not null && term.From == term.To)?.From;

    private IEnumerable<NumberTerm> IdTerms() => filter.Terms.OfType<NumberTerm>().Where(term => !term.IsNot && term.Field == NumberField.Id);

    // ---- conditions

    private string Condition(IFilterTerm term) => term switch
    {
        StateTerm states => StateCondition(states.States),
        TextTerm text => AnyOf(text.Values.Select(value => TextCondition(text.Field, text.Match, value))),
        NumberTerm number => Range(NumberOf(number.Field), number.From, number.To),
        TimeTerm time => Range(TimeOf(time.Field), time.From?.ToMicros(), time.To?.ToMicros()),
        DataTerm data => DataCondition(data),
        _ => throw new ArgumentOutOfRangeException(nameof(term), term, "Not a term that this store knows."),
    };

    private static string AnyOf(IEnumerable<string> conditions) => string.Join(" or ", conditions.DefaultIfEmpty("false"));

    // By the tables that say so, so that a filter for one place does not look into the others.
    private string StateCondition(StateSet states)
    {
        var parts = new List<string>();
        if ((states & StateSet.Ready) != 0)
            parts.Add(With(Needs.Ready, "r.id is not null"));
        if ((states & StateSet.Scheduled) != 0)
            parts.Add(With(Needs.Scheduled, "s.attempt <= 1"));
        if ((states & StateSet.Retrying) != 0)
            parts.Add(With(Needs.Scheduled, "s.attempt > 1"));
        if ((states & StateSet.Waiting) != 0)
            parts.Add(With(Needs.Waiting, "w.reason <> 'quarantine'"));
        if ((states & StateSet.Quarantined) != 0)
            parts.Add(With(Needs.Waiting, "w.reason = 'quarantine'"));
        if ((states & StateSet.Running) != 0)
            parts.Add(With(Needs.Leased, Standing.IsRunning));
        foreach (var (state, outcome) in Ends)
            if ((states & state) != 0)
                parts.Add(With(Needs.State, $"{outcome} and r.id is null and s.id is null and w.id is null and not ({Standing.IsRunning})"));
        return AnyOf(parts);
    }

    private static readonly (StateSet State, string Outcome)[] Ends =
    [
        (StateSet.Succeeded, "a.outcome = 'succeeded'"),
        (StateSet.Discarded, "coalesce(a.outcome not in ('succeeded', 'cancelled', 'replaced', 'superseded'), true)"),
        (StateSet.Cancelled, "a.outcome in ('cancelled', 'replaced', 'superseded')"),
    ];

    private string TextCondition(TextField field, TextMatch match, string value) => field switch
    {
        TextField.Type => Compare("j.type", match, value),
        TextField.Queue => Compare("j.queue", match, value),
        TextField.Tag => Compare("j.tag", match, value),
        TextField.Schedule => Compare("j.schedule", match, value),
        TextField.Error => Compare(With(Needs.Last, "a.error"), match, value),
        TextField.Outcome => Compare(With(Needs.Last, "a.outcome"), match, value),
        TextField.Worker => With(Needs.Node, $"{Compare("n.name", match, value)} or {Compare(Standing.Node, match, value)}"),
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "Not a text that this store knows."),
    };

    private string NumberOf(NumberField field) => field switch
    {
        NumberField.Id => "j.id",
        NumberField.User => "j.user_id",
        NumberField.Priority => With(Needs.Places, Standing.Priority),
        NumberField.Attempt => With(Needs.State, Standing.Attempt),
        NumberField.Parent => "j.parent",
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "Not a number that this store knows."),
    };

    private string TimeOf(TimeField field) => field switch
    {
        TimeField.Created => "j.created",
        TimeField.Due => With(Needs.Scheduled | Needs.Waiting, Standing.Due),
        TimeField.Started => With(Needs.Leased | Needs.Last, Standing.Started),
        TimeField.Finished => With(Needs.Leased | Needs.Last, Standing.Finished),
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "Not a time that this store knows."),
    };

    // "Taken as text": SQLite would make 1 and 0 of true and false.
    private string DataCondition(DataTerm term)
    {
        var paths = PathsOf(term.Path).Select(path => Value(path)).ToList();
        return AnyOf(paths.Select(path => Compare(
            $"""
            case
                when not json_valid(j.data) then null
                when json_type(j.data, {path}) in ('true', 'false') then json_type(j.data, {path})
                else cast(json_extract(j.data, {path}) as text)
            end
            """, term.Match, term.Value)));
    }

    /// <summary>A number may be the name of a member or the number of an item: both are asked for.</summary>
    private static IEnumerable<string> PathsOf(IReadOnlyList<string> names)
    {
        // No stored text has a zero in it, and in a path it would be the end.
        List<string> paths = names.Any(name => name.Contains('\0', StringComparison.Ordinal)) ? [] : ["$"];
        foreach (var name in names)
        {
            var member = $".\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
            var isNumber = name.Length is > 0 and < 10 && name.All(char.IsAsciiDigit);
            // Four numbers in a path are sixteen ways to read it: enough.
            paths = isNumber && paths.Count < 16 ? [.. paths.SelectMany(path => new[] { path + $"[{name}]", path + member })]
                : [.. paths.Select(path => path + (isNumber ? $"[{name}]" : member))];
        }

        return paths;
    }

    // ---- comparisons

    private string Compare(string text, TextMatch match, string value) => match switch
    {
        TextMatch.Exact => $"({text}) = {Value(value)}",
        TextMatch.Pattern => $"({text}) glob {Value(Glob(value))}",
        TextMatch.Contains => $"({text}) like {Value(Like(value))} escape '\\'",
        _ => throw new ArgumentOutOfRangeException(nameof(match), match, "Not a comparison that this store knows."),
    };

    // Of GLOB's wildcards only the star is one here.
    private static string Glob(string pattern) => new StringBuilder(pattern).Replace("[", "[[]").Replace("?", "[?]").ToString();

    private static string Like(string part) => $"%{new StringBuilder(part).Replace("\\", "\\\\").Replace("%", "\\%").Replace("_", "\\_")}%";

    private string Range(string number, long? from, long? to)
    {
        var parts = new List<string> { $"{number} is not null" };
        if (from is { } least)
            parts.Add($"{number} >= {Value(least)}");
        if (to is { } most)
            parts.Add($"{number} <= {Value(most)}");
        return string.Join(" and ", parts);
    }

    private string With(Needs tables, string condition)
    {
        needs |= tables;
        return condition;
    }

    private string Value(object value)
    {
        var known = values.Find(other => Equals(other.Value, value));
        if (known.Name is not null)
            return known.Name;
        var name = string.Create(CultureInfo.InvariantCulture, $"@v{values.Count}");
        values.Add((name, value));
        return name;
    }
}
