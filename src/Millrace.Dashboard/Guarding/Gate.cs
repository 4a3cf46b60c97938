using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Dashboard.Answering;

namespace Millrace.Dashboard.Guarding;

/// <summary>Says who visits and what he may do. There is no login of its own but the developer's: an application's users are the application's.</summary>
internal sealed class Gate(DashboardOptions options, DeveloperLogin? developer, bool canSubmit)
{
    /// <summary>Lets a visitor in, or throws the <see cref="Problem"/> that says why not.</summary>
    public async Task<Visitor> EnterAsync(HttpContext context)
    {
        var decision = Decisions.Of(context.GetEndpoint(), options, developer is not null);
        return decision switch
        {
            Decision.Anonymous => Let(Visitor.NameOf(context.User), Permission.All),
            Decision.Host when options.Policies is null => Let(Visitor.NameOf(context.User), Permission.All),
            Decision.Host or Decision.Policies when options.Policies is { } policies => await ByPoliciesAsync(context, policies).ConfigureAwait(false),
            Decision.Developer when developer is not null => Let(developer.Enter(context), Permission.All),
            _ => throw Undecided(),
        };
    }

    private Visitor Let(string name, Permission granted) => new(name, Permissions.Narrow(granted, options.IsReadOnly, canSubmit));

    private async Task<Visitor> ByPoliciesAsync(HttpContext context, PolicyNames names)
    {
        var provider = context.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>();
        var evaluator = context.RequestServices.GetRequiredService<IPolicyEvaluator>();
        var met = Permission.None;
        var wasKnown = false;
        foreach (var (permission, name) in names.Named())
        {
            // At the start every name was looked up. A provider that makes policies as it goes may have lost one: then it lets nobody in.
            if (await provider.GetPolicyAsync(name).ConfigureAwait(false) is not { } policy)
                continue;
            var identity = await evaluator.AuthenticateAsync(policy, context).ConfigureAwait(false);
            var answer = await evaluator.AuthorizeAsync(policy, identity, context, context).ConfigureAwait(false);
            wasKnown |= identity.Succeeded;
            if (answer.Succeeded)
                met |= permission;
        }

        var granted = Permissions.Grow(met, names.Submit is not null);
        if (granted == Permission.None && !wasKnown && context.User.Identity?.IsAuthenticated != true)
            throw NotSignedIn();
        return Let(Visitor.NameOf(context.User), granted);
    }

    /// <summary>Sends a person to where the application signs people in. Programs are told 401.</summary>
    public async Task<bool> ChallengeAsync(HttpContext context)
    {
        if (developer is not null || context.RequestServices.GetService<IAuthenticationSchemeProvider>() is not { } schemes)
            return false;
        if (await schemes.GetDefaultChallengeSchemeAsync().ConfigureAwait(false) is null)
            return false;
        await context.ChallengeAsync().ConfigureAwait(false);
        return true;
    }

    public static Problem NotSignedIn() => new(401, "not_signed_in", "Nobody is signed in", "Sign in to the application first. The dashboard uses the application's own users and policies.");

    private static Problem Undecided() => new(403, "undecided", "Nobody has decided who may see this", StartCheck.Advice);
}
