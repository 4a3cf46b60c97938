using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Showing;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Routes;

/// <summary>Jobs to look at.</summary>
internal static class JobRoutes
{
    /// <summary>How long a search or a count goes on in one call. Whoever wants more of it calls again: many short looks are kinder to the database, and to who waits, than a long one.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(80);

    private const int DefaultPage = 50;

    public static IReadOnlyList<Route> All { get; } =
    [
        Route.Get("jobs", "Jobs that match a filter, newest first, in pages.", ListAsync, Take.Filter, Take.Before, Take.Limit).Gives<JobsAnswer>().Keep(1),
        Route.Get("jobs/counts", "How many jobs there are in each state.", CountAsync).Keep(1),
        Route.Get("jobs/export", "Jobs that match a filter, newest first, as a file of at most 100,000; recorded.", ExportAsync, Take.Filter, Take.Format),
        Route.Get("jobs/{id}", "One job. Its ETag is its version, for If-Match.", FindAsync, Take.Job).Gives<JobAnswer>(),
        Route.Get("jobs/{id}/attempts", "The ended runs of a job.", AttemptsAsync, Take.Job),
        Route.Get("jobs/{id}/logs", "What was logged while a job ran.", LogsAsync, Take.Job, Take.AfterRun, Take.AfterLine, Take.LogLimit),
        Route.Get("jobs/{id}/explain", "Why a job is where it is, about when it runs, and what to do.", ExplainAsync, Take.Job),
        Route.Get("jobs/{id}/audit", "What people did to a job.", AuditAsync, Take.Job),
    ];

    /// <summary>A filter of a request.</summary>
    public static JobFilter FilterOf(string? text, DateTimeOffset now)
    {
        try
        {
            return FilterParser.Parse(text, now);
        }
        catch (FilterException exception)
        {
            throw new Problem(400, "bad_filter", "The filter cannot be read", exception.Message) { Field = Take.Filter.Name, Position = exception.Position, Length = exception.Length };
        }
    }

    private static async Task<Reply> ListAsync(Call call)
    {
        var listing = new JobListing
        {
            Filter = FilterOf(call.Read(Take.Filter), call.Panel.Time.GetUtcNow()),
            BeforeId = Take.Before.Read(call.Request),
            Limit = (int)call.Read(Take.Limit, DefaultPage),
            Patience = Patience,
        };
        var page = await call.Inspection.ListAsync(listing, call.Aborted).ConfigureAwait(false);
        await call.Panel.Types.RefreshAsync(page.Jobs.Select(job => job.Type), call.Aborted).ConfigureAwait(false);
        return Reply.Of(new JobsAnswer(call.Panel.Jobs.Rows(page.Jobs), JobShow.Id(page.Next), page.IsPartial));
    }

    private static Task<Reply> ExportAsync(Call call)
    {
        // A link on another site could have it made, and recorded, in the name of whoever follows it.
        if (call.Request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site")
            throw new Problem(403, "cross_site", "The request does not come from this dashboard", "An export is begun from the dashboard, or by a program.");
        var filter = FilterOf(call.Read(Take.Filter), call.Panel.Time.GetUtcNow());
        var target = FilterText.Of(filter) is { Length: > 0 } text ? text : "all jobs";
        return call.Panel.Export.WriteAsync(call, filter, target, isCsv: call.Read(Take.Format) != "ndjson");
    }

    private static async Task<CountsAnswer> CountAsync(Call call)
    {
        var counts = await call.Panel.Moments.CountsAsync(call.Aborted).ConfigureAwait(false);
        return new CountsAnswer(Words.Counts(counts.ByState), JobCounts.Cap, counts.Now);
    }

    private static async Task<Reply> FindAsync(Call call)
    {
        var job = await JobAsync(call).ConfigureAwait(false);
        await call.Panel.Types.RefreshAsync([job.Row.Type, .. job.Children.Select(child => child.Type)], call.Aborted).ConfigureAwait(false);
        return Reply.Of(call.Panel.Jobs.Job(job, JobActions.Of(job, call.Visitor)), version: job.Version);
    }

    private static async Task<AttemptsAnswer> AttemptsAsync(Call call)
    {
        var job = await KnownJobAsync(call).ConfigureAwait(false);
        var attempts = await call.Inspection.ReadAttemptsAsync(job.Row.Id, call.Aborted).ConfigureAwait(false);
        return new AttemptsAnswer([.. attempts.Select(attempt => call.Panel.Jobs.Attempt(attempt, job.Row.Type))]);
    }

    private static async Task<LogsAnswer> LogsAsync(Call call)
    {
        var limit = (int)call.Read(Take.LogLimit, 500);
        var (afterRun, afterLine) = ((int)call.Read(Take.AfterRun, 0), (int)call.Read(Take.AfterLine, 0));
        var job = await KnownJobAsync(call).ConfigureAwait(false);
        var lines = await call.Inspection.ReadLogAsync(job.Row.Id, afterRun, afterLine, limit, call.Aborted).ConfigureAwait(false);
        return new LogsAnswer(
            [.. lines.Select(line => call.Panel.Jobs.Line(line, job.Row.Type))],
            lines.Count == limit ? new LogPlaceAnswer(lines[^1].Run, lines[^1].Line) : null);
    }

    private static async Task<ExplainAnswer> ExplainAsync(Call call)
    {
        var id = call.Read(Take.Job);
        var facts = await call.Inspection.ReadFactsAsync(id, call.Aborted).ConfigureAwait(false) ?? throw Problem.NotFound($"Job {id}");
        return call.Panel.Jobs.Explain(Explainer.Explain(facts), facts.Job.Row.Type);
    }

    private static async Task<JobOperationsAnswer> AuditAsync(Call call)
    {
        var operations = await call.Inspection.ReadOperationsAsync(long.MaxValue, call.Read(Take.Job), Take.MostJobs, call.Aborted).ConfigureAwait(false);
        return new JobOperationsAnswer([.. operations.Select(call.Panel.Jobs.Operation)]);
    }

    private static async Task<JobDetail> JobAsync(Call call)
    {
        var id = call.Read(Take.Job);
        return await call.Inspection.FindAsync(id, call.Aborted).ConfigureAwait(false) ?? throw Problem.NotFound($"Job {id}");
    }

    // What belongs to a job is redacted by its type.
    private static async Task<JobDetail> KnownJobAsync(Call call)
    {
        var job = await JobAsync(call).ConfigureAwait(false);
        await call.Panel.Types.RefreshAsync([job.Row.Type], call.Aborted).ConfigureAwait(false);
        return job;
    }
}
