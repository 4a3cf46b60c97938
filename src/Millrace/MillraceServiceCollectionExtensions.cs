using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Processes;
using Millrace.Storage;
using Millrace.Telemetry;
using Millrace.Working;

namespace Millrace;

/// <summary>Adds Millrace to an application.</summary>
public static class MillraceServiceCollectionExtensions
{
    internal const string DefaultName = "millrace";

    /// <summary>
    /// Adds Millrace: <see cref="IJobClient"/> to submit with, <see cref="IJobEvents"/> to hear what running jobs tell users, and with <see cref="MillraceBuilder.AddWorkers"/> the workers, which start and stop with the host. The handlers' own
    /// pool of connections is the keyed <see cref="DbDataSource"/> <c>"millrace"</c>.
    /// </summary>
    public static IServiceCollection AddMillrace(this IServiceCollection services, Action<MillraceBuilder> configure)
    {
        services.AddMillrace(DefaultName, configure);
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<IJobClient>(DefaultName));
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<IWorkerProcesses>(DefaultName));
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<IJobEvents>(DefaultName));
        return services;
    }

    /// <summary>Adds another instance, with a database of its own. Its services carry the name as their key: <c>[FromKeyedServices("reports")] IJobClient jobs</c>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The instance's name. Its configuration section is <c>Millrace:&lt;name&gt;</c>.</param>
    /// <param name="configure">Database, jobs, workers.</param>
    public static IServiceCollection AddMillrace(this IServiceCollection services, string name, Action<MillraceBuilder> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(service => service.ServiceType == typeof(MillraceInstance) && Equals(service.ServiceKey, name)))
            throw new InvalidOperationException($"AddMillrace was called twice for the instance \"{name}\". Put everything into one call, or give the second instance another name.");

        var builder = new MillraceBuilder(services, name);
        configure(builder);

        if (ChildLink.Current is { } link && link.Settings.Instance == name)
            new ChildStart(link).Watch();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoggerProvider, AttemptLogProvider>());
        services.AddKeyedSingleton(name, (provider, _) => new MillraceInstance(provider, builder));
        services.AddKeyedSingleton<IJobStore>(name, (provider, _) => provider.GetRequiredKeyedService<MillraceInstance>(name).Store);
        services.AddKeyedSingleton<DbDataSource>(name, (provider, _) => provider.GetRequiredKeyedService<MillraceInstance>(name).Store.Handlers);
        services.AddKeyedSingleton<IJobClient>(name, (provider, _) => provider.GetRequiredKeyedService<MillraceInstance>(name).Client);
        services.AddKeyedSingleton<IWorkerProcesses>(name, (provider, _) => new WorkerProcessList(provider.GetRequiredKeyedService<MillraceInstance>(name)));
        services.AddKeyedSingleton<IJobEvents>(name, (provider, _) => provider.GetRequiredKeyedService<MillraceInstance>(name).Events);
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<MillraceInstance>(name).Host);
        return services;
    }
}
