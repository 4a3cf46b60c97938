using Millrace.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Millrace.Postgres;

// Three ways in. Many plain jobs: COPY. Plain jobs: one statement. Jobs with a key: one statement when their keys are free, otherwise one
// by one, because each decision depends on what its key's holder is doing.
internal sealed partial class PostgresStore
{
    // From here on COPY is faster than arrays.
    private const int Bulk = 500;

    // How often a decision about a key starts again because the holder moved meanwhile.
    private const int Tries = 100;

    // "on conflict do nothing" never loses a submission: what is not returned is looked at by nonce.
    private const string Store = """
        with clock as materialized (
            select coalesce(@now, clock_timestamp()) as now
        ),
        given as materialized (
            select g.id, g.nonce, g.type, g.tag, g.user_id, g.queue, g.priority, g.data, g.policy, g.headers, g.trace, g.parent, g.schedule, g.key,
                   coalesce(g.due, clock.now + g.delay * interval '1 microsecond') as due, clock.now
            from clock,
                 unnest(@ids, @nonces, @types, @tags, @users, @queues, @priorities, @datas, @policies, @headers, @traces, @parents, @schedules, @keys, @dues, @delays)
                 as g(id, nonce, type, tag, user_id, queue, priority, data, policy, headers, trace, parent, schedule, key, due, delay)
        ),
        stored as (
            insert into millrace.job (id, nonce, type, tag, user_id, queue, priority, data, due, created, policy, headers, trace, parent, schedule, key)
            select id, nonce, type, tag, user_id, queue, priority, data, due, now, policy, headers, trace, parent, schedule, key
            from given
            on conflict (id) do nothing
            returning id, type, queue, priority, due, created
        ),
        lined_up as (
            insert into millrace.ready (queue, priority, pass, id, type, run, attempt)
            select queue, priority, (extract(epoch from due) * 1000000)::bigint, id, type, 1, 1
            from stored
            where due <= created
        ),
        put_off as (
            insert into millrace.scheduled (due, id, queue, priority, type, run, attempt)
            select due, id, queue, priority, type, 1, 1
            from stored
            where due > created
        )
        select id
        from stored
        """;

    private const string ReadNonces = """
        select id, nonce
        from millrace.job
        where id = any(@ids)
        """;

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

    public async Task<IReadOnlyList<SubmitAnswer>> SubmitAsync(IReadOnlyList<NewJob> jobs, System.Data.Common.DbTransaction? transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        ArgumentOutOfRangeException.ThrowIfZero(jobs.Count);
        if (transaction is not null)
        {
            var connection = ConnectionOf(transaction);
            return await OnCallersAsync("submit", () => SubmitInsideAsync(connection, jobs, isOwn: false, cancellationToken)).ConfigureAwait(false);
        }

        if (jobs.Count >= Bulk && !jobs.Any(static job => job.Key is not null)
            && await WorkAsync("submit", session => CopyAloneAsync(session, jobs, cancellationToken), cancellationToken).ConfigureAwait(false))
        {
            return All(jobs, SubmitState.Created);
        }

        if (!jobs.Any(static job => job.Key is not null))
            return await WorkAsync("submit", session => StoreAloneAsync(session, jobs, cancellationToken), cancellationToken).ConfigureAwait(false);

        if (jobs.Count == 1 && await StoreKeyedAloneAsync(jobs, cancellationToken).ConfigureAwait(false))
            return All(jobs, SubmitState.Created);
        return await WorkAsync("submit", session => SubmitKeyedAloneAsync(session, jobs, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private static NpgsqlConnection ConnectionOf(System.Data.Common.DbTransaction transaction) =>
        (transaction as NpgsqlTransaction)?.Connection
        ?? throw new ArgumentException("The transaction is not an open transaction of Npgsql. Give one of this PostgreSQL database that was neither committed nor rolled back.", nameof(transaction));

    private static SubmitAnswer[] All(IReadOnlyList<NewJob> jobs, SubmitState state)
    {
        var answers = new SubmitAnswer[jobs.Count];
        for (var i = 0; i < answers.Length; i++)
            answers[i] = new SubmitAnswer(jobs[i].Id, state);
        return answers;
    }

    // ---- plain jobs

    // One round trip: begin, insert, ring, commit.
    private async Task<IReadOnlyList<SubmitAnswer>> StoreAloneAsync(Session session, IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        await using var batch = session.Begin();
        session.Add(batch, Store, Columns(jobs));
        AddRing(session, batch, jobs);
        HashSet<long> stored;
        await using (var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false))
        {
            stored = await IdsAsync(reader, cancellationToken).ConfigureAwait(false);
            await session.FinishAsync(reader, cancellationToken).ConfigureAwait(false);
        }

        return await AnswerAsync(session.Connection, jobs, stored, cancellationToken).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<SubmitAnswer>> AnswerAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, HashSet<long> stored, CancellationToken cancellationToken)
    {
        if (stored.Count == jobs.Count)
            return All(jobs, SubmitState.Created);
        var others = jobs.Where(job => !stored.Contains(job.Id)).Select(static job => job.Id).ToArray();
        var nonces = await ReadAsync(connection, ReadNonces, [Longs("ids", others)], static reader => (reader.GetInt64(0), reader.GetInt64(1)), cancellationToken).ConfigureAwait(false);
        var known = nonces.ToDictionary(static row => row.Item1, static row => row.Item2);
        return [.. jobs.Select(job => new SubmitAnswer(
            job.Id,
            stored.Contains(job.Id) || (known.TryGetValue(job.Id, out var nonce) && nonce == job.Nonce) ? SubmitState.Created : SubmitState.IdTaken))];
    }

    private static async Task<HashSet<long>> IdsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var ids = new HashSet<long>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            ids.Add(reader.GetInt64(0));
        return ids;
    }

    private NpgsqlParameter[] Columns(IReadOnlyList<NewJob> jobs)
    {
        var count = jobs.Count;
        var (ids, nonces, users, delays) = (new long[count], new long[count], new long[count], new long[count]);
        var (types, tags, queues, datas) = (new string?[count], new string?[count], new string?[count], new string?[count]);
        var (policies, headers, traces, schedules, keys) = (new string?[count], new string?[count], new string?[count], new string?[count], new string?[count]);
        var (priorities, parents, dues) = (new short[count], new long?[count], new DateTime?[count]);
        for (var i = 0; i < count; i++)
        {
            var job = jobs[i];
            (ids[i], nonces[i], users[i], delays[i]) = (job.Id, job.Nonce, job.UserId, Math.Max(0, job.Delay.Ticks / TimeSpan.TicksPerMicrosecond));
            (types[i], tags[i], queues[i], datas[i]) = (job.Type, job.Tag, job.Queue, job.Data);
            (policies[i], headers[i], traces[i], schedules[i], keys[i]) = (job.Policy, job.Headers, job.Trace, job.Schedule, job.Key?.Name);
            (priorities[i], parents[i], dues[i]) = (job.Priority, job.Parent, job.Due?.UtcDateTime);
        }

        return
        [
            Now(), Longs("ids", ids), Longs("nonces", nonces), Texts("types", types), Texts("tags", tags), Longs("users", users), Texts("queues", queues),
            Shorts("priorities", priorities), Texts("datas", datas), Texts("policies", policies), Texts("headers", headers), Texts("traces", traces),
            Longs("parents", parents), Texts("schedules", schedules), Texts("keys", keys), Times("dues", dues), Longs("delays", delays),
        ];
    }

    // ---- many plain jobs

    private const string CopyJobs = """
        copy millrace.job (id, nonce, type, tag, user_id, queue, priority, data, due, created, policy, headers, trace, parent, schedule)
        from stdin (format binary)
        """;

    private const string CopyReady = """
        copy millrace.ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
        from stdin (format binary)
        """;

    private const string CopyScheduled = """
        copy millrace.scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
        from stdin (format binary)
        """;

    private const string ReadClock = "select coalesce(@now, clock_timestamp())";

    // False: some id is stored already. The statement that looks at nonces has to decide.
    private async Task<bool> CopyAloneAsync(Session session, IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        DateTime now;
        await using (var begin = session.Begin())
        {
            session.Add(begin, ReadClock, Now());
            await using var reader = await session.SendAsync(begin, withCommit: false, cancellationToken).ConfigureAwait(false);
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            now = reader.GetDateTime(0);
        }

        try
        {
            await CopyAsync(session.Connection, jobs, now, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
            return false;
        }

        await RingInsideAsync(session.Connection, jobs, cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task CopyAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, DateTime now, CancellationToken cancellationToken)
    {
        await using (var copy = await connection.BeginBinaryImportAsync(Sql(CopyJobs), cancellationToken).ConfigureAwait(false))
        {
            foreach (var job in jobs)
            {
                await copy.StartRowAsync(cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Id, NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Nonce, NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Type, NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
                await WriteAsync(copy, job.Tag, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.UserId, NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Queue, NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Priority, NpgsqlDbType.Smallint, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Data, NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(DueOf(job, now), NpgsqlDbType.TimestampTz, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(now, NpgsqlDbType.TimestampTz, cancellationToken).ConfigureAwait(false);
                await WriteAsync(copy, job.Policy, cancellationToken).ConfigureAwait(false);
                await WriteAsync(copy, job.Headers, cancellationToken).ConfigureAwait(false);
                await WriteAsync(copy, job.Trace, cancellationToken).ConfigureAwait(false);
                if (job.Parent is { } parent)
                    await copy.WriteAsync(parent, NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                else
                    await copy.WriteNullAsync(cancellationToken).ConfigureAwait(false);
                await WriteAsync(copy, job.Schedule, cancellationToken).ConfigureAwait(false);
            }

            await copy.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

        await CopyPlacesAsync(connection, [.. jobs.Where(job => DueOf(job, now) <= now)], now, CopyReady, isReady: true, cancellationToken).ConfigureAwait(false);
        await CopyPlacesAsync(connection, [.. jobs.Where(job => DueOf(job, now) > now)], now, CopyScheduled, isReady: false, cancellationToken).ConfigureAwait(false);
    }

    private async Task CopyPlacesAsync(NpgsqlConnection connection, NewJob[] jobs, DateTime now, string text, bool isReady, CancellationToken cancellationToken)
    {
        if (jobs.Length == 0)
            return;
        await using var copy = await connection.BeginBinaryImportAsync(Sql(text), cancellationToken).ConfigureAwait(false);
        foreach (var job in jobs)
        {
            var due = DueOf(job, now);
            await copy.StartRowAsync(cancellationToken).ConfigureAwait(false);
            if (isReady)
            {
                await copy.WriteAsync(job.Queue, NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Priority, NpgsqlDbType.Smallint, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync((due - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond, NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Id, NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await copy.WriteAsync(due, NpgsqlDbType.TimestampTz, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Id, NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Queue, NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
                await copy.WriteAsync(job.Priority, NpgsqlDbType.Smallint, cancellationToken).ConfigureAwait(false);
            }

            await copy.WriteAsync(job.Type, NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
            await copy.WriteAsync(1, NpgsqlDbType.Integer, cancellationToken).ConfigureAwait(false);
            await copy.WriteAsync(1, NpgsqlDbType.Integer, cancellationToken).ConfigureAwait(false);
            await copy.WriteAsync(0, NpgsqlDbType.Integer, cancellationToken).ConfigureAwait(false);
            await copy.WriteAsync(false, NpgsqlDbType.Boolean, cancellationToken).ConfigureAwait(false);
        }

        await copy.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    private static Task WriteAsync(NpgsqlBinaryImporter copy, string? value, CancellationToken cancellationToken) =>
        value is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(value, NpgsqlDbType.Text, cancellationToken);

    private static DateTime DueOf(NewJob job, DateTime now) =>
        job.Due?.UtcDateTime ?? now + (job.Delay > TimeSpan.Zero ? job.Delay : TimeSpan.Zero);

    // ---- inside a transaction: the caller's, or one of ours that does more

    private async Task<IReadOnlyList<SubmitAnswer>> SubmitInsideAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, bool isOwn, CancellationToken cancellationToken)
    {
        if (jobs.Count >= Bulk && !jobs.Any(static job => job.Key is not null)
            && await CopyInsideAsync(connection, jobs, cancellationToken).ConfigureAwait(false))
        {
            return All(jobs, SubmitState.Created);
        }

        var answers = new Dictionary<long, SubmitAnswer>(jobs.Count);
        var plain = jobs.Where(static job => job.Key is null).ToArray();
        if (plain.Length > 0)
        {
            foreach (var (job, answer) in plain.Zip(await StoreInsideAsync(connection, plain, cancellationToken).ConfigureAwait(false)))
                answers[job.Id] = answer;
        }

        // Always in the order of the keys, in the database's own order of bytes: two calls with the same keys cannot block each other.
        foreach (var job in Sorted(jobs))
            answers[job.Id] = await DecideAsync(connection, job, cancellationToken).ConfigureAwait(false);
        if (isOwn)
            await RingInsideAsync(connection, jobs, cancellationToken).ConfigureAwait(false);
        return [.. jobs.Select(job => answers[job.Id])];
    }

    private static IEnumerable<NewJob> Sorted(IEnumerable<NewJob> jobs) =>
        jobs.Where(static job => job.Key is not null).OrderBy(static job => job.Key?.Name, StringComparer.Ordinal);

    // An id that is stored already would spoil the caller's transaction: a savepoint takes the COPY back.
    private async Task<bool> CopyInsideAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        await using (var savepoint = new NpgsqlCommand("savepoint millrace_submit", connection))
            await savepoint.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var now = await ReadAsync(connection, ReadClock, [Now()], static reader => reader.GetDateTime(0), cancellationToken).ConfigureAwait(false);
            await CopyAsync(connection, jobs, now[0], cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            await using var back = new NpgsqlCommand("rollback to savepoint millrace_submit", connection);
            await back.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            return false;
        }

        await using var release = new NpgsqlCommand("release savepoint millrace_submit", connection);
        await release.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<IReadOnlyList<SubmitAnswer>> StoreInsideAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        HashSet<long> stored;
        await using (var command = Command(connection, Store, Columns(jobs)))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
            stored = await IdsAsync(reader, cancellationToken).ConfigureAwait(false);
        return await AnswerAsync(connection, jobs, stored, cancellationToken).ConfigureAwait(false);
    }

    // ---- jobs with a key

    // A single job whose key is free is one round trip (below): either key and job are stored, or neither. More jobs need a look before the commit.
    private async Task<IReadOnlyList<SubmitAnswer>> SubmitKeyedAloneAsync(Session session, IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        var answers = await SubmitInsideAsync(session.Connection, jobs, isOwn: true, cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return answers;
    }

    // The key is taken and the job stored by one statement: Store with a given that has passed through the key.
    private static readonly string StoreKeyed = Store
        .Replace("with clock as", $"with taken as (\n{TakeFreeKeys}\n),\nclock as", StringComparison.Ordinal)
        .Replace("from given\n    on conflict (id) do nothing", "from given\n    where id in (select job_id from taken)", StringComparison.Ordinal);

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

    // Locked until the caller commits: otherwise the kept job could start, and finish, without seeing what the caller writes.
    private const string KeepWaiting = "select id from millrace.waiting where id = @id for key share";

    private const string KeepScheduled = "select id from millrace.scheduled where id = @id for key share";

    private const string KeepReady = "select id from millrace.ready where id = @id for key share";

    private const string OwnKey = """
        select job_id
        from millrace.unique_key
        where key = @key and job_id = @holder
        for no key update
        """;

    private const string IsRunning = """
        select exists (
            select
            from millrace.lease l
            cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
            where l.job_ids @> array[@id::bigint]
                and u.job_id = @id
                and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
        """;

    private const string TakeOver = """
        update millrace.unique_key
        set job_id = @id, scope = @scope, until = coalesce(@now, clock_timestamp()) + nullif(@window, 0) * interval '1 microsecond'
        where key = @key
        """;

    // A job that was replaced, or cancelled while pending, shows started = finished. It is kept as long as its own submission said, or an hour.
    private const string EndPending = """
        with clock as materialized (
            select coalesce(@now, clock_timestamp()) as now
        )
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, started, finished, outcome, error, remove_at)
        select j.id, @run, @attempt, false, j.type, j.tag, clock.now, clock.now, @outcome, @error,
               clock.now + nullif(coalesce((j.policy::json ->> 'removeDelay')::double precision, 3600), -1) * interval '1 second'
        from millrace.job j, clock
        where j.id = @id
        on conflict (job_id, run) do nothing
        returning run
        """;

    private const string PostponeWaiting = """
        update millrace.waiting
        set due = coalesce(@due, coalesce(@now, clock_timestamp()) + @delay * interval '1 microsecond')
        where id = @id
        returning id
        """;

    private const string PostponeScheduled = """
        with gone as (
            delete from millrace.scheduled
            where id = @id
            returning id, queue, priority, type, run, attempt, crashes, is_suspect
        )
        insert into millrace.scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
        select coalesce(@due, coalesce(@now, clock_timestamp()) + @delay * interval '1 microsecond'), id, queue, priority, type, run, attempt, crashes, is_suspect
        from gone
        returning id
        """;

    private const string PostponeReady = """
        with gone as (
            delete from millrace.ready
            where id = @id
            returning id, queue, priority, type, run, attempt, crashes, is_suspect
        )
        insert into millrace.scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
        select coalesce(@due, coalesce(@now, clock_timestamp()) + @delay * interval '1 microsecond'), id, queue, priority, type, run, attempt, crashes, is_suspect
        from gone
        returning id
        """;

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
                || (countsRunning && await OneAsync<bool>(connection, IsRunning, [Long("id", holder.Id)], cancellationToken).ConfigureAwait(false) == true))
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

    private async Task<bool> IsPendingAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        foreach (var look in new[] { KeepWaiting, KeepScheduled, KeepReady })
        {
            if (await OneAsync<long>(connection, look, [Long("id", id)], cancellationToken).ConfigureAwait(false) is not null)
                return true;
        }

        return false;
    }

    private async Task<bool> PostponeAsync(NpgsqlConnection connection, long id, NewJob job, CancellationToken cancellationToken)
    {
        foreach (var move in new[] { PostponeWaiting, PostponeScheduled, PostponeReady })
        {
            NpgsqlParameter[] values = [Now(), Long("id", id), At("due", job.Due), Long("delay", Math.Max(0, job.Delay.Ticks / TimeSpan.TicksPerMicrosecond))];
            if (await OneAsync<long>(connection, move, values, cancellationToken).ConfigureAwait(false) is not null)
                return true;
        }

        return false;
    }

    // The value in the first column of the first row; null when there is no row.
    private async Task<T?> OneAsync<T>(NpgsqlConnection connection, string text, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
        where T : struct
    {
        await using var command = Command(connection, text, parameters);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is T value ? value : null;
    }
}
