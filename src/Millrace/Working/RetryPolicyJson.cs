using System.Text.Json;

namespace Millrace.Working;

internal enum RetryKind
{
    None,
    Every,
    Exponential,
    After,
}

/// <summary>Another policy for an exception, kept by name: nothing stored is resolved by reflection.</summary>
internal sealed record RetryRule(string Exception, RetryPolicy Policy);

/// <summary>A retry policy as it stands inside <c>job.policy</c>: <c>{"kind":"exponential","first":5,"factor":3,"longest":43200}</c>, durations in seconds.</summary>
internal static class RetryPolicyJson
{
    public static void Write(Utf8JsonWriter json, RetryPolicy policy)
    {
        json.WriteStartObject();
        json.WriteString("kind", Word(policy.Kind));
        switch (policy.Kind)
        {
            case RetryKind.Every:
                json.WriteNumber("delay", Seconds(policy.Delays[0]));
                break;
            case RetryKind.Exponential:
                json.WriteNumber("first", Seconds(policy.First));
                json.WriteNumber("factor", policy.Factor);
                json.WriteNumber("longest", Seconds(policy.Longest));
                break;
            case RetryKind.After:
                json.WriteStartArray("delays");
                foreach (var delay in policy.Delays)
                    json.WriteNumberValue(Seconds(delay));
                json.WriteEndArray();
                break;
        }

        if (policy.Rules.Count > 0)
            WriteRules(json, policy.Rules);
        json.WriteEndObject();
    }

    /// <summary>Null for a kind of policy that this version does not know, or values it would refuse: a newer node may have written it.</summary>
    public static RetryPolicy? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return null;
        try
        {
            return ReadRules(json, ReadPlain(json));
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>A duration as exact seconds; -1 for <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    public static decimal Seconds(TimeSpan value) => value == Timeout.InfiniteTimeSpan ? -1 : (decimal)value.Ticks / TimeSpan.TicksPerSecond;

    public static TimeSpan? ReadSeconds(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value))
            return null;
        return ReadSeconds(value);
    }

    private static TimeSpan? ReadSeconds(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDecimal(out var seconds))
            return null;
        if (seconds == -1)
            return Timeout.InfiniteTimeSpan;
        return seconds >= 0 && seconds <= (decimal)TimeSpan.MaxValue.TotalSeconds - 1
            ? TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond))
            : null;
    }

    private static RetryPolicy? ReadPlain(JsonElement json) => ReadWord(json, "kind") switch
    {
        "none" => RetryPolicy.None,
        "every" => ReadSeconds(json, "delay") is { } delay ? RetryPolicy.Every(delay) : null,
        "exponential" => RetryPolicy.Exponential(
            ReadSeconds(json, "first"),
            json.TryGetProperty("factor", out var factor) && factor.ValueKind == JsonValueKind.Number && factor.TryGetDouble(out var number) ? number : 3,
            ReadSeconds(json, "longest")),
        "after" => ReadDelays(json) is { } delays ? RetryPolicy.After(delays) : null,
        _ => null,
    };

    private static TimeSpan[]? ReadDelays(JsonElement json)
    {
        if (!json.TryGetProperty("delays", out var list) || list.ValueKind != JsonValueKind.Array)
            return null;
        var delays = new List<TimeSpan>();
        foreach (var item in list.EnumerateArray())
        {
            if (ReadSeconds(item) is not { } delay)
                return null;
            delays.Add(delay);
        }

        return [.. delays];
    }

    private static void WriteRules(Utf8JsonWriter json, IReadOnlyList<RetryRule> rules)
    {
        json.WriteStartArray("on");
        foreach (var rule in rules)
        {
            json.WriteStartObject();
            json.WriteString("exception", rule.Exception);
            json.WritePropertyName("retry");
            Write(json, rule.Policy);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static RetryPolicy? ReadRules(JsonElement json, RetryPolicy? policy)
    {
        if (policy is null || !json.TryGetProperty("on", out var rules) || rules.ValueKind != JsonValueKind.Array)
            return policy;
        foreach (var rule in rules.EnumerateArray())
            if (rule.ValueKind == JsonValueKind.Object && ReadWord(rule, "exception") is { } exception
                && rule.TryGetProperty("retry", out var retry) && retry.ValueKind == JsonValueKind.Object && ReadPlain(retry) is { } inner)
                policy = policy.WithRule(exception, inner);
        return policy;
    }

    private static string? ReadWord(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Word(RetryKind kind) => kind switch
    {
        RetryKind.None => "none",
        RetryKind.Every => "every",
        RetryKind.Exponential => "exponential",
        _ => "after",
    };
}
