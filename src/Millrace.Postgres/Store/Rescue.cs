using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

internal sealed partial class PostgresStore
{
    private const string Bury = """
        update millrace.node
        set dead_at = coalesce(@now, clock_timestamp()), is_idle = false
        where id = @id
            and beat = @beat
            and dead_at is null
            and expires_at <= coalesce(@now, clock_timestamp())
        """;

    // Locked first, alone: what follows sees what the node still managed to store.
    private const string LockLeaseOfTheDead = """
        select l.node, l.is_alone
        from millrace.lease l
        where l.id = @lease
            and (l.node = @rescuer or not exists (select from millrace.node n where n.id = l.node and n.dead_at is null))
        for update of l skip locked
        """;

    // A job whose completion is in flight in a user's transaction is skipped and stays in the lease: its neighbours go back at once. Ids
    // without a job row are ignored.
    private const string LockRuns = """
        select j.id, u.run, u.attempt, u.crashes, j.type, j.tag, j.queue, j.priority, j.policy, j.key, l.claimed_at, u.pass,
               (select 'Cancelled' || coalesce(' by ' || c.by, '') || coalesce(': ' || c.reason, '.') from millrace.cancel_request c where c.job_id = j.id)
        from millrace.lease l
        cross join lateral unnest(l.job_ids, l.runs, l.attempts, l.crashes, l.passes) as u(job_id, run, attempt, crashes, pass)
        join millrace.job j on j.id = u.job_id
        where l.id = @lease
            and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
        order by j.id
        for update of j skip locked
        """;

    private const string EndForTheDead = """
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, node, rescued_by, started, finished, success, outcome, error, remove_at)
        select e.job_id, e.run, e.attempt, e.charged, e.type, e.tag, @node, @rescuer, e.started, greatest(e.started, coalesce(@now, clock_timestamp())),
               case when e.outcome in ('interrupted', 'discarded') then false end, e.outcome, e.error, coalesce(@now, clock_timestamp()) + e.remove_after * interval '1 microsecond'
        from unnest(@jobs, @runs, @attempts, @charged, @types, @tags, @started, @outcomes, @errors, @remove_afters)
             as e(job_id, run, attempt, charged, type, tag, started, outcome, error, remove_after)
        order by e.job_id, e.run
        on conflict (job_id, run) do nothing
        returning job_id, finished
        """;

    private const string CountLeft = """
        select count(*)
        from millrace.lease l
        cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
        where l.id = @lease
            and exists (select from millrace.job j where j.id = u.job_id)
            and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
        """;

    private const string ShrinkRescued = """
        update millrace.lease l
        set (job_ids, runs, attempts, crashes, passes) = (
            select coalesce(array_agg(u.job_id order by u.place), '{}'), coalesce(array_agg(u.run order by u.place), '{}'),
                   coalesce(array_agg(u.attempt order by u.place), '{}'), coalesce(array_agg(u.crashes order by u.place), '{}'),
                   coalesce(array_agg(u.pass order by u.place), '{}')
            from unnest(l.job_ids, l.runs, l.attempts, l.crashes, l.passes) with ordinality as u(job_id, run, attempt, crashes, pass, place)
            where exists (select from millrace.job j where j.id = u.job_id)
                and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
        where l.id = @lease
        """;

    private const string DropRescued = """
        delete from millrace.lease
        where id = @lease
        """;

    public async Task<bool> BuryAsync(NodeSighting node, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(node);
        return await WorkAsync(
            "declare a node dead",
            session => session.RunAsync(Bury, [Now(), Uuid("id", node.Id), Long("beat", node.Beat)], cancellationToken),
            cancellationToken).ConfigureAwait(false) > 0;
    }

    public Task<RescueAnswer> RescueAsync(Guid lease, Guid rescuer, Func<LeasedRun, RescueVerdict> decide, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(decide);
        return WorkAsync("rescue a lease", async session =>
        {
            var connection = session.Connection;
            (Guid Node, bool IsAlone)? found = null;
            await using (var begin = session.Begin())
            {
                session.Add(begin, LockLeaseOfTheDead, Uuid("lease", lease), Uuid("rescuer", rescuer));
                await using var reader = await session.SendAsync(begin, withCommit: false, cancellationToken).ConfigureAwait(false);
                if (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    found = (reader.GetGuid(0), reader.GetBoolean(1));
            }

            if (found is not { } owner)
            {
                // Gone, of a node that lives, or in the hands of another rescuer.
                await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
                return new RescueAnswer(0, 0, 0, []);
            }

            var runs = await LockRunsAsync(connection, lease, owner.IsAlone, decide, cancellationToken).ConfigureAwait(false);
            var ended = await EndForTheDeadAsync(connection, owner.Node, rescuer, runs, cancellationToken).ConfigureAwait(false);
            await PutBackAsync(connection, [.. ended.Where(static run => run.ComesBack)], cancellationToken).ConfigureAwait(false);
            await ForgetAsync(connection, [.. ended.Where(static run => !run.ComesBack)], cancellationToken).ConfigureAwait(false);
            var left = await OneAsync<long>(connection, CountLeft, [Uuid("lease", lease)], cancellationToken).ConfigureAwait(false) ?? 0;
            await ExecuteAsync(connection, left > 0 ? ShrinkRescued : DropRescued, [Uuid("lease", lease)], cancellationToken).ConfigureAwait(false);
            string[] queues = [.. ended.Where(static run => run is { ComesBack: true, WaitsFor: null }).Select(static run => run.Queue).Distinct(StringComparer.Ordinal)];
            await RingInsideAsync(connection, queues, cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            var back = ended.Count(static run => run.ComesBack);
            return new RescueAnswer(back, ended.Length - back, (int)left, queues)
            {
                Runs = [.. ended.Select(static run => new RescuedRun(run.Queue, run.Run.Type, run.Outcome, run.Finished))],
            };
        }, cancellationToken);
    }

    // What is to become of one interrupted run.
    private sealed record Rescued(LeasedRun Run, string? Tag, string Queue, short Priority, string? Key, DateTime Started, long Pass, string? Wish, RescueVerdict Verdict)
    {
        public KeyStanding Standing { get; init; } = KeyStanding.Mine;

        public DateTimeOffset Finished { get; init; }

        public bool WouldComeBack => Wish is null && Verdict.Outcome == Outcome.Interrupted;

        public bool ComesBack => WouldComeBack && Standing.Successor is null;

        public Outcome Outcome => Wish is not null ? Outcome.Cancelled : ComesBack ? Outcome.Interrupted : WouldComeBack ? Outcome.Superseded : Outcome.Discarded;

        public string? WaitsFor => Verdict.IsQuarantined ? "quarantine" : Standing.IsLocked ? "key" : null;

        // What is not held against the job does not cost it its place; null is the end of the line.
        public long? PlaceInLine => Verdict.Charged ? null : Pass;

        public TimeSpan? RemoveAfter => Outcome switch
        {
            Outcome.Interrupted => null,
            Outcome.Discarded => Verdict.RemoveAfter,
            _ => RemoveDelayOf(Run.Policy),
        };
    }

    private async Task<Rescued[]> LockRunsAsync(NpgsqlConnection connection, Guid lease, bool isAlone, Func<LeasedRun, RescueVerdict> decide, CancellationToken cancellationToken)
    {
        var runs = await ReadAsync(connection, LockRuns, [Uuid("lease", lease)], reader =>
        {
            var run = new LeasedRun(reader.GetInt64(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetInt32(3), reader.GetString(4), TextAt(reader, 8), isAlone);
            return new Rescued(run, TextAt(reader, 5), reader.GetString(6), reader.GetInt16(7), TextAt(reader, 9), reader.GetDateTime(10), reader.GetInt64(11), TextAt(reader, 12), decide(run));
        }, cancellationToken).ConfigureAwait(false);
        (string Key, long Job)[] keys = [.. runs.Where(static run => run is { WouldComeBack: true, Key: not null }).Select(static run => (run.Key ?? "", run.Run.JobId))];
        if (keys.Length == 0)
            return [.. runs];
        var standings = await TouchAsync(connection, keys, cancellationToken).ConfigureAwait(false);
        return [.. runs.Select(run => run with { Standing = standings.GetValueOrDefault(run.Run.JobId) })];
    }

    private async Task<Rescued[]> EndForTheDeadAsync(NpgsqlConnection connection, Guid node, Guid rescuer, Rescued[] runs, CancellationToken cancellationToken)
    {
        if (runs.Length == 0)
            return [];
        // A completion may have been committed between the look and the lock: whose row is there already has ended by itself.
        var ended = await ReadAsync(
            connection,
            EndForTheDead,
            [
                Now(), Uuid("node", node), Uuid("rescuer", rescuer), Longs("jobs", [.. runs.Select(static run => run.Run.JobId)]), Ints("runs", [.. runs.Select(static run => run.Run.Run)]),
                Ints("attempts", [.. runs.Select(static run => run.Run.Attempt)]), Bools("charged", [.. runs.Select(static run => run.Verdict.Charged)]),
                Texts("types", [.. runs.Select(static run => run.Run.Type)]), Texts("tags", [.. runs.Select(static run => run.Tag)]), Times("started", [.. runs.Select(static run => run.Started)]),
                Texts("outcomes", [.. runs.Select(static run => run.Outcome.ToWord())]), Texts("errors", [.. runs.Select(static run => run.Wish ?? SupersededBy(run.Outcome == Outcome.Superseded ? run.Standing.Successor : null, run.Key, run.Verdict.Error))]),
                Longs("remove_afters", [.. runs.Select(static run => run.RemoveAfter?.Ticks / TimeSpan.TicksPerMicrosecond)]),
            ],
            static reader => (Job: reader.GetInt64(0), Finished: TimeAt(reader, 1)),
            cancellationToken).ConfigureAwait(false);
        var mine = ended.ToDictionary(static run => run.Job, static run => run.Finished);
        return [.. runs.Where(run => mine.ContainsKey(run.Run.JobId)).Select(run => run with { Finished = mine[run.Run.JobId] })];
    }

    private async Task PutBackAsync(NpgsqlConnection connection, Rescued[] runs, CancellationToken cancellationToken)
    {
        var ready = runs.Where(static run => run.WaitsFor is null).ToArray();
        if (ready.Length > 0)
            await ExecuteAsync(connection, LineUpMany, [.. PlaceValues(ready), Longs("passes", [.. ready.Select(static run => run.PlaceInLine)])], cancellationToken).ConfigureAwait(false);
        var waiting = runs.Where(static run => run.WaitsFor is not null).ToArray();
        if (waiting.Length > 0)
            await ExecuteAsync(connection, LetWaitMany, [.. PlaceValues(waiting), Texts("reasons", [.. waiting.Select(static run => run.WaitsFor)])], cancellationToken).ConfigureAwait(false);
    }

    private NpgsqlParameter[] PlaceValues(Rescued[] runs) =>
    [
        Now(), Longs("jobs", [.. runs.Select(static run => run.Run.JobId)]), Texts("queues", [.. runs.Select(static run => run.Queue)]),
        Shorts("priorities", [.. runs.Select(static run => run.Priority)]), Texts("types", [.. runs.Select(static run => run.Run.Type)]),
        Ints("runs", [.. runs.Select(static run => run.Run.Run + 1)]), Ints("attempts", [.. runs.Select(static run => run.Run.Attempt + (run.Verdict.Charged ? 1 : 0))]),
        Ints("crashes", [.. runs.Select(static run => run.Verdict.Crashes)]), Bools("suspects", [.. runs.Select(static run => run.Verdict.IsSuspect)]),
    ];

    private async Task ForgetAsync(NpgsqlConnection connection, Rescued[] runs, CancellationToken cancellationToken)
    {
        if (runs.Length == 0)
            return;
        var (jobs, numbers) = (runs.Select(static run => run.Run.JobId).ToArray(), runs.Select(static run => run.Run.Run).ToArray());
        await ExecuteAsync(connection, FreeKeys, [Now(), Longs("jobs", jobs), Ints("runs", numbers)], cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, ForgetRequests, [Longs("jobs", jobs), Ints("runs", numbers)], cancellationToken).ConfigureAwait(false);
    }
}
