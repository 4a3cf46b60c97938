using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Answering;

namespace Millrace.Dashboard.Guarding;

/// <summary>
/// How the dashboard is closed on a developer's machine without anybody setting anything up: a link, written to the console, can be opened once, within ten minutes, and leaves a cookie behind. The token is in
/// the address of that one request only.
/// </summary>
internal sealed class DeveloperLogin(TimeProvider time, string application, string mount, TextWriter console)
{
    public const string Path = "login";
    public const string Name = "developer";

    private static readonly TimeSpan linkLife = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan sessionLife = TimeSpan.FromHours(12);

    private readonly OneTimeTokens links = new(time, linkLife, most: 3);
    private readonly OneTimeTokens sessions = new(time, sessionLife, most: 20);

    // Cookies do not know ports: two applications on one machine must not take each other's.
    private readonly string cookie = $"millrace-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{application}\n{mount}")).AsSpan(0, 4))}";

    private string? address;

    /// <summary>Writes a link to the console, and nowhere else.</summary>
    /// <param name="at">Where the dashboard is; null for where the last link led.</param>
    public void WriteLink(string? at = null)
    {
        address = at ?? address ?? mount;
        console.WriteLine($"Dashboard: {address.TrimEnd('/')}/{Path}?token={links.Issue()}");
        console.WriteLine($"           (good once, for {linkLife.TotalMinutes:0} minutes, on this machine)");
    }

    /// <summary>Whoever comes with the cookie.</summary>
    public string Enter(HttpContext context)
    {
        LoopbackRule.Check(context);
        return context.Request.Cookies.TryGetValue(cookie, out var session) && sessions.Knows(session) ? Name : throw NotSignedIn();
    }

    /// <summary>Takes the token, leaves the cookie, and sends the browser on to an address without it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="home">Where the dashboard is, for this request.</param>
    public void SignIn(HttpContext context, string home)
    {
        LoopbackRule.Check(context);
        if (!links.Take(context.Request.Query["token"].ToString()))
            throw NotSignedIn();
        context.Response.Cookies.Append(cookie, sessions.Issue(), new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Secure = context.Request.IsHttps,
            Path = home,
            IsEssential = true,
        });
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = home;
    }

    private static Problem NotSignedIn() => new(
        401,
        "not_signed_in",
        "Sign in with the link in the console",
        "The application has written a link to its console that signs you in. It can be opened once, within ten minutes. If it is used up, let the application write a new one.");
}
