using System.Data.Common;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// What a running attempt leaves: log lines, progress, the results of steps.
internal sealed partial class PostgresStore
{
    private const string SaveLines = """
        insert into millrace.job_log (job_id, run, line, at, level, category, message, properties, exception)
        select e.job_id, e.run, e.line, e.at, e.level, e.category, e.message, e.properties, e.exception
        from unnest(@jobs, @runs, @lines, @ats, @levels, @categories, @messages, @properties, @exceptions)
             as e(job_id, run, line, at, level, category, message, properties, exception)
        where exists (select from millrace.job j where j.id = e.job_id)
        on conflict (job_id, run, line) do nothing
        """;

    private const string SaveProgress = """
        with saved as (
            insert into millrace.progress as p (job_id, run, at, percent, message)
            select u.job_id, u.run, coalesce(@now, clock_timestamp()), @percent, @message
            from millrace.lease l
            cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
            where l.job_ids @> array[@job::bigint]
                and u.job_id = @job
                and u.run = @run
                and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
            on conflict (job_id) do update
            set run = excluded.run, at = excluded.at, percent = excluded.percent, message = excluded.message
            where p.run <= excluded.run
            returning job_id, at, percent, message
        )
        insert into millrace.event (at, user_id, kind, job_id, type, percent, message)
        select s.at, j.user_id, 'progress', j.id, j.type, s.percent, s.message
        from saved s
        join millrace.job j on j.id = s.job_id
        where j.user_id <> 0
        """;

    private const string ReadOnce = """
        select value
        from millrace.once
        where job_id = @job and key = @key
        """;

    private const string SaveOnce = """
        insert into millrace.once (job_id, key, run, value)
        select u.job_id, @key, u.run, @value
        from millrace.lease l
        cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
        where l.id = @lease
            and l.node = @node
            and u.job_id = @job
            and u.run = @run
            and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
        on conflict (job_id, key) do nothing
        returning run
        """;

    public async Task SaveLogAsync(IReadOnlyList<LogLine> lines, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lines);
        if (lines.Count > 0)
            await WorkAsync("save log lines", session => session.RunAsync(SaveLines, LineValues([.. lines]), cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public Task SaveProgressAsync(long jobId, int run, double percent, string? message, CancellationToken cancellationToken) =>
        WorkAsync("save progress", session => RaiseAsync(
            session, SaveProgress, [Now(), Long("job", jobId), Int("run", run), Double("percent", percent), Text("message", message)], cancellationToken), cancellationToken);

    public Task<string?> ReadOnceAsync(long jobId, string key, CancellationToken cancellationToken) =>
        WorkAsync("read the result of a step", async session =>
        {
            await using var command = Command(session.Connection, ReadOnce, Long("job", jobId), Text("key", key));
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as string;
        }, cancellationToken);

    public async Task<bool> SaveOnceAsync(Guid node, Claim claim, string key, string value, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(claim);
        NpgsqlParameter[] values =
            [Uuid("node", node), Uuid("lease", claim.Lease), Long("job", claim.JobId), Int("run", claim.Run), Text("key", key), Text("value", value)];
        if (transaction is null)
            return await WorkAsync("save the result of a step", session => session.RunAsync(SaveOnce, values, cancellationToken), cancellationToken).ConfigureAwait(false) > 0;
        var connection = ConnectionOf(transaction);
        return await OnCallersAsync("save the result of a step", async () =>
            await OneAsync<int>(connection, SaveOnce, values, cancellationToken).ConfigureAwait(false) is not null).ConfigureAwait(false);
    }

    private static NpgsqlParameter[] LineValues(LogLine[] lines) =>
    [
        Longs("jobs", [.. lines.Select(static line => line.JobId)]),
        Ints("runs", [.. lines.Select(static line => line.Run)]),
        Ints("lines", [.. lines.Select(static line => line.Line)]),
        Times("ats", [.. lines.Select(static line => line.At.UtcDateTime)]),
        Shorts("levels", [.. lines.Select(static line => (short)line.Level)]),
        Texts("categories", [.. lines.Select(static line => line.Category)]),
        Texts("messages", [.. lines.Select(static line => line.Message)]),
        Texts("properties", [.. lines.Select(static line => line.Properties)]),
        Texts("exceptions", [.. lines.Select(static line => line.Exception)]),
    ];
}
