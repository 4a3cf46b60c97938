using Microsoft.Extensions.DependencyInjection;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Cli.Submitting;

/// <summary>The library's own client on a store that is open already, without a host or a container: it only needs a clock.</summary>
internal sealed class SubmitClient : IServiceProvider
{
    private SubmitClient()
    {
    }

    public static IJobClient On(IJobStore store)
    {
        var builder = new MillraceBuilder(new ServiceCollection(), MillraceServiceCollectionExtensions.DefaultName)
            .UseStore((_, _) => store)
            // The schema was checked when the store was opened. This tool changes it only when told to.
            .Configure(options => options.SchemaChanges = SchemaChanges.Check);
        return new MillraceInstance(new SubmitClient(), builder).Client;
    }

    public object? GetService(Type serviceType) => serviceType == typeof(TimeProvider) ? TimeProvider.System : null;
}
