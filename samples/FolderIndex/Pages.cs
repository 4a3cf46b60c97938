using System.Data.Common;

namespace FolderIndex;

/// <summary>What the browser gets.</summary>
internal static class Pages
{
    private const string RecentSql = """
        select id, type, attempt, state, started, finished
        from worker_jobs
        where finished is not null
        order by finished desc
        limit 20
        """;

    // A page of an application's own users: it hears how far their jobs are by server-sent events, and knows nothing of the dashboard.
    private const string Html = """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
        <title>Folder index</title>
        <style>
          body { font: 15px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
          progress { width: 100% }
          output { display: block; min-height: 1.5em }
        </style>
        <h1>Folder index</h1>
        <p id="figures"></p>
        <progress id="bar" max="100" value="0" aria-label="Indexing"></progress>
        <output id="words"></output>
        <button id="rescan">Scan again</button>
        <p><a href="jobs/">The jobs behind it</a> (the first time by the link in the console)</p>
        <script>
          const [figures, bar, words] = ["figures", "bar", "words"].map(id => document.getElementById(id));
          const look = async () => {
            const now = await (await fetch("./", { headers: { accept: "application/json" } })).json();
            figures.textContent = `${now.folder}: ${now.files} files, ${now.words} words`;
            if (now.pending === 0) bar.value = 100;
          };
          const events = new EventSource("events");
          events.addEventListener("progress", event => {
            const { percent, message } = JSON.parse(event.data);
            bar.value = percent;
            words.textContent = message ?? "";
            look();
          });
          events.addEventListener("notification", event => { words.textContent = JSON.parse(event.data).message; bar.value = 100; look(); });
          document.getElementById("rescan").onclick = () => { bar.removeAttribute("value"); words.textContent = "Looking for files"; fetch("rescan", { method: "POST" }); };
          look();
        </script>
        </html>
        """;

    /// <summary>A page for browsers, JSON for everybody else: how much is indexed, how much is left, and which jobs ended last.</summary>
    public static async Task<IResult> OverviewAsync(
        HttpRequest request, DemoOptions demo, IndexDatabase index, Scans scans, ReportInbox inbox, [FromKeyedServices("millrace")] DbDataSource database, CancellationToken cancellationToken)
    {
        if (request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal))
            return Results.Content(Html, "text/html; charset=utf-8");
        var (files, words) = await index.CountAsync(demo.Folder, cancellationToken);
        var pending = await scans.CountPendingAsync(demo.Folder, cancellationToken);
        var recent = await database.QueryAsync(
            RecentSql,
            row => new { Id = row.GetInt64(0), Type = row.GetString(1), Attempt = row.GetInt32(2), State = row.GetString(3), Started = row.GetValue(4), Finished = row.GetValue(5) },
            cancellationToken);
        return Results.Json(new { demo.Folder, files, words, pending, LastReport = inbox.Last, recent });
    }

    /// <summary>Submits a scan; while one is going on, that one is kept.</summary>
    public static async Task<IResult> RescanAsync(DemoOptions demo, Scans scans, CancellationToken cancellationToken)
    {
        var (id, outcome) = await scans.SubmitAsync(demo.Folder, cancellationToken);
        return Results.Accepted(value: new { id, Outcome = outcome.ToString() });
    }
}
