using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;

namespace Millrace.Bench.Workers;

/// <summary>A worker process, as the one that measures sees it.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<(int Number, long Started)> pings = Channel.CreateUnbounded<(int, long)>();
    private readonly Task reading;
    private long count;

    private WorkerProcess(Process process)
    {
        Process = process;
        reading = ReadAsync();
    }

    public Process Process { get; }

    /// <summary>How many jobs its handlers have run.</summary>
    public long Count => Volatile.Read(ref count);

    public bool HasEnded => reading.IsCompleted;

    public ChannelReader<(int Number, long Started)> Pings => pings.Reader;

    /// <summary>Up to where only the word to start is missing.</summary>
    public static async Task<WorkerProcess> PrepareAsync(string contender, string database, WorkerMode mode)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("This program has no file.");
        var process = Process.Start(new ProcessStartInfo(program, ["--worker", contender, database, mode.ToString()]) { RedirectStandardInput = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("The worker process did not start.");
        var worker = new WorkerProcess(process);
        await worker.ready.Task.WaitAsync(Patience, TimeProvider.System);
        return worker;
    }

    public void Start()
    {
        Process.StandardInput.WriteLine("start");
        Process.StandardInput.Flush();
    }

    /// <summary>Bytes that it has used at most.</summary>
    public long PeakMemory()
    {
        Process.Refresh();
        return Process.PeakWorkingSet64;
    }

    public async Task StopAsync()
    {
        Process.StandardInput.Close();
        await Process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        await reading;
        if (Process.ExitCode != 0)
            throw new InvalidOperationException($"A worker process ended with code {Process.ExitCode}.");
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited)
            Process.Kill();
        await reading;
        Process.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await Process.StandardOutput.ReadLineAsync() is { } line)
                Read(line.Split(' '));
        }
        finally
        {
            ready.TrySetException(new InvalidOperationException("The worker process ended before it was ready."));
            pings.Writer.TryComplete();
        }
    }

    private void Read(string[] words)
    {
        switch (words)
        {
            case ["ready"]:
                ready.TrySetResult();
                break;
            case ["count", var number]:
                Volatile.Write(ref count, long.Parse(number, CultureInfo.InvariantCulture));
                break;
            case ["ping", var number, var started]:
                pings.Writer.TryWrite((int.Parse(number, CultureInfo.InvariantCulture), long.Parse(started, CultureInfo.InvariantCulture)));
                break;
            default:
                // Something that a contender's library says.
                break;
        }
    }
}
