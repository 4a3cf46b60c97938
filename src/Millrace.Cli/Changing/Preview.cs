using Millrace.Cli.Output;
using Millrace.Storage;

namespace Millrace.Cli.Changing;

/// <summary>What a change of many jobs would touch.</summary>
internal static class Preview
{
    /// <summary>As the command's answer, for --dry-run.</summary>
    public static void Write(Invocation invocation, MatchCount preview, JobChange change, string filter) =>
        invocation.Write("millrace.preview.v1", null, Of(preview, change, filter), page =>
        {
            page.Line($"{ChangeWords.Verb(change)} {Words.Count(preview.Count)}{(preview.IsCapped ? " or more" : "")} jobs? This is what they are:");
            foreach (var line in Lines(preview))
                page.Line(line);
        });

    /// <summary>Before a question, on standard error.</summary>
    public static void Show(Invocation invocation, MatchCount preview)
    {
        foreach (var line in Lines(preview))
            invocation.Terminal.Say(Neutral.Line(line));
    }

    private static IEnumerable<string> Lines(MatchCount preview)
    {
        yield return $"  by state  {Counts(preview.ByState.Select(pair => (Words.State(pair.Key), pair.Value)))}";
        yield return $"  by type   {Counts(preview.ByType.Take(10).Select(pair => (pair.Key, pair.Value)))}";
        yield return $"  by queue  {Counts(preview.ByQueue.Take(10).Select(pair => (pair.Key, pair.Value)))}";
        foreach (var job in preview.Samples)
            yield return $"  such as   {job.Id} {job.Type} {Words.State(job)}{(job.Tag is { } tag ? $" {tag}" : "")}";
        if (preview.Skipped > 0)
            yield return $"  left alone: {Words.Jobs(preview.Skipped)} in other states";
    }

    private static string Counts(IEnumerable<(string Name, long Count)> counts) =>
        string.Join(", ", counts.OrderByDescending(pair => pair.Count).ThenBy(pair => pair.Name, StringComparer.Ordinal).Select(pair => $"{pair.Name} {Words.Count(pair.Count)}"));

    private static Members Of(MatchCount preview, JobChange change, string filter) => new()
    {
        { "kind", JobChanges.WordOf(change.Kind) },
        { "filter", filter },
        { "count", preview.Count },
        { "isCapped", preview.IsCapped },
        { "skipped", preview.Skipped },
        { "byState", Of(preview.ByState.Select(pair => (Words.State(pair.Key), pair.Value))) },
        { "byType", Of(preview.ByType.Take(10).Select(pair => (pair.Key, pair.Value))) },
        { "byQueue", Of(preview.ByQueue.Take(10).Select(pair => (pair.Key, pair.Value))) },
        { "samples", preview.Samples.Select(job => new Members { { "id", JobSheet.Id(job.Id) }, { "type", job.Type }, { "state", Words.State(job) }, { "queue", job.Queue }, { "tag", job.Tag } }) },
        { "upToId", JobSheet.Id(preview.UpToId) },
    };

    private static Members Of(IEnumerable<(string Name, long Count)> counts)
    {
        var members = new Members();
        foreach (var (name, count) in counts.OrderBy(pair => pair.Name, StringComparer.Ordinal))
            members.Add(name, count);
        return members;
    }
}
