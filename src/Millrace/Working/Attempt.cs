using System.Data.Common;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Millrace.Notifying;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Telemetry;

namespace Millrace.Working;

/// <summary>One run of a handler by the engine: what its <see cref="JobContext"/> asks for is done here.</summary>
internal sealed class Attempt : IAttempt, IDisposable
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    private readonly MillraceInstance instance;
    private readonly CancellationTokenSource stop;
    private readonly Lock gate = new();
    private readonly long received;
    private JobClient? jobs;
    private List<NewJob>? then;
    private IReadOnlyDictionary<string, string>? headers;
    private long? progressSaved;
    private bool isClosed;
    private (double Percent, string? Message)? unsavedProgress;
    private Task raising = Task.CompletedTask;

    public Attempt(MillraceInstance instance, HeldClaim held, ResolvedPolicy policy, IServiceProvider services, ILogger log, AttemptLog lines)
    {
        this.instance = instance;
        Held = held;
        Policy = policy;
        Services = services;
        Log = log;
        Lines = lines;
        received = held.Received;
        stop = new CancellationTokenSource();
    }

    public HeldClaim Held { get; }

    public Claim Claim => Held.Claim;

    public ResolvedPolicy Policy { get; }

    public ILogger Log { get; }

    public AttemptLog Lines { get; }

    public IServiceProvider Services { get; }

    public IJobClient Jobs => OwnJobs;

    public DbDataSource Database => instance.Store.Handlers;

    public CancellationToken Token => stop.Token;

    public int MaxAttempts => Policy.MaxAttempts;

    public StopReason StopReason { get; private set; }

    public string? StopMessage { get; private set; }

    /// <summary>The job was completed inside the handler's own transaction, which has committed.</summary>
    public bool IsCompleted { get; private set; }

    /// <summary>A transaction that completes the job is open: nobody else may write this run's end now, or would wait for it (rule 12).</summary>
    public bool IsCompleting { get; private set; }

    /// <summary>Somebody else has already written how this run ended (a release at shutdown): what still comes out of it is dropped.</summary>
    public bool IsGivenUp { get; private set; }

    /// <summary>When <see cref="CompleteInTransactionAsync"/> wrote the end.</summary>
    public DateTimeOffset? Completed { get; private set; }

    public IReadOnlyList<NewJob> ThenJobs => then ?? [];

    /// <summary>Notifications that follow a commit and are not stored yet. Never fails.</summary>
    public Task Raising => raising;

    public IReadOnlyDictionary<string, string> Headers => headers ??= ReadHeaders(Claim.Headers);

    /// <summary>The store's clock, as well as this process can know it: the claim's time and what has passed since on our own.</summary>
    public DateTimeOffset Now => Claim.Claimed + instance.Time.GetElapsedTime(received);

    /// <summary>When the handler began.</summary>
    public DateTimeOffset Started { get; set; }

    public void Stop(StopReason reason, string message)
    {
        lock (gate)
        {
            if (isClosed || StopReason != StopReason.None)
                return;
            StopReason = reason;
            StopMessage = message;
        }
        // Callbacks of the token are user code: they run on the pool, not in the loop that asks.
        _ = stop.CancelAsync();
    }

    /// <summary>Takes the end of this run away from its handler, which did not stop in time. False when the handler has ended, or is completing the job by itself.</summary>
    public bool TryGiveUp()
    {
        lock (gate)
        {
            if (isClosed || IsCompleting || IsCompleted)
                return false;
            IsGivenUp = true;
            return true;
        }
    }

    /// <summary>The handler has ended. False when its end was taken away before.</summary>
    public bool TryClose()
    {
        lock (gate)
        {
            isClosed = true;
            return !IsGivenUp;
        }
    }

    /// <summary>How a run ends whose handler does not.</summary>
    public AttemptEnd GivenUpEnd(EndDecision decision) => new()
    {
        Claim = Claim,
        Outcome = decision.Outcome,
        Charged = decision.IsCharged,
        Started = Started,
        Finished = Now,
        Error = decision.Error,
        Again = decision.Again,
        RemoveAfter = decision.Outcome.IsFinal() ? Policy.RemoveAfter(decision.Outcome) : null,
        Log = Lines.Take(),
    };

    public void Then<TNext>(TNext data, JobOptions? options)
        where TNext : notnull
    {
        ArgumentNullException.ThrowIfNull(data);
        options ??= JobOptions.None;
        if (options.CronSchedule is not null)
            throw new ArgumentException("Then cannot make a schedule. Use SubmitAsync.");
        if (IsCompleted)
            throw new InvalidOperationException($"Job {Claim.JobId} ({Claim.Type}) is complete already, so nothing can be added to its completion. Submit the next job inside the transaction of CompleteInTransactionAsync.");
        var job = instance.Writer.Write(data, options, Claim.JobId);
        lock (gate)
            (then ??= []).Add(job);
    }

    public async Task ReportProgressAsync(double percent, string? message, CancellationToken cancellationToken)
    {
        percent = double.IsNaN(percent) ? 0 : Math.Clamp(percent, 0, 100);
        message = message is null ? null : Sanitiser.Text(message, 1000);
        lock (gate)
        {
            unsavedProgress = (percent, message);
            if (progressSaved is { } saved && instance.Time.GetElapsedTime(saved) < ProgressInterval)
                return;
            progressSaved = instance.Time.GetTimestamp();
            unsavedProgress = null;
        }
        await SaveProgressAsync(percent, message, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a word that came too soon after the one before it, if there is one and its time has come.</summary>
    public async Task SaveUnsavedProgressAsync(CancellationToken cancellationToken)
    {
        double percent;
        string? message;
        lock (gate)
        {
            if (isClosed || unsavedProgress is not { } unsaved || progressSaved is { } saved && instance.Time.GetElapsedTime(saved) < ProgressInterval)
                return;
            progressSaved = instance.Time.GetTimestamp();
            unsavedProgress = null;
            (percent, message) = unsaved;
        }
        try
        {
            await SaveProgressAsync(percent, message, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            lock (gate)
                unsavedProgress ??= (percent, message);
            throw;
        }
    }

    public async Task NotifyUserAsync(long userId, string message, CancellationToken cancellationToken)
    {
        var raised = new NewEvent(userId, Claim.JobId, Claim.Type, NotificationText.Check(Claim, userId, message));
        if (AmbientTransaction.Current is { } ambient && instance.Store.Owns(ambient.Connection))
        {
            // Never inside the user's transaction: listeners would wait for its end to be sure of the order.
            ambient.WhenCommitted(() =>
            {
                lock (gate)
                    raising = RaiseAfterAsync(raising, raised);
            });
            return;
        }
        await raising.WaitAsync(cancellationToken).ConfigureAwait(false);
        await RaiseAsync(raised, cancellationToken).ConfigureAwait(false);
    }

    public async Task<TValue> OnceAsync<TValue>(string key, Func<CancellationToken, Task<TValue>> step, CancellationToken cancellationToken)
    {
        NameValidator.Check("The key of OnceAsync", key, nameof(key));
        if (await instance.Store.ReadOnceAsync(Claim.JobId, key, cancellationToken).ConfigureAwait(false) is { } stored)
            return instance.Json.ReadOrDefault<TValue>(stored)!;

        var value = await step(cancellationToken).ConfigureAwait(false);
        // Its own token: the step is done, and a shutdown that begins now must not make a later attempt repeat it.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10), instance.Time);
        var json = instance.Json.Write(value);
        var saved = await instance.Patiently.RunAsync(
            token => instance.Store.SaveOnceAsync(Held.Node, Claim, key, json, null, token), patience.Token).ConfigureAwait(false);
        if (!saved && await instance.Store.ReadOnceAsync(Claim.JobId, key, patience.Token).ConfigureAwait(false) != json)
            throw LeaseLost($"so the step \"{key}\" was not recorded and may run again");
        return value;
    }

    public async Task OnceInTransactionAsync(string key, Func<DbTransaction, CancellationToken, Task> step, CancellationToken cancellationToken)
    {
        NameValidator.Check("The key of OnceInTransactionAsync", key, nameof(key));
        await Database.WithTransactionAsync(
            async (transaction, token) =>
            {
                if (await instance.Store.ReadOnceAsync(Claim.JobId, key, token).ConfigureAwait(false) is not null)
                    return;
                await step(transaction, token).ConfigureAwait(false);
                if (!await instance.Store.SaveOnceAsync(Held.Node, Claim, key, "true", transaction, token).ConfigureAwait(false))
                    throw LeaseLost($"so what the step \"{key}\" wrote was rolled back");
            },
            cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    public async Task CompleteInTransactionAsync(Func<DbTransaction, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (IsCompleted || IsCompleting)
                throw new InvalidOperationException($"Job {Claim.JobId} ({Claim.Type}) is complete already: CompleteInTransactionAsync can be called once in an attempt.");
            if (IsGivenUp)
                throw LeaseLost("because it did not stop in time at shutdown");
            IsCompleting = true;
        }
        try
        {
            for (var tries = 1; ; tries++)
            {
                try
                {
                    await Database.WithTransactionAsync(
                        async (transaction, token) =>
                        {
                            await work(transaction, token).ConfigureAwait(false);
                            // What follows belongs to this completion, so it commits with it.
                            await OwnJobs.SubmitWrittenAsync(ThenJobs, token).ConfigureAwait(false);
                            Completed = Now;
                            if (!await instance.Store.CompleteAsync(Held.Node, CompletedEnd(), transaction, token).ConfigureAwait(false))
                                throw LeaseLost("so what it wrote in CompleteInTransactionAsync was rolled back");
                        },
                        new TransactionOptions { MaxTries = 1 },
                        cancellationToken).ConfigureAwait(false);
                    break;
                }
                catch (Exception exception) when (exception is not LeaseLostException)
                {
                    // Here: the commit may have happened (an answer that was lost), or the run may be somebody else's by now, which serializable shows as a
                    // conflict. The row tells (rules 3 and 5); only a run that is still ours is tried again, and only after a conflict.
                    switch (await LookAsync().ConfigureAwait(false))
                    {
                        case RunStanding.EndedByMe:
                            IsCompleted = true;
                            return;
                        case RunStanding.Stale:
                            throw LeaseLost("so what it wrote in CompleteInTransactionAsync was rolled back");
                        case RunStanding.Running when tries < TransactionOptions.Default.MaxTries && Conflicts.IsConflict(exception):
                            await Task.Delay(TransactionRunner.Pause(tries, Random.Shared.NextDouble()), instance.Time, cancellationToken).ConfigureAwait(false);
                            continue;
                        default:
                            throw;
                    }
                }
            }
            IsCompleted = true;
        }
        finally
        {
            IsCompleting = false;
        }
    }

    /// <summary>The end that <see cref="CompleteInTransactionAsync"/> wrote, or writes.</summary>
    public AttemptEnd CompletedEnd() => new()
    {
        Claim = Claim,
        Outcome = Outcome.Succeeded,
        Charged = true,
        Started = Started,
        Finished = Completed ?? Now,
        RemoveAfter = Policy.RemoveAfter(Outcome.Succeeded),
    };

    public void Dispose() => stop.Dispose();

    // Most handlers submit nothing.
    private JobClient OwnJobs => jobs ??= new JobClient(instance, parent: Claim.JobId);

    private async Task SaveProgressAsync(double percent, string? message, CancellationToken cancellationToken)
    {
        await instance.Store.SaveProgressAsync(Claim.JobId, Claim.Run, percent, message, cancellationToken).ConfigureAwait(false);
        if (Claim.UserId != 0)
            instance.WakeUps.Events.Set();
    }

    private async Task RaiseAsync(NewEvent raised, CancellationToken cancellationToken)
    {
        await instance.Patiently.RunAsync(
            async token =>
            {
                await instance.Store.RaiseAsync([raised], token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        instance.WakeUps.Events.Set();
    }

    // In the order in which they were asked for, and seen to the end before the attempt ends.
    private async Task RaiseAfterAsync(Task before, NewEvent raised)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await RaiseAsync(raised, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Telemetry.Log.NotificationLost(instance.Log, Claim.JobId, Claim.Type, Claim.Queue, Claim.Attempt, raised.UserId, exception.Message);
        }
    }

    private async Task<RunStanding> LookAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1), instance.Time);
        return await instance.Patiently.RunAsync(token => instance.Store.LookAtRunAsync(Held.Node, Claim, token), patience.Token).ConfigureAwait(false);
    }

    private LeaseLostException LeaseLost(string consequence) => new(
        Claim.JobId,
        Claim.Run,
        $"Job {Claim.JobId} ({Claim.Type}, attempt {Claim.Attempt}) lost its lease: its node was taken for dead or gave the job back, {consequence}. See WorkerOptions.NodeExpiry, or look for what froze the process.");

    private static IReadOnlyDictionary<string, string> ReadHeaders(string? json)
    {
        if (json is null)
            return System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;
        using var document = JsonDocument.Parse(json);
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in document.RootElement.EnumerateObject())
            read[property.Name] = property.Value.GetString() ?? "";
        return read;
    }
}

/// <summary>A claim in this process's hands: under which identity it was claimed, and when it arrived by our own monotonic clock.</summary>
internal readonly record struct HeldClaim(Claim Claim, Guid Node, long Received);
