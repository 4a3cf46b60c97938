using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Dashboard;
using Millrace.Dashboard.Serving;
using Millrace.Working;

namespace Millrace;

/// <summary>Puts the dashboard of Millrace into an application.</summary>
public static class MillraceDashboardExtensions
{
    /// <summary>
    /// Maps the dashboard: a web application, and the JSON API below <c>api/v1</c>. It needs no services but those of <c>AddMillrace</c>, no MVC, no static files, and works below a path base and behind a proxy whose
    /// headers the application uses.
    /// </summary>
    /// <remarks>
    /// It is closed until somebody has decided who may see it (see <see cref="DashboardOptions"/>): outside Development the application does not start without that. In Development a link that signs in is written
    /// to the console, and only this machine may use it.
    /// </remarks>
    /// <param name="endpoints">The application, or a group of routes.</param>
    /// <param name="pattern">Where: <c>/jobs</c>.</param>
    /// <param name="configure">Changes the settings; null for none.</param>
    /// <returns>All routes of the dashboard, for <c>RequireAuthorization</c>, <c>RequireHost</c>, rate limits and the like.</returns>
    /// <exception cref="InvalidOperationException">The application has no instance of Millrace of this name.</exception>
    public static IEndpointConventionBuilder MapMillraceDashboard(this IEndpointRouteBuilder endpoints, string pattern, Action<DashboardOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var options = new DashboardOptions();
        configure?.Invoke(options);
        var instance = InstanceOf(endpoints.ServiceProvider, options.Instance);

        var group = endpoints.MapGroup(pattern);
        // What MapGroup has just added holds our routes and nothing else.
        var source = endpoints.DataSources.Last();
        var panel = new Panel(instance, options, pattern, endpoints.ServiceProvider, () => source.Endpoints, isComplete: endpoints is not RouteGroupBuilder);
        DashboardEndpoints.Map(group, panel);
        instance.Additions.Add(panel);
        return group;
    }

    /// <summary>
    /// Maps a stream of server-sent events for the pages of the application itself: what running jobs tell the user who is signed in (<see cref="IJobEvents"/>), as events <c>progress</c> and <c>notification</c>.
    /// A browser that reconnects goes on where it was.
    /// </summary>
    /// <param name="endpoints">The application, or a group of routes.</param>
    /// <param name="pattern">Where: <c>/events</c>.</param>
    /// <param name="userId">Whose events a request gets; null from it refuses the request. Without it, the number in the claim <c>NameIdentifier</c> of the signed-in user.</param>
    /// <param name="instance">The name of the instance of Millrace.</param>
    /// <returns>The route, for <c>RequireAuthorization</c> and the like.</returns>
    /// <exception cref="InvalidOperationException">The application has no instance of Millrace of this name.</exception>
    public static IEndpointConventionBuilder MapMillraceEvents(
        this IEndpointRouteBuilder endpoints, string pattern, Func<HttpContext, long?>? userId = null, string instance = MillraceServiceCollectionExtensions.DefaultName)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var stream = new UserEvents(InstanceOf(endpoints.ServiceProvider, instance), userId, endpoints.ServiceProvider);
        RequestDelegate answer = stream.AnswerAsync;
        return endpoints.MapGet(pattern, answer).DisableCookieRedirect().WithDisplayName("Millrace events of a user");
    }

    private static MillraceInstance InstanceOf(IServiceProvider services, string name) =>
        services.GetKeyedService<MillraceInstance>(name) ?? throw new InvalidOperationException(
            $"There is no instance of Millrace called \"{name}\" to show. Call builder.Services.AddMillrace({(name == MillraceServiceCollectionExtensions.DefaultName ? "" : $"\"{name}\", ")}…) first, or name another one in the options.");
}
