using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Millrace.Dashboard.Serving;

/// <summary>How many segments of a route are the dashboard's own, after those of where it is mapped.</summary>
internal sealed record OwnSegments(int Count);

/// <summary>Where the dashboard is, as the browser sees it: below a path base, a group with parameters, or a proxy that the forwarded headers middleware knows.</summary>
internal static class MountPath
{
    /// <summary>With a slash at its end, encoded for an address.</summary>
    public static string Of(HttpContext context)
    {
        var above = context.GetEndpoint() is RouteEndpoint endpoint
            ? endpoint.RoutePattern.PathSegments.Count - (endpoint.Metadata.GetMetadata<OwnSegments>()?.Count ?? 0)
            : 0;
        var segments = (context.Request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries).Take(above);
        var mount = string.Concat(segments.Select(segment => $"/{segment}"));
        return $"{context.Request.PathBase.ToUriComponent()}{new PathString($"{mount}/").ToUriComponent()}";
    }
}
