using System.Data.Common;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Submitting;

/// <summary>Gives jobs their ids and gets them stored, again and again until the time is up: a repeated submission stores nothing twice, because ids and nonces stay the same.</summary>
internal sealed class Submitter(IJobStore store, MillraceOptions options, TimeProvider time, Births births)
{
    private readonly IdSource ids = new(store);
    private readonly SubmitCombiner combiner = new(store, births);

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
        // Answers by their place in the bulk. Filled only when some ids turn out to be others' (rule 20): what is stored stays so, and the rest gets new ids.
        var stored = new SortedDictionary<int, SubmitAnswer>();
        return await RepeatAsync(
            () => [.. stored.Values.Select(answer => answer.Id).Concat(numbered?.Select(job => job.Id) ?? []).Take(100)],
            async token =>
            {
                numbered ??= await NumberAsync(stored.Count == 0 ? jobs : [.. jobs.Where((_, i) => !stored.ContainsKey(i))], transaction, token).ConfigureAwait(false);
                if (transaction is not null)
                    return await InTransactionAsync(numbered, transaction, token).ConfigureAwait(false);
                var answers = await store.SubmitAsync(numbered, null, token).ConfigureAwait(false);
                if (stored.Count == 0 && !answers.Any(answer => answer.State == SubmitState.IdTaken))
                    return answers;
                var places = Enumerable.Range(0, jobs.Count).Where(i => !stored.ContainsKey(i)).ToArray();
                for (var i = 0; i < places.Length; i++)
                {
                    if (answers[i].State != SubmitState.IdTaken)
                        stored[places[i]] = answers[i];
                }
                numbered = null;
                return stored.Count == jobs.Count ? [.. stored.Values] : null;
            },
            cancellationToken,
            repeats: transaction is null,
            isPartlyStored: () => stored.Count > 0).ConfigureAwait(false);
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
        bool repeats = true,
        Func<bool>? isPartlyStored = null)
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
                throw new SubmitException(MayBeStored() ? SubmitFault.Unknown : SubmitFault.NotStored, jobIds(), exception.Message, exception);
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
                throw TimedOut(false, last);
            }
        }

        bool MayBeStored() => mayBeStored || isPartlyStored?.Invoke() == true;

        SubmitException TimedOut(bool isUnknown, Exception? cause)
        {
            var fault = isUnknown || MayBeStored() ? SubmitFault.Unknown : SubmitFault.NotStored;
            var fate = fault == SubmitFault.Unknown ? "It is not known whether the job was stored; JobIds tells what to look for." : "Nothing was stored.";
            return new SubmitException(
                fault,
                jobIds(),
                $"A submission to {store.Name} was not answered within {options.SubmitTimeout} (MillraceOptions.SubmitTimeout). {fate} {cause?.Message}".TrimEnd(),
                cause);
        }
    }
}
