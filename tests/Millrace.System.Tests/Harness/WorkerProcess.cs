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

    /// <summary>All it has logged, its children's lines among it.</summary>
    public IReadOnlyCollection<string> Lines => log;

    /// <summary>The processes it has started and that live, oldest first; those of its children not among them.</summary>
    public IReadOnlyList<int> Children => ChildrenOf(Id);

    public static IReadOnlyList<int> ChildrenOf(int parent) =>
        [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Select(name => int.TryParse(name, out var id) ? id : 0).Where(id => id > 0 && ParentOf(id) == parent).Order()];

    public static bool IsAlive(int process) => ParentOf(process) is not null;

    public static void Kill(int process, int signal = 9) => Send(process, signal);

    /// <summary>Says a line to it on its standard input, and gives its answer, which begins with the same word.</summary>
    public async Task<string> AskAsync(string order, string answer, TimeSpan within)
    {
        var before = Count(answer);
        await process.StandardInput.WriteLineAsync(order);
        await process.StandardInput.FlushAsync();
        await Eventually.IsAsync(() => Count(answer) > before, within, $"the answer to {order}", () => Log);
        return events.Last(line => line.StartsWith(answer + " ", StringComparison.Ordinal))[(answer.Length + 1)..];
    }

    public int Count(string verb) => events.Count(line => line.StartsWith(verb + " ", StringComparison.Ordinal));

    /// <param name="database">Where the jobs are.</param>
    /// <param name="concurrency">Of each queue.</param>
    /// <param name="expiry">In seconds.</param>
    /// <param name="grace">In seconds.</param>
    /// <param name="workers">In how many children it runs jobs; 0 for none.</param>
    /// <param name="version">Which types it has (Versions.cs).</param>
    /// <param name="connection">Another way to the database; null for the direct one.</param>
    /// <param name="space">A network namespace to run in; null for the test's own.</param>
    /// <param name="queues">Separated by commas; empty for those of the types.</param>
    /// <param name="threads">How many its thread pool makes at once; 0 for as many as there are processors.</param>
    /// <param name="more">Other options of the program.</param>
    public static async Task<WorkerProcess> StartAsync(
        TestDatabase database,
        int concurrency = 10,
        double expiry = 30,
        double grace = 5,
        int workers = 0,
        int version = 0,
        string? connection = null,
        string? space = null,
        string queues = "",
        int threads = 0,
        params string[] more)
    {
        string[] arguments =
        [
            "--concurrency", Text(concurrency), "--expiry", Text(expiry), "--grace", Text(grace), "--workers", Text(workers), "--version", Text(version), "--queues", queues, .. more,
        ];
        var start = Command(database, arguments, connection, space);
        if (threads > 0)
            start.Environment["DOTNET_ThreadPool_ForceMinWorkerThreads"] = threads.ToString("x", CultureInfo.InvariantCulture);
        var worker = new WorkerProcess(Process.Start(start)!);
        worker.process.OutputDataReceived += (_, line) => Keep(worker.events, line.Data);
        worker.process.ErrorDataReceived += (_, line) => Keep(worker.log, line.Data);
        worker.process.BeginOutputReadLine();
        worker.process.BeginErrorReadLine();
        await Eventually.IsAsync(
            () => worker.events.Contains("ready") || worker.process.HasExited, TimeSpan.FromSeconds(120), "the worker is ready", () => worker.Log);
        worker.process.HasExited.ShouldBeFalse(worker.Log);
        return worker;

        static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>How it is started.</summary>
    public static ProcessStartInfo Command(TestDatabase database, IEnumerable<string> arguments, string? connection = null, string? space = null)
    {
        var start = new ProcessStartInfo(space is null ? "dotnet" : "ip") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] first = [.. space is null ? Array.Empty<string>() : ["netns", "exec", space, "dotnet"], Program, database.Kind, connection ?? database.ConnectionString];
        foreach (var argument in first.Concat(arguments))
            start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>The process that was last started in this place; 0 when none has told its number.</summary>
    public int ProcessOf(string place) => events.LastOrDefault(line => line.StartsWith($"child {place} ", StringComparison.Ordinal)) is { } line
        ? int.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture)
        : 0;

    /// <summary>So many of its child processes have started to work.</summary>
    public Task HasReadyAsync(int children) => Eventually.IsAsync(
        () => log.Count(line => line.Contains("slots for queue", StringComparison.Ordinal)) >= children, TimeSpan.FromSeconds(60), $"{children} children are ready", () => Log);

    /// <summary>How many of its connections lead to this port, by what the process itself holds open (Linux).</summary>
    public int Connections(int port)
    {
        var hexadecimal = port.ToString("X4", CultureInfo.InvariantCulture);
        // "sl local:port remote:port state … inode": what is left of a connection after its close has no inode.
        var sockets = File.ReadLines($"/proc/{Id}/net/tcp").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words[2].EndsWith(':' + hexadecimal, StringComparison.Ordinal))
            .Select(words => $"socket:[{words[9]}]")
            .ToHashSet();
        return Handles().Count(sockets.Contains);
    }

    /// <summary>What it holds open (Linux).</summary>
    public IReadOnlyList<string> Handles()
    {
        var handles = new List<string>();
        foreach (var file in Directory.GetFiles($"/proc/{Id}/fd"))
        {
            try
            {
                if (File.ResolveLinkTarget(file, returnFinalTarget: false) is { } target)
                    handles.Add(target.Name);
            }
            catch (IOException)
            {
                // Closed meanwhile.
            }
        }
        return handles;
    }

    /// <summary>How many threads it has (Linux).</summary>
    public int Threads => Directory.GetDirectories($"/proc/{Id}/task").Length;

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

    // Null for one that has ended, a zombie too.
    private static int? ParentOf(int process)
    {
        try
        {
            // After the name in parentheses: state, parent.
            var stat = File.ReadAllText($"/proc/{process}/stat");
            var words = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return words[0] == "Z" ? null : int.Parse(words[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Send(int signal) => Send(Id, signal);

    private static void Send(int process, int signal)
    {
        if (kill(process, signal) != 0)
            throw new InvalidOperationException($"Signal {signal} did not reach process {process}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    // Numbers of Linux on x64 and Arm.
    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int process, int signal);
}
