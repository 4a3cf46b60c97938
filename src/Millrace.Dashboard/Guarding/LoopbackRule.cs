using System.Net;
using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Answering;

namespace Millrace.Dashboard.Guarding;

/// <summary>
/// Where a developer's link is good: on this machine, at an address that is this machine's, with nothing in between. An address proves nobody; it only keeps everybody else from trying. A proxy on the same
/// machine makes all the world local, and a name that leads here (DNS rebinding) lets a foreign page ask: both are refused. Pure.
/// </summary>
internal static class LoopbackRule
{
    private static readonly string[] marks = ["Forwarded", "X-Real-IP", "Via"];
    private static readonly string[] markBeginnings = ["X-Forwarded-", "X-Original-"];

    public static void Check(HttpContext context)
    {
        if (Refusal(context) is { } problem)
            throw problem;
    }

    private static Problem? Refusal(HttpContext context)
    {
        var request = context.Request;
        if (request.Headers.Keys.FirstOrDefault(IsForwarding) is { } header)
        {
            return new Problem(
                403,
                "forwarded",
                "The request came through a proxy",
                $"It carries the header {header}. In Development, without a decision who may see it, the dashboard answers this machine alone and nobody else's requests that a proxy passes on. {StartCheck.Advice}");
        }

        if (context.Connection.RemoteIpAddress is not { } address || !IPAddress.IsLoopback(address))
        {
            return new Problem(
                403,
                "not_local",
                "The request came from another machine",
                $"In Development, without a decision who may see it, the dashboard answers this machine alone. {StartCheck.Advice}");
        }

        return IsOwnName(request.Host)
            ? null
            : new Problem(
                403,
                "foreign_host",
                "The address is not this machine's",
                $"It was asked for as another name than localhost, 127.0.0.1 or [::1], which a foreign page can do too. Open it as localhost. {StartCheck.Advice}");
    }

    public static bool IsForwarding(string header) =>
        marks.Contains(header, StringComparer.OrdinalIgnoreCase) || markBeginnings.Any(beginning => header.StartsWith(beginning, StringComparison.OrdinalIgnoreCase));

    public static bool IsOwnName(HostString host) => host.Host.ToLowerInvariant() is "localhost" or "127.0.0.1" or "[::1]";
}
