using System.CommandLine;
using Millrace.Cli.Output;
using Millrace.Inspecting;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace explain ID</c>: why a job is where it is. The same words as on the dashboard.</summary>
internal static class ExplainCommand
{
    private static readonly Argument<long> id = JobIds.One();

    public static Command Make(Leaves leaves) => leaves.Make("explain", "Say why a job is not running, or what happened to it.", RunAsync, id);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var jobId = invocation.Parsed.GetValue(id);
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var facts = await store.Inspection.ReadFactsAsync(jobId, invocation.Token).ConfigureAwait(false) ?? throw ShowCommand.NotStored(jobId);
        var explanation = Explainer.Explain(facts);
        invocation.Write("millrace.explanation.v1", JobSheet.Id(jobId), Of(explanation), page => Write(page, invocation, explanation, facts.Now));
        return ExitCode.Ok;
    }

    private static Members Of(Explanation explanation) => new()
    {
        { "jobId", JobSheet.Id(explanation.JobId) },
        { "state", explanation.State },
        { "code", explanation.Code },
        { "headline", Redactor.Text(explanation.Headline) },
        { "reasons", explanation.Reasons.Select(reason => new Members { { "code", reason.Code }, { "text", Redactor.Text(reason.Text) } }) },
        { "wouldRunAt", explanation.WouldRunAt },
        { "advice", explanation.Advice.Select(advice => new Members { { "text", advice.Text }, { "command", advice.Command is { } command ? $"millrace {command}" : null } }) },
    };

    private static void Write(Page page, Invocation invocation, Explanation explanation, DateTimeOffset now)
    {
        page.Line($"{explanation.State.ToUpperInvariant()}  {Redactor.Text(explanation.Headline)}", Words.InkOf(explanation.State));
        foreach (var reason in explanation.Reasons)
            page.Block($"And: {Redactor.Text(reason.Text)}");
        if (explanation.WouldRunAt is { } time)
            page.Line($"Would run about {Words.Time(time, invocation.IsUtc)} ({Words.Away(time, now)}).");
        foreach (var advice in explanation.Advice)
            page.Line($"Do: {advice.Text}{(advice.Command is { } command ? $"  millrace {command}" : "")}");
    }
}
