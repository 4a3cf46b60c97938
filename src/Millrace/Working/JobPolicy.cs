using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Millrace.Working;

/// <summary>What one place (a submission, the configuration, <c>[Job]</c>, the options) sets of a job's policy. Null: not set there.</summary>
internal sealed record JobPolicy
{
    public static JobPolicy Empty { get; } = new();

    /// <summary>All attempts together, at least 1.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>How long one attempt may take; more than zero, or infinite.</summary>
    public TimeSpan? Timeout { get; init; }

    public RetryPolicy? Retry { get; init; }

    /// <summary>How long a finished job is kept: a success, and a failure too unless <see cref="FailureRemoveDelay"/> is set at the same place. Infinite keeps it.</summary>
    public TimeSpan? RemoveDelay { get; init; }

    public TimeSpan? FailureRemoveDelay { get; init; }

    /// <summary>Not part of the JSON text: the queue of a stored job has its own column.</summary>
    public string? Queue { get; init; }

    /// <summary>Not part of the JSON text: the priority of a stored job has its own column.</summary>
    public short? Priority { get; init; }

    /// <summary>The policy that counts: each member from the first place that sets it, in this order, then the default.</summary>
    public static ResolvedPolicy Resolve(JobPolicy? submission, JobPolicy? configuration, JobPolicy? attribute, JobPolicy? options)
    {
        ReadOnlySpan<JobPolicy?> places = [submission, configuration, attribute, options];
        var result = new ResolvedPolicy();
        // From the weakest to the strongest, so that the last one to write a member wins.
        for (var i = places.Length - 1; i >= 0; i--)
        {
            if (places[i] is not { } place)
                continue;
            result = new ResolvedPolicy
            {
                MaxAttempts = place.MaxAttempts ?? result.MaxAttempts,
                Timeout = place.Timeout ?? result.Timeout,
                Retry = place.Retry ?? result.Retry,
                RemoveDelay = place.RemoveDelay ?? result.RemoveDelay,
                FailureRemoveDelay = place.FailureRemoveDelay ?? place.RemoveDelay ?? result.FailureRemoveDelay,
                Queue = place.Queue ?? result.Queue,
                Priority = place.Priority ?? result.Priority,
            };
        }

        return result;
    }

    /// <summary>The text for <c>job.policy</c>; null when nothing is set. Durations are seconds, infinite is -1.</summary>
    public string? ToJson()
    {
        if (this with { Queue = null, Priority = null } == Empty)
            return null;
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (MaxAttempts is { } maxAttempts)
                json.WriteNumber("maxAttempts", maxAttempts);
            WriteSeconds(json, "timeout", Timeout);
            if (Retry is not null)
            {
                json.WritePropertyName("retry");
                RetryPolicyJson.Write(json, Retry);
            }

            WriteSeconds(json, "removeDelay", RemoveDelay);
            WriteSeconds(json, "failureRemoveDelay", FailureRemoveDelay);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>
    /// Reads <c>job.policy</c>. Never throws: unknown keys, and values that this version would refuse, count as not set, because a newer
    /// node may have written them and the job's end has to be decided all the same.
    /// </summary>
    public static JobPolicy FromJson(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return Empty;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement) : Empty;
        }
        catch (JsonException)
        {
            return Empty;
        }
    }

    /// <summary>What one submission sets.</summary>
    public static JobPolicy Of(JobOptions options) =>
        options is { MaxAttempts: null, Timeout: null, Retry: null, RemoveDelay: null }
            ? Empty
            : new JobPolicy { MaxAttempts = options.MaxAttempts, Timeout = options.Timeout, Retry = options.Retry, RemoveDelay = options.RemoveDelay };

    /// <summary>What is wrong with the values, one sentence each, ready for an error message. Empty when all is well.</summary>
    /// <param name="place">Where they were set, e.g. <c>JobOptions</c> or <c>Millrace:Jobs:welcome</c>.</param>
    public IEnumerable<string> Faults(string place)
    {
        if (MaxAttempts is < 1)
            yield return $"{place}.MaxAttempts must be at least 1; it is {MaxAttempts}.";
        if (IsNot(Timeout, TimeSpan.FromTicks(1)))
            yield return $"{place}.Timeout must be more than zero and at most 366 days, or infinite; it is {Timeout}.";
        if (IsNot(RemoveDelay, TimeSpan.Zero))
            yield return $"{place}.RemoveDelay must be zero to 36,500 days, or infinite to keep the job; it is {RemoveDelay}.";
        if (IsNot(FailureRemoveDelay, TimeSpan.Zero))
            yield return $"{place}.FailureRemoveDelay must be zero to 36,500 days, or infinite to keep the job; it is {FailureRemoveDelay}.";
    }

    private static JobPolicy Read(JsonElement json) => new()
    {
        MaxAttempts = json.TryGetProperty("maxAttempts", out var max) && max.ValueKind == JsonValueKind.Number && max.TryGetInt32(out var attempts) && attempts >= 1
            ? attempts
            : null,
        Timeout = RetryPolicyJson.ReadSeconds(json, "timeout") is { } timeout && !IsNot(timeout, TimeSpan.FromTicks(1)) ? timeout : null,
        Retry = json.TryGetProperty("retry", out var retry) ? RetryPolicyJson.Read(retry) : null,
        RemoveDelay = ReadRemoveDelay(json, "removeDelay"),
        FailureRemoveDelay = ReadRemoveDelay(json, "failureRemoveDelay"),
    };

    private static TimeSpan? ReadRemoveDelay(JsonElement json, string name) =>
        RetryPolicyJson.ReadSeconds(json, name) is { } delay && !IsNot(delay, TimeSpan.Zero) ? delay : null;

    // A timeout ends at what a timer can hold for certain; the removal of a job may lie a century ahead.
    private static bool IsNot(TimeSpan? value, TimeSpan least) =>
        value is { } given && given != System.Threading.Timeout.InfiniteTimeSpan
        && (given < least || given > (least == TimeSpan.Zero ? TimeSpan.FromDays(36_500) : TimeSpan.FromDays(366)));

    private static void WriteSeconds(Utf8JsonWriter json, string name, TimeSpan? value)
    {
        if (value is { } given)
            json.WriteNumber(name, RetryPolicyJson.Seconds(given));
    }
}

/// <summary>The policy of a job with nothing left open. A fresh one holds the defaults.</summary>
internal sealed record ResolvedPolicy
{
    public const string DefaultQueue = "default";

    public int MaxAttempts { get; init; } = 10;

    public TimeSpan Timeout { get; init; } = System.Threading.Timeout.InfiniteTimeSpan;

    public RetryPolicy Retry { get; init; } = RetryPolicy.Default;

    public TimeSpan RemoveDelay { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan FailureRemoveDelay { get; init; } = TimeSpan.FromDays(7);

    public string Queue { get; init; } = DefaultQueue;

    public short Priority { get; init; }

    /// <summary>For <see cref="Storage.AttemptEnd.RemoveAfter"/>: null keeps the job.</summary>
    public TimeSpan? RemoveAfter(Outcome outcome)
    {
        var delay = outcome is Outcome.Discarded or Outcome.Failed or Outcome.Interrupted ? FailureRemoveDelay : RemoveDelay;
        return delay == System.Threading.Timeout.InfiniteTimeSpan ? null : delay;
    }
}
