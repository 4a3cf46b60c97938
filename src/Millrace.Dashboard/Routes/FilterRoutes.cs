using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Showing;
using Millrace.Inspecting;

namespace Millrace.Dashboard.Routes;

/// <summary>Help for whoever types a filter.</summary>
internal static class FilterRoutes
{
    private const int MostWords = 200;

    private static readonly IReadOnlyList<FilterFieldAnswer> fields =
    [
        new("state", "state", "ready, scheduled, retrying, waiting, quarantined, running, succeeded, failed, cancelled"),
        new("type", "text", "the registered name; * for any characters"),
        new("queue", "text", "the queue"),
        new("tag", "text", "the tag; * for any characters"),
        new("error", "text", "the error of the latest run; ~ for contains"),
        new("worker", "text", "the name or the id of the node"),
        new("schedule", "text", "the schedule whose tick it is"),
        new("outcome", "text", "how the latest run ended"),
        new("id", "number", "the job's id"),
        new("user", "number", "whose job it is"),
        new("priority", "number", "lower runs first"),
        new("attempt", "number", "the number of the attempt"),
        new("parent", "number", "the job that submitted it"),
        new("created", "time", "when it was submitted: >-1h, 2026-11-25..now"),
        new("due", "time", "when it is due"),
        new("started", "time", "when its latest run began"),
        new("finished", "time", "when its latest run ended"),
        new("data.", "data", "a member of the data: data.path~doc"),
    ];

    public static IReadOnlyList<Route> All { get; } =
    [
        Route.Get("filter", "Whether a filter can be read, and if not, where and why.", CheckAsync, Take.Filter),
        Route.Get("filter/words", "What can stand in a filter, for completion.", WordsAsync).Keep(5),
    ];

    private static Task<FilterAnswer> CheckAsync(Call call)
    {
        try
        {
            FilterParser.Parse(call.Read(Take.Filter), call.Panel.Time.GetUtcNow());
            return Task.FromResult(new FilterAnswer(true));
        }
        catch (FilterException exception)
        {
            return Task.FromResult(new FilterAnswer(false, exception.Position, exception.Length, exception.Message));
        }
    }

    private static async Task<FilterWordsAnswer> WordsAsync(Call call)
    {
        var inspection = call.Inspection;
        var types = await inspection.ReadTypesAsync(call.Aborted).ConfigureAwait(false);
        var queues = await inspection.ReadQueuesAsync(call.Aborted).ConfigureAwait(false);
        var schedules = await inspection.ReadSchedulesAsync(call.Aborted).ConfigureAwait(false);
        var workers = await inspection.ReadWorkersAsync(call.Aborted).ConfigureAwait(false);
        return new FilterWordsAnswer(
            fields,
            Words.States,
            Some(types.Select(type => type.Description.Name)),
            Some(queues.Select(queue => queue.Name)),
            Some(schedules.Select(schedule => schedule.Schedule.Name)),
            Some(workers.Where(worker => worker.IsAlive).Select(worker => worker.Name)));

        IReadOnlyList<Shown> Some(IEnumerable<string> names) => call.Panel.Redaction.Texts(names.Distinct().Take(MostWords));
    }
}
