using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;

namespace Millrace.Bench.Looking;

/// <summary>
/// Browsers with the dashboard open, as far as the server notices: one stream of events each, and after each pulse the requests that the page on the screen makes, with the tag of the last answer. A page that asks
/// while an answer is on its way asks once more after it.
/// </summary>
internal sealed class OpenDashboards : IAsyncDisposable
{
    private readonly CancellationTokenSource closing = new();
    private readonly HttpClient http;
    private readonly ConcurrentBag<string> faults = [];
    private readonly List<Task> pages = [];
    private long answers;

    private OpenDashboards(HttpClient http) => this.http = http;

    /// <summary>How many requests were answered.</summary>
    public long Answers => Volatile.Read(ref answers);

    public static async Task<OpenDashboards> OpenAsync(DashboardProcess dashboard, History history, int count)
    {
        var open = new OpenDashboards(dashboard.Http);
        var live = new List<Task>();
        for (var i = 0; i < count; i++)
        {
            var isLive = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            live.Add(isLive.Task);
            open.pages.Add(open.ShowAsync([.. PageOf(history, i).Select(what => new Asked(what.Path, what.EveryMs))], isLive));
        }

        await Task.WhenAll(live).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        return open;
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await Task.WhenAll(pages);
        closing.Dispose();
        if (faults.TryPeek(out var fault))
            throw new InvalidOperationException($"{faults.Count} requests of open dashboards failed, one of them so: {fault}");
    }

    // What src/Millrace.Dashboard/web/src/pages asks for. Most people leave the overview open.
    private static (string Path, int EveryMs)[] PageOf(History history, int number) => (number % 10) switch
    {
        < 5 => [("overview", 0), ("failures?hours=24", 10_000), (Look.All(history).First(look => look.Name.StartsWith("stats", StringComparison.Ordinal)).Path(0), 4_000)],
        5 => [("jobs?limit=50", 0), ("jobs/counts", 900)],
        6 => [($"jobs?limit=50&q={(number % 20 < 10 ? "state:ready" : "state:failed")}", 0), ("jobs/counts", 900)],
        7 => [("queues", 0)],
        8 => number % 20 < 10 ? [("failures?hours=24", 3_000)] : [("workers", 0)],
        _ => [.. new[] { ("", 0), ("/attempts", 10_000), ("/explain", 10_000) }.Select(part => ($"jobs/{history.Finished - number * 1000}{part.Item1}", part.Item2))],
    };

    private async Task ShowAsync(Asked[] page, TaskCompletionSource isLive)
    {
        try
        {
            using var stream = await http.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, closing.Token);
            stream.EnsureSuccessStatusCode();
            using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync(closing.Token));
            Refresh(page);
            while (await lines.ReadLineAsync(closing.Token) is { } line)
            {
                isLive.TrySetResult();
                if (line == "event: pulse")
                    Refresh(page);
            }
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
            // Closed.
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            isLive.TrySetException(exception);
            faults.Add(exception.Message);
        }
    }

    private void Refresh(Asked[] page)
    {
        foreach (var asked in page)
        {
            if (asked.IsDue())
                _ = RefreshAsync(asked);
        }
    }

    private async Task RefreshAsync(Asked asked)
    {
        do
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, asked.Path);
                if (asked.Tag is { } tag)
                    request.Headers.IfNoneMatch.Add(tag);
                using var response = await http.SendAsync(request, closing.Token);
                await response.Content.CopyToAsync(Stream.Null, closing.Token);
                Interlocked.Increment(ref answers);
                if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.NotModified))
                    faults.Add($"{asked.Path}: {(int)response.StatusCode}");
                asked.Tag = response.Headers.ETag;
            }
            catch (OperationCanceledException) when (closing.IsCancellationRequested)
            {
                return;
            }
            catch (HttpRequestException exception)
            {
                faults.Add($"{asked.Path}: {exception.Message}");
            }
        }
        while (asked.IsAskedAgain());
    }

    /// <summary>One address of a page.</summary>
    private sealed class Asked(string path, int everyMs)
    {
        private readonly Lock gate = new();
        private long last = -1;
        private bool isBusy;
        private bool isDirty;

        public string Path => path;

        public EntityTagHeaderValue? Tag { get; set; }

        /// <summary>Whether to ask now. Not while an answer is on its way: then again after it.</summary>
        public bool IsDue()
        {
            lock (gate)
            {
                if (last >= 0 && TimeProvider.System.GetElapsedTime(last).TotalMilliseconds < everyMs)
                    return false;
                last = TimeProvider.System.GetTimestamp();
                if (isBusy)
                    isDirty = true;
                return !isBusy && (isBusy = true);
            }
        }

        public bool IsAskedAgain()
        {
            lock (gate)
                (isBusy, isDirty) = (isDirty, false);
            return isBusy;
        }
    }
}
