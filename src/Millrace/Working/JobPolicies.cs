using System.Collections.Concurrent;
using System.Globalization;
using Millrace.Storage;

namespace Millrace.Working;

/// <summary>Which policy counts for a job: submission, then configuration, then <c>[Job]</c> and registration, then the options. Read when the attempt ends, so a changed setting takes hold at once.</summary>
internal sealed class JobPolicies(MillraceOptions options, TypeRegistry types, IReadOnlyDictionary<string, JobPolicy> configured)
{
    private readonly ConcurrentDictionary<string, ResolvedPolicy> byType = new(StringComparer.Ordinal);

    public ResolvedPolicy For(Claim claim) => For(claim.Type, claim.Policy);

    public ResolvedPolicy For(string type, string? submitted) =>
        submitted is null
            ? byType.GetOrAdd(type, static (name, self) => self.Resolve(name, null), this)
            : Resolve(type, JobPolicy.FromJson(submitted));

    public string QueueOf(string type) => For(type, null).Queue;

    /// <summary>What stands on the data record, and was given at registration.</summary>
    public static JobPolicy Of(JobType type) => Of(type.Attribute) with { Retry = type.Retry };

    public static JobPolicy Of(JobAttribute? attribute) => attribute is null ? JobPolicy.Empty : new JobPolicy
    {
        MaxAttempts = attribute.MaxAttempts == 0 ? null : attribute.MaxAttempts,
        Timeout = ParseSpan(attribute.Timeout, "infinite", $"[Job(\"{attribute.Name}\")].Timeout"),
        Queue = attribute.Queue,
        RemoveDelay = ParseSpan(attribute.RemoveDelay, "forever", $"[Job(\"{attribute.Name}\")].RemoveDelay"),
    };

    /// <exception cref="FormatException">The text is neither a time span nor the word for infinite.</exception>
    public static TimeSpan? ParseSpan(string? text, string infinite, string place)
    {
        if (text is null)
            return null;
        if (string.Equals(text, infinite, StringComparison.OrdinalIgnoreCase))
            return Timeout.InfiniteTimeSpan;
        return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span)
            ? span
            : throw new FormatException($"{place} is \"{text}\"; it must be a time span such as \"00:01:00\", or \"{infinite}\".");
    }

    private ResolvedPolicy Resolve(string name, JobPolicy? submission)
    {
        var type = types.Find(name);
        var configuration = configured.GetValueOrDefault(name) ?? (type is null ? null : configured.GetValueOrDefault(type.Name));
        return JobPolicy.Resolve(submission, configuration, type is null ? null : Of(type), new JobPolicy
        {
            MaxAttempts = options.MaxAttempts,
            Timeout = options.Timeout,
            Retry = options.Retry,
            RemoveDelay = options.RemoveDelay,
            FailureRemoveDelay = options.FailureRemoveDelay,
        });
    }
}
