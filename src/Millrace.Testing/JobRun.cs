using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Testing;

/// <summary>One run of one job by a <see cref="JobTestServer"/>, and everything that came out of it.</summary>
public sealed class JobRun
{
    private readonly JobJson json;
    private readonly Timeline timeline;
    private readonly string? result;

    internal JobRun(JobRecord job, AttemptEnd end, Outcome outcome, bool isStale, RunWatch watch, JobJson json, Timeline timeline)
    {
        this.json = json;
        this.timeline = timeline;
        result = end.Result;
        Job = job;
        Attempt = end.Claim.Attempt;
        Fence = end.Claim.Run;
        Outcome = outcome;
        IsStale = isStale;
        Error = end.Error;
        Exception = watch.Failure;
        Log = end.Log;
        Progress = watch.Progress;
        Notifications = watch.Notifications;
        Submitted = watch.Submitted;
        RetryIn = outcome is Outcome.Failed or Outcome.Snoozed ? end.Again : null;
        Started = end.Started;
        Finished = end.Finished;
    }

    /// <summary>The job as it is stored after the run.</summary>
    public JobRecord Job { get; }

    /// <summary>Which attempt it was.</summary>
    public int Attempt { get; }

    /// <summary>The number of the run, which the handler sees as <see cref="JobContext.Fence"/>.</summary>
    public long Fence { get; }

    /// <summary>How it ended.</summary>
    public Outcome Outcome { get; }

    /// <summary>Whether its end was refused because somebody else had taken the job back meanwhile. Then nothing of it was stored.</summary>
    public bool IsStale { get; }

    /// <summary>What is stored as the reason why it did not succeed; null when it did.</summary>
    public string? Error { get; }

    /// <summary>What came out of the handler (or of the pipeline around it); null when it returned.</summary>
    public Exception? Exception { get; }

    /// <summary>The lines that any logger wrote during the run.</summary>
    public IReadOnlyList<LogLine> Log { get; }

    /// <summary>Every progress that the handler reported, also those that are not stored because they came within a second.</summary>
    public IReadOnlyList<ProgressReport> Progress { get; }

    /// <summary>Every notification that it raised, in order. One asked for in a transaction counts once that has committed.</summary>
    public IReadOnlyList<SentNotification> Notifications { get; }

    /// <summary>The jobs that were submitted while it ran, and those it chained if it succeeded.</summary>
    public IReadOnlyList<JobRecord> Submitted { get; }

    /// <summary>How long until the job runs again, after a failure that is retried or a snooze; null otherwise.</summary>
    public TimeSpan? RetryIn { get; }

    /// <summary>When the handler began, by the server's clock.</summary>
    public DateTimeOffset Started { get; }

    /// <summary>When it ended, by the server's clock.</summary>
    public DateTimeOffset Finished { get; }

    internal bool HasFailed => Outcome is Outcome.Failed or Outcome.Discarded;

    /// <summary>The handler's result, read from what is stored; the default when there is none.</summary>
    public TResult? Result<TResult>() => json.ReadOrDefault<TResult>(result);

    /// <summary>The data that the job was submitted with.</summary>
    public TData Data<TData>() => json.Read<TData>(Job.Data);

    /// <summary>One line: when, which job, and how it ended.</summary>
    public override string ToString() => $"{Timeline.Show(Started)} {Describe()}";

    internal string Describe()
    {
        var text = $"job {Job.Id} ({Job.Type}, attempt {Attempt}) {(IsStale ? "was refused as stale" : Outcome.ToWord())}";
        if (Finished > Started)
            text += $" after {Finished - Started}";
        if (RetryIn is { } delay)
            text += $", again in {delay}";
        return Error is null ? text : $"{text}: {Timeline.FirstLine(Error)}";
    }

    internal JobAssertionException Fault(string expectation) => new($"{expectation}{Environment.NewLine}But {Describe()}.{ErrorBelow()}{timeline.Tail()}", Exception);

    internal IReadOnlyList<SeenJob> Seen => [.. Submitted.Select(SeenJob.Of)];

    internal JobJson Json => json;

    internal Timeline History => timeline;

    private string ErrorBelow() => Error is null || !Error.Contains('\n') ? "" : $"{Environment.NewLine}{Error}";
}

/// <summary>One word of a handler about how far it is.</summary>
/// <param name="Percent">As it was given.</param>
/// <param name="Message">What it was doing; null for nothing said.</param>
public sealed record ProgressReport(double Percent, string? Message);

/// <summary>What a handler told a user by <see cref="JobContext.NotifyUserAsync"/>.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Message">As it would be given to the user: sanitised.</param>
public sealed record SentNotification(long UserId, string Message);
