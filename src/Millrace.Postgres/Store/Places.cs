using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Where a pending job is: in line (ready), until its time (scheduled), or until something else happens (waiting).
internal sealed partial class PostgresStore
{
    private const string LineUp = """
        insert into millrace.ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
        values (@queue, @priority, (extract(epoch from coalesce(@now, clock_timestamp())) * 1000000)::bigint, @job, @type, @run, @attempt, @crashes, @is_suspect)
        """;

    private const string PutOff = """
        insert into millrace.scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
        values (coalesce(@now, clock_timestamp()) + @again * interval '1 microsecond', @job, @queue, @priority, @type, @run, @attempt, @crashes, @is_suspect)
        """;

    private const string LetWait = """
        insert into millrace.waiting (id, reason, since, due, queue, priority, type, run, attempt, crashes, is_suspect)
        values (@job, @reason, coalesce(@now, clock_timestamp()), coalesce(@now, clock_timestamp()) + @again * interval '1 microsecond', @queue, @priority, @type, @run, @attempt, @crashes, @is_suspect)
        """;

    private const string LineUpMany = """
        insert into millrace.ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
        select e.queue, e.priority, coalesce(e.pass, (extract(epoch from coalesce(@now, clock_timestamp())) * 1000000)::bigint), e.job_id, e.type, e.run, e.attempt, e.crashes, e.is_suspect
        from unnest(@jobs, @queues, @priorities, @passes, @types, @runs, @attempts, @crashes, @suspects) as e(job_id, queue, priority, pass, type, run, attempt, crashes, is_suspect)
        """;

    private const string LetWaitMany = """
        insert into millrace.waiting (id, reason, since, due, queue, priority, type, run, attempt, crashes, is_suspect)
        select e.job_id, e.reason, coalesce(@now, clock_timestamp()), coalesce(@now, clock_timestamp()), e.queue, e.priority, e.type, e.run, e.attempt, e.crashes, e.is_suspect
        from unnest(@jobs, @queues, @priorities, @types, @runs, @attempts, @crashes, @suspects, @reasons)
             as e(job_id, queue, priority, type, run, attempt, crashes, is_suspect, reason)
        """;

    private const string TakeFromWaiting = """
        delete from millrace.waiting
        where id = @id
        returning run, attempt
        """;

    private const string TakeFromScheduled = """
        delete from millrace.scheduled
        where id = @id
        returning run, attempt
        """;

    private const string TakeFromReady = """
        delete from millrace.ready
        where id = @id
        returning run, attempt
        """;

    // Ends a job that waits in one of the three places.
    private async Task<bool> EndPendingAsync(NpgsqlConnection connection, long id, Outcome outcome, string? error, CancellationToken cancellationToken)
    {
        foreach (var take in new[] { TakeFromWaiting, TakeFromScheduled, TakeFromReady })
        {
            var taken = await ReadAsync(connection, take, [Long("id", id)], static reader => (Run: reader.GetInt32(0), Attempt: reader.GetInt32(1)), cancellationToken).ConfigureAwait(false);
            if (taken.Count == 0)
                continue;
            NpgsqlParameter[] values = [Now(), Long("id", id), Int("run", taken[0].Run), Int("attempt", taken[0].Attempt), Text("outcome", outcome.ToWord()), Text("error", error)];
            return await OneAsync<int>(connection, EndPending, values, cancellationToken).ConfigureAwait(false) is not null;
        }

        return false;
    }

    private const string IsInLine = """
        select exists (select from millrace.waiting where id = @id)
            or exists (select from millrace.scheduled where id = @id)
            or exists (select from millrace.ready where id = @id)
        """;

    private async Task<bool> IsInLineAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken) =>
        await OneAsync<bool>(connection, IsInLine, [Long("id", id)], cancellationToken).ConfigureAwait(false) == true;

    private const string FindReady = """
        select run
        from millrace.ready
        where id = @id
        """;

    // Locked until the caller commits: otherwise the kept job could start, and finish, without seeing what the caller writes.
    private const string KeepWaiting = "select id from millrace.waiting where id = @id for key share";

    private const string KeepScheduled = "select id from millrace.scheduled where id = @id for key share";

    private const string KeepReady = "select id from millrace.ready where id = @id for key share";

    private async Task<bool> IsPendingAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        foreach (var look in new[] { KeepWaiting, KeepScheduled, KeepReady })
        {
            if (await OneAsync<long>(connection, look, [Long("id", id)], cancellationToken).ConfigureAwait(false) is not null)
                return true;
        }

        return false;
    }

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

    private static readonly string PostponeReady = PostponeScheduled.Replace("delete from millrace.scheduled", "delete from millrace.ready", StringComparison.Ordinal);

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
}
