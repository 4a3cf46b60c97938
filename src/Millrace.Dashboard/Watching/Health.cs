using System.Globalization;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Watching;

/// <summary>What is known at one moment, for <see cref="Health"/>. The last day is roll-ups by type, in hours.</summary>
internal sealed record HealthFacts(
    DateTimeOffset Now,
    JobCounts Counts,
    IReadOnlyList<QueueRecord> Queues,
    IReadOnlyList<WorkerRecord> Workers,
    IReadOnlyList<ScheduleRecord> Schedules,
    IReadOnlyList<StatRow> LastDay,
    IReadOnlyList<Deployment> Deployments);

/// <summary>A finding, and where it can be seen.</summary>
/// <param name="Finding">What is wrong.</param>
/// <param name="Page">A page of the dashboard.</param>
/// <param name="Filter">What to filter there; null for nothing.</param>
internal sealed record Symptom(Finding Finding, string Page, string? Filter = null);

/// <summary>Says whether anything is wrong, since when, why, and what to do. Pure.</summary>
internal static class Health
{
    private const int Most = 20;

    /// <summary>Jobs that could run wait no longer than this in a queue that keeps up.</summary>
    private static readonly TimeSpan longWait = TimeSpan.FromMinutes(5);

    /// <summary>Ticks are fired within seconds; what is later than this was not looked at.</summary>
    private static readonly TimeSpan lateTick = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan recently = TimeSpan.FromMinutes(15);

    /// <summary>Fewer attempts say nothing about a rate.</summary>
    private const long LeastAttempts = 10;

    private const double HighRate = 0.2;

    public static IReadOnlyList<Symptom> Judge(HealthFacts facts)
    {
        List<Symptom> found = [.. facts.Queues.SelectMany(queue => OfQueue(queue, facts.Now)), .. OfTypes(facts), .. OfSchedules(facts), .. OfWorkers(facts), .. OfCounts(facts.Counts)];
        return [.. found.OrderByDescending(symptom => symptom.Finding.Severity).Take(Most)];
    }

    private static IEnumerable<Symptom> OfQueue(QueueRecord queue, DateTimeOffset now)
    {
        if (queue.Ready == 0)
            yield break;
        if (queue.Pause is { } pause)
        {
            yield return Say(
                "queue_paused", Severity.Notice,
                $"Queue \"{queue.Name}\" is paused, and {Number(queue.Ready)} ready jobs wait in it.",
                $"{pause.By ?? "Somebody"} paused it {Ago(pause.Since, now)}{(pause.Reason is { } reason ? $": {reason}" : ".")}",
                pause.Until is { } until ? $"It resumes by itself at {until:u}. Resume it earlier on the page of queues." : "Resume it on the page of queues.",
                "queues");
        }
        else if (queue.Nodes == 0)
        {
            yield return Say(
                "queue_without_worker", Severity.Error,
                $"Queue \"{queue.Name}\" has {Number(queue.Ready)} ready jobs and no worker{(queue.OldestReady is { } since ? $"; the oldest has waited {Span(now - since)}" : "")}.",
                "No living process works on this queue, or all that do were asked to drain.",
                "Start a process whose AddWorkers names this queue, or let a draining worker go on.",
                "workers");
        }
        else if (queue.OldestReady is { } oldest && now - oldest > longWait)
        {
            yield return Say(
                "long_wait", Severity.Warning,
                $"In queue \"{queue.Name}\" the oldest ready job has waited {Span(now - oldest)}; {Number(queue.Ready)} are ready.",
                queue.EndsPerMinute > 0
                    ? $"More came in than is done: {Number(queue.EndsPerMinute)} attempts end and {Number(queue.ArrivalsPerMinute)} jobs come in a minute now."
                    : "Its workers end nothing: they know other types, or all their slots are held by long jobs.",
                "Look at what its workers run. Give the queue more slots (Concurrency) or more processes.",
                "jobs",
                $"state:ready queue:{FilterText.Value(queue.Name)}");
        }
    }

    private static IEnumerable<Symptom> OfTypes(HealthFacts facts)
    {
        var hourAgo = facts.Now - TimeSpan.FromHours(1);
        foreach (var type in facts.LastDay.GroupBy(row => row.Type))
        {
            // Buckets begin on full hours: the newest two hold the last hour.
            var (recent, before) = (Rate(type.Where(row => row.Bucket.AddHours(1) > hourAgo)), Rate(type.Where(row => row.Bucket.AddHours(1) <= hourAgo)));
            if (recent.All < LeastAttempts || recent.Share < HighRate || (before.All >= LeastAttempts && recent.Share < 2 * before.Share))
                continue;
            yield return Say(
                "type_fails", Severity.Error,
                $"Type \"{type.Key}\" fails in {Percent(recent.Share)} of its attempts{(before.All >= LeastAttempts ? $"; before it was {Percent(before.Share)}" : "")}.",
                Deployed(facts) ?? "A change of its code or its data, or something that it needs is away.",
                "Look at its failures by cause, mend that, and retry those that were given up.",
                "failures",
                $"type:{FilterText.Value(type.Key)}");
        }
    }

    // The roll-ups are hours: what came shortly before the last of them may be why.
    private static string? Deployed(HealthFacts facts) => facts.Deployments.LastOrDefault(one => facts.Now - one.At < TimeSpan.FromHours(2)) is { } last
        ? $"{last.Application} {last.Version} came {Ago(last.At, facts.Now)}: perhaps that. Or a change of its data, or something that it needs is away."
        : null;

    private static IEnumerable<Symptom> OfSchedules(HealthFacts facts)
    {
        foreach (var schedule in facts.Schedules.Select(record => record.Schedule))
        {
            var isPaused = schedule.Pause is { } pause && (pause.Until is null || pause.Until > facts.Now);
            if (isPaused || schedule.NextDue is not { } due || facts.Now - due <= lateTick)
                continue;
            yield return Say(
                "schedule_missed", Severity.Warning,
                $"Schedule \"{schedule.Name}\" was due at {due:u}, {Span(facts.Now - due)} ago, and has not run.",
                "No server with workers is alive, or none can read its expression or its zone.",
                "Start a server with AddWorkers; look for InvalidScheduleException in its log.",
                "schedules");
        }
    }

    private static IEnumerable<Symptom> OfWorkers(HealthFacts facts)
    {
        foreach (var worker in facts.Workers.Where(worker => !worker.IsAlive && worker.RunningCount > 0))
        {
            if (worker.Died is { } died && facts.Now - died > recently)
                continue;
            yield return Say(
                "worker_lost", Severity.Error,
                $"Worker {worker.Name} was lost{(worker.Died is { } at ? $" {Ago(at, facts.Now)}" : "")}; {Number(worker.RunningCount)} jobs that it ran are not taken back yet.",
                "Its process was killed, crashed, or cannot reach the database.",
                "Other workers take its jobs back by themselves. If this stays, none is alive.",
                "workers");
        }
    }

    private static IEnumerable<Symptom> OfCounts(JobCounts counts)
    {
        if (counts.ByState.GetValueOrDefault(StateSet.Quarantined) is var quarantined and > 0)
        {
            yield return Say(
                "quarantined", Severity.Error,
                quarantined == 1 ? "A job waits in quarantine." : $"{Number(quarantined)} jobs wait in quarantine.",
                "Each has ended its process three times, by a crash or by too much memory.",
                "Read how it ended, mend the handler, then retry or delete the job.",
                "jobs",
                "state:quarantined");
        }
    }

    private static Symptom Say(string code, Severity severity, string evidence, string cause, string remedy, string page, string? filter = null) =>
        new(new Finding(code, severity, evidence, cause, remedy), page, filter);

    private static (long All, double Share) Rate(IEnumerable<StatRow> rows)
    {
        var (all, failed) = (0L, 0L);
        foreach (var row in rows.Where(row => row.Outcome is Outcome.Succeeded or Outcome.Failed or Outcome.Discarded))
        {
            all += row.Count;
            failed += row.Outcome == Outcome.Succeeded ? 0 : row.Count;
        }

        return (all, all == 0 ? 0 : (double)failed / all);
    }

    private static string Number(double number) => number.ToString("#,0.##", CultureInfo.InvariantCulture);

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.#} %");

    private static string Ago(DateTimeOffset at, DateTimeOffset now) => $"{Span(now - at)} ago";

    private static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)span.TotalSeconds)} s"),
        { TotalMinutes: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalMinutes} min"),
        { TotalHours: < 48 } => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalHours} h {span.Minutes} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalDays} days"),
    };
}
