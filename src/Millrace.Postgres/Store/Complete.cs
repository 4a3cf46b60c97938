using System.Data.Common;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Ends that are not a matter of one batch: inside the user's transaction, with jobs that follow, and of jobs that must still own their key.
internal sealed partial class PostgresStore
{
    // The lock on the job's own row: an old snapshot cannot complete a run whose rows were pruned, and a rescuer can skip exactly this job.
    private const string Complete = """
        with stored as materialized (
            select id
            from millrace.job
            where id = @job
            for key share
        )
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, node, started, finished, success, outcome, result, remove_at)
        select stored.id, u.run, u.attempt, @charged, @type, @tag, @node, @started, @finished, true, 'succeeded', @result, @remove_at
        from stored
        cross join millrace.lease l
        cross join lateral unnest(l.job_ids, l.runs, l.attempts) as u(job_id, run, attempt)
        where l.id = @lease
            and l.node = @node
            and u.job_id = @job
            and u.run = @run
        on conflict (job_id, run) do nothing
        returning run
        """;

    private const string LookAtRun = """
        select (
                   select coalesce(a.node = @node and a.rescued_by is null, false)
                   from millrace.attempt a
                   where a.job_id = @job and a.run = @run
               ),
               exists (
                   select
                   from millrace.lease l
                   cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
                   where l.id = @lease and l.node = @node and u.job_id = @job and u.run = @run
               )
        """;

    // One run, while its lease still lists it. A wish to cancel counts where the job would be pending again.
    private const string EndOne = """
        with wish as materialized (
            select c.by, c.reason
            from millrace.cancel_request c
            where c.job_id = @job and @returns
        )
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, node, started, finished, success, outcome, result, error, remove_at)
        select u.job_id, u.run, @attempt, @charged, @type, @tag, @node, @started, @finished,
               case e.outcome when 'succeeded' then true when 'failed' then false when 'discarded' then false end,
               e.outcome, @result, coalesce(@error, 'Cancelled' || coalesce(' by ' || wish.by, '') || coalesce(': ' || wish.reason, case when e.is_wish then '.' end)),
               case when @returns and e.outcome not in ('cancelled', 'superseded') then null else @remove_at end
        from millrace.lease l
        cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
        left join wish on true
        cross join lateral (
            select exists (select from wish) as is_wish,
                   case when exists (select from wish) then 'cancelled' else @outcome end as outcome) e
        where l.id = @lease
            and l.node = @node
            and u.job_id = @job
            and u.run = @run
        on conflict (job_id, run) do nothing
        returning outcome
        """;

    public async Task<bool> CompleteAsync(Guid node, AttemptEnd end, DbTransaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(end);
        ArgumentNullException.ThrowIfNull(transaction);
        var claim = end.Claim;
        NpgsqlParameter[] values =
        [
            Uuid("node", node), Uuid("lease", claim.Lease), Long("job", claim.JobId), Int("run", claim.Run), Bool("charged", end.Charged), Text("type", claim.Type),
            Text("tag", claim.Tag), At("started", end.Started), At("finished", end.Finished), Text("result", end.Result), At("remove_at", RemoveAt(end)),
        ];
        var connection = ConnectionOf(transaction);
        return await OnCallersAsync("complete a run", async () =>
            await OneAsync<int>(connection, Complete, values, cancellationToken).ConfigureAwait(false) is not null).ConfigureAwait(false);
    }

    public async Task<RunStanding> LookAtRunAsync(Guid node, Claim claim, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(claim);
        NpgsqlParameter[] values = [Uuid("node", node), Uuid("lease", claim.Lease), Long("job", claim.JobId), Int("run", claim.Run)];
        var rows = await WorkAsync("look at a run", session => ReadAsync(
            session.Connection,
            LookAtRun,
            values,
            static reader => (IsMine: reader.IsDBNull(0) ? (bool?)null : reader.GetBoolean(0), IsListed: reader.GetBoolean(1)),
            cancellationToken), cancellationToken).ConfigureAwait(false);
        return rows[0] switch
        {
            { IsMine: true } => RunStanding.EndedByMe,
            { IsMine: null, IsListed: true } => RunStanding.Running,
            _ => RunStanding.Stale,
        };
    }

    // Null: no row was written, so somebody has to look how the run stands.
    private async Task<EndVerdict?> EndCarefullyAsync(Session session, Guid node, AttemptEnd end, CancellationToken cancellationToken)
    {
        var connection = session.Connection;
        var claim = end.Claim;
        bool? wasSuspect;
        await using (var begin = session.Begin())
        {
            session.Add(begin, LockLease, Uuid("lease", claim.Lease));
            await using var reader = await session.SendAsync(begin, withCommit: false, cancellationToken).ConfigureAwait(false);
            wasSuspect = await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? reader.GetBoolean(0) : null;
        }

        var returns = !end.Outcome.IsFinal();
        var key = returns && claim.Key is not null && wasSuspect is not null
            ? await TouchAsync(connection, claim.Key, claim.JobId, cancellationToken).ConfigureAwait(false)
            : KeyStanding.Mine;
        var outcome = wasSuspect is null ? null : await EndOneAsync(connection, node, end, key, cancellationToken).ConfigureAwait(false);
        if (outcome is null)
        {
            await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }

        if (!returns || outcome is "cancelled" or "superseded")
            await FreeKeyAsync(connection, claim, cancellationToken).ConfigureAwait(false);
        else
            await PutBackAsync(connection, end, key, end.Outcome == Outcome.Released && wasSuspect == true, cancellationToken).ConfigureAwait(false);
        if (end.Then.Count > 0)
            await SubmitFreshAsync(connection, end.Then, cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return !returns ? EndVerdict.Accepted
            : outcome == "cancelled" ? EndVerdict.Cancelled
            : outcome == "superseded" ? EndVerdict.Superseded
            : EndVerdict.Accepted;
    }

    private async Task<string?> EndOneAsync(NpgsqlConnection connection, Guid node, AttemptEnd end, KeyStanding key, CancellationToken cancellationToken)
    {
        var claim = end.Claim;
        var isSuperseded = key.Successor is not null;
        await using var command = Command(
            connection,
            EndOne,
            [
                Uuid("node", node), Uuid("lease", claim.Lease), Long("job", claim.JobId), Int("run", claim.Run), Int("attempt", claim.Attempt),
                Bool("returns", !end.Outcome.IsFinal()), Bool("charged", end.Charged), Text("type", claim.Type), Text("tag", claim.Tag),
                At("started", end.Started), At("finished", end.Finished), Text("outcome", isSuperseded ? "superseded" : end.Outcome.ToWord()),
                Text("result", end.Result), Text("error", SupersededBy(key.Successor, claim.Key, end.Error)), At("remove_at", RemoveAt(end)),
            ]);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as string;
    }

    private async Task PutBackAsync(NpgsqlConnection connection, AttemptEnd end, KeyStanding key, bool isSuspect, CancellationToken cancellationToken)
    {
        var claim = end.Claim;
        var again = end.Again.Ticks / TimeSpan.TicksPerMicrosecond;
        await ExecuteAsync(
            connection,
            key.IsLocked ? LetWait : again > 0 ? PutOff : LineUp,
            [
                Now(), Long("job", claim.JobId), Text("queue", claim.Queue), Short("priority", claim.Priority), Text("type", claim.Type), Int("run", claim.Run + 1),
                Int("attempt", claim.Attempt + (end.Charged ? 1 : 0)), Int("crashes", claim.Crashes), Bool("is_suspect", isSuspect), Long("again", Math.Max(0, again)),
                Text("reason", "key"),
            ],
            cancellationToken).ConfigureAwait(false);
    }

    // Jobs whose ids nobody has been told yet: an id that is somebody else's after a restore is simply replaced by another.
    private async Task SubmitFreshAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        var open = jobs;
        for (var i = 0; open.Count > 0; i++)
        {
            if (i == Tries)
                throw new StoreException(StoreFault.Conflict, $"{Name}: could not find a free id for a job in {Tries} tries. Nothing was changed. Try again.");
            var answers = await SubmitInsideAsync(connection, open, isOwn: true, cancellationToken).ConfigureAwait(false);
            var taken = open.Where((_, index) => answers[index].State == SubmitState.IdTaken).ToArray();
            if (taken.Length == 0)
                return;
            var ids = await ReadAsync(
                connection, "select nextval('millrace.job_id') from generate_series(1, @count)", [Int("count", taken.Length)],
                static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false);
            open = [.. taken.Zip(ids, static (job, id) => job with { Id = id })];
        }
    }
}
