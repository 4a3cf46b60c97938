using Microsoft.Extensions.Logging;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Site;

/// <summary>
/// A database that has one of everything, with a given text in every place where a text is stored. Counts how often it is asked; fails when it is told to.
/// </summary>
internal sealed class FakeInspection(string text = "x") : IJobInspection
{
    public static readonly DateTimeOffset Now = new(2026, 11, 25, 13, 0, 0, TimeSpan.Zero);
    public static readonly Guid Node = new("11111111-2222-3333-4444-555555555555");

    private int asked;
    private int failures;

    public int Asked => asked;

    /// <summary>What every call throws; null for an answer.</summary>
    public Exception? Fault { get; set; }

    /// <summary>What is awaited before every answer.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public string Pulse { get; set; } = "1";

    /// <summary>How many jobs match every filter.</summary>
    public long Matches { get; set; } = 3;

    public bool IsOperationOpen { get; init; }

    public JobState State { get; set; } = JobState.Discarded;

    public string Data { get; init; } = $$"""{"path":"{{text}}","password":"{{text}}"}""";

    public string? Schema { get; init; }

    public string? Trace { get; init; }

    /// <summary>A name: it must look like one.</summary>
    private string Type => "t";

    private JobRow Row => new()
    {
        Id = 9_007_199_254_740_993, Type = Type, Tag = text, UserId = 7, Queue = text, State = State, Run = 2, Attempt = 2, Due = Now, Created = Now, Started = Now, Finished = Now,
        LastOutcome = Outcome.Discarded, Data = Data, Error = text, Schedule = text, Parent = 4, Node = Node, Progress = 12.5,
    };

    private JobDetail Detail => new()
    {
        Row = Row,
        Record = new JobRecord
        {
            Id = Row.Id, Type = Type, Tag = text, UserId = 7, Queue = text, State = State, Attempt = 2, Due = Now, Created = Now, Data = Data, Result = Data, Error = text, Headers = Data,
            Progress = 12.5, ProgressMessage = text,
        },
        Version = "failed.2.0", Policy = Data, Trace = Trace ?? text, Key = text, RemoveAt = Now, NodeName = text, CancelRequest = new CancelRequest(Row.Id, text, text), Children = [Row],
    };

    private Pause Pause => new(Now, text, text, Now.AddHours(1));

    public Task<JobPage> ListAsync(JobListing listing, CancellationToken cancellationToken) => Answer(new JobPage([Row], listing.BeforeId == 5 ? null : 5, true));

    public Task<JobCounts> CountAsync(CancellationToken cancellationToken) =>
        Answer(new JobCounts { ByState = new Dictionary<StateSet, long> { [StateSet.Ready] = 3, [StateSet.Quarantined] = 1 }, OldestReady = Now.AddMinutes(-20), Now = Now });

    /// <summary>What is counted, where a test has its own mind about it.</summary>
    public Func<MatchQuery, MatchCount>? Count { get; set; }

    public Task<MatchCount> CountMatchesAsync(MatchQuery query, CancellationToken cancellationToken) =>
        Count is { } count ? Answer(count(query)) : Answer(new MatchCount(Matches, 1, new Dictionary<StateSet, long> { [StateSet.Discarded] = Matches }, new Dictionary<string, long> { [text] = Matches }, new Dictionary<string, long> { [text] = Matches }, [Row], 100, false));

    public Task<IdPage> ReadMatchesAsync(JobFilter filter, long afterId, long upToId, int limit, CancellationToken cancellationToken) =>
        Answer(new IdPage([.. Enumerable.Range(0, (int)Math.Min(limit, Math.Max(0, Matches - afterId))).Select(i => afterId + i + 1)], afterId + limit < Matches ? afterId + limit : null));

    public Task<IReadOnlyList<JobRow>> ReadRowsAsync(IReadOnlyCollection<long> ids, CancellationToken cancellationToken) => Answer<IReadOnlyList<JobRow>>([.. ids.Where(id => id != 404).Select(id => Row with { Id = id })]);

    public Task<JobDetail?> FindAsync(long jobId, CancellationToken cancellationToken) => Answer<JobDetail?>(jobId == 404 ? null : Detail);

    public Task<IReadOnlyList<AttemptRecord>> ReadAttemptsAsync(long jobId, CancellationToken cancellationToken) => Answer<IReadOnlyList<AttemptRecord>>(
    [
        new() { JobId = jobId, Run = 1, Attempt = 1, IsCharged = true, Outcome = Outcome.Failed, Started = Now, Finished = Now, Node = Node, Error = text, Result = Data },
    ]);

    public Task<IReadOnlyList<LogLine>> ReadLogAsync(long jobId, int afterRun, int afterLine, int limit, CancellationToken cancellationToken) =>
        Answer<IReadOnlyList<LogLine>>([new(jobId, 1, 1, Now, LogLevel.Information, text, text, Data, text)]);

    public Task<JobFacts?> ReadFactsAsync(long jobId, CancellationToken cancellationToken) => Answer<JobFacts?>(jobId == 404 ? null : new JobFacts { Job = Detail, Now = Now, QueuePause = Pause, KnownTypes = [text] });

    public Task<IReadOnlyList<QueueRecord>> ReadQueuesAsync(CancellationToken cancellationToken) => Answer<IReadOnlyList<QueueRecord>>(
    [
        new() { Name = text, Ready = 3, OldestReady = Now.AddMinutes(-20), Running = 1, EndsPerMinute = 2, ArrivalsPerMinute = 3, FailedLastHour = 4, Nodes = 0 },
        new() { Name = $"{text} 2", Ready = 3, Nodes = 1, Pause = Pause },
    ]);

    public Task<IReadOnlyList<ScheduleRecord>> ReadSchedulesAsync(CancellationToken cancellationToken) => Answer<IReadOnlyList<ScheduleRecord>>(
    [
        new(new Schedule { Name = text, Cron = "0 0 2 * * *", Zone = "UTC", Template = new NewJob { Id = 1, Nonce = 1, Type = Type, Queue = text, Tag = text, Data = Data }, NextDue = Now.AddHours(-1), Pause = Pause }, Now, 1),
        new(new Schedule { Name = $"{text} 2", Cron = text, Zone = text, Template = new NewJob { Id = 1, Nonce = 1, Type = Type }, NextDue = Now.AddHours(-1) }, Now, 0),
    ]);

    public Task<IReadOnlyList<JobRow>> ReadScheduleRunsAsync(string name, int limit, CancellationToken cancellationToken) => Answer<IReadOnlyList<JobRow>>([Row]);

    public Task<IReadOnlyList<WorkerRecord>> ReadWorkersAsync(CancellationToken cancellationToken) => Answer<IReadOnlyList<WorkerRecord>>(
    [
        new()
        {
            Id = Node, Name = text, Application = text, Version = text, Kind = NodeKind.Server, Started = Now, IsAlive = false, Died = Now.AddMinutes(-1), Load = new ProcessLoad(0.5, 300_000_000, 2), Drain = Pause, Queues = [text], Types = [text], RunningCount = 1,
            Running = [new RunningRow(1, Type, 1, Now, null)],
        },
    ]);

    public Task<IReadOnlyList<NodeSettings>> ReadSettingsAsync(CancellationToken cancellationToken) => Answer<IReadOnlyList<NodeSettings>>(
    [
        new(text, Inspecting.SettingText.Write([new Setting(text, text, SettingSource.Application), new Setting("Mail.Password", "hunter2", SettingSource.Application), new Setting("Mail.Server", "Host=db;Password=hunter2", SettingSource.Default)]), 1, [text]),
        new(null, text, 2, []),
    ]);

    public Task<IReadOnlyList<Deployment>> ReadDeploymentsAsync(DateTimeOffset since, CancellationToken cancellationToken) => Answer<IReadOnlyList<Deployment>>([new(Now.AddMinutes(-20), text, text)]);

    public Task<IReadOnlyList<TypeRecord>> ReadTypesAsync(CancellationToken cancellationToken) => Answer<IReadOnlyList<TypeRecord>>(
        [new(new TypeDescription { Name = Type, Aliases = [text], Queue = text, MaxAttempts = 5, Schema = Schema }, Now, Now, 1, [text])]);

    public Task<IReadOnlyList<StatRow>> ReadStatsAsync(StatQuery query, CancellationToken cancellationToken)
    {
        var spread = new Histogram();
        spread.Add(TimeSpan.FromSeconds(1));
        return Answer<IReadOnlyList<StatRow>>([new() { Bucket = Now.AddMinutes(-30), Queue = text, Type = text, Outcome = Outcome.Failed, Count = 50, Wait = spread, Run = spread }]);
    }

    public Task<SlowRuns> ReadSlowRunsAsync(SlowRunQuery query, CancellationToken cancellationToken) => Answer(new SlowRuns(
        [new SlowRun(query.Before is null ? 7 : 3, 2, 1, text, Now.AddMinutes(-9), Now.AddMinutes(-7), Outcome.Failed, Node)], 1_000, query.Before is null ? query.Since.AddMinutes(1) : null,
        query.Before is null ? new RunPlace(6, 1) : null));

    public Task<IReadOnlyList<FailureRow>> ReadFailuresAsync(DateTimeOffset since, int limit, CancellationToken cancellationToken) =>
        Failures<IReadOnlyList<FailureRow>>([new(1, 1, 1, Type, text, Now, Outcome.Failed, text)]);

    public Task<IReadOnlyList<OperationRecord>> ReadOperationsAsync(long beforeId, long? jobId, int limit, CancellationToken cancellationToken) => Answer<IReadOnlyList<OperationRecord>>([FakeOperations.Record(text)]);

    public Task<OperationRecord?> FindOperationAsync(long id, CancellationToken cancellationToken) => Answer(id == 404 ? null : IsOperationOpen ? FakeOperations.Record(text) with { Ended = null } : FakeOperations.Record(text));

    public Task<string> ReadPulseAsync(CancellationToken cancellationToken) => Answer(Pulse);

    public Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken) => Answer(Now);

    public Task<StoreReport> ReportAsync(CancellationToken cancellationToken) =>
        Answer(new StoreReport { Server = "SQLite", Figures = [new("size", text)], Findings = [new Finding("some_code", Severity.Warning, text, text, text)] });

    public int AskedForFailures => failures;

    private Task<T> Failures<T>(T answer)
    {
        Interlocked.Increment(ref failures);
        return Answer(answer);
    }

    private async Task<T> Answer<T>(T answer)
    {
        Interlocked.Increment(ref asked);
        await Gate;
        return Fault is null ? answer : throw Fault;
    }
}
