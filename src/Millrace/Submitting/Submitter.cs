using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Submitting;

/// <summary>Gives jobs their ids and gets them stored, again and again until the time is up: a repeated submission stores nothing twice, because ids and nonces stay the same.</summary>
internal sealed class Submitter(IJobStore store, MillraceOptions options, TimeProvider time)
{
    private readonly IdSource ids = new(store);
    private readonly SubmitCombiner combiner = new(store);

    public ValueTask<long> NextIdAsync(CancellationToken cancellationToken) => ids.NextAsync(null, cancellationToken);

    /// <summary>One job in the caller's transaction. Nothing is repeated here: after a failure the transaction is the caller's to roll back.</summary>
    public async Task<SubmitAnswer> SubmitAsync(NewJob job, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var id = await ids.NextAsync(transaction, cancellationToken).ConfigureAwait(false);
        return (await InTransactionAsync([job with { Id = id }], transaction, cancellationToken).ConfigureAwait(false))[0];
    }

    /// <summary>One job in a commit that it may share with others.</summary>
    public async Task<SubmitAnswer> SubmitAsync(NewJob job, CancellationToken cancellationToken)
    {
        var numbered = job;
        var answers = await RepeatAsync(
            () => numbered.Id == 0 ? [] : [numbered.Id],
            async token =>
            {
                if (numbered.Id == 0)
                    numbered = job with { Id = await ids.NextAsync(null, token).ConfigureAwait(false) };
                // Keyed jobs may have to wait for somebody's transaction, and would keep their neighbours waiting: they go alone.
                var answer = numbered.Key is null
                    ? await combiner.SubmitAsync(numbered, token).ConfigureAwait(false)
                    : (await store.SubmitAsync([numbered], null, token).ConfigureAwait(false))[0];
                if (answer.State != SubmitState.IdTaken)
                    return [answer];
                ids.ThrowAway();
                numbered = job;
                return null;
            },
            cancellationToken).ConfigureAwait(false);
        return answers[0];
    }

    /// <summary>Many jobs in one commit of their own, or in the caller's transaction.</summary>
    public async Task<IReadOnlyList<SubmitAnswer>> SubmitBulkAsync(List<NewJob> jobs, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        List<NewJob>? numbered = null;
        return await RepeatAsync(
            () => numbered?.Take(100).Select(job => job.Id).ToList() ?? [],
            async token =>
            {
                numbered ??= await NumberAsync(jobs, transaction, token).ConfigureAwait(false);
                if (transaction is not null)
                    return await InTransactionAsync(numbered, transaction, token).ConfigureAwait(false);
                var answers = await store.SubmitAsync(numbered, null, token).ConfigureAwait(false);
                if (!answers.Any(answer => answer.State == SubmitState.IdTaken))
                    return answers;
                numbered = null;
                return null;
            },
            cancellationToken,
            repeats: transaction is null).ConfigureAwait(false);
    }

    /// <summary>Stores jobs on the caller's transaction. A failure comes out as it is: the transaction is broken, and the caller's to repeat.</summary>
    private async Task<IReadOnlyList<SubmitAnswer>> InTransactionAsync(IReadOnlyList<NewJob> jobs, DbTransaction transaction, CancellationToken cancellationToken)
    {
        while (true)
        {
            var answers = await store.SubmitAsync(jobs, transaction, cancellationToken).ConfigureAwait(false);
            if (!answers.Any(answer => answer.State == SubmitState.IdTaken))
                return answers;
            if (answers.Any(answer => answer.State != SubmitState.IdTaken))
            {
                throw new SubmitException(
                    SubmitFault.NotStored,
                    [],
                    $"Some of {jobs.Count} jobs met ids that are taken by other jobs (was {store.Name} restored from a backup?). Roll the transaction back and run it again.",
                    null);
            }
            ids.ThrowAway();
            jobs = await NumberAsync(jobs, transaction, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<List<NewJob>> NumberAsync(IReadOnlyList<NewJob> jobs, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        var block = await ids.TakeAsync(jobs.Count, transaction, cancellationToken).ConfigureAwait(false);
        var numbered = new List<NewJob>(jobs.Count);
        for (var i = 0; i < jobs.Count; i++)
            numbered.Add(jobs[i] with { Id = block.First + i });
        return numbered;
    }

    /// <summary>Repeats a submission until it has an answer (not null) or <see cref="MillraceOptions.SubmitTimeout"/> is over.</summary>
    private async Task<IReadOnlyList<SubmitAnswer>> RepeatAsync(
        Func<IReadOnlyList<long>> jobIds,
        Func<CancellationToken, Task<IReadOnlyList<SubmitAnswer>?>> submit,
        CancellationToken cancellationToken,
        bool repeats = true)
    {
        using var deadline = new CancellationTokenSource(options.SubmitTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var mayBeStored = false;
        Exception? last = null;
        for (var tries = 1; ; tries++)
        {
            try
            {
                if (await submit(both.Token).ConfigureAwait(false) is { } answers)
                    return answers;
            }
            catch (StoreException exception) when (repeats && exception.IsTransient)
            {
                last = exception;
                mayBeStored |= exception.Fault == StoreFault.Unknown;
            }
            catch (StoreException exception) when (repeats)
            {
                throw new SubmitException(mayBeStored ? SubmitFault.Unknown : SubmitFault.NotStored, jobIds(), exception.Message, exception);
            }
            catch (OperationCanceledException exception) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // The statement was on its way when the time was up: it may still commit. Without an id there was no statement yet.
                throw TimedOut(jobIds().Count > 0, last ?? exception);
            }
            try
            {
                await Task.Delay(Backoff.NextDelay(tries, Random.Shared.NextDouble(), TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(1)), time, both.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw TimedOut(mayBeStored, last);
            }
        }

        SubmitException TimedOut(bool isUnknown, Exception? cause)
        {
            var fault = isUnknown || mayBeStored ? SubmitFault.Unknown : SubmitFault.NotStored;
            var fate = fault == SubmitFault.Unknown ? "It is not known whether the job was stored; JobIds tells what to look for." : "Nothing was stored.";
            return new SubmitException(
                fault,
                jobIds(),
                $"A submission to {store.Name} was not answered within {options.SubmitTimeout} (MillraceOptions.SubmitTimeout). {fate} {cause?.Message}".TrimEnd(),
                cause);
        }
    }
}
