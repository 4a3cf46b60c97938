namespace Millrace.Dashboard.Tests.Site;

/// <summary>Reads server-sent events as a browser does.</summary>
internal sealed class EventReader : IAsyncDisposable
{
    private readonly HttpResponseMessage response;
    private readonly StreamReader lines;

    private EventReader(HttpResponseMessage response, Stream stream)
    {
        this.response = response;
        lines = new StreamReader(stream);
    }

    public HttpResponseMessage Response => response;

    public static async Task<EventReader> OpenAsync(TestSite site, string path, string? user, long? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (user is not null)
            request.Headers.Add(TestUsers.Header, user);
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId.Value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var response = await site.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var reader = new EventReader(response, await response.Content.ReadAsStreamAsync());
        if (response.IsSuccessStatusCode)
            await reader.NextAsync("ping");
        return reader;
    }

    /// <summary>The next event of this name.</summary>
    public async Task<(string? Id, string Data)> NextAsync(string name)
    {
        // Of the whole wait: pings come for ever.
        using var late = new CancellationTokenSource(TestSite.Deadline);
        while (true)
        {
            var (id, kind, data) = await NextAsync(late.Token);
            if (kind == name)
                return (id, data);
        }
    }

    /// <summary>Reads to the end of the stream.</summary>
    public Task ToEndAsync() => lines.ReadToEndAsync().WaitAsync(TestSite.Deadline);

    public ValueTask DisposeAsync()
    {
        lines.Dispose();
        response.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<(string? Id, string Kind, string Data)> NextAsync(CancellationToken late)
    {
        var (id, kind, data) = ((string?)null, "message", "");
        while (await lines.ReadLineAsync(late) is { } line)
        {
            if (line.Length == 0)
                return (id, kind, data);
            var (field, value) = (line.Split(':')[0], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
            (id, kind, data) = field switch
            {
                "id" => (value, kind, data),
                "event" => (id, value, data),
                "data" => (id, kind, data + value),
                _ => (id, kind, data),
            };
        }

        throw new InvalidOperationException("The stream has ended.");
    }
}
