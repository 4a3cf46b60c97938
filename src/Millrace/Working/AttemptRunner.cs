using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Telemetry;

namespace Millrace.Working;

/// <summary>Runs one claim: scope, context, middleware, handler, and turns whatever comes out into an end for the store. Never throws.</summary>
internal sealed class AttemptRunner(MillraceInstance instance)
{
    private readonly JobDelegateFactory pipeline = new(instance);
    private long runs;

    /// <summary>How many have begun in this process.</summary>
    public long Runs => Volatile.Read(ref runs);

    /// <returns>What to hand to the store, or null when the attempt was given up: its end is written by then.</returns>
    public async ValueTask<RunEnd?> RunAsync(HeldClaim held)
    {
        var claim = held.Claim;
        var policy = instance.Policies.For(claim);
        var type = instance.Types.Find(claim.Type);
        if (type is null)
            return new RunEnd(Released(held, $"This node has no handler for the type \"{claim.Type}\".") with { Again = TimeSpan.FromSeconds(10) }, IsSettled: false);

        Interlocked.Increment(ref runs);
        var scope = instance.Services.CreateAsyncScope();
        var began = instance.Time.GetTimestamp();
        Attempt? attempt = null;
        Exception? failure = null;
        string? result = null;
        try
        {
            attempt = new Attempt(
                instance, held, policy, scope.ServiceProvider, instance.LoggerOf(type), new AttemptLog(claim.JobId, claim.Run, () => claim.Claimed + instance.Time.GetElapsedTime(held.Received)));
            attempt.Started = attempt.Now;
            instance.Running.Add(attempt);
            using var deadline = policy.Timeout == Timeout.InfiniteTimeSpan ? null : new Deadline(instance, attempt);
            using var activity = instance.Telemetry.StartAttempt(claim);
            instance.Telemetry.Started(claim, attempt.Started - claim.Ready);
            AttemptLog.Current = attempt.Lines;
            using (attempt.Log.BeginScope(new AttemptScope(claim)))
            {
                (result, failure) = await RunHandlerAsync(type, attempt).ConfigureAwait(false);
                if (failure is not null)
                    LogFailure(attempt, failure);
            }
            AttemptLog.Current = null;
            activity?.SetStatus(failure is null ? ActivityStatusCode.Ok : ActivityStatusCode.Error, failure?.GetType().Name);
        }
        catch (Exception exception)
        {
            failure ??= exception;
        }
        finally
        {
            AttemptLog.Current = null;
            try
            {
                await scope.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                // The job's own work is over; a service that fails to dispose is the application's matter.
                Log.ScopeDisposeFailed(instance.Log, exception, claim.JobId, claim.Type, claim.Queue, claim.Attempt);
            }
            if (attempt is not null)
                instance.Running.Remove(attempt);
        }

        if (attempt is null)
            return new RunEnd(Released(held, failure is null ? null : ErrorText.Of(failure)) with { Again = TimeSpan.FromSeconds(10) }, IsSettled: false);
        using (attempt)
        {
            if (!attempt.TryClose())
                return null;
            if (failure is null && result is not null && !attempt.IsCompleted)
                failure = CheckResult(claim, result);
            var end = await EndAsync(attempt, failure, result).ConfigureAwait(false);
            instance.Telemetry.Finished(claim, end.Outcome, instance.Time.GetElapsedTime(began));
            return new RunEnd(end, attempt.IsCompleted, failure);
        }
    }

    /// <summary>The end of a claim that never started.</summary>
    public static AttemptEnd Released(HeldClaim held, string? reason) => new()
    {
        Claim = held.Claim,
        Outcome = Outcome.Released,
        Charged = false,
        Started = held.Claim.Claimed,
        Finished = held.Claim.Claimed,
        Error = reason,
    };

    private async ValueTask<(string? Result, Exception? Failure)> RunHandlerAsync(JobType type, Attempt attempt)
    {
        try
        {
            JobContext job;
            try
            {
                job = type.MakeContext(attempt, instance.Json);
            }
            catch (Exception exception) when (exception is JsonException or NotSupportedException or InvalidOperationException)
            {
                throw new JobDataException(
                    attempt.Claim.Type,
                    (exception as JsonException)?.Path ?? "$",
                    type.DataType.Name,
                    $"The stored data of job {attempt.Claim.JobId} ({attempt.Claim.Type}) is not what {type.DataType.Name} expects: {exception.Message} Was the record changed? New members need defaults; a new meaning needs a new name.",
                    exception);
            }
            return (await pipeline.RunAsync(type, job, attempt.Token).ConfigureAwait(false), null);
        }
        catch (Exception exception)
        {
            return (null, exception);
        }
    }

    private async ValueTask<AttemptEnd> EndAsync(Attempt attempt, Exception? failure, string? result)
    {
        await attempt.Raising.ConfigureAwait(false);
        var log = attempt.Lines.Take();
        if (attempt.IsCompleted)
        {
            if (failure is not null)
                Log.FailedAfterCompletion(instance.Log, failure, attempt.Claim.JobId, attempt.Claim.Type, attempt.Claim.Queue, attempt.Claim.Attempt);
            return attempt.CompletedEnd() with { Log = log };
        }

        var decision = EndDecision.Decide(failure, attempt.StopReason, attempt.StopMessage, attempt.Claim.Attempt, attempt.Policy, Random.Shared.NextDouble());
        return new AttemptEnd
        {
            Claim = attempt.Claim,
            Outcome = decision.Outcome,
            Charged = decision.IsCharged,
            Started = attempt.Started,
            Finished = attempt.Now,
            Result = decision.Outcome == Outcome.Succeeded ? result : null,
            Error = decision.Error,
            Again = decision.Again,
            RemoveAfter = decision.Outcome.IsFinal() ? attempt.Policy.RemoveAfter(decision.Outcome) : null,
            Then = decision.Outcome == Outcome.Succeeded && attempt.ThenJobs.Count > 0 ? await NumberAsync(attempt.ThenJobs).ConfigureAwait(false) : [],
            Log = log,
        };
    }

    /// <summary>A result is stored like data, and kept to the same limits; one that cannot be stored is a failure the handler's author must see.</summary>
    private JobDataException? CheckResult(Claim claim, string result)
    {
        try
        {
            DataValidator.Check(claim.Type, result, instance.Options.MaxDataSizeInBytes, "Result");
            return null;
        }
        catch (JobDataException exception)
        {
            return exception;
        }
    }

    private async Task<IReadOnlyList<NewJob>> NumberAsync(IReadOnlyList<NewJob> jobs)
    {
        var numbered = new List<NewJob>(jobs.Count);
        foreach (var job in jobs)
        {
            // Waits for the database as long as it takes: the handler is done, and its chain must not break here.
            var id = await instance.Patiently.RunForeverAsync(token => instance.Submitter.NextIdAsync(token).AsTask(), CancellationToken.None).ConfigureAwait(false);
            numbered.Add(job with { Id = id });
        }
        return numbered;
    }

    private static void LogFailure(Attempt attempt, Exception failure)
    {
        var claim = attempt.Claim;
        switch (failure)
        {
            case EndAttemptException { Outcome: Outcome.Snoozed } snooze:
                Log.Snoozed(attempt.Log, claim.JobId, claim.Type, claim.Queue, claim.Attempt, snooze.Delay);
                break;
            case EndAttemptException end:
                Log.EndedByHandler(attempt.Log, claim.JobId, claim.Type, claim.Queue, claim.Attempt, end.Outcome, end.Message);
                break;
            case OperationCanceledException when attempt.StopReason != StopReason.None:
                Log.Stopped(attempt.Log, claim.JobId, claim.Type, claim.Queue, claim.Attempt, attempt.StopReason, attempt.StopMessage);
                break;
            default:
                Log.AttemptFailed(attempt.Log, failure, claim.JobId, claim.Type, claim.Queue, claim.Attempt, attempt.MaxAttempts);
                break;
        }
    }
}

/// <summary>What came out of a run.</summary>
/// <param name="End">For the store.</param>
/// <param name="IsSettled">It was written in the user's transaction already; only keys and log lines are left to do.</param>
/// <param name="Failure">What came out of the handler, for who runs it by hand; null when it returned.</param>
internal readonly record struct RunEnd(AttemptEnd End, bool IsSettled, Exception? Failure = null);

/// <summary>The middleware around a handler, in their order.</summary>
internal sealed class JobDelegateFactory(MillraceInstance instance)
{
    public ValueTask<string?> RunAsync(JobType type, JobContext job, CancellationToken cancellationToken) =>
        instance.Middleware.Count == 0 ? type.Run(job, instance.Json, cancellationToken) : RunWithinAsync(type, job, cancellationToken);

    private async ValueTask<string?> RunWithinAsync(JobType type, JobContext job, CancellationToken cancellationToken)
    {
        string? result = null;
        JobDelegate next = async (context, token) => result = await type.Run(context, instance.Json, token).ConfigureAwait(false);
        for (var i = instance.Middleware.Count - 1; i >= 0; i--)
        {
            var middleware = instance.Middleware[i](job.Services);
            var rest = next;
            next = (context, token) => middleware(context, rest, token);
        }
        await next(job, cancellationToken).ConfigureAwait(false);
        return result;
    }
}

/// <summary>The scope of every log line of an attempt (S7). A list that is enumerated only by loggers that ask.</summary>
internal sealed class AttemptScope(Claim claim) : IReadOnlyList<KeyValuePair<string, object?>>
{
    public int Count => 5;

    public KeyValuePair<string, object?> this[int index] => index switch
    {
        0 => new("JobId", claim.JobId),
        1 => new("JobType", claim.Type),
        2 => new("Tag", claim.Tag),
        3 => new("Attempt", claim.Attempt),
        4 => new("UserId", claim.UserId),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"JobId:{claim.JobId} JobType:{claim.Type} Tag:{claim.Tag} Attempt:{claim.Attempt} UserId:{claim.UserId}";
}
