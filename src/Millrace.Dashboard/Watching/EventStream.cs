using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Millrace.Dashboard.Watching;

/// <summary>Writes server-sent events, with a ping every 15 seconds so that nothing in between takes the connection for dead, until the browser leaves or the application stops.</summary>
internal static class EventStream
{
    private static readonly TimeSpan ping = TimeSpan.FromSeconds(15);

    /// <param name="context">The request.</param>
    /// <param name="events">What to write. The stream ends with it.</param>
    /// <param name="time">For the pings.</param>
    /// <param name="cancellationToken">The browser left, or the application stops.</param>
    public static async Task WriteAsync(HttpContext context, IAsyncEnumerable<ServerSentEvent> events, TimeProvider time, CancellationToken cancellationToken)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        // For nginx and those like it: what is held back to be sent in one piece is late.
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await SendAsync(response, ServerSentEvent.Ping, cancellationToken).ConfigureAwait(false);

        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reader = events.GetAsyncEnumerator(leaving.Token);
        Task<bool>? next = null;
        try
        {
            while (true)
            {
                next ??= reader.MoveNextAsync().AsTask();
                if (!await IsThereAsync(next, time, cancellationToken).ConfigureAwait(false))
                {
                    await SendAsync(response, ServerSentEvent.Ping, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                if (!await next.ConfigureAwait(false))
                    return;
                next = null;
                await SendAsync(response, reader.Current, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Left, or stopping.
        }
        finally
        {
            // An enumerator must not be disposed while it moves.
            await leaving.CancelAsync().ConfigureAwait(false);
            if (next is not null)
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await reader.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<bool> IsThereAsync(Task next, TimeProvider time, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(next, Task.Delay(ping, time, either.Token)).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return next.IsCompleted;
    }

    private static async Task SendAsync(HttpResponse response, ServerSentEvent what, CancellationToken cancellationToken)
    {
        await response.Body.WriteAsync(what.Bytes, cancellationToken).ConfigureAwait(false);
        await response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
    }
}
