using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Millrace.Processes;

/// <summary>
/// A child's two pipes. Control comes down its standard input, whose end means that the parent is gone, however it died; messages go up a pipe of their own. One for the process: the only thing that
/// is static here, because a process is a child or is not.
/// </summary>
internal sealed class ChildLink
{
    /// <summary>Tells a process that it is a child, and the handle of the pipe for its messages.</summary>
    public const string Variable = "MILLRACE_CHILD";

    // A child is gone 2 seconds after its parent, whatever its handlers do.
    private static readonly TimeSpan LifeAsOrphan = TimeSpan.FromSeconds(1.8);

    private static readonly Lazy<ChildLink?> OfThisProcess = new(Open);

    private readonly AnonymousPipeClientStream up;
    private readonly StreamReader control;
    private readonly List<PosixSignalRegistration> signals = [];
    private readonly TaskCompletionSource stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock writing = new();
    private volatile bool isOrphan;

    private ChildLink(AnonymousPipeClientStream up, StreamReader control, ChildSettings settings)
    {
        this.up = up;
        this.control = control;
        Settings = settings;
        Server = settings.Server;
        Recorder = FlightRecorder.Open(settings.Recorder);
    }

    /// <summary>Null in a process that is not a child.</summary>
    public static ChildLink? Current => OfThisProcess.Value;

    public ChildSettings Settings { get; }

    public FlightRecorder Recorder { get; }

    /// <summary>The node of the server, as it is now.</summary>
    public Guid Server { get; private set; }

    /// <summary>Ends when the parent asks for a stop, or is gone.</summary>
    public Task Stop => stop.Task;

    /// <summary>The parent is gone: there is no time to be given to anybody.</summary>
    public bool IsOrphan => isOrphan;

    /// <summary>Called when the parent knows of work.</summary>
    public Action? Look { get; set; }

    /// <summary>Never fails: a parent that does not listen is gone, and the control pipe says so too.</summary>
    public void Tell(ChildMessage message)
    {
        var line = Encoding.UTF8.GetBytes(message.ToLine() + "\n");
        lock (writing)
        {
            try
            {
                up.Write(line);
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException)
            {
            }
        }
    }

    /// <summary>Begins to obey the parent, and it alone: signals are its business.</summary>
    public void Listen()
    {
        if (!OperatingSystem.IsWindows())
        {
            foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP])
                signals.Add(PosixSignalRegistration.Create(signal, static context => context.Cancel = true));
        }
        // A thread of its own: handlers may have every thread of the pool.
        new Thread(Obey) { IsBackground = true, Name = "Millrace control" }.Start();
    }

    /// <summary>Ends this process now, or at the latest after this time whatever still holds it.</summary>
    public static void End(int code, TimeSpan patience)
    {
        KillAfter(patience);
        Environment.Exit(code);
    }

    private void Obey()
    {
        while (ReadLine() is { } line)
        {
            if (line == "drain")
                stop.TrySetResult();
            else if (line == "look")
                Look?.Invoke();
            else if (line.StartsWith("server ", StringComparison.Ordinal) && Guid.TryParse(line.AsSpan(7), out var server))
                Server = server;
        }
        isOrphan = true;
        KillAfter(LifeAsOrphan);
        stop.TrySetResult();
    }

    private string? ReadLine()
    {
        try
        {
            return control.ReadLine();
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static void KillAfter(TimeSpan time) => new Thread(() =>
    {
        using var never = new ManualResetEvent(false);
        never.WaitOne(time);
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }) { IsBackground = true, Name = "Millrace last resort" }.Start();

    private static ChildLink? Open()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } handle)
            return null;
        // What this process starts is not a child of ours, and the pipe is not for the handlers to read.
        Environment.SetEnvironmentVariable(Variable, null);
        var control = new StreamReader(Console.OpenStandardInput(), Encoding.UTF8);
        Console.SetIn(TextReader.Null);
        try
        {
            var settings = ChildSettings.FromLine(control.ReadLine() ?? throw new JsonException("The control pipe ended before its first line."));
            return new ChildLink(new AnonymousPipeClientStream(PipeDirection.Out, handle), control, settings);
        }
        catch (Exception exception) when (exception is JsonException or IOException or ArgumentException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"The environment variable {Variable} is set, but this process was not started by a server of Millrace, or that server has gone: {exception.Message} Unset it to run the program by hand.");
            Environment.Exit(1);
            return null;
        }
    }
}
