using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Millrace.Dashboard.Guarding;

/// <summary>What is wrong with a dashboard's authorization, found at the start: it is closed until somebody has decided, and a policy that does not exist would decide nothing.</summary>
internal static class StartCheck
{
    /// <summary>The lines to add.</summary>
    public const string Advice = """
        Decide who may see it, with one of:
            app.MapMillraceDashboard("/jobs").RequireAuthorization("a policy of the application");
            app.MapMillraceDashboard("/jobs", options => options.UsePolicies(view: "…", operate: "…", administer: "…"));
            app.MapMillraceDashboard("/jobs", options => options.AllowAnonymous("why everybody may"));
        In Development none is needed: a link to sign in is written to the console.
        """;

    /// <param name="mount">Where it is mapped.</param>
    /// <param name="endpoints">Its routes.</param>
    /// <param name="options">Its options.</param>
    /// <param name="hasDeveloperLogin">Whether a developer can sign in by link.</param>
    /// <param name="services">Of the application.</param>
    public static async Task<IReadOnlyList<string>> FindFaultsAsync(
        string mount, IReadOnlyList<Endpoint> endpoints, DashboardOptions options, bool hasDeveloperLogin, IServiceProvider services)
    {
        List<string> faults = [];
        if (Showing.TraceLink.Fault(options.TraceLink) is { } fault)
            faults.Add($"The dashboard at \"{mount}\": {fault}");
        if (endpoints.Any(endpoint => Decisions.Of(endpoint, options, hasDeveloperLogin) == Decision.None))
            faults.Add($"The dashboard is mapped at \"{mount}\", and nobody has decided who may see it. {Advice}");
        if (endpoints.Any(endpoint => Decisions.IsOpened(endpoint.Metadata)))
            faults.Add($"The dashboard at \"{mount}\" is mapped with AllowAnonymous(), which takes back every other decision. Remove it; if everybody may see the dashboard, say why: options.AllowAnonymous(\"…\").");
        if (options.AnonymousReason is not null && (options.Policies is not null || endpoints.Any(endpoint => Decisions.IsByHost(endpoint.Metadata))))
            faults.Add($"The dashboard at \"{mount}\" has options.AllowAnonymous and policies too. Keep one of them.");
        if (options.Policies is { } own && !own.Named().Any())
            faults.Add($"The dashboard at \"{mount}\" has options.UsePolicies without a policy, so that nobody may see it. Name at least one.");

        var asked = endpoints.SelectMany(endpoint => endpoint.Metadata.OfType<IAuthorizeData>()).Select(data => data.Policy).Distinct(StringComparer.Ordinal).ToList();
        var names = (options.Policies?.Named().Select(named => named.Name) ?? []).Concat(asked.OfType<string>()).Distinct(StringComparer.Ordinal).ToList();
        if (services.GetService<IAuthorizationPolicyProvider>() is not { } provider)
        {
            if (asked.Count + names.Count > 0)
                faults.Add($"The dashboard at \"{mount}\" asks for authorization{(names.Count > 0 ? $" ({string.Join(", ", names)})" : "")}, but the application has none. Call builder.Services.AddAuthorization().");
            return faults;
        }

        foreach (var name in names)
        {
            if (await provider.GetPolicyAsync(name).ConfigureAwait(false) is null)
                faults.Add($"The dashboard at \"{mount}\" asks for the policy \"{name}\", which does not exist. Add it: builder.Services.AddAuthorizationBuilder().AddPolicy(\"{name}\", …).");
        }

        return faults;
    }
}
