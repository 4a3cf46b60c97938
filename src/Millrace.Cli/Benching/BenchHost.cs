using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Cli.Targets;

namespace Millrace.Cli.Benching;

/// <summary>An application with the bench's job, on a database of its own.</summary>
internal sealed class BenchHost : IAsyncDisposable
{
    private readonly ServiceProvider services;

    private BenchHost(ServiceProvider services) => this.services = services;

    public BenchSignals Signals { get; } = new();

    public IJobClient Client => services.GetRequiredService<IJobClient>();

    /// <param name="target">Where.</param>
    /// <param name="concurrency">How many jobs at once; 0 for an application that only submits.</param>
    public static BenchHost Make(Target target, int concurrency)
    {
        BenchHost? host = null;
        var collection = new ServiceCollection();
        collection.AddMillrace(builder =>
        {
            if (target.Kind == TargetKind.Sqlite)
                builder.UseSqlite(target.Connection);
            else
                builder.UsePostgres(target.Connection, options => options.Schema = target.Schema ?? throw new InvalidOperationException("A bench has a schema of its own."));
            builder.Configure(options => options.RemoveOldWorkerJobs = null);
            builder.AddJob<BenchJob>((_, _) =>
            {
                host?.Signals.Run(TimeProvider.System);
                return Task.CompletedTask;
            });
            if (concurrency > 0)
                builder.AddWorkers(workers => workers.Concurrency = concurrency);
        });
        return host = new BenchHost(collection.BuildServiceProvider());
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var service in services.GetServices<IHostedService>())
            await service.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task StopAsync()
    {
        foreach (var service in services.GetServices<IHostedService>())
            await service.StopAsync(CancellationToken.None).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
