using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Routes;
using Route = Millrace.Dashboard.Answering.Route;

namespace Millrace.Dashboard.Serving;

/// <summary>Maps everything that a dashboard answers. Each route goes through the <see cref="Responder"/>; there is no other way in.</summary>
internal static class DashboardEndpoints
{
    public static void Map(RouteGroupBuilder group, Panel panel)
    {
        var responder = panel.Responder;
        foreach (var route in AllRoutes.Table)
            group.MapMethods($"{AllRoutes.Base}/{route.Path}", [route.Method], responder.For(route)).WithMetadata(route).DisableCookieRedirect().WithDisplayName($"Millrace dashboard {route.Method} {route.Path}");

        Page("api/{**path}", ["GET", "POST", "PUT", "PATCH", "DELETE"], responder.For(Unknown)).DisableCookieRedirect();
        if (panel.Developer is not null)
        {
            Page(DeveloperLogin.Path, ["GET"], responder.Guard(isPage: true, panel.Pages.SignInAsync));
            Page($"{DeveloperLogin.Path}/link", ["POST"], responder.Guard(isPage: true, panel.Pages.WriteLinkAsync));
        }

        Page("assets/{**file}", ["GET"], responder.ForPage(panel.Pages.ShowAsync)).DisableCookieRedirect();
        Page("", ["GET"], responder.ForPage(panel.Pages.ShowAsync));
        Page("{**path}", ["GET"], responder.ForPage(panel.Pages.ShowAsync));

        group.WithMetadata(panel);
        group.ExcludeFromDescription();
        // After everything that the application says about the routes.
        ((IEndpointConventionBuilder)group).Finally(endpoint => Close(endpoint, panel));

        IEndpointConventionBuilder Page(string pattern, IEnumerable<string> methods, RequestDelegate answer) => group.MapMethods(pattern, methods, answer)
            .WithMetadata(new OwnSegments(pattern.Split('/', StringSplitOptions.RemoveEmptyEntries).Length))
            .WithDisplayName($"Millrace dashboard {pattern}");
    }

    private static Route Unknown { get; } = Route.Get("", "No such route.", _ => throw new Problem(404, "no_such_route", "There is no such route", "See api/v1/openapi.json for all there are."));

    private static void Close(EndpointBuilder endpoint, Panel panel)
    {
        if (!Decisions.IsByHost(endpoint.Metadata) && !endpoint.Metadata.OfType<OwnDecision>().Any())
            endpoint.Metadata.Add(new OwnDecision());
    }
}
