using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Millrace.Bench;

/// <summary>A job that does nothing: what remains is the engine.</summary>
[Job("noop")]
internal sealed record Noop(int Number, string Text);

internal sealed class NoopJob(Counter counter) : IJob<Noop>
{
    public Task RunAsync(JobContext<Noop> job, CancellationToken cancellationToken)
    {
        counter.Add();
        return Task.CompletedTask;
    }
}

/// <summary>A job that tells when it started.</summary>
[Job("ping")]
internal sealed record Ping(int Number);

internal sealed class PingJob : IJob<Ping>
{
    public Task RunAsync(JobContext<Ping> job, CancellationToken cancellationToken)
    {
        // Read by the process that submitted it: the monotonic clock is the same for all processes of a machine.
        var now = Stopwatch.GetTimestamp();
        Console.Out.WriteLine($"{job.Data.Number} {now}");
        Console.Out.Flush();
        return Task.CompletedTask;
    }
}

internal sealed class Counter
{
    private long count;

    public long Count => Volatile.Read(ref count);

    public void Add() => Interlocked.Increment(ref count);
}

internal static class Engine
{
    public static IHost Build(Action<MillraceBuilder> database, int concurrency, bool hasWorkers = true)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<Counter>();
        builder.Services.AddMillrace(millrace =>
        {
            database(millrace);
            millrace.AddJob<NoopJob>().AddJob<PingJob>();
            if (hasWorkers)
                millrace.AddWorkers(workers => workers.Concurrency = concurrency);
        });
        return builder.Build();
    }
}
