using System.Data.Common;
using Microsoft.Extensions.Logging;
using Millrace.Storage;

namespace Millrace.Working;

/// <summary>What stands behind a <see cref="JobContext"/>: the engine's <see cref="Attempt"/>, or a stand-in of the testing package.</summary>
internal interface IAttempt
{
    Claim Claim { get; }

    ILogger Log { get; }

    IServiceProvider Services { get; }

    IReadOnlyDictionary<string, string> Headers { get; }

    int MaxAttempts { get; }

    StopReason StopReason { get; }

    string? StopMessage { get; }

    IJobClient Jobs { get; }

    DbDataSource Database { get; }

    void Then<TNext>(TNext data, JobOptions? options) where TNext : notnull;

    Task ReportProgressAsync(double percent, string? message, CancellationToken cancellationToken);

    Task NotifyUserAsync(long userId, string message, CancellationToken cancellationToken);

    Task<TValue> OnceAsync<TValue>(string key, Func<CancellationToken, Task<TValue>> step, CancellationToken cancellationToken);

    Task OnceInTransactionAsync(string key, Func<DbTransaction, CancellationToken, Task> step, CancellationToken cancellationToken);

    Task CompleteInTransactionAsync(Func<DbTransaction, CancellationToken, Task> work, CancellationToken cancellationToken);
}
