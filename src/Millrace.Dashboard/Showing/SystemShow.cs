using Millrace.Dashboard.Watching;
using Millrace.Inspecting;
using Millrace.Storage;
using Millrace.Tending;

namespace Millrace.Dashboard.Showing;

/// <summary>Turns everything that is not one job into what the API tells of it. Pure.</summary>
internal sealed class SystemShow(Redaction redaction)
{
    // More would be slower than looking.
    private const int NextTicks = 5;

    public QueueAnswer Queue(QueueRecord queue) => new()
    {
        Name = redaction.Text(queue.Name),
        Ready = queue.Ready,
        OldestReady = queue.OldestReady,
        Scheduled = queue.Scheduled,
        Waiting = queue.Waiting,
        Running = queue.Running,
        EndsPerMinute = queue.EndsPerMinute,
        ArrivalsPerMinute = queue.ArrivalsPerMinute,
        FailedLastHour = queue.FailedLastHour,
        Nodes = queue.Nodes,
        Pause = Pause(queue.Pause),
        EmptyInMs = Drain.Of(queue).EmptyIn is { } time ? Math.Round(time.TotalMilliseconds) : null,
        GrowsPerMinute = Drain.Of(queue).GrowsPerMinute,
    };

    public PauseAnswer? Pause(Pause? pause) =>
        pause is null ? null : new PauseAnswer(pause.Since, redaction.Maybe(pause.By), redaction.Maybe(pause.Reason), pause.Until);

    public FindingAnswer Finding(Finding finding, string? page = null, string? filter = null) => new(
        finding.Code, Words.Of(finding.Severity), redaction.Text(finding.Evidence), redaction.Text(finding.Cause), redaction.Text(finding.Remedy), Link(page, filter));

    public ScheduleAnswer Schedule(ScheduleRecord record, DateTimeOffset now)
    {
        var schedule = record.Schedule;
        return new ScheduleAnswer
        {
            Name = redaction.Text(schedule.Name),
            Type = redaction.Text(schedule.Template.Type),
            Cron = redaction.Text(schedule.Cron),
            Words = redaction.Text(CronWords.Say(schedule.Cron)),
            Zone = redaction.Text(schedule.Zone),
            IsPersistent = schedule.IsPersistent,
            MissedTicks = Words.Of(schedule.MissedTicks),
            Queue = redaction.Text(schedule.Template.Queue),
            Tag = redaction.Maybe(schedule.Template.Tag),
            NextDue = schedule.NextDue,
            Next = Next(schedule, now),
            LastTick = schedule.LastTick,
            Pause = Pause(schedule.Pause is { Until: { } until } && until <= now ? null : schedule.Pause),
            Created = record.Created,
            Owners = record.Owners,
        };
    }

    public WorkerAnswer Worker(WorkerRecord worker) => new()
    {
        Id = worker.Id.ToString(),
        Name = redaction.Text(worker.Name),
        Kind = Words.Of(worker.Kind),
        Server = worker.Server?.ToString(),
        Application = redaction.Maybe(worker.Application),
        Version = redaction.Maybe(worker.Version),
        Started = worker.Started,
        IsAlive = worker.IsAlive,
        Expires = worker.Expires,
        Died = worker.Died,
        IsIdle = worker.IsIdle,
        Load = worker is { IsAlive: true, Load: { } load } ? new LoadAnswer(load.Cpu, load.Memory, load.PoolQueue) : null,
        Drain = Pause(worker.Drain),
        Queues = redaction.Texts(worker.Queues),
        Types = redaction.Texts(worker.Types),
        RunningCount = worker.RunningCount,
        Running = [.. worker.Running.Select(job => new RunningAnswer(JobShow.Id(job.JobId), redaction.Text(job.Type), job.Attempt, job.Claimed, job.Progress))],
    };

    public DeploymentAnswer Deployment(Deployment deployment) => new(deployment.At, redaction.Text(deployment.Application), redaction.Text(deployment.Version));

    public ScheduleAheadAnswer Ahead(Ahead ahead) => new(
        ahead.From,
        ahead.To,
        (int)Watching.Ahead.Step.TotalSeconds,
        [.. ahead.Slots.Select(slot => new AheadSlotAnswer(slot.At, slot.Ticks, redaction.Texts(slot.Schedules.Take(10)), Math.Max(0, slot.Schedules.Count - 10)))],
        ahead.IsPartial);

    public TypeAnswer Type(TypeRecord record, IEnumerable<StatRow> lastDay, bool withSchema)
    {
        var type = record.Description;
        return new TypeAnswer
        {
            Name = redaction.Text(type.Name),
            Aliases = redaction.Texts(type.Aliases),
            Queue = redaction.Text(type.Queue),
            MaxAttempts = type.MaxAttempts,
            TimeoutMs = type.Timeout?.TotalMilliseconds,
            Retry = RetryLadder.Of(type.Retry, type.MaxAttempts),
            IsIsolated = type.IsIsolated,
            FirstSeen = record.FirstSeen,
            LastSeen = record.LastSeen,
            Nodes = record.Nodes,
            Queues = redaction.Texts(record.Queues),
            Last24h = StatShow.OfType([.. lastDay]),
            Schema = withSchema ? redaction.Schema(type.Schema) : null,
        };
    }

    public FailureAnswer Failure(FailureGroup group) => new()
    {
        Fingerprint = group.Fingerprint,
        Type = redaction.Text(group.Type),
        Title = redaction.Text(group.Title, group.Type),
        Sample = redaction.Text(group.Sample, group.Type),
        SampleJob = JobShow.Id(group.SampleJob),
        Count = group.Count,
        Jobs = group.Jobs,
        First = group.First,
        Last = group.Last,
        Trend = group.Trend,
        Filter = redaction.Text(group.Filter, group.Type),
    };

    public SystemAnswer System(StoreReport report, string version) => new(
        version,
        report.Server,
        report.SchemaVersion,
        report.KnownVersion,
        [.. report.Figures.Select(figure => new FigureAnswer(figure.Key, redaction.Text(figure.Value)))],
        [.. report.Findings.Select(finding => Finding(finding))]);

    // Redacted before it is written as part of an address, where no secret would be recognised.
    private Shown? Link(string? page, string? filter) =>
        page is null ? null : filter is null ? redaction.Text(page) : Shown.Of(filter, stored => $"{page}?q={Uri.EscapeDataString(redaction.Text(stored).ToString())}");

    private static List<DateTimeOffset> Next(Schedule schedule, DateTimeOffset now)
    {
        var ticks = new List<DateTimeOffset>();
        try
        {
            var times = CronTimes.Parse(schedule.Cron, schedule.Zone);
            for (var tick = times.Next(now); tick is not null && ticks.Count < NextTicks; tick = times.Next(tick.Value))
                ticks.Add(tick.Value);
        }
        catch (InvalidScheduleException)
        {
            // Written by a node that knows this zone, or a person: the list says nothing, and the schedule is shown all the same.
        }

        return ticks;
    }
}
