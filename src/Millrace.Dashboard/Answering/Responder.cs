using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Serving;
using Millrace.Storage;

namespace Millrace.Dashboard.Answering;

/// <summary>The way of every request: headers, who is there, may he, is it his own page that asks, the answer, and what went wrong.</summary>
internal sealed class Responder(Panel panel)
{
    /// <summary>For a route of the API.</summary>
    public RequestDelegate For(Route route) => Guard(isPage: false, async context =>
    {
        var visitor = await panel.Gate.EnterAsync(context).ConfigureAwait(false);
        if (!visitor.MayDo(route.Needs))
            throw Problem.MissingPermission(route.Needs.ToWord());
        if (route.IsChange)
            SameOrigin.Check(context.Request);
        var call = new Call(panel, context, visitor, context.RequestAborted);
        var reply = route.IsChange
            ? await panel.FirstAnswers.GetAsync(route, call, panel.Answers.GetAsync).ConfigureAwait(false)
            : await panel.Answers.GetAsync(route, call).ConfigureAwait(false);
        if (route is { IsChange: true, HasEffect: true })
            panel.Changed();
        if (reply.Body is { } body)
            await WriteAsync(context, body, reply, route).ConfigureAwait(false);
    });

    /// <summary>For a page or a file.</summary>
    public RequestDelegate ForPage(Func<HttpContext, Visitor, Task> answer) => Guard(isPage: true, async context =>
    {
        var visitor = await panel.Gate.EnterAsync(context).ConfigureAwait(false);
        if (!visitor.MayDo(Permission.View))
            throw Problem.MissingPermission(Permission.View.ToWord());
        await answer(context, visitor).ConfigureAwait(false);
    });

    /// <summary>Headers, and problems: whatever is thrown becomes an answer.</summary>
    public RequestDelegate Guard(bool isPage, RequestDelegate answer) => async context =>
    {
        SecurityHeaders.Set(context.Response);
        try
        {
            await answer(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to read the answer.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            await SayAsync(context, ToProblem(exception, context), isPage).ConfigureAwait(false);
        }
    };

    private Problem ToProblem(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case Problem problem:
                return problem;
            case StoreException store:
                return StoreProblem.Of(store, panel.Outage);
            case SubmitException { InnerException: StoreException store }:
                return StoreProblem.Of(store, panel.Outage);
            case BadHttpRequestException bad:
                return new Problem(bad.StatusCode, "bad_request", "The request cannot be read", "The server could not read the request.");
            default:
                Log.Failed(panel.Log, exception, context.Request.Method, context.GetEndpoint()?.DisplayName ?? "");
                return new Problem(500, "internal", "Something went wrong", "The dashboard failed in a way that was not foreseen. The log of the application has the details.");
        }
    }

    private static async Task WriteAsync(HttpContext context, byte[] body, Reply reply, Route route)
    {
        var response = context.Response;
        response.StatusCode = reply.Status;
        response.ContentType = "application/json; charset=utf-8";
        if (!route.IsChange)
        {
            var tag = $"\"{reply.Tag}\"";
            response.Headers.ETag = tag;
            // A job's tag is its version, which stays while its progress changes: it is for If-Match alone.
            if (reply.Version is null && context.Request.Headers.IfNoneMatch.ToString() == tag)
            {
                response.ContentType = null;
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
        }

        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    private Task SayAsync(HttpContext context, Problem problem, bool isPage)
    {
        context.Response.Clear();
        SecurityHeaders.Set(context.Response);
        context.Response.StatusCode = problem.Status;
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
            context.Response.Headers.RetryAfter = "3";
        return isPage ? panel.Pages.SayAsync(context, problem) : ProblemJson.WriteAsync(context, problem);
    }
}
