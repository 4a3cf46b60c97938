using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Showing;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Routes;

/// <summary>Charts, types, failures by cause: all from roll-ups and bounded reads.</summary>
internal static class StatRoutes
{
    private const int MostBuckets = 2_000;
    private const int MostFailures = 5_000;
    private const int MostSlow = 20;

    private static readonly TimeSpan longest = TimeSpan.FromDays(92);

    public static IReadOnlyList<Route> All { get; } =
    [
        Route.Get("stats", "Ended attempts by bucket, with how long they waited and ran.", StatsAsync, Take.From, Take.To, Take.Step, Take.Queue, Take.Type, Take.By).Keep(2),
        Route.Get("types", "The catalogue of types, and how each did in the last day.", TypesAsync).Keep(5),
        Route.Get("types/{name}", "One type, with the JSON Schema of its data.", TypeAsync, Take.Name).Keep(5),
        Route.Get("types/{name}/slowest", "The slowest runs of a type, from the newest jobs backwards; next says where to go on.", SlowestAsync, Take.Name, Take.Hours, Take.Before, Take.BeforeRun).Keep(5),
        Route.Get("failures", "Failures grouped by cause, the most frequent first.", FailuresAsync, Take.Hours).Keep(5),
    ];

    private static async Task<StatsAnswer> StatsAsync(Call call)
    {
        var by = call.Read(Take.By);
        var now = call.Panel.Time.GetUtcNow();
        var to = call.Read(Take.To) ?? now;
        var from = call.Read(Take.From) ?? to - TimeSpan.FromHours(1);
        var step = TimeSpan.FromSeconds(call.Read(Take.Step, 60));
        if (step.Ticks % TimeSpan.TicksPerMinute != 0)
            throw Problem.OutOfBounds(Take.Step.Name, "a multiple of 60", "A bucket is a whole number of minutes long.");
        if (from >= to || to - from > longest)
            throw Problem.OutOfBounds(Take.From.Name, "before the end, and at most 92 days before it", $"From {from:u} to {to:u} is nothing, or more than 92 days.");
        if ((to - from) / step > MostBuckets)
            throw Problem.OutOfBounds(Take.Step.Name, $"at most {MostBuckets} buckets", $"From {from:u} to {to:u} in steps of {step.TotalSeconds} s are too many buckets. Take longer ones.");

        var query = new StatQuery
        {
            From = from, To = to, Step = step, Queue = call.Read(Take.Queue), Type = call.Read(Take.Type), ByQueue = by == "queue", ByType = by == "type",
        };
        var rows = await call.Inspection.ReadStatsAsync(query, call.Aborted).ConfigureAwait(false);
        return new StatsAnswer(from, to, (int)step.TotalSeconds, StatShow.Points(rows, query.ByQueue, query.ByType, call.Panel.Redaction), await DeploymentsAsync(call, from, to).ConfigureAwait(false));
    }

    private static async Task<TypesAnswer> TypesAsync(Call call)
    {
        var types = await call.Inspection.ReadTypesAsync(call.Aborted).ConfigureAwait(false);
        var byType = (await LastDayAsync(call, null).ConfigureAwait(false)).ToLookup(row => row.Type);
        return new TypesAnswer([.. types.Select(type => call.Panel.General.Type(type, byType[type.Description.Name], withSchema: false))]);
    }

    private static async Task<TypeAnswer> TypeAsync(Call call)
    {
        var name = call.ReadName("Job type");
        var types = await call.Inspection.ReadTypesAsync(call.Aborted).ConfigureAwait(false);
        var type = types.FirstOrDefault(type => type.Description.Name == name)
            ?? types.FirstOrDefault(type => type.Description.Aliases.Contains(name))
            ?? throw Problem.NotFound($"Type \"{name}\"");
        return call.Panel.General.Type(type, await LastDayAsync(call, type.Description.Name).ConfigureAwait(false), withSchema: true);
    }

    private static async Task<SlowestAnswer> SlowestAsync(Call call)
    {
        var now = await call.Inspection.ReadClockAsync(call.Aborted).ConfigureAwait(false);
        var name = call.ReadName("Job type");
        var before = Take.Before.Read(call.Request);
        var query = new SlowRunQuery(name, now - TimeSpan.FromHours(call.Read(Take.Hours, 24)))
        {
            Limit = MostSlow,
            Before = before is { } job ? new RunPlace(job, (int)call.Read(Take.BeforeRun, int.MaxValue)) : null,
            Patience = JobRoutes.Patience,
        };
        var slow = await call.Inspection.ReadSlowRunsAsync(query, call.Aborted).ConfigureAwait(false);
        return StatShow.Slowest(slow, query.Since, call.Panel.Redaction);
    }

    private static async Task<FailuresAnswer> FailuresAsync(Call call)
    {
        var hours = call.Read(Take.Hours, 24);
        var now = await call.Inspection.ReadClockAsync(call.Aborted).ConfigureAwait(false);
        var since = now - TimeSpan.FromHours(hours);
        var failures = await call.Inspection.ReadFailuresAsync(since, MostFailures, call.Aborted).ConfigureAwait(false);
        return new FailuresAnswer(since, failures.Count == MostFailures, [.. FailureGroup.Group(failures, since, now).Select(call.Panel.General.Failure)], await DeploymentsAsync(call, since, now).ConfigureAwait(false));
    }

    private static async Task<IReadOnlyList<DeploymentAnswer>> DeploymentsAsync(Call call, DateTimeOffset from, DateTimeOffset to) =>
        [.. (await call.Panel.Slowly.DeploymentsAsync(call.Aborted).ConfigureAwait(false)).Where(one => one.At >= from && one.At <= to).Select(call.Panel.General.Deployment)];

    private static Task<IReadOnlyList<StatRow>> LastDayAsync(Call call, string? type)
    {
        var now = call.Panel.Time.GetUtcNow();
        var query = new StatQuery { From = now - TimeSpan.FromDays(1), To = now + TimeSpan.FromMinutes(1), Step = TimeSpan.FromHours(1), Type = type, ByType = true };
        return call.Inspection.ReadStatsAsync(query, call.Aborted);
    }
}
