using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Showing;
using Millrace.Storage;

namespace Millrace.Dashboard.Answering;

/// <summary>
/// The list of a filter as a file, page by page: what the API would show, redacted in the same place. Bounded in rows, in time and in number, and recorded, because it is how data leaves the house.
/// </summary>
internal sealed class Export(Panel panel)
{
    public const int MostRows = 100_000;
    private const int Most = 2;
    private const int PageSize = 200;

    private static readonly TimeSpan longest = TimeSpan.FromMinutes(5);

    private int going;

    /// <param name="call">Whose answer it is.</param>
    /// <param name="filter">Which jobs.</param>
    /// <param name="target">The same for people.</param>
    /// <param name="isCsv">CSV, or one JSON object in each line.</param>
    public async Task<Reply> WriteAsync(Call call, JobFilter filter, string target, bool isCsv)
    {
        if (Interlocked.Increment(ref going) > Most)
        {
            Interlocked.Decrement(ref going);
            throw Problem.TooMany("too_many_exports", "Too many exports are going on", Most, "Wait until one has ended.");
        }

        var (rows, isWhole) = (0, false);
        try
        {
            // The first page before the first byte: what is wrong with the question, or with the database, is still an answer.
            var page = await NextAsync(call, filter, null).ConfigureAwait(false);
            Begin(call.Context.Response, isCsv);
            var began = panel.Time.GetTimestamp();
            while (true)
            {
                await WriteAsync(call, page.Jobs, isCsv, isFirst: rows == 0).ConfigureAwait(false);
                rows += page.Jobs.Count;
                isWhole = page.Next is null;
                if (isWhole || rows >= MostRows || panel.Time.GetElapsedTime(began) > longest)
                    break;
                page = await NextAsync(call, filter, page.Next).ConfigureAwait(false);
            }

            if (!isWhole)
                await EndEarlyAsync(call, rows, isCsv).ConfigureAwait(false);
        }
        catch (Exception) when (call.Context.Response.HasStarted)
        {
            // Half a file must not look like a whole one.
            call.Context.Abort();
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref going);
            if (call.Context.Response.HasStarted)
                await RecordAsync(call, target, rows, isWhole).ConfigureAwait(false);
        }

        return Reply.Written;
    }

    private static void Begin(HttpResponse response, bool isCsv)
    {
        response.ContentType = isCsv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson; charset=utf-8";
        response.Headers.ContentDisposition = $"attachment; filename=\"jobs.{(isCsv ? "csv" : "ndjson")}\"";
    }

    private async Task<JobPage> NextAsync(Call call, JobFilter filter, long? before)
    {
        var page = await call.Inspection.ListAsync(new JobListing { Filter = filter, BeforeId = before, Limit = PageSize }, call.Aborted).ConfigureAwait(false);
        await panel.Types.RefreshAsync(page.Jobs.Select(job => job.Type), call.Aborted).ConfigureAwait(false);
        return page;
    }

    private async Task WriteAsync(Call call, IReadOnlyList<JobRow> jobs, bool isCsv, bool isFirst)
    {
        var lines = new StringBuilder();
        // The mark by which a spreadsheet knows the encoding; what reads it with a program takes the other form.
        if (isCsv && isFirst)
            lines.Append('\ufeff').Append(CsvLine.Head).Append("\r\n");
        foreach (var row in panel.Jobs.Rows(jobs))
        {
            if (isCsv)
                CsvLine.Write(lines, row);
            else
                lines.Append(Encoding.UTF8.GetString(DashboardJson.Bytes(row))).Append('\n');
        }

        await call.Context.Response.WriteAsync(lines.ToString(), call.Aborted).ConfigureAwait(false);
    }

    private static Task EndEarlyAsync(Call call, int rows, bool isCsv)
    {
        var why = string.Create(CultureInfo.InvariantCulture, $"Cut after {rows:N0} jobs: an export has at most {MostRows:N0} of them and takes at most {longest.TotalMinutes:0} minutes. Narrow the filter for the rest.");
        return call.Context.Response.WriteAsync(isCsv ? CsvLine.End(why) : Encoding.UTF8.GetString(DashboardJson.Bytes(new ExportEndAnswer(true, Shown.Of(why, Inspecting.Redactor.Text)))) + "\n", call.Aborted);
    }

    private async Task RecordAsync(Call call, string target, int rows, bool isWhole)
    {
        var after = new JsonObject { ["jobs"] = rows, ["isWhole"] = isWhole };
        try
        {
            await call.Operations.RecordAsync(OperationKind.Export, call.Visitor.Author(null), target, null, after.ToJsonString(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException exception)
        {
            Log.Unrecorded(panel.Log, exception, call.Visitor.Name, rows);
        }
    }
}
