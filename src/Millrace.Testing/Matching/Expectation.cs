using System.Text.Json;

namespace Millrace.Testing;

/// <summary>What a submitted job is to look like. Conditions that are null do not count.</summary>
internal sealed record Expectation<TData>(
    Func<TData, bool>? Predicate, string? PredicateText, string? Tag, string? Queue, long? UserId, short? Priority, DateTimeOffset? Due, TimeSpan Tolerance, Func<string, TData> Read)
{
    public string Type { get; } = TypeName.Of<TData>();

    /// <summary>The first of the jobs that is as expected.</summary>
    public SeenJob? Find(IReadOnlyList<SeenJob> jobs) => jobs.FirstOrDefault(job => job.Type == Type && Differences(job).Count == 0);

    /// <summary>What is expected, in words.</summary>
    public string Describe()
    {
        var parts = new List<string>();
        if (Predicate is not null)
            parts.Add($"data for which {PredicateText}");
        if (Tag is not null)
            parts.Add($"tag \"{Tag}\"");
        if (Queue is not null)
            parts.Add($"queue \"{Queue}\"");
        if (UserId is not null)
            parts.Add($"user {UserId}");
        if (Priority is not null)
            parts.Add($"priority {Priority}");
        if (Due is { } due)
            parts.Add($"due {Timeline.Show(due)} (give or take {Tolerance})");
        return parts.Count == 0 ? $"a job \"{Type}\"" : $"a job \"{Type}\" with {string.Join(", ", parts)}";
    }

    /// <summary>Why none of the jobs is it: the nearest, and each field in which it differs.</summary>
    public string DescribeMiss(IReadOnlyList<SeenJob> jobs)
    {
        var nearest = jobs.Where(job => job.Type == Type).Select(job => (Job: job, Differences: Differences(job))).OrderBy(each => each.Differences.Count).FirstOrDefault();
        if (nearest.Job is { } job)
            return $"The nearest is {Show(job)}. It differs:{string.Concat(nearest.Differences.Select(difference => $"{Environment.NewLine}  {difference}"))}";
        var types = jobs.GroupBy(each => each.Type).Select(group => $"{group.Count()} {group.Key}").ToList();
        return types.Count == 0 ? "No job was submitted." : $"No job of this type was submitted, but {string.Join(", ", types)}.";
    }

    public static string Show(SeenJob job) =>
        $"job {job.Id} ({job.Type}{(job.Tag is null ? "" : $", tag \"{job.Tag}\"")}, queue \"{job.Queue}\", due {Timeline.Show(job.Due)}) {Timeline.Short(job.Json)}";

    private List<string> Differences(SeenJob job)
    {
        var differences = new List<string>();
        Compare("tag", Tag, job.Tag, Tag is null || Tag == job.Tag);
        Compare("queue", Queue, job.Queue, Queue is null || Queue == job.Queue);
        Compare("user", UserId, job.UserId, UserId is null || UserId == job.UserId);
        Compare("priority", Priority, job.Priority, Priority is null || Priority == job.Priority);
        if (Due is { } due && (job.Due - due).Duration() > Tolerance)
            differences.Add($"due: expected {Timeline.Show(due)}, was {Timeline.Show(job.Due)} ({(job.Due > due ? "later" : "earlier")} by {(job.Due - due).Duration()})");
        if (DataFault(job) is { } fault)
            differences.Add(fault);
        return differences;

        void Compare(string field, object? expected, object? actual, bool isSame)
        {
            if (!isSame)
                differences.Add($"{field}: expected {Quote(expected)}, was {Quote(actual)}");
        }
    }

    private string? DataFault(SeenJob job)
    {
        if (Predicate is null)
            return null;
        try
        {
            return Predicate(Read(job.Json)) ? null : $"data: {PredicateText} is false for {job.Json}";
        }
        catch (JsonException exception)
        {
            return $"data: {job.Json} cannot be read as {typeof(TData).Name}: {exception.Message}";
        }
    }

    private static string Quote(object? value) => value switch
    {
        null => "none",
        string text => $"\"{text}\"",
        _ => $"{value}",
    };
}
