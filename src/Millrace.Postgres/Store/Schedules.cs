using System.Data.Common;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

internal sealed partial class PostgresStore
{
    // The same content changes nothing, so a server that submits its schedules at every start does not move their cursors.
    private const string PutSchedule = """
        insert into millrace.schedule as s
            (name, version, cron, zone, is_persistent, missed_ticks, type, tag, user_id, queue, priority, data, policy, headers, created, next_due, last_tick,
             key, on_conflict, scope, key_window)
        values (@name, 1, @cron, @zone, @is_persistent, @missed_ticks, @type, @tag, @user_id, @queue, @priority, @data, @policy, @headers, coalesce(@now, clock_timestamp()),
                @next_due, @last_tick, @key, @on_conflict, @scope, @key_window * interval '1 microsecond')
        on conflict (name) do update
        set version = s.version + 1, cron = excluded.cron, zone = excluded.zone, is_persistent = excluded.is_persistent, missed_ticks = excluded.missed_ticks,
            type = excluded.type, tag = excluded.tag, user_id = excluded.user_id, queue = excluded.queue, priority = excluded.priority, data = excluded.data,
            policy = excluded.policy, headers = excluded.headers, next_due = excluded.next_due, last_tick = excluded.last_tick,
            key = excluded.key, on_conflict = excluded.on_conflict, scope = excluded.scope, key_window = excluded.key_window
        where (s.cron, s.zone, s.is_persistent, s.missed_ticks, s.type, s.tag, s.user_id, s.queue, s.priority, s.data, s.policy, s.headers,
               s.key, s.on_conflict, s.scope, s.key_window)
            is distinct from
              (excluded.cron, excluded.zone, excluded.is_persistent, excluded.missed_ticks, excluded.type, excluded.tag, excluded.user_id, excluded.queue,
               excluded.priority, excluded.data, excluded.policy, excluded.headers, excluded.key, excluded.on_conflict, excluded.scope, excluded.key_window)
        returning s.version
        """;

    private const string OwnSchedule = """
        insert into millrace.schedule_owner (name, node)
        values (@name, @owner)
        on conflict (name, node) do nothing
        """;

    private const string DisownSchedule = """
        delete from millrace.schedule_owner
        where name = @name
        """;

    private const string RemoveSchedule = """
        delete from millrace.schedule
        where name = @name
        """;

    internal const string ScheduleColumns = """
        name, version, cron, zone, is_persistent, missed_ticks, type, tag, user_id, queue, priority, data, policy, headers, next_due, last_tick,
               key, on_conflict, scope, (extract(epoch from key_window) * 1000000)::bigint, paused_at, paused_by, pause_reason, resume_at
        """;

    private const string ReadSchedules = $"""
        select {ScheduleColumns}
        from millrace.schedule
        order by name
        """;

    private const string LockDueSchedule = $"""
        select {ScheduleColumns}, coalesce(@now, clock_timestamp())
        from millrace.schedule
        where next_due <= coalesce(@now, clock_timestamp())
            and (paused_at is null or resume_at <= coalesce(@now, clock_timestamp()))
        order by next_due
        limit 1
        for update skip locked
        """;

    // A pause that had an end is over once the ticks that fell into it are decided about.
    private const string MoveSchedule = """
        update millrace.schedule
        set next_due = @next_due, last_tick = @last_tick, paused_at = null, paused_by = null, pause_reason = null, resume_at = null
        where name = @name and version = @version
        """;

    public async Task<bool> PutScheduleAsync(Schedule schedule, Guid? owner, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        if (transaction is not null)
        {
            var connection = ConnectionOf(transaction);
            return await OnCallersAsync("put a schedule", () => PutScheduleAsync(connection, schedule, owner, cancellationToken)).ConfigureAwait(false);
        }

        return await WorkAsync("put a schedule", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            var isChanged = await PutScheduleAsync(session.Connection, schedule, owner, cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return isChanged;
        }, cancellationToken).ConfigureAwait(false);
    }

    public Task<bool> RemoveScheduleAsync(string name, CancellationToken cancellationToken) =>
        WorkAsync("remove a schedule", async session =>
        {
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            var removed = await ExecuteAsync(session.Connection, RemoveSchedule, [Text("name", name)], cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(session.Connection, DisownSchedule, [Text("name", name)], cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return removed > 0;
        }, cancellationToken);

    public Task<IReadOnlyList<Schedule>> ReadSchedulesAsync(CancellationToken cancellationToken) =>
        WorkAsync<IReadOnlyList<Schedule>>("read schedules", async session =>
            await ReadAsync(session.Connection, ReadSchedules, [], ScheduleAt, cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task<TickAnswer?> TickAsync(Func<Schedule, DateTimeOffset, TickPlan> plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return WorkAsync("fire a tick", async session =>
        {
            var connection = session.Connection;
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            var due = await ReadAsync(connection, LockDueSchedule, [Now()], static reader => (Schedule: ScheduleAt(reader), Now: TimeAt(reader, 24)), cancellationToken).ConfigureAwait(false);
            if (due.Count == 0)
            {
                await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
                return null;
            }

            var (schedule, now) = due[0];
            var todo = plan(schedule, now);
            if (todo.Jobs.Count > 0)
                await SubmitFreshAsync(connection, todo.Jobs, cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(
                connection, MoveSchedule,
                [Text("name", schedule.Name), Long("version", schedule.Version), At("next_due", todo.NextDue), At("last_tick", todo.LastTick)],
                cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return new TickAnswer(schedule.Name, todo.Jobs.Count, todo.Skipped, [.. todo.Jobs.Select(static job => job.Queue).Distinct(StringComparer.Ordinal)]);
        }, cancellationToken);
    }

    // Owners add up, and stay when the schedule becomes persistent: it may become its servers' again.
    private async Task<bool> PutScheduleAsync(NpgsqlConnection connection, Schedule schedule, Guid? owner, CancellationToken cancellationToken)
    {
        var (job, key) = (schedule.Template, schedule.Template.Key);
        var version = await OneAsync<long>(
            connection,
            PutSchedule,
            [
                Now(), Text("name", schedule.Name), Text("cron", schedule.Cron), Text("zone", schedule.Zone), Bool("is_persistent", schedule.IsPersistent),
                Text("missed_ticks", WordOf(schedule.MissedTicks)), Text("type", job.Type), Text("tag", job.Tag), Long("user_id", job.UserId), Text("queue", job.Queue),
                Short("priority", job.Priority), Text("data", job.Data), Text("policy", job.Policy), Text("headers", job.Headers),
                At("next_due", schedule.NextDue), At("last_tick", schedule.LastTick), Text("key", key?.Name), Short("on_conflict", (short?)key?.OnConflict),
                Short("scope", (short?)key?.Until.Scope), Long("key_window", key?.Until.Window.Ticks / TimeSpan.TicksPerMicrosecond),
            ],
            cancellationToken).ConfigureAwait(false);
        if (owner is not null)
            await ExecuteAsync(connection, OwnSchedule, [Text("name", schedule.Name), Uuid("owner", owner)], cancellationToken).ConfigureAwait(false);
        return version is not null;
    }

    internal static Schedule ScheduleAt(NpgsqlDataReader reader) => new()
    {
        Name = reader.GetString(0),
        Version = reader.GetInt64(1),
        Cron = reader.GetString(2),
        Zone = reader.GetString(3),
        IsPersistent = reader.GetBoolean(4),
        MissedTicks = reader.GetString(5) switch { "skip" => MissedTicks.Skip, "all" => MissedTicks.All, _ => MissedTicks.Last },
        NextDue = TimeOrNullAt(reader, 14),
        LastTick = TimeOrNullAt(reader, 15),
        Pause = PauseAt(reader, 20),
        Template = new NewJob
        {
            Id = 0,
            Nonce = 0,
            Type = reader.GetString(6),
            Tag = TextAt(reader, 7),
            UserId = reader.GetInt64(8),
            Queue = reader.GetString(9),
            Priority = reader.GetInt16(10),
            Data = reader.GetString(11),
            Policy = TextAt(reader, 12),
            Headers = TextAt(reader, 13),
            Schedule = reader.GetString(0),
            Key = reader.IsDBNull(16) ? null : new JobKey(reader.GetString(16), (WhenPending)reader.GetInt16(17), UniqueAt(reader)),
        },
    };

    private static Unique UniqueAt(NpgsqlDataReader reader) => (UniqueScope)reader.GetInt16(18) switch
    {
        UniqueScope.PendingOrRunning => Unique.WhilePendingOrRunning,
        UniqueScope.Window => Unique.Within(TimeSpan.FromTicks(reader.GetInt64(19) * TimeSpan.TicksPerMicrosecond)),
        _ => Unique.WhilePending,
    };

    private static string WordOf(MissedTicks missed) => missed switch
    {
        MissedTicks.Skip => "skip",
        MissedTicks.All => "all",
        _ => "last",
    };
}
