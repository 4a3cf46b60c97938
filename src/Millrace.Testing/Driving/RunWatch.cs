using System.Data.Common;
using Microsoft.Extensions.Logging;
using Millrace.Notifying;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Testing;

/// <summary>What is seen of one run while it runs.</summary>
internal sealed class RunWatch
{
    private readonly Lock gate = new();
    private readonly List<ProgressReport> progress = [];
    private readonly List<SentNotification> notifications = [];

    public IReadOnlyList<ProgressReport> Progress
    {
        get
        {
            lock (gate)
                return [.. progress];
        }
    }

    public IReadOnlyList<SentNotification> Notifications
    {
        get
        {
            lock (gate)
                return [.. notifications];
        }
    }

    public IReadOnlyList<JobRecord> Submitted { get; set; } = [];

    public Exception? Failure { get; set; }

    public void Report(double percent, string? message)
    {
        lock (gate)
            progress.Add(new ProgressReport(percent, message));
    }

    public void Notify(long userId, string message)
    {
        lock (gate)
            notifications.Add(new SentNotification(userId, message));
    }
}

/// <summary>The engine's attempt, and somebody who looks on.</summary>
internal sealed class WatchedAttempt(IAttempt attempt, RunWatch watch) : IAttempt
{
    public Claim Claim => attempt.Claim;

    public ILogger Log => attempt.Log;

    public IServiceProvider Services => attempt.Services;

    public IReadOnlyDictionary<string, string> Headers => attempt.Headers;

    public int MaxAttempts => attempt.MaxAttempts;

    public StopReason StopReason => attempt.StopReason;

    public string? StopMessage => attempt.StopMessage;

    public IJobClient Jobs => attempt.Jobs;

    public DbDataSource Database => attempt.Database;

    public void Then<TNext>(TNext data, JobOptions? options)
        where TNext : notnull => attempt.Then(data, options);

    public Task ReportProgressAsync(double percent, string? message, CancellationToken cancellationToken)
    {
        watch.Report(percent, message);
        return attempt.ReportProgressAsync(percent, message, cancellationToken);
    }

    public async Task NotifyUserAsync(long userId, string message, CancellationToken cancellationToken)
    {
        await attempt.NotifyUserAsync(userId, message, cancellationToken).ConfigureAwait(false);
        var text = NotificationText.Check(Claim, userId, message);
        if (AmbientTransaction.Current is { } ambient)
            ambient.WhenCommitted(() => watch.Notify(userId, text));
        else
            watch.Notify(userId, text);
    }

    public Task<TValue> OnceAsync<TValue>(string key, Func<CancellationToken, Task<TValue>> step, CancellationToken cancellationToken) =>
        attempt.OnceAsync(key, step, cancellationToken);

    public Task OnceInTransactionAsync(string key, Func<DbTransaction, CancellationToken, Task> step, CancellationToken cancellationToken) =>
        attempt.OnceInTransactionAsync(key, step, cancellationToken);

    public Task CompleteInTransactionAsync(Func<DbTransaction, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        attempt.CompleteInTransactionAsync(work, cancellationToken);
}
