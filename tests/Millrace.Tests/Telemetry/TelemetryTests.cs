using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Testing;

namespace Millrace.Tests.Telemetry;

public sealed class TelemetryTests
{
    // Other tests share the process, and with it the source: this type is theirs alone.
    [Job("traced")]
    private sealed record Traced(bool Fails = false);

    [Job("measured")]
    private sealed record Measured(bool Fails = false);

    [Fact]
    public async Task The_attempt_is_a_trace_of_its_own_that_links_to_the_submitter()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using var application = new ActivitySource("Millrace.Tests.Application");
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Millrace" or "Millrace.Tests.Application",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await StartAsync();

        long id;
        ActivityTraceId trace;
        using (var request = application.StartActivity("POST /signup")!)
        {
            trace = request.TraceId;
            id = (await server.Jobs.SubmitAsync(new Traced())).Id;
        }

        await server.DrainAsync();
        var failed = await server.RunAsync(new Traced(true));

        var submit = stopped.Single(activity => activity.OperationName == "submit" && activity.TraceId == trace);
        submit.Kind.ShouldBe(ActivityKind.Producer);
        submit.GetTagItem("millrace.job.id").ShouldBe(id);
        var run = Run(id);
        run.Kind.ShouldBe(ActivityKind.Consumer);
        run.Status.ShouldBe(ActivityStatusCode.Ok);
        run.TraceId.ShouldNotBe(trace);
        run.Parent.ShouldBeNull();
        var link = run.Links.ShouldHaveSingleItem().Context;
        (link.TraceId, link.SpanId).ShouldBe((trace, submit.SpanId));
        run.TagObjects.ToDictionary().ShouldSatisfyAllConditions(
            tags => tags["millrace.job.type"].ShouldBe("traced"),
            tags => tags["millrace.queue"].ShouldBe("default"),
            tags => tags["millrace.attempt"].ShouldBe(1));
        Run(failed.Job.Id).Status.ShouldBe(ActivityStatusCode.Error);

        Activity Run(long job) => stopped.Single(activity => activity.OperationName == "run traced" && Equals(activity.GetTagItem("millrace.job.id"), job));
    }

    [Fact]
    public async Task Counters_and_histograms_carry_type_queue_and_outcome()
    {
        var seen = new ConcurrentQueue<(string Name, double Value, string Tags)>();
        var instruments = new ConcurrentDictionary<string, string?>();
        await using var server = await StartAsync();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name != "Millrace")
                return;
            instruments[instrument.Name] = instrument.Unit;
            l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => See(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => See(instrument, value, tags));
        listener.Start();

        await server.RunAsync(new Measured());
        await server.RunAsync(new Measured(true));

        instruments.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}").ShouldBe(
            [
                "millrace.attempt.duration s", "millrace.attempt.wait s", "millrace.attempts.finished {attempt}", "millrace.attempts.stale {attempt}",
                "millrace.attempts.started {attempt}", "millrace.jobs.submitted {job}", "millrace.queue.depth {job}", "millrace.queue.oldest s",
            ]);
        Sum("millrace.jobs.submitted", "type=measured queue=default").ShouldBe(2);
        Sum("millrace.attempts.started", "type=measured queue=default").ShouldBe(2);
        Sum("millrace.attempts.finished", "type=measured queue=default outcome=succeeded").ShouldBe(1);
        Sum("millrace.attempts.finished", "type=measured queue=default outcome=discarded").ShouldBe(1);
        seen.Count(each => each is { Name: "millrace.attempt.wait", Tags: "type=measured queue=default", Value: >= 0 }).ShouldBe(2);
        seen.Count(each => each is { Name: "millrace.attempt.duration", Tags: "type=measured queue=default", Value: >= 0 }).ShouldBe(2);

        double Sum(string name, string tags) => seen.Where(each => each.Name == name && each.Tags == tags).Sum(each => each.Value);

        void See(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            seen.Enqueue((instrument.Name, value, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))));
    }

    // S7: a formatter, or a sink of the application's, finds the job in the scope of every line.
    [Fact]
    public async Task Every_line_of_an_attempt_has_the_job_in_its_scope()
    {
        var sink = new Sink();
        await using var server = await JobTestServer.StartAsync(
            m => m.AddJob<Traced>((job, _) =>
            {
                job.Services.GetRequiredService<ILogger<TelemetryTests>>().LogInformation("Foreign");
                return Task.CompletedTask;
            }),
            services => services.AddSingleton<ILoggerProvider>(sink));

        var run = await server.RunAsync(new Traced(), new JobOptions { Tag = "t", UserId = 7 });

        sink.Lines.ShouldContain(("Foreign", $"JobId={run.Job.Id} JobType=traced Tag=t Attempt=1 UserId=7"));
    }

    private static Task<JobTestServer> StartAsync() => JobTestServer.StartAsync(m => m
        .AddJob<Traced>((job, _) => job.Data.Fails ? throw job.Discard("no") : Task.CompletedTask)
        .AddJob<Measured>((job, _) => job.Data.Fails ? throw job.Discard("no") : Task.CompletedTask));

    private sealed class Sink : ILoggerProvider, ISupportExternalScope
    {
        private IExternalScopeProvider scopes = new LoggerExternalScopeProvider();

        public ConcurrentQueue<(string Message, string Scope)> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => new Logger(this);

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

        public void Dispose()
        {
        }

        private sealed class Logger(Sink sink) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => sink.scopes.Push(state);

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                var values = new List<string>();
                sink.scopes.ForEachScope((scope, list) => list.AddRange(((IEnumerable<KeyValuePair<string, object?>>)scope!).Select(pair => $"{pair.Key}={pair.Value}")), values);
                sink.Lines.Enqueue((formatter(state, exception), string.Join(' ', values)));
            }
        }
    }
}
