using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Working;

namespace Millrace.Processes;

/// <summary>
/// Turns the program into a child when it builds its host: the host's own announcements say when. All hosted services (the web server is one) are taken out, jobs are run until the parent says stop, and
/// control never returns to the program.
/// </summary>
internal sealed class ChildStart(ChildLink link) : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    private const string Listener = "Microsoft.Extensions.Hosting";

    // What a handler that was told to stop may still take, and what writing the last results may.
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(2);

    private int isRunning;

    public void Watch() => DiagnosticListener.AllListeners.Subscribe(this);

    void IObserver<DiagnosticListener>.OnNext(DiagnosticListener value)
    {
        if (value.Name == Listener)
            value.Subscribe(this);
    }

    void IObserver<KeyValuePair<string, object?>>.OnNext(KeyValuePair<string, object?> value)
    {
        if (value is { Key: "HostBuilding", Value: IHostBuilder builder })
            builder.ConfigureServices((_, services) => Strip(services));
        else if (value is { Key: "HostBuilt", Value: IHost host } && host.Services.GetService<Marker>() is not null && Interlocked.Exchange(ref isRunning, 1) == 0)
            Task.Run(() => RunAsync(host)).GetAwaiter().GetResult();
    }

    void IObserver<DiagnosticListener>.OnCompleted()
    {
    }

    void IObserver<DiagnosticListener>.OnError(Exception error)
    {
    }

    void IObserver<KeyValuePair<string, object?>>.OnCompleted()
    {
    }

    void IObserver<KeyValuePair<string, object?>>.OnError(Exception error)
    {
    }

    /// <summary>The last to change the services. A program may build more hosts than one: only that with our instance is ours.</summary>
    private void Strip(IServiceCollection services)
    {
        if (!services.Any(service => service.ServiceType == typeof(MillraceInstance) && Equals(service.ServiceKey, link.Settings.Instance)))
            return;
        for (var i = services.Count - 1; i >= 0; i--)
        {
            if (services[i].ServiceType == typeof(IHostedService) || services[i].ServiceType == typeof(IHostLifetime))
                services.RemoveAt(i);
        }
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.AddSingleton<Marker>();
    }

    private async Task RunAsync(IHost host)
    {
        link.Listen();
        try
        {
            await host.StartAsync().ConfigureAwait(false);
            var instance = host.Services.GetRequiredKeyedService<MillraceInstance>(link.Settings.Instance);
            await instance.Host.StartAsync(CancellationToken.None).ConfigureAwait(false);
            link.Look = instance.LookEverywhere;
            link.Tell(new ChildMessage.Ready());

            // A handler may stop the application it believes to run in; then this process is replaced.
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var stop = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopped.SetResult).ConfigureAwait(false);
            await Task.WhenAny(link.Stop, stopped.Task).ConfigureAwait(false);
            await instance.Host.StopAsync(link.IsOrphan ? TimeSpan.Zero : null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            link.Tell(new ChildMessage.Fault(exception is SetupException ? exception.Message : $"{exception.GetType().Name}: {exception.Message}"));
            await Console.Error.WriteLineAsync(exception.ToString()).ConfigureAwait(false);
            ChildLink.End(1, LongestEnd);
        }
        await CloseAsync(host).ConfigureAwait(false);
        ChildLink.End(0, LongestEnd);
    }

    private static async Task CloseAsync(IHost host)
    {
        using var patience = new CancellationTokenSource(LongestEnd, TimeProvider.System);
        try
        {
            await host.StopAsync(patience.Token).WaitAsync(patience.Token).ConfigureAwait(false);
            if (host is IAsyncDisposable disposable)
                await disposable.DisposeAsync().AsTask().WaitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Everything of ours is written by now; a service of the application that fails to close ends with the process.
        }
    }

    private sealed class Marker;

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
