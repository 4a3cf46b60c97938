using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    // A worker of a server that drains begins like its server.
    private const string RegisterSql = """
        insert into millrace_node (id, name, kind, server, started_at, expires_at, types, queues, application, version, settings, drain_at, drain_by, drain_reason)
        select @id, @name, @kind, @server, @now, @expires_at, @types, @queues, @application, @version, @settings, s.drain_at, s.drain_by, s.drain_reason
        from (select 1)
        left join millrace_node s on s.id = @server and s.dead_at is null
        where true
        on conflict (id) do update
            set name = @name, kind = @kind, server = @server, expires_at = @expires_at, types = @types, queues = @queues, application = @application, version = @version, settings = @settings
            where dead_at is null
        """;

    public async Task RegisterAsync(NewNode node, CancellationToken cancellationToken)
    {
        // The lock before the row: a row without a lock is a dead node.
        TakeLock(node.Id);
        await WriteAsync(session => Register(session, node, Now()), cancellationToken).ConfigureAwait(false);
    }

    private int Register(Session session, NewNode node, long now)
    {
        session.Execute(RegisterSql,
            ("@id", node.Id.ToText()), ("@name", node.Name), ("@kind", node.Kind == NodeKind.Server ? "server" : "worker"), ("@server", node.Server?.ToText()),
            ("@now", now), ("@expires_at", now + node.Expiry.ToMicros()), ("@types", Values.ToTextList(node.Types)), ("@queues", Values.ToTextList(node.Queues)),
            ("@application", node.Application), ("@version", node.Version), ("@settings", node.Settings));
        if (node is { Application: not null, Version: not null })
            NoteDeployment(session, node.Id, node.Application, node.Version, now);
        Describe(session, node.Catalogue, now);
        return BringBack(session, node.Types, now).Count;
    }

    private const string OthersOfVersionSql = "select id from millrace_node where application = @application and version = @version and id <> @id and dead_at is null";

    private const string NoteDeploymentSql = """
        insert into millrace_deployment (application, at, version)
        select @application, @now, @version
        where (select d.version from millrace_deployment d where d.application = @application order by d.at desc limit 1) is not @version
        on conflict (application, at) do nothing
        """;

    /// <summary>A version is new when no other node of the application lives with it, and it was not the last: so neither a node that starts again says so, nor one of the old version while the new one comes.</summary>
    private void NoteDeployment(Session session, Guid node, string application, string version, long now)
    {
        if (!session.Query(OthersOfVersionSql, row => row.Guid(0), ("@application", application), ("@version", version), ("@id", node.ToText())).Exists(locks.IsAlive))
            session.Execute(NoteDeploymentSql, ("@application", application), ("@version", version), ("@now", now));
    }

    private const string WaitingForTypeSql = """
        select id, queue, priority, type, run, attempt, crashes, is_suspect, due, reason
        from millrace_waiting
        where reason = 'type'
          and type in (select value from json_each(@types))
        """;

    /// <summary>Jobs that waited for a node with these types go back to where their due time says, at their old place in line.</summary>
    private static List<Pending> BringBack(Session session, IReadOnlyList<string> types, long now)
    {
        var jobs = session.Query(WaitingForTypeSql, ReadPending, ("@types", Values.ToTextList(types)));
        foreach (var job in jobs)
        {
            session.Execute(LeaveWaitingSql, ("@id", job.Id));
            Put(session, job, now);
        }

        return jobs;
    }

    // Idle nodes poll: there is no bell to be told of, and no reader of the column, so no write either.
    public Task SetIdleAsync(Guid node, bool isIdle, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task SetListeningAsync(Guid node, bool isListening, CancellationToken cancellationToken) => Task.CompletedTask;

    private const string LeaveSql = "update millrace_node set dead_at = @now where id = @id and dead_at is null";

    private const string DropOwnSchedulesSql = """
        delete from millrace_schedule
        where is_persistent = 0
          and name in (select o.name from millrace_schedule_owner o where o.node = @node)
          and not exists (select 1 from millrace_schedule_owner o where o.name = millrace_schedule.name and o.node <> @node)
        """;

    private const string DisownSql = "delete from millrace_schedule_owner where node = @node";

    public async Task LeaveAsync(Guid node, CancellationToken cancellationToken)
    {
        await WriteAsync(session => Leave(session, node, Now()), cancellationToken).ConfigureAwait(false);
        locks.Release(node);
    }

    private static int Leave(Session session, Guid node, long now)
    {
        session.Execute(DropOwnSchedulesSql, ("@node", node.ToText()));
        session.Execute(DisownSql, ("@node", node.ToText()));
        return session.Execute(LeaveSql, ("@now", now), ("@id", node.ToText()));
    }

    internal bool IsAlive(Guid node) => locks.IsAlive(node);

    private void TakeLock(Guid node)
    {
        try
        {
            locks.Take(node);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Translate(exception, file.Path);
        }
    }
}

internal sealed partial class SqliteInspection
{
    // The first of all took the place of nothing.
    private const string DeploymentsSql = """
        select d.at, d.application, d.version
        from millrace_deployment d
        where d.at >= @since
          and exists (select 1 from millrace_deployment e where e.application = d.application and e.at < d.at)
        order by d.at desc, d.application
        limit 200
        """;

    private const string SettingsSql = "select id, name, application, settings from millrace_node where dead_at is null and settings is not null";

    public Task<IReadOnlyList<NodeSettings>> ReadSettingsAsync(CancellationToken cancellationToken) => LookAsync<IReadOnlyList<NodeSettings>>(session =>
        [
            .. session.Query(SettingsSql, row => (Id: row.Guid(0), Name: row.GetString(1), Application: row.MaybeText(2), Settings: row.GetString(3)))
                .Where(node => store.IsAlive(node.Id))
                .GroupBy(node => (node.Application, node.Settings))
                .OrderByDescending(group => group.Count()).ThenBy(group => group.Key.Application, StringComparer.Ordinal).ThenBy(group => group.Key.Settings, StringComparer.Ordinal)
                .Take(50)
                .Select(group => new NodeSettings(group.Key.Application, group.Key.Settings, group.Count(), [.. group.Select(node => node.Name).Order(StringComparer.Ordinal).Take(NodeSettings.MostNames)])),
        ], cancellationToken);

    public Task<IReadOnlyList<Deployment>> ReadDeploymentsAsync(DateTimeOffset since, CancellationToken cancellationToken) => LookAsync<IReadOnlyList<Deployment>>(session =>
        [.. session.Query(DeploymentsSql, row => new Deployment(row.Time(0), row.GetString(1), row.GetString(2)), ("@since", since.ToMicros())).AsEnumerable().Reverse()], cancellationToken);
}
