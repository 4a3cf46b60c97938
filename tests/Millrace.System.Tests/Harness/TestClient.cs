using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Storage;

namespace Millrace.System.Tests;

/// <summary>A process's worth of Millrace inside the test that only submits.</summary>
public sealed class TestClient : IAsyncDisposable
{
    private readonly ServiceProvider services;

    private TestClient(ServiceProvider services) => this.services = services;

    public static async Task<TestClient> StartAsync(TestDatabase database, Action<MillraceBuilder>? configure = null)
    {
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddMillrace(m =>
        {
            database.Use(m);
            configure?.Invoke(m);
        });
        var services = collection.BuildServiceProvider();
        // As a host would: the start makes the tables.
        foreach (var service in services.GetServices<IHostedService>())
            await service.StartAsync(TestContext.Current.CancellationToken);
        return new TestClient(services);
    }

    public IJobClient Jobs => services.GetRequiredService<IJobClient>();

    public IJobEvents Events => services.GetRequiredService<IJobEvents>();

    public IJobStore Store => services.GetRequiredKeyedService<IJobStore>("millrace");

    /// <summary>The pool for transactions.</summary>
    public DbDataSource Database => services.GetRequiredKeyedService<DbDataSource>("millrace");

    public async Task<IReadOnlyList<long>> SubmitAsync<TData>(IEnumerable<TData> data) where TData : notnull =>
        [.. (await Jobs.SubmitManyAsync(data)).Select(result => result.Id)];

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
