using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Answering;

namespace Millrace.Dashboard.Guarding;

/// <summary>
/// A change is made by a page of the dashboard, or by a program that says so, and never by another site in the browser of somebody who is signed in. Browsers say where a request comes from, and pages cannot
/// change what they say; so no token is needed, and none breaks when there are several servers.
/// </summary>
internal static class SameOrigin
{
    public static void Check(HttpRequest request)
    {
        if (!IsSame(request.Headers["Sec-Fetch-Site"].ToString(), request.Headers.Origin.ToString(), request.Scheme, request.Host))
        {
            throw new Problem(
                403,
                "cross_site",
                "The request does not come from this dashboard",
                $"Changes need the header Sec-Fetch-Site: same-origin, which browsers set by themselves, or an Origin equal to {request.Scheme}://{request.Host}. If a proxy stands before the application, let it use the forwarded headers middleware, so that it knows its own address.");
        }
    }

    /// <summary>Pure. <c>Sec-Fetch-Site</c> decides where it is there; a browser that is too old to send it sends <c>Origin</c>.</summary>
    public static bool IsSame(string fetchSite, string origin, string scheme, HostString host)
    {
        if (fetchSite.Length > 0)
            return fetchSite == "same-origin";
        return host.HasValue
            && Uri.TryCreate(origin, UriKind.Absolute, out var from)
            && Uri.TryCreate($"{scheme}://{host.ToUriComponent()}", UriKind.Absolute, out var here)
            && from is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" }
            && Uri.Compare(from, here, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;
    }
}
