using System.Collections.ObjectModel;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Storage;

namespace Millrace.Testing;

/// <summary>Makes a <see cref="JobContext{TData}"/> for a direct call of a handler, without any engine or database.</summary>
public static class TestJob
{
    /// <summary>Makes the context of one attempt. What the handler asks of it is recorded: see <see cref="Recorded"/>. Transactions are refused; for them there is <see cref="JobTestServer"/>.</summary>
    /// <param name="data">The arguments.</param>
    /// <param name="id">The job's id.</param>
    /// <param name="userId">Whose job it is.</param>
    /// <param name="log">Its log; null for none.</param>
    /// <param name="tag">Its tag; null for none.</param>
    /// <param name="attempt">Which attempt it is, from 1; also its fence.</param>
    /// <param name="maxAttempts">How many it has in all.</param>
    /// <param name="queue">Its queue.</param>
    /// <param name="headers">Its headers; null for none.</param>
    /// <param name="services">The services of its scope; null for none.</param>
    /// <param name="time">Its clock; null for the system's.</param>
    public static JobContext<TData> Context<TData>(
        TData data,
        long id = 1,
        long userId = 0,
        ILogger? log = null,
        string? tag = null,
        int attempt = 1,
        int maxAttempts = 10,
        string queue = "default",
        IReadOnlyDictionary<string, string>? headers = null,
        IServiceProvider? services = null,
        TimeProvider? time = null)
        where TData : notnull
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfLessThan(attempt, 1);
        var now = (time ?? TimeProvider.System).GetUtcNow();
        var claim = new Claim
        {
            Lease = Guid.Empty,
            JobId = id,
            Run = attempt,
            Attempt = attempt,
            Type = TypeName.Of<TData>(),
            Tag = tag,
            UserId = userId,
            Queue = queue,
            Data = "null",
            Due = now,
            Created = now,
            Ready = now,
            Claimed = now,
        };
        var recorded = new RecordedAttempt(
            claim, log ?? NullLogger.Instance, services ?? NoServices.Instance, headers ?? ReadOnlyDictionary<string, string>.Empty, maxAttempts, time);
        return new JobContext<TData>(new StandingAttempt(recorded), data);
    }

    /// <summary>What a handler asked of a context that <c>Context</c> made.</summary>
    /// <exception cref="ArgumentException">The context is an engine's.</exception>
    public static RecordedAttempt Recorded(JobContext job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return (job.Source as StandingAttempt)?.Recorded ?? throw new ArgumentException("Only a context that TestJob.Context made keeps what was asked of it.", nameof(job));
    }

    private sealed class NoServices : IServiceProvider
    {
        public static readonly NoServices Instance = new();

        public object? GetService(Type serviceType) => null;
    }
}
