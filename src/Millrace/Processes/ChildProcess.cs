using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipes;
using System.Text;
using System.Threading.Channels;

namespace Millrace.Processes;

/// <summary>One child, from its start to its end, as its parent sees it.</summary>
internal sealed class ChildProcess : IDisposable
{
    // What a child wrote last comes within moments, unless something it started holds the other end: then nobody waits for that.
    private static readonly TimeSpan LastOutput = TimeSpan.FromMilliseconds(200);

    // The child's end of the pipe can be inherited by whatever is started while it is open here; a sibling that held it would keep the pipe from ending.
    private static readonly Lock Starting = new();

    private readonly Process process;
    private readonly AnonymousPipeServerStream messages;
    private readonly FlightRecorder recorder;
    private readonly OutputTail output;
    private readonly Channel<string> orders = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource ended = new();
    private readonly Task reading;
    private int isLookOrdered;
    private long heard;

    /// <exception cref="Win32Exception">The system could not start it.</exception>
    /// <exception cref="IOException">The recorder's file could not be made.</exception>
    public ChildProcess(ChildSettings settings, Action<string> forward)
    {
        Name = settings.Name;
        Role = settings.Role;
        recorder = FlightRecorder.Create();
        output = new OutputTail(forward);
        heard = TimeProvider.System.GetTimestamp();
        lock (Starting)
        {
            messages = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
            process = new Process { StartInfo = StartCommand.Make(messages.GetClientHandleAsString()), EnableRaisingEvents = true };
            // The end of a child is this event: never the end of a pipe, which a grandchild may hold open.
            process.Exited += (_, _) => exited.TrySetResult(process.ExitCode);
            try
            {
                process.Start();
            }
            catch
            {
                Dispose();
                throw;
            }
            finally
            {
                messages.DisposeLocalCopyOfClientHandle();
            }
        }
        Id = process.Id;
        reading = Task.WhenAll(output.ReadAsync(process.StandardOutput, ended.Token), output.ReadAsync(process.StandardError, ended.Token));
        _ = WriteOrdersAsync();
        orders.Writer.TryWrite((settings with { Recorder = recorder.Path }).ToLine());
    }

    public string Name { get; }

    public ChildRole Role { get; }

    public int Id { get; }

    /// <summary>Null until it has registered.</summary>
    public Guid? Node { get; private set; }

    /// <summary>What it says is wrong with it; null when it says nothing.</summary>
    public string? Fault { get; private set; }

    /// <summary>It has been told to end, or was killed by us: its end is no accident.</summary>
    public bool IsAsked { get; private set; }

    /// <summary>When it became ready, by our monotonic clock.</summary>
    public long? ReadySince { get; private set; }

    /// <summary>The run for whose deadline it was killed.</summary>
    public (long JobId, int Run)? Overdue { get; private set; }

    /// <summary>Ends when it is ready for work.</summary>
    public Task Ready => ready.Task;

    /// <summary>Ends with the process, with its exit code.</summary>
    public Task<int> Exited => exited.Task;

    /// <summary>How long nothing has come from it.</summary>
    public TimeSpan Silence => TimeProvider.System.GetElapsedTime(Volatile.Read(ref heard));

    public IReadOnlyList<string> LastLines => output.Last;

    public IReadOnlySet<(long JobId, int Run)>? Running => recorder.Read();

    /// <summary>Reads what it says until it says no more.</summary>
    public async Task HearAsync(Action<ChildMessage> hear)
    {
        var line = new List<byte>(256);
        var buffer = new byte[4096];
        try
        {
            while (await messages.ReadAsync(buffer, ended.Token).ConfigureAwait(false) is > 0 and var count)
            {
                Volatile.Write(ref heard, TimeProvider.System.GetTimestamp());
                for (var i = 0; i < count; i++)
                {
                    if (buffer[i] != '\n')
                    {
                        if (line.Count < ChildMessage.MaxLength)
                            line.Add(buffer[i]);
                        continue;
                    }
                    if (ChildMessage.Parse(Encoding.UTF8.GetString([.. line])) is { } message)
                        Hear(message, hear);
                    line.Clear();
                }
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It is gone, which its process says better.
        }
    }

    /// <summary>There is work. Orders that it has not read yet are not repeated, so a child that is stopped cannot fill its pipe.</summary>
    public void Look()
    {
        if (Interlocked.Exchange(ref isLookOrdered, 1) == 0)
            orders.Writer.TryWrite("look");
    }

    public void TellServer(Guid server) => orders.Writer.TryWrite($"server {server:D}");

    /// <summary>No new jobs; then it ends.</summary>
    public void Drain()
    {
        IsAsked = true;
        orders.Writer.TryWrite("drain");
    }

    public void KillFor((long JobId, int Run) overdue)
    {
        Overdue = overdue;
        Kill(isAsked: false);
    }

    /// <summary>Now, with all it has started.</summary>
    public void Kill(bool isAsked = true)
    {
        IsAsked |= isAsked;
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception or NotSupportedException or AggregateException)
        {
            // It has ended meanwhile, or a part of its tree has.
        }
    }

    /// <summary>After its end: what it wrote last is read.</summary>
    public async Task CloseAsync()
    {
        orders.Writer.TryComplete();
        await reading.WaitAsync(LastOutput, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        ended.Cancel();
        orders.Writer.TryComplete();
        messages.Dispose();
        recorder.Dispose();
        // The process closes only the streams that nobody has touched.
        try
        {
            process.StandardInput.Dispose();
            process.StandardOutput.Dispose();
            process.StandardError.Dispose();
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            // The last order could not be written, or the process was never started.
        }
        process.Dispose();
    }

    private void Hear(ChildMessage message, Action<ChildMessage> hear)
    {
        switch (message)
        {
            case ChildMessage.Node node:
                Node = node.Id;
                break;
            case ChildMessage.Fault fault:
                Fault = fault.Text;
                break;
            case ChildMessage.Ready:
                ReadySince = TimeProvider.System.GetTimestamp();
                ready.TrySetResult();
                break;
        }
        hear(message);
    }

    private async Task WriteOrdersAsync()
    {
        try
        {
            await foreach (var order in orders.Reader.ReadAllAsync(ended.Token).ConfigureAwait(false))
            {
                if (order == "look")
                    Volatile.Write(ref isLookOrdered, 0);
                await process.StandardInput.WriteLineAsync(order.AsMemory(), ended.Token).ConfigureAwait(false);
                await process.StandardInput.FlushAsync(ended.Token).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }
}
