using Millrace.Storage;

namespace Millrace.Postgres;

internal sealed partial class PostgresStore
{
    // A tombstone stays one: a node that was declared dead needs a new identity, and learns it from its next beat or claim.
    // A worker of a server that drains begins like its server. The lock is for who drains it just now: one of the two sees the other.
    private const string Register = """
        with its_server as materialized (
            select s.drain_at, s.drain_by, s.drain_reason
            from millrace.node s
            where s.id = @server and s.dead_at is null
            for share
        )
        insert into millrace.node as n (id, name, kind, server, started_at, expires_at, types, queues, application, version, settings, drain_at, drain_by, drain_reason)
        select @id, @name, @kind, @server, coalesce(@now, clock_timestamp()), coalesce(@now, clock_timestamp()) + @expiry * interval '1 microsecond', @types, @queues, @application, @version, @settings,
               s.drain_at, s.drain_by, s.drain_reason
        from (select) one
        left join its_server s on true
        on conflict (id) do update
        set name = excluded.name, kind = excluded.kind, server = excluded.server, beat = n.beat + 1, expires_at = excluded.expires_at, types = excluded.types, queues = excluded.queues, application = excluded.application, version = excluded.version, settings = excluded.settings
        where n.dead_at is null
        """;

    // A version is new when no other node of the application lives with it, and it was not the last: so neither a node that starts again says so, nor one of the old version while the new one comes.
    private const string NoteDeployment = """
        insert into millrace.deployment (application, at, version)
        select @application, coalesce(@now, clock_timestamp()), @version
        where not exists (
                select
                from millrace.node n
                where n.application = @application and n.version = @version and n.id <> @id and n.dead_at is null and n.expires_at > coalesce(@now, clock_timestamp()))
            and (select d.version from millrace.deployment d where d.application = @application order by d.at desc limit 1) is distinct from @version
        on conflict (application, at) do nothing
        """;

    private const string SetIdle = """
        update millrace.node
        set is_idle = @is_idle
        where id = @id and is_idle <> @is_idle
        """;

    private const string SetListening = """
        update millrace.node
        set is_listening = @is_listening
        where id = @id and is_listening <> @is_listening
        """;

    private const string Leave = """
        update millrace.node
        set dead_at = coalesce(@now, clock_timestamp()), is_idle = false
        where id = @id and dead_at is null
        """;

    private const string Disown = """
        delete from millrace.schedule_owner
        where node = @id
        """;

    // A schedule is locked before its owners are counted: another server may be adding itself.
    private const string DropOwnerless = """
        with ownerless as materialized (
            select s.name
            from millrace.schedule s
            where not s.is_persistent
                and not exists (select from millrace.schedule_owner o where o.name = s.name)
            for update of s skip locked
        )
        delete from millrace.schedule s
        using ownerless
        where s.name = ownerless.name
            and not exists (select from millrace.schedule_owner o where o.name = s.name)
        """;

    public Task RegisterAsync(NewNode node, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(node);
        return WorkAsync("register a node", async session =>
        {
            var changed = await session.RunAsync(
                Register,
                [
                    Now(), Uuid("id", node.Id), Text("name", node.Name), Text("kind", node.Kind == NodeKind.Server ? "server" : "worker"), Uuid("server", node.Server),
                    Long("expiry", node.Expiry.Ticks / TimeSpan.TicksPerMicrosecond), Texts("types", [.. node.Types]), Texts("queues", [.. node.Queues]),
                    Text("application", node.Application), Text("version", node.Version), Text("settings", node.Settings),
                ],
                cancellationToken).ConfigureAwait(false);
            if (node is { Application: not null, Version: not null })
                await session.RunAsync(NoteDeployment, [Now(), Uuid("id", node.Id), Text("application", node.Application), Text("version", node.Version)], cancellationToken).ConfigureAwait(false);
            await SaveCatalogueAsync(session, node.Catalogue, cancellationToken).ConfigureAwait(false);
            if (node.Types.Count > 0)
                await BringBackTypesAsync(session, cancellationToken).ConfigureAwait(false);
            return changed;
        }, cancellationToken);
    }

    public Task SetIdleAsync(Guid node, bool isIdle, CancellationToken cancellationToken) =>
        WorkAsync("say whether a node is idle", session => session.RunAsync(SetIdle, [Uuid("id", node), Bool("is_idle", isIdle)], cancellationToken), cancellationToken);

    public Task SetListeningAsync(Guid node, bool isListening, CancellationToken cancellationToken) =>
        WorkAsync("say whether a node listens", session => session.RunAsync(SetListening, [Uuid("id", node), Bool("is_listening", isListening)], cancellationToken), cancellationToken);

    public Task LeaveAsync(Guid node, CancellationToken cancellationToken) =>
        WorkAsync("let a node leave", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(session.Connection, Leave, [Now(), Uuid("id", node)], cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(session.Connection, Disown, [Uuid("id", node)], cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(session.Connection, DropOwnerless, [], cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }, cancellationToken);
}

internal sealed partial class PostgresInspection
{
    // The first of all took the place of nothing.
    private const string ReadDeployments = """
        select d.at, d.application, d.version
        from millrace.deployment d
        where d.at >= @since
            and exists (select from millrace.deployment e where e.application = d.application and e.at < d.at)
        order by d.at desc, d.application
        limit 200
        """;

    private const string ReadSettings = """
        select n.application, n.settings, count(*)::integer, (array_agg(n.name order by n.name collate "C"))[1:20]
        from millrace.node n
        where n.dead_at is null and n.expires_at > @now and n.settings is not null
        group by n.application, n.settings
        order by count(*) desc, n.application collate "C", n.settings collate "C"
        limit 50
        """;

    public Task<IReadOnlyList<NodeSettings>> ReadSettingsAsync(CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<NodeSettings>>("read settings", async look => await look.ReadAsync(
            ReadSettings, [look.At()], static reader => new NodeSettings(TextAt(reader, 0), reader.GetString(1), reader.GetInt32(2), reader.GetFieldValue<string[]>(3)), cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task<IReadOnlyList<Deployment>> ReadDeploymentsAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<Deployment>>("read deployments", async look => [.. (await look.ReadAsync(
            ReadDeployments, [At("since", since)], static reader => new Deployment(TimeAt(reader, 0), reader.GetString(1), reader.GetString(2)), cancellationToken).ConfigureAwait(false)).AsEnumerable().Reverse()], cancellationToken);
}
