using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Showing;
using Millrace.Inspecting;

namespace Millrace.Dashboard.Answering;

/// <summary>Writes a problem for programs (RFC 9457).</summary>
internal static class ProblemJson
{
    public static async Task WriteAsync(HttpContext context, Problem problem)
    {
        var body = DashboardJson.Bytes(new ProblemAnswer
        {
            Type = "about:blank",
            Title = problem.Title,
            Status = problem.Status,
            Detail = Shown.Of(problem.Detail, Redactor.Text).ToString(),
            Code = problem.Code,
            Field = problem.Field,
            Limit = problem.Limit,
            Position = problem.Position,
            Length = problem.Length,
            State = problem.State,
            Version = problem.Version,
            Permission = problem.Permission,
            Count = problem.Count,
            Since = problem.Since,
        });
        context.Response.ContentType = "application/problem+json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}
