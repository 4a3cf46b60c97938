using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Millrace.System.Tests;

/// <summary>The worker program in a process of its own.</summary>
public sealed class WorkerProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<string> events = new();
    private readonly ConcurrentQueue<string> log = new();

    private WorkerProcess(Process process) => this.process = process;

    public int Id => process.Id;

    /// <summary>What the worker's node is called in the table <c>node</c>.</summary>
    public string NodeName => $"{Environment.MachineName}:{Id}";

    public IReadOnlyCollection<string> Events => events;

    /// <summary>Its last lines, each cut where a stack would begin.</summary>
    public string Log => $"--- worker {Id}\n{string.Join('\n', log.TakeLast(40).Select(line => line.Length > 300 ? line[..300] : line))}\n";

    public int Count(string verb) => events.Count(line => line.StartsWith(verb + " ", StringComparison.Ordinal));

    public static async Task<WorkerProcess> StartAsync(TestDatabase database, int concurrency = 10, double expiry = 30, double grace = 5, int version = 0)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            Program, database.Kind, database.ConnectionString,
            "--concurrency", Text(concurrency), "--expiry", Text(expiry), "--grace", Text(grace), "--version", Text(version),
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var worker = new WorkerProcess(Process.Start(start)!);
        worker.process.OutputDataReceived += (_, line) => Keep(worker.events, line.Data);
        worker.process.ErrorDataReceived += (_, line) => Keep(worker.log, line.Data);
        worker.process.BeginOutputReadLine();
        worker.process.BeginErrorReadLine();
        await Eventually.IsAsync(
            () => worker.events.Contains("ready") || worker.process.HasExited, TimeSpan.FromSeconds(30), "the worker is ready", () => worker.Log);
        worker.process.HasExited.ShouldBeFalse(worker.Log);
        return worker;

        static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>SIGKILL, and the process is gone.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public void Freeze() => Send(19);

    public void Thaw() => Send(18);

    public void Terminate() => Send(15);

    /// <summary>The end of its standard input asks it to stop.</summary>
    public void Release() => process.StandardInput.Close();

    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync(TimeSpan within)
    {
        await Eventually.IsAsync(() => process.HasExited, within, "the worker has ended", () => Log);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
    }

    private static string Program =>
        Path.Combine(AppContext.BaseDirectory.Replace("Millrace.System.Tests", "Millrace.System.Worker", StringComparison.Ordinal), "Millrace.System.Worker.dll");

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
            lines.Enqueue(line);
    }

    private void Send(int signal)
    {
        if (kill(Id, signal) != 0)
            throw new InvalidOperationException($"Signal {signal} did not reach process {Id}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    // Numbers of Linux on x64 and Arm.
    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int process, int signal);
}
