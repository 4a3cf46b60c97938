using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Millrace.System;

/// <summary>Kills the process that runs it.</summary>
[Job("poison", Queue = "default")]
public sealed record Poison(PoisonKind Kind);

public enum PoisonKind
{
    StackOverflow,
    FailFast,
    Exit,
    Segfault,

    /// <summary>As the system does when it has no memory left: SIGKILL, without a word.</summary>
    OutOfMemory,
}

/// <summary>Never ends, whatever its token says.</summary>
[Job("stuck", Queue = "default", Timeout = "00:00:01", MaxAttempts = 2)]
public sealed record Stuck(bool IsLoop);

/// <summary>Runs alone in its process. Heeds no token.</summary>
[Job("lonely", Queue = "default", Isolated = true, Timeout = "00:00:01", MaxAttempts = 2)]
public sealed record Lonely(int Milliseconds);

/// <summary>Writes much without a line end, and starts a process that outlives it and holds its output.</summary>
[Job("noisy", Queue = "default")]
public sealed record Noisy(int Characters, int ChildSeconds);

/// <summary>The handlers that nobody should have.</summary>
public static class BadJobs
{
    public static MillraceBuilder AddBadJobs(this MillraceBuilder builder) => builder
        .AddJob<Poison>((job, _) => Die(job.Data.Kind))
        .AddJob<Stuck>((job, _) => Stay(job.Data.IsLoop), RetryPolicy.Every(TimeSpan.FromMilliseconds(100)))
        .AddJob<Noisy>(MakeNoiseAsync);

    public static MillraceBuilder AddIsolatedJobs(this MillraceBuilder builder, bool isWanted) =>
        isWanted ? builder.AddJob<Lonely>((job, _) => Task.Delay(TimeSpan.FromMilliseconds(job.Data.Milliseconds), TimeProvider.System, CancellationToken.None)) : builder;

    private static Task Die(PoisonKind kind)
    {
        switch (kind)
        {
            case PoisonKind.StackOverflow:
                Overflow(0);
                break;
            case PoisonKind.FailFast:
                Environment.FailFast("A handler called FailFast.");
                break;
            case PoisonKind.Exit:
                Environment.Exit(0);
                break;
            case PoisonKind.Segfault:
                _ = strlen(1);
                break;
            case PoisonKind.OutOfMemory:
                _ = kill(Environment.ProcessId, 9);
                break;
        }
        // The signal is on its way.
        return Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System, CancellationToken.None);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static int Overflow(int depth) => Overflow(depth + 1) + 1;

    private static Task Stay(bool isLoop)
    {
        if (isLoop)
        {
            while (true)
                Thread.SpinWait(1000);
        }
        Thread.CurrentThread.Join(Timeout.Infinite);
        return Task.CompletedTask;
    }

    private static async Task MakeNoiseAsync(JobContext<Noisy> job, CancellationToken cancellationToken)
    {
        await Console.Out.WriteAsync(new string('x', job.Data.Characters).AsMemory(), cancellationToken);
        await Console.Out.FlushAsync(cancellationToken);
        using var grandchild = Process.Start("sleep", $"{job.Data.ChildSeconds}");
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int process, int signal);

    // In native code: the runtime makes an exception of a bad pointer in managed code.
    [DllImport("libc")]
    private static extern nint strlen(nint text);
}
