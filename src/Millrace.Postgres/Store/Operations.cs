using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// The audit: who did what. Written in the transaction of what was done.
internal sealed partial class PostgresStore
{
    internal const string OperationColumns = """
        o.id, o.kind, o.at, o.by, o.via, o.reason, o.target, o.job_id, o.expected, o.done, o.skipped, o.ended, o.error, o.before, o.after, o.undo_until, o.undone_by
        """;

    private const string InsertOperation = """
        insert into millrace.operation (kind, at, by, via, reason, target, job_id, expected, after)
        values (@kind, coalesce(@now, clock_timestamp()), @by, @via, @reason, @target, @job, @expected, @after)
        returning id
        """;

    // Job 0 is none: ids begin at 1. The table is the one place where a step that must not be done twice is claimed by a key. Who comes second waits
    // for the first to commit.
    private const string ClaimOperation = """
        with claimed as (
            insert into millrace.once (job_id, key, run, value)
            values (0, @key, 0, nextval('millrace.operation_id')::text)
            on conflict (job_id, key) do nothing
            returning value::bigint as id
        )
        insert into millrace.operation (id, kind, at, by, via, reason, target, expected, after)
        select id, @kind, coalesce(@now, clock_timestamp()), @by, @via, @reason, @target, @expected, @after
        from claimed
        returning id
        """;

    private const string ReadClaim = """
        select value::bigint
        from millrace.once
        where job_id = 0 and key = @key
        """;

    // Nobody ends it while a batch is at work, and only one batch is.
    private const string LockOperation = """
        select id, by, via, reason
        from millrace.operation
        where id = @id and ended is null
        for update
        """;

    private const string CountOperation = """
        update millrace.operation
        set done = done + @done, skipped = skipped + @skipped
        where id = @id
        """;

    private const string TouchOperation = """
        update millrace.operation
        set done = done + @done, skipped = skipped + @skipped, touched = coalesce(@now, clock_timestamp())
        where id = @id
        """;

    // Whose process has said nothing for long. A batch that is at work holds the row.
    private const string EndAbandoned = """
        with clock as materialized (
            select coalesce(@now, clock_timestamp()) as now
        ),
        abandoned as materialized (
            select o.id
            from millrace.operation o, clock
            where o.ended is null
                and o.kind = any(@kinds)
                and coalesce(o.touched, o.at) < clock.now - @patience * interval '1 second'
            for update of o skip locked
        )
        update millrace.operation o
        set ended = clock.now, error = @error, undo_until = clock.now + @window * interval '1 second'
        from abandoned, clock
        where o.id = abandoned.id
        """;

    private const string EndOperation = """
        update millrace.operation
        set ended = coalesce(@now, clock_timestamp()), error = @error, undo_until = case when @window > 0 then coalesce(@now, clock_timestamp()) + @window * interval '1 second' end
        where id = @id and ended is null
        """;

    private const string TellOperation = """
        update millrace.operation
        set before = @before, after = @after
        where id = @id
        """;

    internal const string FindOperation = $"""
        select {OperationColumns}
        from millrace.operation o
        where o.id = @id
        """;

    public Task<long> BeginAsync(JobChange change, Author author, string target, long expected, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(author);
        Check(change);
        return WorkAsync("record an operation", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            var id = await RecordAsync(session.Connection, change.Kind, author, target, null, expected, AfterOf(change), cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return id;
        }, cancellationToken);
    }

    public Task<BegunOperation> BeginOnceAsync(Guid claim, JobChange change, Author author, string target, long expected, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(author);
        Check(change);
        var key = $"operation {claim}";
        return WorkAsync("record an operation", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            NpgsqlParameter[] values =
            [
                Now(), Text("key", key), Text("kind", JobChanges.WordOf(change.Kind)), Text("by", Storable(author.Name)), Text("via", Storable(author.Via)), Text("reason", Storable(author.Reason)),
                Text("target", Storable(target)), Long("expected", expected), Text("after", AfterOf(change)),
            ];
            var begun = await OneAsync<long>(session.Connection, ClaimOperation, values, cancellationToken).ConfigureAwait(false);
            var id = begun ?? await OneAsync<long>(session.Connection, ReadClaim, [Text("key", key)], cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            // Forgotten between two statements: it is 90 days old then, and its claim as good as none.
            return id is { } operation
                ? new BegunOperation(operation, IsNew: begun is not null)
                : throw new StoreException(StoreFault.Conflict, $"{Name} forgot the operation that was claimed while it was looked for. Nothing was changed.");
        }, cancellationToken);
    }

    Task<OperationRecord> IJobOperations.EndAsync(long operation, string? error, CancellationToken cancellationToken) =>
        WorkAsync("record the end of an operation", async session =>
        {
            var connection = session.Connection;
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            var found = await ReadAsync(connection, FindOperation, [Long("id", operation)], OperationAt, cancellationToken).ConfigureAwait(false);
            if (found.Count == 0)
                throw new ArgumentException($"There is no operation {operation}. IJobOperations.BeginAsync gives their ids.", nameof(operation));
            await EndAsync(connection, operation, found[0].Kind, error, cancellationToken).ConfigureAwait(false);
            found = await ReadAsync(connection, FindOperation, [Long("id", operation)], OperationAt, cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return found[0];
        }, cancellationToken);

    private Task<int> EndAbandonedAsync(CancellationToken cancellationToken) =>
        WorkAsync("end abandoned operations", session => session.RunAsync(
            EndAbandoned,
            [
                Now(), Texts("kinds", [.. JobChanges.Kinds.Select(JobChanges.WordOf)]), Double("patience", IJobOperations.AbandonedAfter.TotalSeconds), Double("window", IJobOperations.UndoWindow.TotalSeconds),
                Text("error", JobChanges.Abandoned),
            ],
            cancellationToken), cancellationToken);

    public Task<long> RecordAsync(OperationKind kind, Author author, string target, long? jobId, string? after, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(author);
        return WorkAsync("record an operation", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            var id = await RecordDoneAsync(session.Connection, kind, author, target, jobId, null, after, cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return id;
        }, cancellationToken);
    }

    private async Task<long> RecordAsync(
        NpgsqlConnection connection, OperationKind kind, Author author, string target, long? jobId, long expected, string? after, CancellationToken cancellationToken)
    {
        NpgsqlParameter[] values =
        [
            Now(), Text("kind", JobChanges.WordOf(kind)), Text("by", Storable(author.Name)), Text("via", Storable(author.Via)), Text("reason", Storable(author.Reason)), Text("target", Storable(target)),
            Long("job", jobId), Long("expected", expected), Text("after", after),
        ];
        return await OneAsync<long>(connection, InsertOperation, values, cancellationToken).ConfigureAwait(false) ?? 0;
    }

    /// <summary>Records something that was done at once and cannot be undone.</summary>
    private async Task<long> RecordDoneAsync(
        NpgsqlConnection connection, OperationKind kind, Author author, string target, long? jobId, string? before, string? after, CancellationToken cancellationToken)
    {
        // Jobs are counted: a queue or a schedule is none.
        var jobs = jobId is null ? 0 : 1;
        var id = await RecordAsync(connection, kind, author, target, jobId, jobs, after, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, CountOperation, [Long("id", id), Long("done", jobs), Long("skipped", 0)], cancellationToken).ConfigureAwait(false);
        if (before is not null)
            await ExecuteAsync(connection, TellOperation, [Long("id", id), Text("before", before), Text("after", after)], cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, EndOperation, [Now(), Long("id", id), Text("error", null), Double("window", 0)], cancellationToken).ConfigureAwait(false);
        return id;
    }

    private async Task EndAsync(NpgsqlConnection connection, long operation, OperationKind kind, string? error, CancellationToken cancellationToken)
    {
        var window = JobChanges.CanBeUndone(kind) ? IJobOperations.UndoWindow.TotalSeconds : 0;
        await ExecuteAsync(connection, EndOperation, [Now(), Long("id", operation), Text("error", Storable(error)), Double("window", window)], cancellationToken).ConfigureAwait(false);
    }

    // People's words come as they were typed: what a database would refuse must not keep what they did from being recorded.
    private static string? Storable(string? text)
    {
        if (text is null || Matching.IsStorable(text))
            return text;
        var clean = text.ToCharArray();
        for (var i = 0; i < clean.Length; i++)
        {
            if (i + 1 < clean.Length && char.IsSurrogatePair(clean[i], clean[i + 1]))
                i++;
            else if (clean[i] == '\0' || char.IsSurrogate(clean[i]))
                clean[i] = '\uFFFD';
        }

        return new string(clean);
    }

    internal static OperationRecord OperationAt(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetInt64(0),
        Kind = JobChanges.KindOf(reader.GetString(1)),
        At = TimeAt(reader, 2),
        Author = new Author(reader.GetString(3), reader.GetString(4), TextAt(reader, 5)),
        Target = reader.GetString(6),
        JobId = LongOrNullAt(reader, 7),
        Expected = reader.GetInt64(8),
        Done = reader.GetInt64(9),
        Skipped = reader.GetInt64(10),
        Ended = TimeOrNullAt(reader, 11),
        Error = TextAt(reader, 12),
        Before = TextAt(reader, 13),
        After = TextAt(reader, 14),
        UndoUntil = TimeOrNullAt(reader, 15),
        UndoneBy = LongOrNullAt(reader, 16),
    };

    // ---- forgetting

    private const string ForgetOperations = """
        with old as materialized (
            select o.id
            from millrace.operation o
            where o.at < @before
            order by o.at
            limit 1000
            for update skip locked
        ),
        jobs as (
            delete from millrace.operation_job u using old where u.operation = old.id
        ),
        claims as (
            delete from millrace.once c using old where c.job_id = 0 and c.value = old.id::text
        )
        delete from millrace.operation o
        using old
        where o.id = old.id
        returning o.id
        """;

    // Jobs that were removed by other means than prune: nobody asks for them any more.
    private const string ForgetDeletions = """
        delete from millrace.deleted_job d
        where d.at < @before and not exists (select from millrace.job j where j.id = d.job_id)
        """;

    public async Task<int> ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var forgotten = 0;
        while (true)
        {
            var step = await WorkAsync("forget old operations", session => session.RunAsync(ForgetOperations, [At("before", before)], cancellationToken), cancellationToken).ConfigureAwait(false);
            forgotten += step;
            if (step < 1000)
                break;
        }

        await WorkAsync("forget old operations", session => session.RunAsync(ForgetDeletions, [At("before", before)], cancellationToken), cancellationToken).ConfigureAwait(false);
        return forgotten;
    }
}

internal sealed partial class PostgresInspection
{
    private const string ReadOperations = $"""
        select {PostgresStore.OperationColumns}
        from millrace.operation o
        where o.id < @before
        order by o.id desc
        limit @limit
        """;

    private const string ReadOperationsOfJob = $"""
        select {PostgresStore.OperationColumns}
        from millrace.operation o
        where o.id < @before
            and o.id in (
                select u.operation from millrace.operation_job u where u.job_id = @job
                union
                select b.id from millrace.operation b where b.job_id = @job)
        order by o.id desc
        limit @limit
        """;

    public Task<IReadOnlyList<OperationRecord>> ReadOperationsAsync(long beforeId, long? jobId, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 200);
        return LookAsync<IReadOnlyList<OperationRecord>>("read operations", async look => await look.ReadAsync(
            jobId is null ? ReadOperations : ReadOperationsOfJob,
            [Long("before", beforeId), Long("job", jobId), Int("limit", limit)], PostgresStore.OperationAt, cancellationToken).ConfigureAwait(false), cancellationToken);
    }

    public Task<OperationRecord?> FindOperationAsync(long id, CancellationToken cancellationToken) =>
        LookAsync("find an operation", async look =>
            (await look.ReadAsync(PostgresStore.FindOperation, [Long("id", id)], PostgresStore.OperationAt, cancellationToken).ConfigureAwait(false)).FirstOrDefault(), cancellationToken);
}
