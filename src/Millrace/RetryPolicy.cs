using System.Globalization;
using Millrace.Working;

namespace Millrace;

/// <summary>
/// How long a failed job waits before its next attempt. How many attempts it gets in all is a separate setting (<c>MaxAttempts</c>).
/// Immutable: every method returns a new policy. Two policies with the same content are equal.
/// </summary>
public sealed class RetryPolicy : IEquatable<RetryPolicy>
{
    /// <summary>No delay is longer than this, whatever was asked for.</summary>
    internal static readonly TimeSpan LongestOfAll = TimeSpan.FromDays(366);

    /// <summary>Exponential delays are spread by this share in both directions, so that jobs which failed together do not come back together.</summary>
    internal const double Jitter = 0.2;

    private RetryPolicy(RetryKind kind) => Kind = kind;

    private RetryPolicy(RetryPolicy source, IReadOnlyList<RetryRule> rules)
    {
        Kind = source.Kind;
        Delays = source.Delays;
        First = source.First;
        Factor = source.Factor;
        Longest = source.Longest;
        Rules = rules;
    }

    /// <summary>No second attempt: the first failure ends the job.</summary>
    public static RetryPolicy None { get; } = new(RetryKind.None);

    /// <summary>
    /// The policy of a job that has no other: <see cref="Exponential"/> with its defaults. Ten attempts are then spread over 13 h 40 min:
    /// 5 s, 15 s, 45 s, 2 min, 7 min, 20 min, 1 h, 3 h and 9 h apart, so that a short fault costs seconds and a night's outage costs no job.
    /// </summary>
    // Ten attempts, as Hangfire has by default. Its curve, (n-1)^4 + 15 s, is over after 4 h 20 min, and a night's outage would discard every
    // job; Sidekiq's 25 attempts over 20 days leave failures unseen for too long. Jitter of 10 to 20 % is what others learned to need after stampedes.
    public static RetryPolicy Default { get; } = Exponential();

    internal RetryKind Kind { get; }

    internal IReadOnlyList<TimeSpan> Delays { get; private init; } = [];

    internal TimeSpan First { get; private init; }

    internal double Factor { get; private init; } = 1;

    internal TimeSpan Longest { get; private init; } = LongestOfAll;

    internal IReadOnlyList<RetryRule> Rules { get; } = [];

    /// <summary>The same delay before each attempt, exactly as given.</summary>
    /// <param name="delay">Zero (at once) to 366 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">The delay is outside that range.</exception>
    public static RetryPolicy Every(TimeSpan delay)
    {
        CheckRange(delay, nameof(delay), TimeSpan.Zero);
        return new(RetryKind.Every) { Delays = [delay] };
    }

    /// <summary>Delays that grow by a factor, each spread at random by up to 20 % in both directions (never above the longest).</summary>
    /// <param name="first">The delay before the second attempt; null for 5 seconds. More than zero, at most 366 days.</param>
    /// <param name="factor">What each delay is multiplied by to get the next. 1 to 100.</param>
    /// <param name="longest">No delay is longer; null for 12 hours, or <paramref name="first"/> where that is more. At least <paramref name="first"/>, at most 366 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static RetryPolicy Exponential(TimeSpan? first = null, double factor = 3, TimeSpan? longest = null)
    {
        var start = first ?? TimeSpan.FromSeconds(5);
        CheckRange(start, nameof(first), TimeSpan.FromTicks(1));
        if (!(factor is >= 1 and <= 100))
            throw new ArgumentOutOfRangeException(nameof(factor), factor, "The factor of an exponential retry policy must be 1 to 100.");
        var end = longest ?? (start > TimeSpan.FromHours(12) ? start : TimeSpan.FromHours(12));
        CheckRange(end, nameof(longest), start);
        return new(RetryKind.Exponential) { First = start, Factor = factor, Longest = end };
    }

    /// <summary>A list of delays, exactly as given: the first before the second attempt, and so on. The last one repeats.</summary>
    /// <param name="delays">1 to 100 delays, each zero (at once) to 366 days.</param>
    /// <exception cref="ArgumentException">There are none, or more than 100.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A delay is outside its range.</exception>
    public static RetryPolicy After(params TimeSpan[] delays)
    {
        ArgumentNullException.ThrowIfNull(delays);
        if (delays.Length is 0 or > 100)
            throw new ArgumentException($"A list of retry delays must have 1 to 100 entries; it has {delays.Length}.", nameof(delays));
        foreach (var delay in delays)
            CheckRange(delay, nameof(delays), TimeSpan.Zero);
        return new(RetryKind.After) { Delays = [.. delays] };
    }

    /// <summary>
    /// Another policy for one type of exception and the types derived from it. When several rules fit, the one for the most derived type is
    /// taken. Only the exception that left the handler is looked at, not those inside it.
    /// </summary>
    /// <typeparam name="TException">The exception. Its name is stored, and compared as text.</typeparam>
    /// <param name="policy">The policy for it; must not have rules of its own.</param>
    /// <returns>This policy with the rule. A rule for the same type is replaced.</returns>
    /// <exception cref="ArgumentException">The policy has rules of its own, or there would be more than 50 rules.</exception>
    public RetryPolicy On<TException>(RetryPolicy policy) where TException : Exception
    {
        ArgumentNullException.ThrowIfNull(policy);
        if (policy.Rules.Count > 0)
            throw new ArgumentException("A retry policy that is given to On<TException>() must not have rules of its own. Put all rules on the outer policy.", nameof(policy));
        return WithRule(NameOf(typeof(TException)), policy);
    }

    /// <summary>Gives the job up at once when it fails with this type of exception, or one derived from it. Short for <c>On&lt;TException&gt;(RetryPolicy.None)</c>.</summary>
    /// <typeparam name="TException">The exception. Its name is stored, and compared as text.</typeparam>
    public RetryPolicy NeverOn<TException>() where TException : Exception => On<TException>(None);

    /// <summary>Decides what follows a failed attempt.</summary>
    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="maxAttempts">How many the job gets in all.</param>
    /// <param name="exception">Why it failed; null when there is no exception (interrupted, timed out).</param>
    /// <param name="random">0 to 1; used for jitter.</param>
    /// <returns>Zero to 366 days, or null to give the job up.</returns>
    internal TimeSpan? NextDelay(int attempt, int maxAttempts, Exception? exception, double random)
    {
        if (attempt >= maxAttempts)
            return null;
        var policy = For(exception);
        var step = Math.Max(attempt, 1) - 1;
        return policy.Kind switch
        {
            RetryKind.None => null,
            RetryKind.Exponential => policy.Grow(step, random),
            _ => policy.Delays[Math.Min(step, policy.Delays.Count - 1)],
        };
    }

    /// <inheritdoc />
    public bool Equals(RetryPolicy? other) =>
        other is not null
        && Kind == other.Kind && First == other.First && Factor.Equals(other.Factor) && Longest == other.Longest
        && Delays.SequenceEqual(other.Delays)
        && Rules.OrderBy(r => r.Exception, StringComparer.Ordinal).SequenceEqual(other.Rules.OrderBy(r => r.Exception, StringComparer.Ordinal));

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as RetryPolicy);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Kind, First, Factor, Longest, Delays.Count, Rules.Count);

    /// <summary>The policy in words, for people.</summary>
    public override string ToString()
    {
        var text = Kind switch
        {
            RetryKind.None => "none",
            RetryKind.Every => $"every {Delays[0]}",
            RetryKind.Exponential => string.Create(CultureInfo.InvariantCulture, $"exponential from {First} by {Factor} to {Longest}"),
            _ => $"after {string.Join(", ", Delays)}",
        };
        return Rules.Count == 0 ? text : $"{text}; {string.Join("; ", Rules.Select(r => $"on {r.Exception} {r.Policy}"))}";
    }

    /// <summary>The name a rule is stored under: with namespace, without assembly, so that a new version of a library changes nothing.</summary>
    internal static string NameOf(Type exception) => exception.ToString();

    internal RetryPolicy WithRule(string exception, RetryPolicy policy)
    {
        RetryRule[] rules = [.. Rules.Where(r => r.Exception != exception), new RetryRule(exception, policy)];
        if (rules.Length > 50)
            throw new ArgumentException("A retry policy can have at most 50 rules for exceptions. Use a common base type.");
        return new RetryPolicy(this, rules);
    }

    private RetryPolicy For(Exception? exception)
    {
        if (Rules.Count == 0)
            return this;
        for (var type = exception?.GetType(); type is not null; type = type.BaseType)
            if (Rules.FirstOrDefault(r => r.Exception == NameOf(type)) is { } rule)
                return rule.Policy;
        return this;
    }

    // The spread is cut at the longest delay, not clamped to it: clamping would bring half of the jobs back at the same moment.
    private TimeSpan Grow(int step, double random)
    {
        var share = double.IsNaN(random) ? 0.5 : Math.Clamp(random, 0, 1);
        var middle = Math.Min(First.TotalSeconds * Math.Pow(Factor, step), Longest.TotalSeconds);
        var low = middle * (1 - Jitter);
        var high = Math.Min(middle * (1 + Jitter), Longest.TotalSeconds);
        var delay = TimeSpan.FromSeconds(low + (high - low) * share);
        return delay > Longest ? Longest : delay;
    }

    private static void CheckRange(TimeSpan value, string name, TimeSpan least)
    {
        if (value < least || value > LongestOfAll)
            throw new ArgumentOutOfRangeException(name, value, $"A retry delay must be {least} to {LongestOfAll.TotalDays} days; it is {value}.");
    }
}
