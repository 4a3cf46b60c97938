using System.Diagnostics;
using System.Diagnostics.Metrics;
using Millrace.Storage;

namespace Millrace.Telemetry;

/// <summary>Traces and metrics: one <see cref="ActivitySource"/> and one <see cref="Meter"/>, both named <c>Millrace</c>.</summary>
internal sealed class MillraceTelemetry : IDisposable
{
    public const string Name = "Millrace";

    private static readonly ActivitySource Source = new(Name);

    private readonly Meter meter;
    private readonly Counter<long> submitted;
    private readonly Counter<long> started;
    private readonly Counter<long> finished;
    private readonly Counter<long> stale;
    private readonly Histogram<double> wait;
    private readonly Histogram<double> run;
    private readonly ObservableGauge<long> depth;
    private readonly ObservableGauge<double> age;
    private volatile IReadOnlyList<QueueDepth> depths = [];
    private DateTimeOffset depthsAt;

    public MillraceTelemetry(IMeterFactory? factory)
    {
        meter = factory?.Create(Name) ?? new Meter(Name);
        submitted = meter.CreateCounter<long>("millrace.jobs.submitted", "{job}", "Jobs stored by this process.");
        started = meter.CreateCounter<long>("millrace.attempts.started", "{attempt}", "Attempts begun in this process.");
        finished = meter.CreateCounter<long>("millrace.attempts.finished", "{attempt}", "Attempts ended in this process, by outcome.");
        stale = meter.CreateCounter<long>("millrace.attempts.stale", "{attempt}", "Results refused because the lease was lost.");
        wait = meter.CreateHistogram<double>("millrace.attempt.wait", "s", "From the time a job may run to the start of its handler.");
        run = meter.CreateHistogram<double>("millrace.attempt.duration", "s", "How long handlers run.");
        depth = meter.CreateObservableGauge("millrace.queue.depth", () => depths.Select(each => new Measurement<long>(each.Ready, Tag("queue", each.Queue))), "{job}", "Jobs that may run now. Counted up to 100,000.");
        age = meter.CreateObservableGauge("millrace.queue.oldest", Ages, "s", "How long the oldest ready job has been waiting.");
    }

    /// <summary>Whether anybody reads the gauges, which cost a query.</summary>
    public bool WantsDepths => depth.Enabled || age.Enabled;

    public void Depths(IReadOnlyList<QueueDepth> read, DateTimeOffset at)
    {
        depthsAt = at;
        depths = read;
    }

    public Activity? StartSubmit() => Source.HasListeners() ? Source.StartActivity("submit", ActivityKind.Producer) : null;

    /// <summary>An attempt is a trace of its own, linked to the submitter's: it may run days later, and more than once.</summary>
    public Activity? StartAttempt(Claim claim)
    {
        if (!Source.HasListeners())
            return null;
        ActivityLink[] links = claim.Trace is not null && ActivityContext.TryParse(claim.Trace, null, isRemote: true, out var submitter) ? [new ActivityLink(submitter)] : [];
        return Source.StartActivity(
            $"run {claim.Type}",
            ActivityKind.Consumer,
            default(ActivityContext),
            [new("millrace.job.id", claim.JobId), new("millrace.job.type", claim.Type), new("millrace.queue", claim.Queue), new("millrace.attempt", claim.Attempt)],
            links);
    }

    public void Submitted(string type, string queue, long count)
    {
        if (count > 0)
            submitted.Add(count, Tag("type", type), Tag("queue", queue));
    }

    public void Started(Claim claim, TimeSpan waited)
    {
        if (started.Enabled)
            started.Add(1, Tag("type", claim.Type), Tag("queue", claim.Queue));
        if (wait.Enabled)
            wait.Record(Math.Max(0, waited.TotalSeconds), Tag("type", claim.Type), Tag("queue", claim.Queue));
    }

    public void Finished(Claim claim, Outcome outcome, TimeSpan ran)
    {
        if (finished.Enabled)
            finished.Add(1, Tag("type", claim.Type), Tag("queue", claim.Queue), Tag("outcome", outcome.ToWord()));
        if (run.Enabled)
            run.Record(ran.TotalSeconds, Tag("type", claim.Type), Tag("queue", claim.Queue));
    }

    public void Stale(Claim claim) => stale.Add(1, Tag("type", claim.Type), Tag("queue", claim.Queue));

    public void Dispose() => meter.Dispose();

    private IEnumerable<Measurement<double>> Ages()
    {
        var at = depthsAt;
        return depths.Select(each => new Measurement<double>(each.OldestReady is { } oldest ? Math.Max(0, (at - oldest).TotalSeconds) : 0, Tag("queue", each.Queue)));
    }

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);
}
