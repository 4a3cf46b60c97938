using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Millrace.Dashboard.Guarding;

/// <summary>Who decides who may see the dashboard.</summary>
internal enum Decision
{
    /// <summary>Nobody: everybody is refused.</summary>
    None,

    /// <summary>The application's authorization middleware, by what <c>RequireAuthorization</c> put on the routes.</summary>
    Host,

    /// <summary>The policies that the options name.</summary>
    Policies,

    /// <summary>Everybody may.</summary>
    Anonymous,

    /// <summary>Whoever has the link that was written to the console.</summary>
    Developer,
}

/// <summary>Finds out who decides. Pure, and the same at the start and for each request.</summary>
internal static class Decisions
{
    public static Decision Of(Endpoint? endpoint, DashboardOptions options, bool hasDeveloperLogin) =>
        Of(endpoint is not null && IsByHost(endpoint.Metadata), options, hasDeveloperLogin);

    public static Decision Of(bool isByHost, DashboardOptions options, bool hasDeveloperLogin)
    {
        if (isByHost)
            return Decision.Host;
        if (options.Policies is not null)
            return Decision.Policies;
        if (options.AnonymousReason is not null)
            return Decision.Anonymous;
        return hasDeveloperLogin ? Decision.Developer : Decision.None;
    }

    /// <summary>Whether the application's middleware checks a route by what stands on it.</summary>
    public static bool IsByHost(IEnumerable<object> metadata) => metadata.Any(item => item is IAuthorizeData or AuthorizationPolicy or IAuthorizationRequirementData);

    /// <summary>Whether somebody put <c>AllowAnonymous</c> on a route, other than we.</summary>
    public static bool IsOpened(IEnumerable<object> metadata) => metadata.Any(item => item is IAllowAnonymous and not OwnDecision);
}

/// <summary>Put on routes that the dashboard guards by itself, so that a fallback policy of the application, which knows nothing of it, is not asked.</summary>
internal sealed class OwnDecision : IAllowAnonymous;
