namespace Millrace.Storage;

/// <summary>Which jobs are meant: all terms must hold. Written by people in the filter language, which <c>docs/filter.md</c> describes; made by <c>FilterParser</c>.</summary>
/// <param name="Terms">None: every job.</param>
public sealed record JobFilter(IReadOnlyList<IFilterTerm> Terms)
{
    /// <summary>Every job.</summary>
    public static JobFilter All { get; } = new([]);
}

/// <summary>One condition of a <see cref="JobFilter"/>: one of the five records that implement this.</summary>
public interface IFilterTerm
{
    /// <summary>The condition must not hold.</summary>
    bool IsNot { get; }
}

/// <summary>The job is in one of these states.</summary>
/// <param name="States">At least one.</param>
/// <param name="IsNot">The condition must not hold.</param>
public sealed record StateTerm(StateSet States, bool IsNot = false) : IFilterTerm;

/// <summary>A text is, looks like, or contains one of these. A text that is not there matches nothing.</summary>
/// <param name="Field">Which text.</param>
/// <param name="Match">How it is compared.</param>
/// <param name="Values">At least one; for <see cref="TextMatch.Pattern"/> with <c>*</c> for any characters.</param>
/// <param name="IsNot">The condition must not hold.</param>
public sealed record TextTerm(TextField Field, TextMatch Match, IReadOnlyList<string> Values, bool IsNot = false) : IFilterTerm;

/// <summary>A number lies in this range.</summary>
/// <param name="Field">Which number.</param>
/// <param name="From">The least; null for no limit.</param>
/// <param name="To">The greatest; null for no limit.</param>
/// <param name="IsNot">The condition must not hold.</param>
public sealed record NumberTerm(NumberField Field, long? From, long? To, bool IsNot = false) : IFilterTerm;

/// <summary>A time lies in this range.</summary>
/// <param name="Field">Which time. A job that has not finished has no time of its end.</param>
/// <param name="From">The earliest, itself included; null for no limit.</param>
/// <param name="To">The latest, itself included; null for no limit.</param>
/// <param name="IsNot">The condition must not hold.</param>
public sealed record TimeTerm(TimeField Field, DateTimeOffset? From, DateTimeOffset? To, bool IsNot = false) : IFilterTerm;

/// <summary>A member of the data, taken as text, is, looks like, or contains this.</summary>
/// <param name="Path">The names of members, and the numbers of items of arrays, from the outside in. At least one.</param>
/// <param name="Match">How it is compared.</param>
/// <param name="Value">With what.</param>
/// <param name="IsNot">The condition must not hold.</param>
public sealed record DataTerm(IReadOnlyList<string> Path, TextMatch Match, string Value, bool IsNot = false) : IFilterTerm;

/// <summary>States of jobs as a filter names them; finer than <see cref="JobState"/>.</summary>
[Flags]
public enum StateSet
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>May be claimed now.</summary>
    Ready = 1,

    /// <summary>Waits for its time, and has not failed in its latest attempt.</summary>
    Scheduled = 2,

    /// <summary>Waits for its time because an attempt failed: the number of the attempt to come is above 1.</summary>
    Retrying = 4,

    /// <summary>Waits for something else, but not in quarantine.</summary>
    Waiting = 8,

    /// <summary>Waits for a person because its process died too often.</summary>
    Quarantined = 16,

    /// <summary>A node runs it.</summary>
    Running = 32,

    /// <summary>Finished with success.</summary>
    Succeeded = 64,

    /// <summary>Finished without success.</summary>
    Discarded = 128,

    /// <summary>Cancelled, replaced or superseded.</summary>
    Cancelled = 256,
}

/// <summary>How a text is compared. Upper and lower case are different, but for <see cref="Contains"/>, which takes the letters A to Z as equal in both.</summary>
public enum TextMatch
{
    /// <summary>It is this.</summary>
    Exact,

    /// <summary>It is this, where <c>*</c> stands for any characters, or none.</summary>
    Pattern,

    /// <summary>This is in it.</summary>
    Contains,
}

/// <summary>Texts of a job that a filter can ask for.</summary>
public enum TextField
{
    /// <summary>The registered name of its type.</summary>
    Type,

    /// <summary>Its queue.</summary>
    Queue,

    /// <summary>Its tag.</summary>
    Tag,

    /// <summary>The schedule whose tick it is.</summary>
    Schedule,

    /// <summary>The error of its latest run.</summary>
    Error,

    /// <summary>The name or the id of the node that runs it, or ran it last.</summary>
    Worker,

    /// <summary>The word of how its latest run ended.</summary>
    Outcome,
}

/// <summary>Numbers of a job that a filter can ask for.</summary>
public enum NumberField
{
    /// <summary>Its id.</summary>
    Id,

    /// <summary>Whose job it is.</summary>
    User,

    /// <summary>Its priority, where it stands or, when it stands nowhere, as submitted.</summary>
    Priority,

    /// <summary>The number of its attempt: that runs, comes next, or was the last.</summary>
    Attempt,

    /// <summary>The job whose attempt submitted it.</summary>
    Parent,
}

/// <summary>Times of a job that a filter can ask for.</summary>
public enum TimeField
{
    /// <summary>When it was submitted.</summary>
    Created,

    /// <summary>When it is due.</summary>
    Due,

    /// <summary>When its latest run began.</summary>
    Started,

    /// <summary>When its latest run ended.</summary>
    Finished,
}
