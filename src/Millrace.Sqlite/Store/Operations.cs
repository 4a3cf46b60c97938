using System.Globalization;
using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

// The audit: what people did, when and why.
internal sealed partial class SqliteStore
{
    private const string InsertOperationSql = """
        insert into millrace_operation (kind, at, "by", via, reason, target, job_id, expected, done, skipped, ended, before, after)
        values (@kind, @now, @by, @via, @reason, @target, @job_id, @expected, @done, 0, @ended, @before, @after)
        returning id
        """;

    /// <summary>Records something that is done with this transaction.</summary>
    private static long Insert(
        Session session, OperationKind kind, Author author, string target, long now, long done, long? jobId = null, string? before = null, string? after = null) =>
        Insert(session, kind, author, target, now, jobId, expected: done, done, ended: now, before, after);

    private static long Insert(
        Session session, OperationKind kind, Author author, string target, long now, long? jobId, long expected, long done, long? ended, string? before, string? after) =>
        session.Query(InsertOperationSql, row => row.GetInt64(0),
            ("@kind", JobChanges.WordOf(kind)), ("@now", now), ("@by", author.Name), ("@via", author.Via), ("@reason", author.Reason), ("@target", target), ("@job_id", jobId),
            ("@expected", expected), ("@done", done), ("@ended", ended), ("@before", before), ("@after", after))[0];

    public Task<long> RecordAsync(OperationKind kind, Author author, string target, long? jobId, string? after, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(author);
        return WriteAsync(session => Insert(session, kind, author, target, Now(), done: jobId is null ? 0 : 1, jobId, after: after), cancellationToken);
    }

    // ---- a change of many jobs

    public Task<long> BeginAsync(JobChange change, Author author, string target, long expected, CancellationToken cancellationToken)
    {
        Check(change);
        ArgumentNullException.ThrowIfNull(author);
        return WriteAsync(session => Begin(session, change, author, target, expected), cancellationToken);
    }

    private long Begin(Session session, JobChange change, Author author, string target, long expected) => Insert(
        session, change.Kind, author, target, Now(), jobId: null, expected, done: 0, ended: null, before: null,
        after: change.Kind == OperationKind.Reprioritise ? AuditText.Of(change) : null);

    // Job 0 is none: ids begin at 1. The table is the one place where a step that must not be done twice is claimed by a key.
    public Task<BegunOperation> BeginOnceAsync(Guid claim, JobChange change, Author author, string target, long expected, CancellationToken cancellationToken)
    {
        Check(change);
        ArgumentNullException.ThrowIfNull(author);
        var key = $"operation {claim}";
        return WriteAsync(session =>
        {
            if (session.First(ReadOnceSql, row => row.GetString(0), ("@id", 0L), ("@key", key)) is { } begun)
                return new BegunOperation(long.Parse(begun, CultureInfo.InvariantCulture), IsNew: false);
            var id = Begin(session, change, author, target, expected);
            session.Execute(SaveOnceSql, ("@id", 0L), ("@key", key), ("@run", 0L), ("@value", id.ToString(CultureInfo.InvariantCulture)));
            return new BegunOperation(id, IsNew: true);
        }, cancellationToken);
    }

    private const string OpenOperationSql = """
        select "by", via, reason
        from millrace_operation
        where id = @id
          and kind = @kind
          and ended is null
        """;

    private const string CountUpSql = "update millrace_operation set done = done + @done, skipped = skipped + @skipped, touched = @now where id = @id";

    private const string IsAppliedSql = "select 1 from millrace_operation_job where operation = @id and job_id = @job_id";

    public Task<BatchAnswer> ApplyAsync(long operation, JobChange change, IReadOnlyList<long> jobIds, CancellationToken cancellationToken)
    {
        Check(change);
        ArgumentNullException.ThrowIfNull(jobIds);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(jobIds.Count, 1000);
        return WriteAsync(session => Apply(session, operation, change, jobIds, Now()), cancellationToken);
    }

    private static BatchAnswer Apply(Session session, long operation, JobChange change, IReadOnlyList<long> jobIds, long now)
    {
        if (session.First(OpenOperationSql, row => new Author(row.GetString(0), row.GetString(1), row.MaybeText(2)), ("@id", operation), ("@kind", JobChanges.WordOf(change.Kind))) is not { } author)
            return new BatchAnswer(0, jobIds.Count, []);
        var (done, again) = (0, 0);
        var queues = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var job in SqliteInspection.Rows(session, [.. jobIds.Distinct()]))
        {
            // A batch whose answer was lost is sent again.
            if (session.Any(IsAppliedSql, ("@id", operation), ("@job_id", job.Id)))
            {
                again++;
                continue;
            }

            var (result, note) = Change(session, job, change, author, now);
            if (note is null)
                continue;
            done++;
            Remember(session, operation, job.Id, change.Kind, note, now);
            if (result == ChangeResult.Done && change.Kind is OperationKind.Retry or OperationKind.RunNow)
                queues.Add(job.Queue);
        }

        // Those that are not stored any more are skipped too.
        var skipped = jobIds.Count - done - again;
        session.Execute(CountUpSql, ("@done", (long)done), ("@skipped", (long)skipped), ("@now", now), ("@id", operation));
        return new BatchAnswer(done + again, skipped, [.. queues]);
    }

    private const string EndOperationSql = "update millrace_operation set ended = @now, error = @error where id = @id and ended is null";

    public Task<OperationRecord> EndAsync(long operation, string? error, CancellationToken cancellationToken) => WriteAsync(session =>
    {
        EndOperation(session, operation, error, Now());
        return FindOperation(session, operation)
            ?? throw new ArgumentException($"There is no operation {operation}. IJobOperations.BeginAsync gives their ids.", nameof(operation));
    }, cancellationToken);

    private const string MayBeUndoneSql = """
        update millrace_operation
        set undo_until = iif(exists (select 1 from millrace_operation_job u where u.operation = @id and json_extract(u.before, '$.place') <> 'running'), @until, null)
        where id = @id
        """;

    // Only where there is a job that an undo could bring back: one that was asked to stop is not.
    private static int MayBeUndone(Session session, long operation, long now) =>
        session.Execute(MayBeUndoneSql, ("@until", now + IJobOperations.UndoWindow.ToMicros()), ("@id", operation));

    private static void EndOperation(Session session, long operation, string? error, long now)
    {
        if (session.Execute(EndOperationSql, ("@now", now), ("@error", error), ("@id", operation)) == 1)
            MayBeUndone(session, operation, now);
    }

    // Whose process has said nothing for long.
    private const string AbandonedSql = """
        select id
        from millrace_operation
        where ended is null
          and kind in (select value from json_each(@kinds))
          and coalesce(touched, at) < @silent
        """;

    private static List<long> Abandoned(Session session, long now) => session.Query(AbandonedSql, row => row.GetInt64(0),
        ("@kinds", Values.ToTextList([.. JobChanges.Kinds.Select(JobChanges.WordOf)])), ("@silent", now - IJobOperations.AbandonedAfter.ToMicros()));

    private static int EndAbandoned(Session session, long now)
    {
        var abandoned = Abandoned(session, now);
        foreach (var id in abandoned)
            EndOperation(session, id, JobChanges.Abandoned, now);
        return abandoned.Count;
    }

    // ---- reading and forgetting

    private const string OperationColumns = """
        id, kind, at, "by", via, reason, target, job_id, expected, done, skipped, ended, error, before, after, undo_until, undone_by
        """;

    private const string OperationByIdSql = $"select {OperationColumns} from millrace_operation where id = @id";

    internal static OperationRecord? FindOperation(Session session, long id) => session.First(OperationByIdSql, ReadOperation, ("@id", id));

    private const string OperationsSql = $"select {OperationColumns} from millrace_operation where id < @before order by id desc limit @limit";

    private const string OperationsOfJobSql = $"""
        select {OperationColumns}
        from millrace_operation
        where id < @before
          and id in (
              select id from millrace_operation where job_id = @job_id
              union
              select operation from millrace_operation_job where job_id = @job_id)
        order by id desc
        limit @limit
        """;

    internal static List<OperationRecord> Audit(Session session, long before, long? jobId, int limit) => jobId is { } id
        ? session.Query(OperationsOfJobSql, ReadOperation, ("@before", before), ("@job_id", id), ("@limit", (long)limit))
        : session.Query(OperationsSql, ReadOperation, ("@before", before), ("@limit", (long)limit));

    private static OperationRecord ReadOperation(SqliteDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Kind = JobChanges.KindOf(row.GetString(1)),
        At = row.Time(2),
        Author = new Author(row.GetString(3), row.GetString(4), row.MaybeText(5)),
        Target = row.GetString(6),
        JobId = row.MaybeNumber(7),
        Expected = row.GetInt64(8),
        Done = row.GetInt64(9),
        Skipped = row.GetInt64(10),
        Ended = row.MaybeTime(11),
        Error = row.MaybeText(12),
        Before = row.MaybeText(13),
        After = row.MaybeText(14),
        UndoUntil = row.MaybeTime(15),
        UndoneBy = row.MaybeNumber(16),
    };

    private const int OperationsAtOnce = 100;

    private const string OldOperationsSql = "select id from millrace_operation where at < @before order by at limit @limit";

    private const string ForgetUndoSql = "delete from millrace_operation_job where operation = @id";

    private const string ForgetClaimSql = "delete from millrace_once where job_id = 0 and value = cast(@id as text)";

    private const string ForgetOperationSql = "delete from millrace_operation where id = @id";

    public async Task<int> ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        for (var forgotten = 0; ;)
        {
            var count = await WriteAsync(session => Forget(session, before), cancellationToken).ConfigureAwait(false);
            forgotten += count;
            if (count < OperationsAtOnce)
                return forgotten;
        }
    }

    private static int Forget(Session session, DateTimeOffset before)
    {
        var ids = session.Query(OldOperationsSql, row => row.GetInt64(0), ("@before", before.ToMicros()), ("@limit", (long)OperationsAtOnce));
        foreach (var id in ids)
        {
            session.Execute(ForgetUndoSql, ("@id", id));
            session.Execute(ForgetClaimSql, ("@id", id));
            session.Execute(ForgetOperationSql, ("@id", id));
        }

        return ids.Count;
    }
}

internal sealed partial class SqliteInspection
{
    public Task<IReadOnlyList<OperationRecord>> ReadOperationsAsync(long beforeId, long? jobId, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 200);
        return LookAsync<IReadOnlyList<OperationRecord>>(session => SqliteStore.Audit(session, beforeId, jobId, limit), cancellationToken);
    }

    public Task<OperationRecord?> FindOperationAsync(long id, CancellationToken cancellationToken) => LookAsync(session => SqliteStore.FindOperation(session, id), cancellationToken);
}
