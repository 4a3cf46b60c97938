using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Takes back what an operation did to jobs, as far as they still are as it left them. In transactions of a thousand jobs: one that breaks off is gone on with by the next call.
internal sealed partial class PostgresStore
{
    private const string LockUndone = $"""
        select {OperationColumns}, coalesce(@now, clock_timestamp())
        from millrace.operation o
        where o.id = @id
        for update
        """;

    private const string MarkUndone = """
        update millrace.operation
        set undone_by = @undo
        where id = @id
        """;

    // Those too that have been removed since, of which nothing is noted any more.
    private const string CountLost = """
        update millrace.operation
        set skipped = greatest(expected - done, 0)
        where id = @id
        """;

    private const string NextToUndo = """
        select u.job_id
        from millrace.operation_job u
        where u.operation = @operation
            and u.job_id > @after
            and not exists (select from millrace.operation_job n where n.operation = @undo and n.job_id = u.job_id)
        order by u.job_id
        limit 1000
        """;

    private const string Was = """
        was as materialized (
            select u.job_id as id, b.place, b.run, b.attempt, coalesce(b.crashes, 0) as crashes, coalesce(b.is_suspect, false) as is_suspect, b.priority, b.pass, b.due, b.since, b.reason,
                   b.remove_at, coalesce(b.holds_key, false) as holds_key, coalesce(b.scope, 0::smallint) as scope, b.until
            from millrace.operation_job u
            cross join lateral json_to_record(u.before::json) as b(
                place text, run integer, attempt integer, crashes integer, is_suspect boolean, priority smallint, pass bigint, due timestamptz, since timestamptz, reason text,
                remove_at timestamptz, holds_key boolean, scope smallint, until timestamptz)
            where u.operation = @operation and u.job_id = any(@ids)
        )
        """;

    private const string NoteUndone = """
        noted as (
            insert into millrace.operation_job (operation, job_id, before)
            select @undo, back.id, '{}'
            from back
        )
        """;

    // Cancelled while it was pending, and nothing since.
    private const string FindCancelled = $"""
        with {Was}
        select was.id, was.holds_key
        from was
        cross join lateral (
            select a.run, a.outcome
            from millrace.attempt a
            where a.job_id = was.id
            order by a.run desc
            limit 1) last
        where was.place in ('ready', 'scheduled', 'waiting')
            and last.run = was.run
            and last.outcome = 'cancelled'
            and not exists (select from millrace.deleted_job d where d.job_id = was.id and d.operation <> @operation)
            and not exists (select from millrace.ready p where p.id = was.id)
            and not exists (select from millrace.scheduled p where p.id = was.id)
            and not exists (select from millrace.waiting p where p.id = was.id)
            and not exists (
                select
                from millrace.lease l
                cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
                where l.job_ids @> array[was.id] and u.job_id = was.id and u.run > was.run)
        """;

    private static readonly string RetakeUndoneKeys = $"with {Was}\n" + RetakeKey
        .Replace("(key, job_id)\nvalues (@key, @id)", """
            (key, job_id, scope, until)
            select distinct on (j.key) j.key, j.id, was.scope, was.until
            from was
            join millrace.job j on j.id = was.id
            where was.holds_key and j.key is not null
            order by j.key, j.id desc
            """, StringComparison.Ordinal)
        .Replace("then k.scope else 0 end", "then k.scope else excluded.scope end", StringComparison.Ordinal)
        .Replace("then k.until end", "then k.until else excluded.until end", StringComparison.Ordinal);

    // The run that was ended by the cancel is used up: the next one comes.
    private const string PutBackCancelled = $"""
        with {Was},
        back as materialized (
            select was.*, j.queue, j.type
            from was
            join millrace.job j on j.id = was.id
        ),
        lined_up as (
            insert into millrace.ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
            select queue, priority, pass, id, type, run + 1, attempt, crashes, is_suspect
            from back
            where place = 'ready'
        ),
        put_off as (
            insert into millrace.scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
            select due, id, queue, priority, type, run + 1, attempt, crashes, is_suspect
            from back
            where place = 'scheduled'
        ),
        held as (
            insert into millrace.waiting (id, reason, since, due, queue, priority, type, run, attempt, crashes, is_suspect)
            select id, reason, since, due, queue, priority, type, run + 1, attempt, crashes, is_suspect
            from back
            where place = 'waiting'
        ),
        kept as (
            update millrace.attempt a
            set remove_at = null
            from back
            where a.job_id = back.id and a.remove_at is not null
        ),
        undeleted as (
            delete from millrace.deleted_job d
            using back
            where d.job_id = back.id
        ),
        {NoteUndone}
        select id, queue
        from back
        """;

    private const string PutBackDeleted = $"""
        with {Was},
        back as materialized (
            select was.id, was.run, was.remove_at, j.queue
            from was
            join millrace.job j on j.id = was.id
            join millrace.deleted_job d on d.job_id = was.id and d.operation = @operation
            where was.place = 'finished'
        ),
        kept as (
            update millrace.attempt a
            set remove_at = back.remove_at
            from back
            where a.job_id = back.id and a.run = back.run
        ),
        undeleted as (
            delete from millrace.deleted_job d
            using back
            where d.job_id = back.id
        ),
        {NoteUndone}
        select id, queue
        from back
        """;

    // Made ready, and not begun: the run that it waits for is still the one that it was given.
    private const string PutBackReady = $"""
        with {Was},
        back as (
            delete from millrace.ready r
            using was
            where r.id = was.id and r.run = case when was.place = 'finished' then was.run + 1 else was.run end
            returning was.*, r.queue, r.type
        ),
        put_off as (
            insert into millrace.scheduled (due, id, queue, priority, type, run, attempt, crashes, is_suspect)
            select due, id, queue, priority, type, run, attempt, crashes, is_suspect
            from back
            where place = 'scheduled'
        ),
        held as (
            insert into millrace.waiting (id, reason, since, due, queue, priority, type, run, attempt, crashes, is_suspect)
            select id, reason, since, due, queue, priority, type, run, attempt, crashes, is_suspect
            from back
            where place = 'waiting'
        ),
        kept as (
            update millrace.attempt a
            set remove_at = back.remove_at
            from back
            where back.place = 'finished' and a.job_id = back.id and a.run = back.run
        ),
        freed as (
            delete from millrace.unique_key k
            using back
            where back.place = 'finished' and not back.holds_key and k.job_id = back.id
        ),
        {NoteUndone}
        select id, queue
        from back
        """;

    private static readonly string[] PutBackPriority = Takes.InPlaces($$"""
        with {{Was}},
        back as (
            delete from millrace.{place} p
            using was
            where p.id = was.id and p.run = was.run and was.place = '{place}' and p.priority = @priority
            returning {p.extra}p.id, p.queue, p.type, p.run, p.attempt, p.crashes, p.is_suspect, was.priority as earlier
        ),
        lined_up as (
            insert into millrace.{place} ({extra}queue, priority, id, type, run, attempt, crashes, is_suspect)
            select {extra}queue, earlier, id, type, run, attempt, crashes, is_suspect
            from back
        ),
        {{NoteUndone}}
        select id, queue
        from back
        """, "waiting", "scheduled", "ready");

    public async Task<UndoAnswer> UndoAsync(long operation, Author author, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(author);
        await EndAbandonedAsync(cancellationToken).ConfigureAwait(false);
        var (result, undo, kind, priority) = await AgainAsync("begin an undo", session => BeginUndoAsync(session, operation, author, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (result != UndoResult.Done)
            return new UndoAnswer(result, 0, 0, null);
        var work = new Undoing(operation, undo, kind, priority);
        while (await AgainAsync("undo an operation", session => UndoBatchAsync(session, work, cancellationToken), cancellationToken).ConfigureAwait(false))
        {
        }

        var record = await WorkAsync("end an undo", async session =>
        {
            var connection = session.Connection;
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(connection, CountLost, [Long("id", undo)], cancellationToken).ConfigureAwait(false);
            await EndAsync(connection, undo, OperationKind.Undo, null, cancellationToken).ConfigureAwait(false);
            var found = await ReadAsync(connection, FindOperation, [Long("id", undo)], OperationAt, cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return found[0];
        }, cancellationToken).ConfigureAwait(false);
        return new UndoAnswer(UndoResult.Done, record.Done, record.Skipped, undo);
    }

    private async Task<(UndoResult Result, long Undo, OperationKind Kind, short? Priority)> BeginUndoAsync(Session session, long operation, Author author, CancellationToken cancellationToken)
    {
        var connection = session.Connection;
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        var found = await ReadAsync(
            connection, LockUndone, [Now(), Long("id", operation)], static reader => (Record: OperationAt(reader), Now: TimeAt(reader, 17)), cancellationToken).ConfigureAwait(false);
        UndoResult? refusal = found switch
        {
            [] => UndoResult.Unknown,
            [{ Record: var one }] when !JobChanges.CanBeUndone(one.Kind) => UndoResult.Never,
            [{ Record.Ended: null }] => UndoResult.NotEnded,
            [{ Record: { UndoneBy: null } one, Now: var now }] when !(one.UndoUntil > now) => UndoResult.TooLate,
            _ => null,
        };
        if (refusal is { } no)
        {
            await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
            return (no, 0, default, null);
        }

        var record = found[0].Record;
        var undo = record.UndoneBy;
        if (undo is not null)
        {
            // An undo whose process died on the way is gone on with.
            var earlier = await ReadAsync(connection, LockOperation, [Long("id", undo)], static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false);
            await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
            return (earlier.Count == 0 ? UndoResult.Before : UndoResult.Done, undo.Value, record.Kind, PriorityOf(record));
        }

        undo = await RecordAsync(connection, OperationKind.Undo, author, $"operation {operation}", record.JobId, record.Done, null, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, MarkUndone, [Long("id", operation), Long("undo", undo)], cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return (UndoResult.Done, undo.Value, record.Kind, PriorityOf(record));
    }

    private static short? PriorityOf(OperationRecord record) =>
        record.After is { } after ? (short?)System.Text.Json.Nodes.JsonNode.Parse(after)?["priority"] : null;

    private sealed class Undoing(long operation, long undo, OperationKind kind, short? priority)
    {
        public long Operation => operation;

        public long Undo => undo;

        public OperationKind Kind => kind;

        public short? Priority => priority;

        public long After { get; set; }
    }

    // False when nothing is left to do.
    private async Task<bool> UndoBatchAsync(Session session, Undoing work, CancellationToken cancellationToken)
    {
        var connection = session.Connection;
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        long[] ids = [.. await ReadAsync(
            connection, NextToUndo, [Long("operation", work.Operation), Long("undo", work.Undo), Long("after", work.After)], static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false)];
        if (ids.Length == 0)
        {
            await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
            return false;
        }

        await ExecuteAsync(connection, Takes.LockJobs, [Longs("ids", ids)], cancellationToken).ConfigureAwait(false);
        var restored = work.Kind switch
        {
            OperationKind.Cancel or OperationKind.Delete => await UndoEndsAsync(connection, work, ids, cancellationToken).ConfigureAwait(false),
            OperationKind.Reprioritise => await PutBackAsync(connection, work, PutBackPriority, ids, cancellationToken).ConfigureAwait(false),
            _ => await PutBackAsync(connection, work, [PutBackReady], ids, cancellationToken).ConfigureAwait(false),
        };
        await ExecuteAsync(connection, CountOperation, [Long("id", work.Undo), Long("done", restored), Long("skipped", 0)], cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        work.After = ids[^1];
        return true;
    }

    private async Task<int> UndoEndsAsync(NpgsqlConnection connection, Undoing work, long[] ids, CancellationToken cancellationToken)
    {
        var cancelled = await ReadAsync(
            connection, FindCancelled, UndoValues(work, ids), static reader => (Id: reader.GetInt64(0), HoldsKey: reader.GetBoolean(1)), cancellationToken).ConfigureAwait(false);
        long[] keyed = [.. cancelled.Where(static job => job.HoldsKey).Select(static job => job.Id)];
        // Key before place (rule 19).
        var mine = keyed.Length == 0 ? [] : (await ReadAsync(
            connection, RetakeUndoneKeys, UndoValues(work, keyed), static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false)).ToHashSet();
        long[] back = [.. cancelled.Where(job => !job.HoldsKey || mine.Contains(job.Id)).Select(static job => job.Id)];
        var restored = back.Length == 0 ? 0 : await PutBackAsync(connection, work, [PutBackCancelled], back, cancellationToken).ConfigureAwait(false);
        return work.Kind == OperationKind.Delete ? restored + await PutBackAsync(connection, work, [PutBackDeleted], ids, cancellationToken).ConfigureAwait(false) : restored;
    }

    private async Task<int> PutBackAsync(NpgsqlConnection connection, Undoing work, string[] texts, long[] ids, CancellationToken cancellationToken)
    {
        var (restored, queues) = (0, new HashSet<string>(StringComparer.Ordinal));
        foreach (var text in texts)
        {
            var back = await ReadAsync(connection, text, UndoValues(work, ids), static reader => reader.GetString(1), cancellationToken).ConfigureAwait(false);
            restored += back.Count;
            queues.UnionWith(back);
        }

        await RingInsideAsync(connection, [.. queues], cancellationToken).ConfigureAwait(false);
        return restored;
    }

    private NpgsqlParameter[] UndoValues(Undoing work, long[] ids) =>
        [Now(), Long("operation", work.Operation), Long("undo", work.Undo), Longs("ids", ids), Short("priority", work.Priority)];
}
