using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Millrace.Telemetry;
using Millrace.Working;

namespace Millrace;

/// <summary>Adds Millrace to the application's health checks.</summary>
public static class MillraceHealthCheckExtensions
{
    /// <summary>
    /// Reports whether the database answers and every loop of this process works. <i>Unhealthy</i>: the database does not answer, or this process has not renewed itself for half of
    /// <see cref="WorkerOptions.NodeExpiry"/>. <i>Degraded</i>: a loop has failed three times in a row. Its data tells for each loop when it last succeeded.
    /// </summary>
    /// <param name="builder">The application's health checks.</param>
    /// <param name="instance">The name of the instance; <c>"millrace"</c>, the unnamed one, by default. It is the name of the check too.</param>
    /// <param name="tags">Tags to select it by, such as <c>"ready"</c>; null for none.</param>
    public static IHealthChecksBuilder AddMillrace(this IHealthChecksBuilder builder, string instance = MillraceServiceCollectionExtensions.DefaultName, IEnumerable<string>? tags = null) =>
        builder.Add(new HealthCheckRegistration(
            instance,
            services => new MillraceHealthCheck(services.GetRequiredKeyedService<MillraceInstance>(instance)),
            HealthStatus.Unhealthy,
            tags));
}
