using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// What people and other code do to a job. One place per statement, in the direction in which jobs move, and round again while the job is
// seen nowhere: one statement with three deletes would look at one moment, and miss a job that is between two places.
internal sealed partial class PostgresStore
{
    private const string AskToCancel = """
        insert into millrace.cancel_request (job_id, at, by, reason)
        values (@id, coalesce(@now, clock_timestamp()), @by, @reason)
        on conflict (job_id) do nothing
        """;

    private const string RingForCancel = "select pg_notify(@bell, '!')";

    // Finality is judged by the last run: an operator's retry goes on after a final one, and history stays as it was.
    private const string LookAtJob = """
        select exists (select from millrace.job j where j.id = @id),
               (select a.outcome from millrace.attempt a where a.job_id = @id order by a.run desc limit 1),
               (select a.run from millrace.attempt a where a.job_id = @id order by a.run desc limit 1)
        """;

    private const string ReadRequests = """
        select job_id, by, reason
        from millrace.cancel_request
        where job_id = any(@ids)
        order by job_id
        """;

    private const string LockJob = """
        select queue, priority, type, key
        from millrace.job
        where id = @id
        for update
        """;

    // Attempts are written once, but for this: what an operator wants to run again is not to be pruned.
    private const string KeepAttempts = """
        update millrace.attempt
        set remove_at = null
        where job_id = @id and remove_at is not null
        """;

    // A key that is left over from a window, or that a finished holder has not been rid of yet, is free for the taking.
    internal const string RetakeKey = """
        insert into millrace.unique_key as k (key, job_id)
        values (@key, @id)
        on conflict (key) do update
        set job_id = excluded.job_id,
            scope = case when k.job_id = excluded.job_id then k.scope else 0 end,
            until = case when k.job_id = excluded.job_id then k.until end
        where k.job_id = excluded.job_id
            or (coalesce(k.until <= coalesce(@now, clock_timestamp()), true)
                and not exists (select from millrace.waiting p where p.id = k.job_id)
                and not exists (select from millrace.scheduled p where p.id = k.job_id)
                and not exists (select from millrace.ready p where p.id = k.job_id)
                and not exists (select from millrace.lease l where l.job_ids @> array[k.job_id]))
        returning job_id
        """;

    // A job that runs again is not deleted any more, whoever had deleted it.
    private const string Undelete = """
        delete from millrace.deleted_job
        where job_id = @id
        """;

    public Task<CancelResult> CancelAsync(long jobId, string? by, string? reason, CancellationToken cancellationToken) =>
        WorkAsync($"cancel job {jobId}", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < Tries; i++)
            {
                if (await CancelOnceAsync(session.Connection, jobId, by, reason, cancellationToken).ConfigureAwait(false) is { } result)
                {
                    await session.CommitAsync(cancellationToken).ConfigureAwait(false);
                    return result;
                }
            }

            throw MovesTooFast(jobId);
        }, cancellationToken);

    public Task<IReadOnlyList<CancelRequest>> ReadCancelRequestsAsync(IReadOnlyCollection<long> jobIds, CancellationToken cancellationToken) =>
        WorkAsync<IReadOnlyList<CancelRequest>>("read cancel requests", async session => await ReadAsync(
            session.Connection, ReadRequests, [Longs("ids", [.. jobIds])],
            static reader => new CancelRequest(reader.GetInt64(0), TextAt(reader, 1), TextAt(reader, 2)), cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task<RetryResult> RetryAsync(long jobId, CancellationToken cancellationToken) =>
        WorkAsync($"retry job {jobId}", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < Tries; i++)
            {
                if (await RetryOnceAsync(session.Connection, jobId, cancellationToken).ConfigureAwait(false) is not { } result)
                    continue;
                if (result == RetryResult.Ready)
                    await session.CommitAsync(cancellationToken).ConfigureAwait(false);
                else
                    await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
                return result;
            }

            throw MovesTooFast(jobId);
        }, cancellationToken);

    private StoreException MovesTooFast(long jobId) =>
        new(StoreFault.Conflict, $"{Name}: job {jobId} moved {Tries} times while it was looked for. Nothing was changed. Try again.");

    private async Task<CancelResult?> CancelOnceAsync(NpgsqlConnection connection, long id, string? by, string? reason, CancellationToken cancellationToken)
    {
        var error = "Cancelled" + (by is null ? "" : $" by {by}") + (reason is null ? "." : $": {reason}");
        if (await EndPendingAsync(connection, id, Outcome.Cancelled, error, cancellationToken).ConfigureAwait(false))
        {
            await ExecuteAsync(connection, FreeKeysOfJob, [Now(), Long("id", id)], cancellationToken).ConfigureAwait(false);
            return CancelResult.Cancelled;
        }

        await ExecuteAsync(connection, LockLeaseOfJob, [Long("id", id)], cancellationToken).ConfigureAwait(false);
        if (await OneAsync<bool>(connection, IsRunning, [Long("id", id)], cancellationToken).ConfigureAwait(false) == true)
        {
            await ExecuteAsync(connection, AskToCancel, [Now(), Long("id", id), Text("by", by), Text("reason", reason)], cancellationToken).ConfigureAwait(false);
            if (HasBell)
                await ExecuteAsync(connection, RingForCancel, [Text("bell", bell)], cancellationToken).ConfigureAwait(false);
            return CancelResult.Asked;
        }

        var (isStored, outcome, _) = await LookAtJobAsync(connection, id, cancellationToken).ConfigureAwait(false);
        return !isStored ? CancelResult.Unknown : outcome?.IsFinal() == true && !await IsInLineAsync(connection, id, cancellationToken).ConfigureAwait(false) ? CancelResult.Finished : null;
    }

    private async Task<(bool IsStored, Outcome? Outcome, int Run)> LookAtJobAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        var rows = await ReadAsync(
            connection, LookAtJob, [Long("id", id)],
            static reader => (reader.GetBoolean(0), TextAt(reader, 1) is { } word ? OutcomeExtensions.ToOutcome(word) : (Outcome?)null, reader.IsDBNull(2) ? 0 : reader.GetInt32(2)),
            cancellationToken).ConfigureAwait(false);
        return rows[0];
    }

    // Null: the job was seen nowhere. Look again.
    private async Task<RetryResult?> RetryOnceAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        // Two operators take turns on the job's row; prune skips it.
        var jobs = await ReadAsync(
            connection, LockJob, [Long("id", id)],
            static reader => (Queue: reader.GetString(0), Priority: reader.GetInt16(1), Type: reader.GetString(2), Key: TextAt(reader, 3)), cancellationToken).ConfigureAwait(false);
        if (jobs.Count == 0)
            return RetryResult.Unknown;
        var job = jobs[0];
        if (await OneAsync<int>(connection, FindReady, [Long("id", id)], cancellationToken).ConfigureAwait(false) is not null)
            return RetryResult.Ready;
        await ExecuteAsync(connection, LockLeaseOfJob, [Long("id", id)], cancellationToken).ConfigureAwait(false);
        if (await OneAsync<bool>(connection, IsRunning, [Long("id", id)], cancellationToken).ConfigureAwait(false) == true)
            return RetryResult.Running;
        // Key before place (rule 19). One that is pending already holds it, but for one that waits for it.
        if (job.Key is not null && await OneAsync<long>(connection, RetakeKey, [Now(), Text("key", job.Key), Long("id", id)], cancellationToken).ConfigureAwait(false) is null)
            return RetryResult.KeyIsTaken;
        int? run = null;
        foreach (var take in new[] { TakeFromWaiting, TakeFromScheduled })
            run ??= await OneAsync<int>(connection, take, [Long("id", id)], cancellationToken).ConfigureAwait(false);
        if (run is null)
        {
            var (_, outcome, last) = await LookAtJobAsync(connection, id, cancellationToken).ConfigureAwait(false);
            if (outcome?.IsFinal() != true || await IsInLineAsync(connection, id, cancellationToken).ConfigureAwait(false))
                return null;
            await ExecuteAsync(connection, KeepAttempts, [Long("id", id)], cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(connection, Undelete, [Long("id", id)], cancellationToken).ConfigureAwait(false);
            run = last + 1;
        }

        await ExecuteAsync(
            connection,
            LineUp,
            [
                Now(), Long("job", id), Text("queue", job.Queue), Short("priority", job.Priority), Text("type", job.Type), Int("run", run.Value), Int("attempt", 1),
                Int("crashes", 0), Bool("is_suspect", false),
            ],
            cancellationToken).ConfigureAwait(false);
        await RingInsideAsync(connection, [job.Queue], cancellationToken).ConfigureAwait(false);
        return RetryResult.Ready;
    }
}
