using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Millrace.Bench.Looking;

/// <summary>A process with a dashboard, and what it says.</summary>
internal sealed class DashboardProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private DashboardProcess(Process process, Uri address)
    {
        Process = process;
        // Fifty dashboards have a stream and some requests each.
        Http = new HttpClient(new SocketsHttpHandler { UseCookies = false, MaxConnectionsPerServer = 500 }) { BaseAddress = address, Timeout = Patience };
    }

    public Process Process { get; }

    public HttpClient Http { get; }

    public static async Task<DashboardProcess> StartAsync(string contender, string database)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("This program has no file.");
        var process = Process.Start(new ProcessStartInfo(program, ["--dashboard", contender, database]) { RedirectStandardInput = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("The dashboard's process did not start.");
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(Patience, TimeProvider.System);
        return line is not null && line.StartsWith("ready ", StringComparison.Ordinal)
            ? new DashboardProcess(process, new Uri(line["ready ".Length..]))
            : throw new InvalidOperationException($"The dashboard's process ended before it was ready: {line}");
    }

    /// <summary>How long the server took for an answer.</summary>
    public async Task<double> AskAsync(Look look, int time)
    {
        using var request = new HttpRequestMessage(look.Body is null ? HttpMethod.Get : HttpMethod.Post, look.Path(time));
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        if (look.Body is { } body)
            request.Content = new StringContent(body(time), Encoding.UTF8, "application/json");
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{look.Name}: {(int)response.StatusCode} {text}");
        return double.Parse(response.Headers.GetValues("Server-Timing").Single()["all;dur=".Length..], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Process.StandardInput.Close();
        try
        {
            await Process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            Process.Kill();
        }

        Process.Dispose();
    }
}
