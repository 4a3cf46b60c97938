using System.Reflection;
using Microsoft.Extensions.Hosting;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Watching;
using Millrace.Storage;

namespace Millrace.Dashboard.Routes;

/// <summary>The whole of it: who looks, how it goes, what happens.</summary>
internal static class SystemRoutes
{
    // A stream ends after this, and the browser asks again: who is no longer allowed to look finds out then.
    private static readonly TimeSpan longestStream = TimeSpan.FromMinutes(30);

    public static string Version { get; } =
        typeof(SystemRoutes).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public static IReadOnlyList<Route> All { get; } =
    [
        Route.Get("me", "Who you are here, and what you may do.", MeAsync).WithoutStore(),
        Route.Get("overview", "Whether anything is wrong, and the figures of this moment.", OverviewAsync).Keep(1),
        Route.Get("system", "Versions, sizes, and whether the database is as it should be.", SystemAsync).Keep(5),
        Route.Get("settings", "The settings in force, of this dashboard and of the processes that have registered theirs, and where each came from.", SettingsAsync).Keep(5),
        Route.Get("events", "Server-sent events: pulse when something may have changed, operation while one goes on, ping.", EventsAsync).WithoutStore(),
        Route.Get("openapi.json", "This description.", DescribeAsync).WithoutStore(),
    ];

    private static Task<MeAnswer> MeAsync(Call call)
    {
        var panel = call.Panel;
        return Task.FromResult(new MeAnswer(
            call.Visitor.Name,
            [.. call.Visitor.May.ToWords()],
            panel.Environment.EnvironmentName,
            panel.Environment.IsProduction(),
            Version,
            panel.Redaction.Text(panel.Store.Name).ToString(),
            panel.Options.IsReadOnly));
    }

    private static async Task<OverviewAnswer> OverviewAsync(Call call)
    {
        var (inspection, panel) = (call.Inspection, call.Panel);
        var counts = await panel.Moments.CountsAsync(call.Aborted).ConfigureAwait(false);
        var now = counts.Now;
        var day = new StatQuery { From = now - TimeSpan.FromDays(1), To = now + TimeSpan.FromMinutes(1), Step = TimeSpan.FromHours(1), ByType = true };
        var facts = new HealthFacts(
            now,
            counts,
            await panel.Moments.QueuesAsync(call.Aborted).ConfigureAwait(false),
            await inspection.ReadWorkersAsync(call.Aborted).ConfigureAwait(false),
            await panel.Slowly.SchedulesAsync(call.Aborted).ConfigureAwait(false),
            await panel.Slowly.StatsAsync(day, call.Aborted).ConfigureAwait(false),
            await panel.Slowly.DeploymentsAsync(call.Aborted).ConfigureAwait(false));
        return new OverviewAnswer
        {
            Now = now,
            Counts = Words.Counts(counts.ByState),
            Cap = JobCounts.Cap,
            OldestReady = counts.OldestReady,
            DonePerMinute = facts.Queues.Sum(queue => queue.EndsPerMinute),
            FailedLastHour = facts.Queues.Sum(queue => queue.FailedLastHour),
            // Processes that only submit are no workers.
            WorkersAlive = facts.Workers.Count(worker => worker.IsAlive && worker.Queues.Count > 0),
            WorkersTotal = facts.Workers.Count(worker => worker.Queues.Count > 0),
            Findings = [.. Health.Judge(facts).Select(symptom => panel.General.Finding(symptom.Finding, symptom.Page, symptom.Filter))],
            Queues = [.. facts.Queues.Select(panel.General.Queue)],
        };
    }

    private static async Task<SystemAnswer> SystemAsync(Call call) =>
        call.Panel.General.System(await call.Inspection.ReportAsync(call.Aborted).ConfigureAwait(false), Version);

    private static async Task<SettingsAnswer> SettingsAsync(Call call)
    {
        var panel = call.Panel;
        return SettingShow.All(panel.Options, panel.Mount, panel.CanSubmit, await call.Inspection.ReadSettingsAsync(call.Aborted).ConfigureAwait(false), panel.Redaction);
    }

    private static async Task<Reply> EventsAsync(Call call)
    {
        var panel = call.Panel;
        using var listening = panel.Broadcast.Listen();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(call.Aborted, panel.Lifetime.ApplicationStopping);
        using var timer = panel.Time.CreateTimer(state => ((CancellationTokenSource?)state)?.Cancel(), end, longestStream, Timeout.InfiniteTimeSpan);
        await EventStream.WriteAsync(call.Context, listening.Events.ReadAllAsync(end.Token), panel.Time, end.Token).ConfigureAwait(false);
        return Reply.Written;
    }

    private static Task<Reply> DescribeAsync(Call call) => Task.FromResult(new Reply(OpenApi.Bytes));
}
