using Microsoft.Extensions.Logging;
using Millrace.Storage;

namespace Millrace.Testing;

/// <summary>What a handler asked of a context that <c>TestJob.Context</c> made.</summary>
public sealed class RecordedAttempt
{
    private readonly Lock gate = new();
    private readonly List<ProgressReport> progress = [];
    private readonly List<SentNotification> notifications = [];
    private readonly Dictionary<string, object?> steps = new(StringComparer.Ordinal);

    internal RecordedAttempt(Claim claim, ILogger log, IServiceProvider services, IReadOnlyDictionary<string, string> headers, int maxAttempts, TimeProvider? time)
    {
        Claim = claim;
        Log = log;
        Services = services;
        Headers = headers;
        MaxAttempts = maxAttempts;
        Submitted = new RecordingJobClient(time, claim.JobId);
        Chained = new RecordingJobClient(time, claim.JobId);
    }

    /// <summary>What it submitted by <c>SubmitAsync</c>.</summary>
    public RecordingJobClient Submitted { get; }

    /// <summary>What it chained by <c>Then</c>. An engine drops this when the attempt does not succeed.</summary>
    public RecordingJobClient Chained { get; }

    /// <summary>Every progress it reported.</summary>
    public IReadOnlyList<ProgressReport> Progress
    {
        get
        {
            lock (gate)
                return [.. progress];
        }
    }

    /// <summary>Every notification it raised, in order.</summary>
    public IReadOnlyList<SentNotification> Notifications
    {
        get
        {
            lock (gate)
                return [.. notifications];
        }
    }

    /// <summary>The steps it did by <c>OnceAsync</c>, and their values. Set one before the call to have the handler find it done.</summary>
    public IDictionary<string, object?> Steps => steps;

    internal Claim Claim { get; }

    internal ILogger Log { get; }

    internal IServiceProvider Services { get; }

    internal IReadOnlyDictionary<string, string> Headers { get; }

    internal int MaxAttempts { get; }

    internal void Report(double percent, string? message)
    {
        lock (gate)
            progress.Add(new ProgressReport(percent, message));
    }

    internal void Notify(long userId, string message)
    {
        lock (gate)
            notifications.Add(new SentNotification(userId, message));
    }
}
