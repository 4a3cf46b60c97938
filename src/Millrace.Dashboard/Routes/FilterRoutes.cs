using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Showing;
using Millrace.Inspecting;

namespace Millrace.Dashboard.Routes;

/// <summary>Help for whoever types a filter.</summary>
internal static class FilterRoutes
{
    private const int MostWords = 200;

    private static readonly IReadOnlyList<FilterFieldAnswer> fields = [.. FilterWords.Fields.Select(field => new FilterFieldAnswer(field.Name, WordOf(field.Kind), $"{field.Hint}: {field.Example}"))];

    public static IReadOnlyList<Route> All { get; } =
    [
        Route.Get("filter", "Whether a filter can be read, and if not, where and why.", CheckAsync, Take.Filter).WithoutStore(),
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
            [.. FilterWords.States.Select(state => state.Word)],
            Some(types.Select(type => type.Description.Name)),
            Some(queues.Select(queue => queue.Name)),
            Some(schedules.Select(schedule => schedule.Schedule.Name)),
            Some(workers.Where(worker => worker.IsAlive).Select(worker => worker.Name)));

        IReadOnlyList<Shown> Some(IEnumerable<string> names) => call.Panel.Redaction.Texts(names.Distinct().Take(MostWords));
    }

    // An outcome is a text that is one of a few.
    private static string WordOf(FilterKind kind) => kind == FilterKind.Outcome ? "text" : kind.ToString().ToLowerInvariant();
}
