using System.Globalization;

namespace Millrace.Bench.Looking;

/// <summary>A call of the API, asked again and again, each time about something else where there is a choice.</summary>
/// <param name="Name">As it stands in the table.</param>
/// <param name="Path">Of the time it is asked, below the API's base.</param>
/// <param name="Body">For a change that changes nothing: a preview. Null for a GET.</param>
internal sealed record Look(string Name, Func<int, string> Path, Func<int, string>? Body = null)
{
    /// <summary>After it nothing is kept, so that each answer is made and not remembered: as if something had just been changed.</summary>
    public static Look Forget { get; } = new("forget", _ => "operations/1/stop", _ => "{}");

    /// <summary>Every route that is read by GET and ends, and the preview of a change of many jobs, over a history.</summary>
    public static IReadOnlyList<Look> All(History history) =>
    [
        Of("me"), Of("overview"), Of("system"), Of("openapi.json"), Of("filter?q=state:failed%20type:index*"), Of("filter/words"),
        Chart("1 h, by minute", TimeSpan.FromHours(1), 60),
        Chart("24 h", TimeSpan.FromHours(24), 600),
        Chart("24 h of a queue", TimeSpan.FromHours(24), 600, "&queue=mail"),
        Chart("24 h of a type", TimeSpan.FromHours(24), 600, "&type=chargeCard"),
        Chart("7 days", TimeSpan.FromDays(7), 3600),
        Chart("30 days, by type", TimeSpan.FromDays(30), 14_400, "&by=type"),
        Of("types"), Of("types/indexFile"), Of("types/indexFile/slowest?hours=24"), Of("types/chargeCard/slowest?hours=1"), Of("settings"), Of("failures?hours=1"), Of("failures?hours=24"), Of("failures?hours=168"),
        Of("queues"), Of("workers"), Of("schedules"), Of("schedules/purge/runs?limit=50"), Of("audit?limit=50"), Of("operations/7"),
        Of("jobs/counts"), Jobs(""), Jobs("state:ready"), Jobs("state:scheduled"), Jobs("state:retrying"), Jobs("state:waiting"), Jobs("state:quarantined"), Jobs("state:running"),
        Jobs("state:succeeded"), Jobs("state:failed"), Jobs("state:cancelled"), Jobs("state:failed type:chargeCard"), Jobs("type:indexFile"), Jobs("type:chargeCard state:ready"), Jobs("type:nothingLikeIt"),
        Jobs("queue:images priority:1"), Jobs("tag:customer-42"), Jobs("tag:feed-3"), Jobs("tag:feed-3 state:failed"), Jobs("tag:customer-42*"), Jobs("user:77"), Jobs("schedule:purge"), Jobs("worker:shop-1"),
        Jobs("data.customer.id:4242"), Jobs("data.customer.region:us"), Jobs("error~declined"), Jobs("outcome:failed"), Jobs("attempt>1"),
        Jobs("finished>-1h"), Jobs("state:succeeded finished>-1h"), Jobs("finished:-2h..-1h"), Jobs("finished<-6d"), Jobs("created:-3d..-2d"), Jobs("due<+1h state:scheduled"),
        new("jobs, a page deep inside", time => $"jobs?limit=50&before={Somewhere(history, time)}"),
        new("jobs, state:succeeded deep inside", time => $"jobs?q=state:succeeded&limit=50&before={Somewhere(history, time)}"),
        new("jobs, state:failed deep inside", time => $"jobs?q=state:failed&limit=50&before={Somewhere(history, time)}"),
        new("jobs, data deep inside", time => $"jobs?q=data.customer.id:4242&limit=50&before={Somewhere(history, time)}"),
        OfJob(history, ""), OfJob(history, "/attempts"), OfJob(history, "/explain"), OfJob(history, "/audit"),
        new("jobs/{id}/logs", _ => $"jobs/{history.Finished}/logs?limit=500"),
        new("jobs/{id}, ready", time => $"jobs/{history.Finished + 1 + time}"),
        new("jobs/{id}/explain, ready", time => $"jobs/{history.Finished + 1 + time * 997 % history.Ready}/explain"),
        new("jobs/{id}/explain, last in line", _ => $"jobs/{history.Finished + history.Ready}/explain"),
        new("jobs/{id}, running", _ => $"jobs/{history.Jobs}"),
        new("jobs/{id}/explain, running", _ => $"jobs/{history.Jobs}/explain"),
        Preview("retry", "state:failed"), Preview("retry", "state:failed type:chargeCard"), Preview("retry", "state:failed finished>-1h"), Preview("cancel", "state:ready"), Preview("cancel", "state:ready queue:mail"),
        Preview("cancel", ""), Preview("delete", "tag:customer-42"), Preview("delete", "tag:feed-3"), Preview("delete", "state:succeeded"), Preview("delete", "state:cancelled"), Preview("run-now", "state:scheduled"),
        Preview("retry", "error~declined"), Preview("delete", "data.customer.id:4242"),
        new("preview of 200 chosen", _ => "operations/preview", time => $$"""{"action":"delete","ids":[{{string.Join(',', Enumerable.Range(Somewhere(history, time), 200).Select(id => $"\"{id}\""))}}]}"""),
    ];

    private static Look Of(string path) => new(path, _ => path);

    private static Look Jobs(string filter) => new(filter.Length == 0 ? "jobs" : $"jobs, {filter}", _ => $"jobs?limit=50&q={Uri.EscapeDataString(filter)}");

    private static Look OfJob(History history, string what) => new($"jobs/{{id}}{what}", time => $"jobs/{Somewhere(history, time)}{what}");

    private static Look Preview(string action, string filter) =>
        new($"preview of {action}, {(filter.Length == 0 ? "all jobs" : filter)}", _ => "operations/preview", _ => $$"""{"action":"{{action}}","q":"{{filter}}"}""");

    // As the web application asks: the end stands at a whole step.
    private static Look Chart(string name, TimeSpan length, int step, string more = "") => new($"stats of {name}", _ =>
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var end = DateTimeOffset.FromUnixTimeSeconds((now + step - 1) / step * step);
        return string.Create(CultureInfo.InvariantCulture, $"stats?from={end - length:yyyy-MM-ddTHH:mm:ssZ}&to={end:yyyy-MM-ddTHH:mm:ssZ}&stepSeconds={step}{more}");
    });

    // All over the history, and the same in each run.
    private static int Somewhere(History history, int time) => 1 + (int)((long)(time + 1) * 7_368_787 % (history.Finished - 200));
}
