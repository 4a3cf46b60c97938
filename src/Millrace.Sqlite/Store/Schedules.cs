using System.Data.Common;
using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    private const string ScheduleByNameSql = """
        select name, version, cron, zone, is_persistent, missed_ticks, type, tag, user_id, queue, priority, data, policy, headers, next_due, last_tick,
               key, on_conflict, scope, key_window, paused_at, paused_by, pause_reason, resume_at
        from millrace_schedule
        where name = @name
        """;

    private const string PutScheduleSql = """
        insert into millrace_schedule (
            name, version, cron, zone, is_persistent, missed_ticks, type, tag, user_id, queue, priority, data, policy, headers, created, next_due, last_tick,
            key, on_conflict, scope, key_window)
        values (
            @name, @version, @cron, @zone, @is_persistent, @missed_ticks, @type, @tag, @user_id, @queue, @priority, @data, @policy, @headers, @now,
            @next_due, @last_tick, @key, @on_conflict, @scope, @key_window)
        on conflict (name) do update set
            version = @version, cron = @cron, zone = @zone, is_persistent = @is_persistent, missed_ticks = @missed_ticks, type = @type, tag = @tag,
            user_id = @user_id, queue = @queue, priority = @priority, data = @data, policy = @policy, headers = @headers, created = @now,
            next_due = @next_due, last_tick = @last_tick, key = @key, on_conflict = @on_conflict, scope = @scope, key_window = @key_window
        """;

    private const string OwnScheduleSql = """
        insert into millrace_schedule_owner (name, node)
        values (@name, @node)
        on conflict do nothing
        """;

    public Task<bool> PutScheduleAsync(Schedule schedule, Guid? owner, DbTransaction? transaction, CancellationToken cancellationToken) =>
        WriteAsync(transaction, session => PutSchedule(session, schedule, owner, Now()), cancellationToken);

    private static bool PutSchedule(Session session, Schedule schedule, Guid? owner, long now)
    {
        if (!schedule.IsPersistent && owner is { } node)
            session.Execute(OwnScheduleSql, ("@name", schedule.Name), ("@node", node.ToText()));
        var known = session.First(ScheduleByNameSql, ReadSchedule, ("@name", schedule.Name));
        if (known is not null && IsSame(known, schedule))
            return false;
        var (job, key) = (schedule.Template, schedule.Template.Key);
        session.Execute(PutScheduleSql,
            ("@name", schedule.Name), ("@version", (known?.Version ?? 0) + 1), ("@cron", schedule.Cron), ("@zone", schedule.Zone),
            ("@is_persistent", schedule.IsPersistent), ("@missed_ticks", WordOf(schedule.MissedTicks)), ("@type", job.Type), ("@tag", job.Tag),
            ("@user_id", job.UserId), ("@queue", job.Queue), ("@priority", (long)job.Priority), ("@data", job.Data), ("@policy", job.Policy),
            ("@headers", job.Headers), ("@now", now), ("@next_due", schedule.NextDue?.ToMicros()), ("@last_tick", schedule.LastTick?.ToMicros()),
            ("@key", key?.Name), ("@on_conflict", (long?)key?.OnConflict), ("@scope", (long?)key?.Until.Scope), ("@key_window", key?.Until.Window.ToMicros()));
        return true;
    }

    // Everything that a submission says; not the cursor, and not what each tick gets anew.
    private static bool IsSame(Schedule a, Schedule b) =>
        a.Cron == b.Cron && a.Zone == b.Zone && a.IsPersistent == b.IsPersistent && a.MissedTicks == b.MissedTicks
        && a.Template.Type == b.Template.Type && a.Template.Tag == b.Template.Tag && a.Template.UserId == b.Template.UserId
        && a.Template.Queue == b.Template.Queue && a.Template.Priority == b.Template.Priority && a.Template.Data == b.Template.Data
        && a.Template.Policy == b.Template.Policy && a.Template.Headers == b.Template.Headers && a.Template.Key == b.Template.Key;

    private const string RemoveScheduleSql = "delete from millrace_schedule where name = @name";
    private const string RemoveOwnersSql = "delete from millrace_schedule_owner where name = @name";

    public Task<bool> RemoveScheduleAsync(string name, CancellationToken cancellationToken) => WriteAsync(session =>
    {
        session.Execute(RemoveOwnersSql, ("@name", name));
        return session.Execute(RemoveScheduleSql, ("@name", name)) == 1;
    }, cancellationToken);

    private const string SchedulesSql = """
        select name, version, cron, zone, is_persistent, missed_ticks, type, tag, user_id, queue, priority, data, policy, headers, next_due, last_tick,
               key, on_conflict, scope, key_window, paused_at, paused_by, pause_reason, resume_at
        from millrace_schedule
        order by name
        """;

    public Task<IReadOnlyList<Schedule>> ReadSchedulesAsync(CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<Schedule>>(session => session.Query(SchedulesSql, ReadSchedule), cancellationToken);

    private const string DueScheduleSql = """
        select name, version, cron, zone, is_persistent, missed_ticks, type, tag, user_id, queue, priority, data, policy, headers, next_due, last_tick,
               key, on_conflict, scope, key_window, paused_at, paused_by, pause_reason, resume_at
        from millrace_schedule
        where next_due <= @now
          and (paused_at is null or resume_at <= @now)
        order by next_due, name
        limit 1
        """;

    // A pause that had an end is over once the ticks that fell into it are decided about.
    private const string AdvanceSql = """
        update millrace_schedule
        set last_tick = @last_tick, next_due = @next_due, paused_at = null, paused_by = null, pause_reason = null, resume_at = null
        where name = @name
          and version = @version
        """;

    public Task<TickAnswer?> TickAsync(Func<Schedule, DateTimeOffset, TickPlan> plan, CancellationToken cancellationToken) =>
        WriteAsync(session => Tick(session, plan, Now()), cancellationToken);

    private static TickAnswer? Tick(Session session, Func<Schedule, DateTimeOffset, TickPlan> plan, long now)
    {
        if (session.First(DueScheduleSql, ReadSchedule, ("@now", now)) is not { } schedule)
            return null;
        var decided = plan(schedule, now.ToTime());
        SubmitSurely(session, decided.Jobs, now);
        session.Execute(AdvanceSql,
            ("@last_tick", decided.LastTick.ToMicros()), ("@next_due", decided.NextDue?.ToMicros()), ("@name", schedule.Name), ("@version", schedule.Version));
        return new TickAnswer(schedule.Name, decided.Jobs.Count, decided.Skipped, [.. decided.Jobs.Select(job => job.Queue).Distinct().Order(StringComparer.Ordinal)]);
    }

    internal static Schedule ReadSchedule(SqliteDataReader row) => new()
    {
        Name = row.GetString(0),
        Version = row.GetInt64(1),
        Cron = row.GetString(2),
        Zone = row.GetString(3),
        IsPersistent = row.GetBoolean(4),
        MissedTicks = MissedTicksOf(row.GetString(5)),
        Template = new NewJob
        {
            Id = 0,
            Nonce = 0,
            Type = row.GetString(6),
            Tag = row.MaybeText(7),
            UserId = row.GetInt64(8),
            Queue = row.GetString(9),
            Priority = row.GetInt16(10),
            Data = row.GetString(11),
            Policy = row.MaybeText(12),
            Headers = row.MaybeText(13),
            Schedule = row.GetString(0),
            Key = row.IsDBNull(16) ? null : new JobKey(row.GetString(16), (WhenPending)row.GetInt32(17), UniqueAt(row)),
        },
        NextDue = row.MaybeTime(14),
        LastTick = row.MaybeTime(15),
        Pause = row.MaybePause(20),
    };

    private static Unique UniqueAt(SqliteDataReader row) => (UniqueScope)row.GetInt32(18) switch
    {
        UniqueScope.PendingOrRunning => Unique.WhilePendingOrRunning,
        UniqueScope.Window => Unique.Within(TimeSpan.FromMicroseconds(row.GetInt64(19))),
        _ => Unique.WhilePending,
    };

    private static string WordOf(MissedTicks missed) => missed switch
    {
        MissedTicks.Skip => "skip",
        MissedTicks.All => "all",
        _ => "last",
    };

    private static MissedTicks MissedTicksOf(string word) => word switch
    {
        "skip" => MissedTicks.Skip,
        "all" => MissedTicks.All,
        _ => MissedTicks.Last,
    };
}
