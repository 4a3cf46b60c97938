using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// A job with a key: one statement when its key is free, otherwise one by one, because each decision depends on what the key's holder is doing.
internal sealed partial class PostgresStore
{
    // The job's id is looked at first: a key must not be given to an id that is somebody else's job.
    private const string TakeFreeKeys = """
        insert into millrace.unique_key (key, job_id, scope, until)
        select g.key, g.id, g.scope, coalesce(@now, clock_timestamp()) + g.span
        from unnest(@keys, @ids, @scopes, @windows) as w(key, id, scope, micros)
        cross join lateral (select w.key, w.id, w.scope, case when w.micros > 0 then w.micros * interval '1 microsecond' end as span) g
        where not exists (select from millrace.job j where j.id = g.id)
        order by g.key
        on conflict (key) do nothing
        returning job_id
        """;

    // The key is taken and the job stored by one statement: Store with a given that has passed through the key.
    private static readonly string StoreKeyed = Store
        .Replace("with clock as", $"with taken as (\n{TakeFreeKeys}\n),\nclock as", StringComparison.Ordinal)
        .Replace("from given\n    on conflict (id) do nothing", "from given\n    where id in (select job_id from taken)", StringComparison.Ordinal);

    private const string FindStored = """
        select nonce
        from millrace.job
        where id = @id
        """;

    private const string TakeKey = """
        insert into millrace.unique_key (key, job_id, scope, until)
        values (@key, @id, @scope, coalesce(@now, clock_timestamp()) + nullif(@window, 0) * interval '1 microsecond')
        on conflict (key) do nothing
        returning job_id
        """;

    // "for key share" lets a turn touch the key of its holder, and waits for a submitter that is just taking it over.
    private const string ReadHolder = """
        select job_id, scope, coalesce(until > coalesce(@now, clock_timestamp()), false)
        from millrace.unique_key
        where key = @key
        for key share
        """;

    private const string OwnKey = """
        select job_id
        from millrace.unique_key
        where key = @key and job_id = @holder
        for no key update
        """;

    private const string TakeOver = """
        update millrace.unique_key
        set job_id = @id, scope = @scope, until = coalesce(@now, clock_timestamp()) + nullif(@window, 0) * interval '1 microsecond'
        where key = @key
        """;

    // How often a decision about a key starts again because the holder moved meanwhile.
    private const int Tries = 100;

    // A single job whose key is free is one round trip (below): either key and job are stored, or neither. More jobs need a look before the commit.
    private async Task<IReadOnlyList<SubmitAnswer>> SubmitKeyedAloneAsync(Session session, IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        var answers = await SubmitInsideAsync(session.Connection, jobs, isOwn: true, cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return answers;
    }

    private async Task<bool> StoreKeyedAloneAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        try
        {
            return await WorkAsync("submit", async session =>
            {
                await using var batch = session.Begin();
                session.Add(batch, StoreKeyed, [.. Columns(jobs), .. KeyColumns(jobs)]);
                AddRing(session, batch, jobs);
                await using var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false);
                var stored = await IdsAsync(reader, cancellationToken).ConfigureAwait(false);
                await session.FinishAsync(reader, cancellationToken).ConfigureAwait(false);
                return stored.Count > 0;
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException exception) when (exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            // Here the same id was stored between the look and the insert: nothing of ours is stored, and the slow way looks again.
            return false;
        }
    }

    private static NpgsqlParameter[] KeyColumns(IReadOnlyList<NewJob> jobs) =>
    [
        Shorts("scopes", [.. jobs.Select(static job => (short)(job.Key?.Until.Scope ?? 0))]),
        Longs("windows", [.. jobs.Select(static job => (job.Key?.Until.Window.Ticks ?? 0) / TimeSpan.TicksPerMicrosecond)]),
    ];

    // Any isolation level, on the caller's connection too. At each step: the holder may move, finish, lose the key to somebody else, or
    // be put back by a turn. So: key before place, one place per statement in the direction in which jobs move, and a look again once
    // the key is ours. Under repeatable read and serializable a holder that moved shows itself as 40001.
    private async Task<SubmitAnswer> DecideAsync(NpgsqlConnection connection, NewJob job, CancellationToken cancellationToken)
    {
        var key = job.Key ?? throw new InvalidOperationException($"Job {job.Id} has no key to decide about.");
        for (var i = 0; i < Tries; i++)
        {
            if (await OneAsync<long>(connection, FindStored, [Long("id", job.Id)], cancellationToken).ConfigureAwait(false) is { } nonce)
                return new SubmitAnswer(job.Id, nonce == job.Nonce ? SubmitState.Created : SubmitState.IdTaken);
            if (await OneAsync<long>(connection, TakeKey, KeyValues(job, key), cancellationToken).ConfigureAwait(false) is not null)
                return await StoreHolderAsync(connection, job, SubmitState.Created, cancellationToken).ConfigureAwait(false);
            if (await DecideAgainstHolderAsync(connection, job, key, cancellationToken).ConfigureAwait(false) is { } answer)
                return answer;
        }

        throw new StoreException(StoreFault.Conflict, $"{Name}: could not decide about the key \"{key.Name}\": its job moved {Tries} times meanwhile. Nothing was changed. Try again.");
    }

    // Null: the holder moved. Look again from the start.
    private async Task<SubmitAnswer?> DecideAgainstHolderAsync(NpgsqlConnection connection, NewJob job, JobKey key, CancellationToken cancellationToken)
    {
        var holders = await ReadAsync(
            connection, ReadHolder, [Now(), Text("key", key.Name)],
            static reader => (Id: reader.GetInt64(0), Scope: (UniqueScope)reader.GetInt16(1), IsInWindow: reader.GetBoolean(2)), cancellationToken).ConfigureAwait(false);
        if (holders.Count == 0)
            return null;
        var holder = holders[0];
        var state = SubmitState.Created;
        if (key.OnConflict == WhenPending.Keep)
        {
            if (await IsPendingAsync(connection, holder.Id, cancellationToken).ConfigureAwait(false))
                return new SubmitAnswer(holder.Id, SubmitState.Kept);
        }

        if (await OneAsync<long>(connection, OwnKey, [Text("key", key.Name), Long("holder", holder.Id)], cancellationToken).ConfigureAwait(false) is null)
            return null;
        // Here nobody takes the key over or puts its holder back to a place any more: a turn that would skips the key, and its job waits.
        switch (key.OnConflict)
        {
            case WhenPending.Postpone:
                if (await PostponeAsync(connection, holder.Id, job, cancellationToken).ConfigureAwait(false))
                    return new SubmitAnswer(holder.Id, SubmitState.Postponed);
                break;
            case WhenPending.Replace:
                if (await EndPendingAsync(connection, holder.Id, Outcome.Replaced, null, cancellationToken).ConfigureAwait(false))
                    state = SubmitState.Replaced;
                break;
            default:
                if (await IsPendingAsync(connection, holder.Id, cancellationToken).ConfigureAwait(false))
                    return new SubmitAnswer(holder.Id, SubmitState.Kept);
                break;
        }

        if (state == SubmitState.Created)
        {
            var countsRunning = key.Until.Scope == UniqueScope.PendingOrRunning || holder.Scope != UniqueScope.Pending;
            if (holder.IsInWindow
                || (countsRunning && await OneAsync<Guid>(connection, FindRunning, [Long("id", holder.Id)], cancellationToken).ConfigureAwait(false) is not null))
            {
                return new SubmitAnswer(holder.Id, SubmitState.Kept);
            }
        }

        await ExecuteAsync(connection, TakeOver, KeyValues(job, key), cancellationToken).ConfigureAwait(false);
        return await StoreHolderAsync(connection, job, state, cancellationToken).ConfigureAwait(false);
    }

    private NpgsqlParameter[] KeyValues(NewJob job, JobKey key) =>
    [
        Now(), Text("key", key.Name), Long("id", job.Id), Short("scope", (short)key.Until.Scope),
        Long("window", key.Until.Window.Ticks / TimeSpan.TicksPerMicrosecond),
    ];

    private async Task<SubmitAnswer> StoreHolderAsync(NpgsqlConnection connection, NewJob job, SubmitState state, CancellationToken cancellationToken)
    {
        var stored = await StoreInsideAsync(connection, [job], cancellationToken).ConfigureAwait(false);
        if (stored[0].State == SubmitState.IdTaken)
        {
            // Here another submission stored this id since it was looked at. The key has gone to an id that is not ours: only going back helps.
            throw new StoreException(StoreFault.Conflict, $"{Name}: the id {job.Id} was stored by another submission at the same moment. Nothing was changed. Roll back and try again.");
        }

        return new SubmitAnswer(job.Id, state);
    }

    // A touch, not only a lock: a submitter at repeatable read must see 40001. Never waits (rule 12).
    private const string TouchKeys = """
        with mine as materialized (
            select k.key
            from unnest(@keys, @jobs) as e(key, job_id)
            join millrace.unique_key k on k.key = e.key and k.job_id = e.job_id
            order by k.key
            for no key update of k skip locked
        )
        update millrace.unique_key k
        set job_id = k.job_id
        from mine
        where k.key = mine.key
        returning k.job_id
        """;

    private const string ReadKeys = """
        select key, job_id
        from millrace.unique_key
        where key = any(@keys)
        """;

    /// <param name="IsLocked">A submitter is deciding about the key, or it is gone: the job waits, and upkeep looks again.</param>
    /// <param name="Successor">The newer job that has it; null when this transaction may put its own job back.</param>
    private readonly record struct KeyStanding(bool IsLocked, long? Successor)
    {
        public static KeyStanding Mine => default;
    }

    private static string? SupersededBy(long? successor, string? key, string? error) =>
        successor is null ? error
        : error is null ? $"Job {successor} holds the key \"{key}\"."
        : $"Job {successor} holds the key \"{key}\".\n{error}";

    private async Task<KeyStanding> TouchAsync(NpgsqlConnection connection, string key, long job, CancellationToken cancellationToken) =>
        (await TouchAsync(connection, [(key, job)], cancellationToken).ConfigureAwait(false))[job];

    private async Task<Dictionary<long, KeyStanding>> TouchAsync(NpgsqlConnection connection, IReadOnlyCollection<(string Key, long Job)> keys, CancellationToken cancellationToken)
    {
        var mine = await ReadAsync(
            connection,
            TouchKeys,
            [Texts("keys", [.. keys.Select(static key => key.Key)]), Longs("jobs", [.. keys.Select(static key => key.Job)])],
            static reader => reader.GetInt64(0),
            cancellationToken).ConfigureAwait(false);
        var standings = mine.ToDictionary(static job => job, static _ => KeyStanding.Mine);
        var others = keys.Where(key => !standings.ContainsKey(key.Job)).ToArray();
        if (others.Length == 0)
            return standings;
        var rows = await ReadAsync(
            connection,
            ReadKeys,
            [Texts("keys", [.. others.Select(static key => key.Key)])],
            static reader => (Key: reader.GetString(0), Job: reader.GetInt64(1)),
            cancellationToken).ConfigureAwait(false);
        var holders = rows.ToDictionary(static row => row.Key, static row => row.Job);
        foreach (var (key, job) in others)
            standings[job] = holders.TryGetValue(key, out var holder) && holder != job ? new KeyStanding(false, holder) : new KeyStanding(true, null);
        return standings;
    }

    private async Task FreeKeyAsync(NpgsqlConnection connection, Claim claim, CancellationToken cancellationToken)
    {
        if (claim.Key is not null)
            await ExecuteAsync(connection, FreeKeys, [Now(), Longs("jobs", [claim.JobId]), Ints("runs", [claim.Run])], cancellationToken).ConfigureAwait(false);
    }

    // Only keys of jobs that this turn really finished: a stale end must not free the key of a job that goes on elsewhere. A key that a
    // submitter holds is skipped and swept later (rule 12); one with a window is kept until the window is over.
    private const string FreeKeys = """
        with free as materialized (
            select k.key
            from unnest(@jobs, @runs) as e(job_id, run)
            join millrace.attempt a on a.job_id = e.job_id and a.run = e.run
            join millrace.unique_key k on k.job_id = e.job_id
            where a.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded')
                and coalesce(k.until <= coalesce(@now, clock_timestamp()), true)
                and not exists (select from millrace.attempt n where n.job_id = a.job_id and n.run > a.run)
                and not exists (select from millrace.ready p where p.id = a.job_id)
                and not exists (select from millrace.scheduled p where p.id = a.job_id)
                and not exists (select from millrace.waiting p where p.id = a.job_id)
            for no key update of k skip locked
        )
        delete from millrace.unique_key k
        using free
        where k.key = free.key
        """;

    private const string FreeKeysOfJob = """
        with free as materialized (
            select k.key
            from millrace.unique_key k
            where k.job_id = @id and coalesce(k.until <= coalesce(@now, clock_timestamp()), true)
            for no key update skip locked
        )
        delete from millrace.unique_key k
        using free
        where k.key = free.key
        """;
}
