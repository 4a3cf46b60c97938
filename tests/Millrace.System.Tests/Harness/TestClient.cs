using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Millrace.System.Tests;

/// <summary>A process's worth of Millrace inside the test that only submits.</summary>
public sealed class TestClient : IAsyncDisposable
{
    private readonly ServiceProvider services;

    public TestClient(TestDatabase database, Action<MillraceBuilder>? configure = null)
    {
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddMillrace(m =>
        {
            database.Use(m);
            configure?.Invoke(m);
        });
        services = collection.BuildServiceProvider();
    }

    public IJobClient Jobs => services.GetRequiredService<IJobClient>();

    /// <summary>The pool for transactions.</summary>
    public DbDataSource Database => services.GetRequiredKeyedService<DbDataSource>("millrace");

    public async Task<IReadOnlyList<long>> SubmitAsync<TData>(IEnumerable<TData> data) where TData : notnull =>
        [.. (await Jobs.SubmitManyAsync(data)).Select(result => result.Id)];

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
