using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Guarding;

namespace Millrace.Dashboard.Serving;

/// <summary>What a browser is given: the web application and its files, the developer's login, and pages that say why not.</summary>
internal sealed class Pages(Panel panel)
{
    private const string Assets = "assets/";

    /// <summary>A file of the web application; the shell for every other path, which is the web application's own.</summary>
    public async Task ShowAsync(HttpContext context, Visitor visitor)
    {
        var values = context.Request.RouteValues;
        var path = values.TryGetValue("file", out var file) ? $"{Assets}{file}" : values["path"] as string ?? "";
        if (WebFiles.Find(path) is { } found)
            await SendAsync(context, found).ConfigureAwait(false);
        else if (path.StartsWith(Assets, StringComparison.Ordinal))
            throw Problem.NotFound($"The file \"{path}\"");
        else
            await WriteAsync(context, ShellPage.Render(WebFiles.Shell, MountPath.Of(context), panel.Options.Title)).ConfigureAwait(false);
    }

    /// <summary>Opened from the console.</summary>
    public Task SignInAsync(HttpContext context)
    {
        Developer().SignIn(context, MountPath.Of(context));
        return Task.CompletedTask;
    }

    /// <summary>Asked for on the page that says that nobody is signed in. The link goes to the console: only who can read that gets in.</summary>
    public Task WriteLinkAsync(HttpContext context)
    {
        LoopbackRule.Check(context);
        SameOrigin.Check(context.Request);
        Developer().WriteLink($"{context.Request.Scheme}://{context.Request.Host}{MountPath.Of(context)}");
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = MountPath.Of(context);
        return Task.CompletedTask;
    }

    public async Task SayAsync(HttpContext context, Problem problem)
    {
        if (problem.Code == "not_signed_in" && await panel.Gate.ChallengeAsync(context).ConfigureAwait(false))
            return;
        var form = problem.Code == "not_signed_in" && panel.Developer is not null
            ? $"""<form method="post" action="{HtmlEncoder.Default.Encode(MountPath.Of(context))}{DeveloperLogin.Path}/link"><button>Write a new link to the console</button></form>"""
            : "";
        var html = $"""
            <!doctype html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>{Encode(problem.Title)}</title></head>
            <body>
            <h1>{Encode(problem.Title)}</h1>
            <p>{Encode(problem.Detail).Replace("&#xA;", "<br>", StringComparison.Ordinal)}</p>
            {form}
            </body>
            </html>
            """;
        await WriteAsync(context, html).ConfigureAwait(false);
    }

    private DeveloperLogin Developer() =>
        panel.Developer is { } developer && Decisions.Of(null, panel.Options, hasDeveloperLogin: true) == Decision.Developer ? developer : throw Problem.NotFound("That page");

    private static async Task SendAsync(HttpContext context, WebFile file)
    {
        var response = context.Response;
        response.Headers.ETag = file.Tag;
        response.Headers.Vary = "Accept-Encoding";
        if (file.IsHashed)
            SecurityHeaders.KeepForEver(response);
        if (context.Request.Headers.IfNoneMatch.ToString() == file.Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var (bytes, encoding) = file.For(context.Request.Headers.AcceptEncoding.ToString());
        response.Headers.ContentEncoding = encoding;
        response.ContentType = file.ContentType;
        response.ContentLength = bytes.Length;
        await response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task WriteAsync(HttpContext context, string html)
    {
        var bytes = Encoding.UTF8.GetBytes(html);
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);
}
