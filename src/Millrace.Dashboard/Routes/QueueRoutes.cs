using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Showing;

namespace Millrace.Dashboard.Routes;

/// <summary>Queues and workers.</summary>
internal static class QueueRoutes
{
    public static IReadOnlyList<Route> All { get; } =
    [
        Route.Get("queues", "All queues.", QueuesAsync).Keep(1),
        Route.Post<PauseRequest, ChangedAnswer>("queues/{name}/pause", Permission.Administer, "Stop claims from a queue, on all nodes.", (call, body) => PauseAsync(call, true, body.Reason, body.Until), Take.Name),
        Route.Post<ReasonRequest, ChangedAnswer>("queues/{name}/resume", Permission.Administer, "Let claims from a queue go on.", (call, body) => PauseAsync(call, false, body.Reason, null), Take.Name),
        Route.Get("workers", "Processes that run jobs, and what each runs.", WorkersAsync).Keep(1),
        Route.Post<ReasonRequest, ChangedAnswer>("workers/{id}/drain", Permission.Administer, "Ask a worker to claim no more.", (call, body) => DrainAsync(call, true, body.Reason), Take.Worker),
        Route.Post<ReasonRequest, ChangedAnswer>("workers/{id}/resume", Permission.Administer, "Let a worker claim again.", (call, body) => DrainAsync(call, false, body.Reason), Take.Worker),
    ];

    /// <summary>When a pause ends by itself.</summary>
    public static DateTimeOffset? UntilOf(Call call, DateTimeOffset? until) =>
        until is null || (until > call.Panel.Time.GetUtcNow() && until.Value.Year < 2200) ? until : throw Problem.OutOfBounds("until", "a time to come", $"The pause would end at {until:u}, which is not to come.");

    private static async Task<QueuesAnswer> QueuesAsync(Call call)
    {
        var queues = await call.Panel.Moments.QueuesAsync(call.Aborted).ConfigureAwait(false);
        return new QueuesAnswer([.. queues.Select(call.Panel.General.Queue)]);
    }

    private static async Task<ChangedAnswer> PauseAsync(Call call, bool isPaused, string? reason, DateTimeOffset? until)
    {
        var queue = call.ReadName("Queue");
        var author = call.Visitor.Author(Call.Reason(reason));
        var hasChanged = await call.Operations.PauseQueueAsync(queue, isPaused, UntilOf(call, until), author, CancellationToken.None).ConfigureAwait(false);
        if (hasChanged && !isPaused)
            await Wake.QueueAsync(call.Panel, queue).ConfigureAwait(false);
        return new ChangedAnswer(hasChanged);
    }

    private static async Task<WorkersAnswer> WorkersAsync(Call call)
    {
        var now = await call.Inspection.ReadClockAsync(call.Aborted).ConfigureAwait(false);
        var workers = await call.Inspection.ReadWorkersAsync(call.Aborted).ConfigureAwait(false);
        return new WorkersAnswer(now, [.. workers.Select(call.Panel.General.Worker)]);
    }

    private static async Task<ChangedAnswer> DrainAsync(Call call, bool isDraining, string? reason)
    {
        var worker = call.Read(Take.Worker);
        var author = call.Visitor.Author(Call.Reason(reason));
        var hasChanged = await call.Operations.DrainAsync(worker, isDraining, author, CancellationToken.None).ConfigureAwait(false);
        return new ChangedAnswer(hasChanged ?? throw Problem.NotFound($"A living worker {worker}"));
    }
}
