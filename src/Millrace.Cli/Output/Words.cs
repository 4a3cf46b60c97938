using System.Globalization;
using Millrace.Storage;

namespace Millrace.Cli.Output;

/// <summary>States, times and spans in words: the same as the dashboard's. Pure.</summary>
internal static class Words
{
    public static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A time written out for people.</summary>
    public static string Time(DateTimeOffset time, bool isUtc) => isUtc
        ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
        : time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary><c>4m ago</c>, <c>in 2h 5m</c>.</summary>
    public static string Away(DateTimeOffset time, DateTimeOffset now)
    {
        var span = time - now;
        return span.Duration() < TimeSpan.FromSeconds(1) ? "now" : span < TimeSpan.Zero ? $"{Span(-span)} ago" : $"in {Span(span)}";
    }

    /// <summary>A span by its two greatest units.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        _ when span < TimeSpan.Zero => "0s",
        { TotalMilliseconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0.#}ms"),
        { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0}ms"),
        { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.#}s"),
        { TotalMinutes: < 1 } => $"{(int)span.TotalSeconds}s",
        { TotalHours: < 1 } => Two((int)span.TotalMinutes, "m", span.Seconds, "s"),
        { TotalDays: < 1 } => Two((int)span.TotalHours, "h", span.Minutes, "m"),
        _ => Two((int)span.TotalDays, "d", span.Hours, "h"),
    };

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A count that was counted up to a cap.</summary>
    public static string Count(long count, long cap) => count >= cap ? $"{Count(cap)}+" : Count(count);

    public static string Jobs(long count) => count == 1 ? "1 job" : $"{Count(count)} jobs";

    /// <summary>Finer than the store's state: <c>retrying</c>, <c>quarantined</c>; what the store calls discarded people call failed.</summary>
    public static string State(JobRow job) => job switch
    {
        { State: JobState.Scheduled, Attempt: > 1 } => "retrying",
        { State: JobState.Waiting, WaitsFor: "quarantine" } => "quarantined",
        { State: JobState.Discarded } => "failed",
        _ => job.State.ToString().ToLowerInvariant(),
    };

    public static string State(StateSet state) => state == StateSet.Discarded ? "failed" : state.ToString().ToLowerInvariant();

    public static string State(JobState state) => state == JobState.Discarded ? "failed" : state.ToString().ToLowerInvariant();

    public static Ink InkOf(string state) => state switch
    {
        "failed" or "quarantined" => Ink.Red,
        "retrying" or "waiting" => Ink.Yellow,
        "running" => Ink.Blue,
        "succeeded" => Ink.Green,
        "cancelled" => Ink.Dim,
        _ => Ink.Plain,
    };

    /// <summary>An enumeration's word as the store and the API write it: <c>run_now</c>.</summary>
    public static string Snake(string name) => string.Concat(name.Select((letter, i) => char.IsUpper(letter) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(letter) : letter.ToString()));

    private static string Two(int great, string unit, int small, string smallUnit) => small == 0 ? $"{great}{unit}" : $"{great}{unit} {small}{smallUnit}";
}
