using Millrace.Storage;

namespace Millrace.Postgres;

// What others can know of the types without their code.
internal sealed partial class PostgresStore
{
    // A start of a hundred nodes is not a hundred writes of the same: only what is new, and once an hour that it was seen. In one order, so that two nodes cannot block each other.
    private const string SaveCatalogue = """
        insert into millrace.job_type as t (name, aliases, queue, max_attempts, timeout, retry, is_isolated, schema, first_seen, last_seen)
        select e.name, array(select json_array_elements_text(e.aliases::json)), e.queue, e.max_attempts, e.timeout * interval '1 microsecond', e.retry, e.is_isolated, e.schema,
               coalesce(@now, clock_timestamp()), coalesce(@now, clock_timestamp())
        from unnest(@names, @aliases, @queues, @max_attempts, @timeouts, @retries, @isolated, @schemas) as e(name, aliases, queue, max_attempts, timeout, retry, is_isolated, schema)
        order by e.name
        on conflict (name) do update
        set aliases = excluded.aliases, queue = excluded.queue, max_attempts = excluded.max_attempts, timeout = excluded.timeout, retry = excluded.retry,
            is_isolated = excluded.is_isolated, schema = excluded.schema, last_seen = excluded.last_seen
        where t.last_seen < excluded.last_seen - interval '1 hour'
            or (t.aliases, t.queue, t.max_attempts, t.timeout, t.retry, t.is_isolated, t.schema)
                is distinct from
               (excluded.aliases, excluded.queue, excluded.max_attempts, excluded.timeout, excluded.retry, excluded.is_isolated, excluded.schema)
        """;

    private async Task SaveCatalogueAsync(Session session, IReadOnlyList<TypeDescription> types, CancellationToken cancellationToken)
    {
        if (types.Count == 0)
            return;
        // Of two descriptions of one name the last counts: a row cannot be written twice by one statement.
        TypeDescription[] named = [.. types.GroupBy(static type => type.Name, StringComparer.Ordinal).Select(static group => group.Last())];
        await session.RunAsync(
            SaveCatalogue,
            [
                Now(),
                Texts("names", [.. named.Select(static type => type.Name)]),
                Texts("aliases", [.. named.Select(static type => System.Text.Json.JsonSerializer.Serialize([.. type.Aliases], AliasJson.Default.StringArray))]),
                Texts("queues", [.. named.Select(static type => type.Queue)]),
                Ints("max_attempts", [.. named.Select(static type => type.MaxAttempts)]),
                Longs("timeouts", [.. named.Select(static type => type.Timeout?.Ticks / TimeSpan.TicksPerMicrosecond)]),
                Texts("retries", [.. named.Select(static type => type.Retry)]),
                Bools("isolated", [.. named.Select(static type => type.IsIsolated)]),
                Texts("schemas", [.. named.Select(static type => type.Schema)]),
            ],
            cancellationToken).ConfigureAwait(false);
    }
}

// Without reflection, for programs that are compiled ahead of time.
[System.Text.Json.Serialization.JsonSerializable(typeof(string[]))]
internal sealed partial class AliasJson : System.Text.Json.Serialization.JsonSerializerContext;
