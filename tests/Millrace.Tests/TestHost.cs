using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Millrace.Tests;

/// <summary>A real host with real threads, on a SQLite file that goes with it.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    /// <summary>How long anything is waited for. Reached only by a test that fails.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly TestFolder folder;
    private readonly bool ownsFolder;

    private TestHost(TestFolder folder, bool ownsFolder, IHost host)
    {
        this.folder = folder;
        this.ownsFolder = ownsFolder;
        Host = host;
    }

    public IHost Host { get; }

    public IServiceProvider Services => Host.Services;

    public IJobClient Jobs => Host.Services.GetRequiredService<IJobClient>();

    public static IHost Build(Action<MillraceBuilder> configure, Action<IServiceCollection>? services = null, IEnumerable<KeyValuePair<string, string?>>? settings = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.Logging.SetMinimumLevel(LogLevel.Debug);
        services?.Invoke(builder.Services);
        builder.Services.AddMillrace(configure);
        return builder.Build();
    }

    public static async Task<TestHost> StartAsync(
        Action<MillraceBuilder> configure, Action<IServiceCollection>? services = null, IEnumerable<KeyValuePair<string, string?>>? settings = null, TestFolder? folder = null)
    {
        var own = folder is null;
        folder ??= new TestFolder();
        var host = Build(m => configure(m.UseSqlite(folder.File("jobs.db"))), services, settings);
        try
        {
            await host.StartAsync().WaitAsync(Deadline);
            return new TestHost(folder, own, host);
        }
        catch
        {
            host.Dispose();
            if (own)
                folder.Dispose();
            throw;
        }
    }

    /// <summary>Looks again and again. For what gives no sign.</summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var late = new CancellationTokenSource(Deadline);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!await isSo())
            await timer.WaitForNextTickAsync(late.Token);
    }

    public static Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));

    public async ValueTask DisposeAsync()
    {
        await Host.StopAsync().WaitAsync(Deadline);
        await ((IAsyncDisposable)Host).DisposeAsync();
        if (ownsFolder)
            folder.Dispose();
    }
}

internal sealed class TestFolder : IDisposable
{
    private readonly string path = Directory.CreateTempSubdirectory("millrace-").FullName;

    public string File(string name) => Path.Combine(path, name);

    public void Dispose() => Directory.Delete(path, recursive: true);
}
