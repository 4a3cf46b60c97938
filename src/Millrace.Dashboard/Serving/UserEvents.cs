using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Watching;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Dashboard.Serving;

/// <summary>What running jobs tell the user who is signed in, as it happens.</summary>
internal sealed class UserEvents(MillraceInstance instance, Func<HttpContext, long?>? userId, IServiceProvider services)
{
    // Then the browser asks again, and who has signed out since finds out.
    private static readonly TimeSpan longest = TimeSpan.FromMinutes(30);

    private readonly Outage outage = new(instance.Time);

    public async Task AnswerAsync(HttpContext context)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (UserOf(context) is not { } user)
        {
            await RefuseAsync(context).ConfigureAwait(false);
            return;
        }

        var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        await using var timer = instance.Time.CreateTimer(state => ((CancellationTokenSource?)state)?.Cancel(), end, longest, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        try
        {
            // Before the first byte: what is raised once the page knows that it is connected reaches it.
            var after = LastSeen(context.Request) ?? await instance.Events.ReadPositionAsync(end.Token).ConfigureAwait(false);
            await EventStream.WriteAsync(context, EventsAsync(user, after, end.Token), instance.Time, end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Left, or stopping.
        }
        catch (StoreException exception) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await ProblemJson.WriteAsync(context, StoreProblem.Of(exception, outage)).ConfigureAwait(false);
        }
    }

    private long? UserOf(HttpContext context)
    {
        if (userId is not null)
            return userId(context);
        // User 0 is the system: nobody signs in as that.
        return context.User.Identity?.IsAuthenticated == true
            && long.TryParse(context.User.FindFirst(ClaimTypes.NameIdentifier)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            && id > 0
            ? id
            : null;
    }

    private Task RefuseAsync(HttpContext context)
    {
        context.Response.StatusCode = userId is null && context.User.Identity?.IsAuthenticated != true ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden;
        return ProblemJson.WriteAsync(context, context.Response.StatusCode == StatusCodes.Status401Unauthorized
            ? new Problem(401, "not_signed_in", "Nobody is signed in", "Events are those of the signed-in user.")
            : new Problem(403, "no_user", "It is not known whose events these are", "The claim NameIdentifier of the user is not a number above 0. Give MapMillraceEvents a function that finds the user's id."));
    }

    private async IAsyncEnumerable<ServerSentEvent> EventsAsync(long user, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var one in instance.Events.SubscribeAsync(user, after, cancellationToken).ConfigureAwait(false))
        {
            var kind = one.Kind == JobEventKind.Progress ? "progress" : "notification";
            var id = JobShow.Id(one.Id);
            yield return ServerSentEvent.Of(kind, new JobEventAnswer(id, kind, JobShow.Id(one.JobId), one.JobType, one.At, one.Message, one.Percent), id);
        }
    }

    private static long? LastSeen(HttpRequest request) =>
        long.TryParse(request.Headers["Last-Event-ID"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
}
