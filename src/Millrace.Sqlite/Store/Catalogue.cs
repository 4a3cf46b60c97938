using Millrace.Storage;

namespace Millrace.Sqlite;

// The catalogue of types: what processes that have the code tell those that have not.
internal sealed partial class SqliteStore
{
    // Most processes say the same again at each start: that writes once an hour.
    private const string DescribeTypeSql = """
        insert into millrace_job_type (name, aliases, queue, max_attempts, timeout, retry, is_isolated, schema, first_seen, last_seen)
        values (@name, @aliases, @queue, @max_attempts, @timeout, @retry, @is_isolated, @schema, @now, @now)
        on conflict (name) do update set
            aliases = @aliases, queue = @queue, max_attempts = @max_attempts, timeout = @timeout, retry = @retry, is_isolated = @is_isolated, schema = @schema,
            last_seen = @now
            where last_seen < @stale
               or (aliases, queue, max_attempts, timeout, retry, is_isolated, schema) is not (@aliases, @queue, @max_attempts, @timeout, @retry, @is_isolated, @schema)
        """;

    private static void Describe(Session session, IReadOnlyList<TypeDescription> types, long now)
    {
        foreach (var type in types)
            session.Execute(DescribeTypeSql,
                ("@name", type.Name), ("@aliases", Values.ToTextList(type.Aliases)), ("@queue", type.Queue), ("@max_attempts", (long)type.MaxAttempts),
                ("@timeout", type.Timeout?.ToMicros()), ("@retry", type.Retry), ("@is_isolated", type.IsIsolated), ("@schema", type.Schema),
                ("@now", now), ("@stale", now - TimeSpan.FromHours(1).ToMicros()));
    }
}

internal sealed partial class SqliteInspection
{
    private const string TypesSql = """
        select name, aliases, queue, max_attempts, timeout, retry, is_isolated, schema, first_seen, last_seen
        from millrace_job_type
        order by name
        limit 1000
        """;

    public Task<IReadOnlyList<TypeRecord>> ReadTypesAsync(CancellationToken cancellationToken) => LookAsync<IReadOnlyList<TypeRecord>>(session =>
    {
        var living = Living(session);
        return session.Query(TypesSql, row =>
        {
            var name = row.GetString(0);
            var knowing = living.Where(node => node.Types.Contains(name)).ToList();
            var description = new TypeDescription
            {
                Name = name,
                Aliases = Values.FromTextList(row.GetString(1)),
                Queue = row.GetString(2),
                MaxAttempts = row.GetInt32(3),
                Timeout = row.MaybeNumber(4)?.ToSpan(),
                Retry = row.MaybeText(5),
                IsIsolated = row.GetBoolean(6),
                Schema = row.MaybeText(7),
            };
            return new TypeRecord(description, row.Time(8), row.Time(9), knowing.Count, [.. knowing.SelectMany(node => node.Queues).Distinct().Order(StringComparer.Ordinal)]);
        });
    }, cancellationToken);
}
