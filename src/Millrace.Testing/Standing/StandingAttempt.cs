using System.Data.Common;
using Microsoft.Extensions.Logging;
using Millrace.Notifying;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Testing;

/// <summary>Stands where the engine's attempt would, with nothing behind it.</summary>
internal sealed class StandingAttempt(RecordedAttempt recorded) : IAttempt
{
    public RecordedAttempt Recorded => recorded;

    public Claim Claim => recorded.Claim;

    public ILogger Log => recorded.Log;

    public IServiceProvider Services => recorded.Services;

    public IReadOnlyDictionary<string, string> Headers => recorded.Headers;

    public int MaxAttempts => recorded.MaxAttempts;

    public StopReason StopReason => StopReason.None;

    public string? StopMessage => null;

    public IJobClient Jobs => recorded.Submitted;

    public DbDataSource Database => throw NoDatabase();

    public void Then<TNext>(TNext data, JobOptions? options)
        where TNext : notnull
    {
        if (options?.CronSchedule is not null)
            throw new ArgumentException("Then cannot make a schedule. Use SubmitAsync.");
        recorded.Chained.Record(data, options, null);
    }

    public Task ReportProgressAsync(double percent, string? message, CancellationToken cancellationToken)
    {
        recorded.Report(percent, message);
        return Task.CompletedTask;
    }

    public Task NotifyUserAsync(long userId, string message, CancellationToken cancellationToken)
    {
        recorded.Notify(userId, NotificationText.Check(Claim, userId, message));
        return Task.CompletedTask;
    }

    public async Task<TValue> OnceAsync<TValue>(string key, Func<CancellationToken, Task<TValue>> step, CancellationToken cancellationToken)
    {
        if (recorded.Steps.TryGetValue(key, out var done) && done is TValue known)
            return known;
        var value = await step(cancellationToken).ConfigureAwait(false);
        recorded.Steps[key] = value;
        return value;
    }

    public Task OnceInTransactionAsync(string key, Func<DbTransaction, CancellationToken, Task> step, CancellationToken cancellationToken) => throw NoDatabase();

    public Task CompleteInTransactionAsync(Func<DbTransaction, CancellationToken, Task> work, CancellationToken cancellationToken) => throw NoDatabase();

    private static InvalidOperationException NoDatabase() =>
        new("A context made by TestJob.Context has no database, so it has no transactions. Run the job on a JobTestServer: it has a real one that is thrown away after the test.");
}
