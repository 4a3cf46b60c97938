using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    private const string SaveLogSql = """
        insert into millrace_job_log (job_id, run, line, at, level, category, message, properties, exception)
        select @id, @run, @line, @at, @level, @category, @message, @properties, @exception
        where exists (select 1 from millrace_job j where j.id = @id)
        on conflict do nothing
        """;

    public Task SaveLogAsync(IReadOnlyList<LogLine> lines, CancellationToken cancellationToken) => WriteAsync(session => SaveLog(session, lines), cancellationToken);

    private static int SaveLog(Session session, IReadOnlyList<LogLine> lines)
    {
        foreach (var line in lines)
            session.Execute(SaveLogSql,
                ("@id", line.JobId), ("@run", (long)line.Run), ("@line", (long)line.Line), ("@at", line.At.ToMicros()), ("@level", (long)line.Level),
                ("@category", line.Category), ("@message", line.Message), ("@properties", line.Properties), ("@exception", line.Exception));
        return lines.Count;
    }

    // A run that has ended, or has a successor (which exists only after its end), has nothing more to say.
    private const string SaveProgressSql = """
        insert into millrace_progress (job_id, run, at, percent, message)
        select @id, @run, @now, @percent, @message
        where exists (select 1 from millrace_job j where j.id = @id)
          and not exists (select 1 from millrace_attempt a where a.job_id = @id and a.run >= @run)
        on conflict (job_id) do update
            set run = excluded.run, at = excluded.at, percent = excluded.percent, message = excluded.message
            where excluded.run >= millrace_progress.run
        """;

    public Task SaveProgressAsync(long jobId, int run, double percent, string? message, CancellationToken cancellationToken) =>
        WriteAsync(session => SaveProgress(session, jobId, run, percent, message, Now()), cancellationToken);

    private static int SaveProgress(Session session, long jobId, int run, double percent, string? message, long now)
    {
        var saved = session.Execute(SaveProgressSql, ("@id", jobId), ("@run", (long)run), ("@now", now), ("@percent", percent), ("@message", message));
        if (saved > 0)
            RaiseProgress(session, jobId, percent, message, now);
        return saved;
    }

    private const string ReadOnceSql = "select value from millrace_once where job_id = @id and key = @key";

    public Task<string?> ReadOnceAsync(long jobId, string key, CancellationToken cancellationToken) =>
        ReadAsync(session => session.First(ReadOnceSql, row => row.GetString(0), ("@id", jobId), ("@key", key)), cancellationToken);

    private const string SaveOnceSql = """
        insert into millrace_once (job_id, key, run, value)
        values (@id, @key, @run, @value)
        on conflict do nothing
        """;

    public Task<bool> SaveOnceAsync(Guid node, Claim claim, string key, string value, DbTransaction? transaction, CancellationToken cancellationToken) =>
        WriteAsync(transaction, session =>
            FindMine(session, node, claim) is not null
            && !HasEnded(session, claim.JobId, claim.Run)
            && session.Execute(SaveOnceSql, ("@id", claim.JobId), ("@key", key), ("@run", (long)claim.Run), ("@value", value)) == 1, cancellationToken);
}
