using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Storage;

namespace Millrace.Bench.Contenders;

/// <summary>A job that does nothing: what remains is the engine.</summary>
[Job("noop")]
internal sealed record Noop(int Number, string Text);

internal sealed class NoopJob : IJob<Noop>
{
    public Task RunAsync(JobContext<Noop> job, CancellationToken cancellationToken)
    {
        Arrivals.Ran();
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
        Arrivals.Pinged(job.Data.Number);
        return Task.CompletedTask;
    }
}

/// <summary>A host with Millrace in it, as an application has one. Nothing is tuned.</summary>
internal sealed class MillraceEngine : ISubmitter, IWorker
{
    private const int BatchSize = 10_000;
    private const string MillraceName = "millrace";

    private readonly IHost host;
    private readonly IJobClient client;

    public MillraceEngine(Action<MillraceBuilder> database, bool hasWorkers)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddMillrace(millrace =>
        {
            database(millrace);
            millrace.AddJob<NoopJob>().AddJob<PingJob>();
            if (hasWorkers)
                millrace.AddWorkers();
        });
        host = builder.Build();
        client = host.Services.GetRequiredService<IJobClient>();
    }

    public ISubmitter Submitter => this;

    /// <summary>Deletes finished jobs whose time has come, as the built-in job does.</summary>
    public Task<int> PruneAsync(int limit) => host.Services.GetRequiredKeyedService<IJobStore>(MillraceName).PruneAsync(limit, CancellationToken.None);

    public Task StartAsync() => host.StartAsync();

    public Task StopAsync() => host.StopAsync();

    public async Task SubmitManyAsync(int count, string text)
    {
        for (var first = 0; first < count; first += BatchSize)
            await client.SubmitManyAsync(Enumerable.Range(first, Math.Min(BatchSize, count - first)).Select(number => new Noop(number, text)));
    }

    public Task SubmitAsync(int number, string text) => client.SubmitAsync(new Noop(number, text));

    public Task PingAsync(int number) => client.SubmitAsync(new Ping(number));

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }
}
