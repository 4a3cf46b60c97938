using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Three ways in. Many plain jobs: COPY. Plain jobs: one statement. Jobs with a key: one statement when their keys are free, otherwise one
// by one, because each decision depends on what its key's holder is doing.
internal sealed partial class PostgresStore
{
    // From here on COPY is faster than arrays.
    private const int Bulk = 500;

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

    // What the submitting node can run at once goes into a lease of that node. What it asks for it gets only if it could also have claimed it: it
    // is alive, the queue is not paused, and the lease is new.
    private const string Born = """
        born as materialized (
            select s.id, s.due, s.created
            from stored s
            where s.id = any(@born)
                and s.due <= s.created
                and exists (select from millrace.node n where n.id = @node and n.dead_at is null and n.expires_at > s.created)
                and not exists (select from millrace.queue q where q.name = @queue and q.is_paused and coalesce(q.resume_at > coalesce(@now, clock_timestamp()), true))
                and not exists (select from millrace.lease l where l.id = @lease)
        ),
        leased as (
            insert into millrace.lease (id, node, claimed_at, job_ids, runs, attempts, crashes, passes)
            select @lease, @node, max(b.created), array_agg(b.id), array_agg(1), array_agg(1), array_agg(0), array_agg((extract(epoch from b.due) * 1000000)::bigint)
            from born b
            having count(*) > 0
        ),

        """;

    private static readonly string StoreAndClaim = Store
        .Replace("lined_up as (", Born + "lined_up as (", StringComparison.Ordinal)
        .Replace("where due <= created", "where due <= created and id not in (select id from born)", StringComparison.Ordinal)
        .Replace("select id\nfrom stored", "select id, case when id in (select id from born) then created end\nfrom stored", StringComparison.Ordinal);

    private const string ReadNonces = """
        select id, nonce
        from millrace.job
        where id = any(@ids)
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
            return await WorkAsync("submit", session => StoreAloneAsync(session, jobs, claim: null, cancellationToken), cancellationToken).ConfigureAwait(false);

        if (jobs.Count == 1 && await StoreKeyedAloneAsync(jobs, cancellationToken).ConfigureAwait(false))
            return All(jobs, SubmitState.Created);
        return await WorkAsync("submit", session => SubmitKeyedAloneAsync(session, jobs, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public Task<IReadOnlyList<SubmitAnswer>> SubmitAndClaimAsync(IReadOnlyList<NewJob> jobs, BirthClaim claim, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        ArgumentNullException.ThrowIfNull(claim);
        return WorkAsync("submit", session => StoreAloneAsync(session, jobs, claim, cancellationToken), cancellationToken);
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

    // One round trip: begin, insert, ring, commit.
    private async Task<IReadOnlyList<SubmitAnswer>> StoreAloneAsync(Session session, IReadOnlyList<NewJob> jobs, BirthClaim? claim, CancellationToken cancellationToken)
    {
        await using var batch = session.Begin();
        if (claim is null)
            session.Add(batch, Store, Columns(jobs));
        else
            session.Add(batch, StoreAndClaim, [.. Columns(jobs), Uuid("node", claim.Node), Uuid("lease", claim.Lease), Text("queue", claim.Queue), Longs("born", [.. claim.Jobs])]);
        AddRing(session, batch, claim is null ? jobs : jobs.Where(job => !claim.Jobs.Contains(job.Id)));
        HashSet<long> stored = [];
        Dictionary<long, DateTimeOffset>? born = null;
        await using (var reader = await session.SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                stored.Add(reader.GetInt64(0));
                if (claim is not null && TimeOrNullAt(reader, 1) is { } at)
                    (born ??= [])[reader.GetInt64(0)] = at;
            }

            await session.FinishAsync(reader, cancellationToken).ConfigureAwait(false);
        }

        // What is new is stored by now. When the look at the others fails, nobody may say that nothing was changed.
        session.CommitIsInFlight = true;
        var answers = await AnswerAsync(session.Connection, jobs, stored, cancellationToken).ConfigureAwait(false);
        return born is null ? answers : [.. answers.Select(answer => born.TryGetValue(answer.Id, out var at) ? answer with { Claimed = at } : answer)];
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
        await CopyBuffer.CopyAsync(connection, Sql(CopyJobs), jobs, (row, job) => WriteJob(row, job, now), cancellationToken).ConfigureAwait(false);
        if (jobs.Any(job => DueOf(job, now) <= now))
            await CopyBuffer.CopyAsync(connection, Sql(CopyReady), jobs.Where(job => DueOf(job, now) <= now), (row, job) => WriteReady(row, job, now), cancellationToken).ConfigureAwait(false);
        if (jobs.Any(job => DueOf(job, now) > now))
            await CopyBuffer.CopyAsync(connection, Sql(CopyScheduled), jobs.Where(job => DueOf(job, now) > now), (row, job) => WriteScheduled(row, job, now), cancellationToken).ConfigureAwait(false);
    }

    private static void WriteJob(CopyBuffer row, NewJob job, DateTime now)
    {
        row.Row(15);
        row.Write(job.Id);
        row.Write(job.Nonce);
        row.Write(job.Type);
        row.Write(job.Tag);
        row.Write(job.UserId);
        row.Write(job.Queue);
        row.Write(job.Priority);
        row.Write(job.Data);
        row.Write(DueOf(job, now));
        row.Write(now);
        row.Write(job.Policy);
        row.Write(job.Headers);
        row.Write(job.Trace);
        row.Write(job.Parent);
        row.Write(job.Schedule);
    }

    private static void WriteReady(CopyBuffer row, NewJob job, DateTime now)
    {
        row.Row(9);
        row.Write(job.Queue);
        row.Write(job.Priority);
        row.Write((DueOf(job, now) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        row.Write(job.Id);
        WriteFirstRun(row, job);
    }

    private static void WriteScheduled(CopyBuffer row, NewJob job, DateTime now)
    {
        row.Row(9);
        row.Write(DueOf(job, now));
        row.Write(job.Id);
        row.Write(job.Queue);
        row.Write(job.Priority);
        WriteFirstRun(row, job);
    }

    // type, run, attempt, crashes, is_suspect
    private static void WriteFirstRun(CopyBuffer row, NewJob job)
    {
        row.Write(job.Type);
        row.Write(1);
        row.Write(1);
        row.Write(0);
        row.Write(false);
    }

    private static DateTime DueOf(NewJob job, DateTime now) =>
        job.Due?.UtcDateTime ?? now + (job.Delay > TimeSpan.Zero ? job.Delay : TimeSpan.Zero);

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
}
