using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// What stands still because a person said so: queues, schedules, nodes.
internal sealed partial class PostgresStore
{
    private const string PauseQueue = """
        insert into millrace.queue (name, is_paused, paused_at)
        values (@name, @is_paused, case when @is_paused then coalesce(@now, clock_timestamp()) end)
        on conflict (name) do update
        set is_paused = excluded.is_paused, paused_at = excluded.paused_at, paused_by = null, pause_reason = null, resume_at = null
        """;

    // A queue that was never paused has no row yet: one that can be locked.
    private const string KnowQueue = """
        insert into millrace.queue (name)
        values (@name)
        on conflict (name) do nothing
        """;

    private const string LockQueue = """
        select is_paused and coalesce(resume_at > coalesce(@now, clock_timestamp()), true), paused_at, paused_by, pause_reason, resume_at
        from millrace.queue
        where name = @name
        for update
        """;

    private const string SetQueuePause = """
        update millrace.queue
        set is_paused = @is_paused, paused_at = case when @is_paused then coalesce(@now, clock_timestamp()) end, paused_by = @by, pause_reason = @reason, resume_at = @until
        where name = @name
        """;

    private const string LockSchedule = """
        select paused_at is not null and coalesce(resume_at > coalesce(@now, clock_timestamp()), true), paused_at, paused_by, pause_reason, resume_at
        from millrace.schedule
        where name = @name
        for update
        """;

    private const string PauseSchedule = """
        update millrace.schedule
        set paused_at = coalesce(@now, clock_timestamp()), paused_by = @by, pause_reason = @reason, resume_at = @until
        where name = @name
        """;

    // The pause is not forgotten, but over: which ticks fell into it only the next tick can tell, for it knows the calendar.
    private const string ResumeSchedule = """
        update millrace.schedule
        set resume_at = coalesce(@now, clock_timestamp())
        where name = @name
        """;

    private const string LockNode = """
        select drain_at is not null, drain_at, drain_by, drain_reason, null::timestamptz
        from millrace.node
        where id = @id and dead_at is null and expires_at > coalesce(@now, clock_timestamp())
        for update
        """;

    // A server with its worker processes, which run its jobs. One that is only starting learns it when it registers, which waits for the lock on the server's row.
    private const string DrainNode = """
        update millrace.node
        set drain_at = case when @is_draining then coalesce(@now, clock_timestamp()) end, drain_by = @by, drain_reason = @reason
        where id = @id or (server = @id and dead_at is null)
        """;

    // Pauses whose time is over. A schedule's is needed as long as there are ticks in it that nobody has decided about.
    private const string ForgetQueuePauses = """
        update millrace.queue
        set is_paused = false, paused_at = null, paused_by = null, pause_reason = null, resume_at = null
        where resume_at <= coalesce(@now, clock_timestamp())
        """;

    private const string ForgetSchedulePauses = """
        update millrace.schedule
        set paused_at = null, paused_by = null, pause_reason = null, resume_at = null
        where resume_at <= coalesce(@now, clock_timestamp()) and (next_due is null or next_due > resume_at)
        """;

    public Task PauseQueueAsync(string queue, bool isPaused, CancellationToken cancellationToken) =>
        WorkAsync("pause or resume a queue", session => session.RunAsync(PauseQueue, [Now(), Text("name", queue), Bool("is_paused", isPaused)], cancellationToken), cancellationToken);

    public async Task<bool> PauseQueueAsync(string queue, bool isPaused, DateTimeOffset? until, Author author, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        ArgumentNullException.ThrowIfNull(author);
        var isChanged = await StandStillAsync(
            isPaused ? "pause a queue" : "resume a queue",
            new Standstill(isPaused ? OperationKind.PauseQueue : OperationKind.ResumeQueue, $"queue {queue}", isPaused, isPaused ? until : null),
            author,
            async connection =>
            {
                await ExecuteAsync(connection, KnowQueue, [Text("name", queue)], cancellationToken).ConfigureAwait(false);
                return await ReadAsync(connection, LockQueue, [Now(), Text("name", queue)], StandingAt, cancellationToken).ConfigureAwait(false);
            },
            connection => ExecuteAsync(
                connection, SetQueuePause,
                [
                    Now(), Text("name", queue), Bool("is_paused", isPaused), Text("by", isPaused ? Storable(author.Name) : null), Text("reason", isPaused ? Storable(author.Reason) : null),
                    At("until", isPaused ? until : null),
                ],
                cancellationToken),
            cancellationToken).ConfigureAwait(false) == true;
        if (isChanged && !isPaused)
            await RingAsync([queue], cancellationToken).ConfigureAwait(false);
        return isChanged;
    }

    public Task<bool?> PauseScheduleAsync(string name, bool isPaused, DateTimeOffset? until, Author author, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(author);
        return StandStillAsync(
            isPaused ? "pause a schedule" : "resume a schedule",
            new Standstill(isPaused ? OperationKind.PauseSchedule : OperationKind.ResumeSchedule, $"schedule {name}", isPaused, isPaused ? until : null),
            author,
            connection => ReadAsync(connection, LockSchedule, [Now(), Text("name", name)], StandingAt, cancellationToken),
            connection => isPaused
                ? ExecuteAsync(
                    connection, PauseSchedule, [Now(), Text("name", name), Text("by", Storable(author.Name)), Text("reason", Storable(author.Reason)), At("until", until)], cancellationToken)
                : ExecuteAsync(connection, ResumeSchedule, [Now(), Text("name", name)], cancellationToken),
            cancellationToken);
    }

    public Task<bool?> DrainAsync(Guid node, bool isDraining, Author author, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(author);
        return StandStillAsync(
            isDraining ? "drain a node" : "let a node go on",
            new Standstill(isDraining ? OperationKind.Drain : OperationKind.Undrain, $"worker {node}", isDraining, null),
            author,
            connection => ReadAsync(connection, LockNode, [Now(), Uuid("id", node)], StandingAt, cancellationToken),
            connection => ExecuteAsync(
                connection, DrainNode,
                [Now(), Uuid("id", node), Bool("is_draining", isDraining), Text("by", isDraining ? Storable(author.Name) : null), Text("reason", isDraining ? Storable(author.Reason) : null)],
                cancellationToken),
            cancellationToken);
    }

    public Task<SubmitAnswer?> RunScheduleAsync(string name, NewJob job, Author author, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(author);
        return WorkAsync<SubmitAnswer?>("run a schedule", async session =>
        {
            var connection = session.Connection;
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            if ((await ReadAsync(connection, LockSchedule, [Now(), Text("name", name)], StandingAt, cancellationToken).ConfigureAwait(false)).Count == 0)
            {
                await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
                return null;
            }

            // A repeated call finds its own job stored, and records nothing again.
            var isStored = await OneAsync<long>(connection, FindStored, [Long("id", job.Id)], cancellationToken).ConfigureAwait(false) == job.Nonce;
            var answer = (await SubmitInsideAsync(connection, [job], isOwn: true, cancellationToken).ConfigureAwait(false))[0];
            if (!isStored && answer.State != SubmitState.IdTaken)
                await RecordDoneAsync(connection, OperationKind.RunSchedule, author, $"schedule {name}", answer.Id, null, null, cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return answer;
        }, cancellationToken);
    }

    /// <param name="Kind">What it is recorded as.</param>
    /// <param name="Target">To what it is done, for people.</param>
    /// <param name="IsPause">Stop, or go on.</param>
    /// <param name="Until">When it goes on by itself.</param>
    private readonly record struct Standstill(OperationKind Kind, string Target, bool IsPause, DateTimeOffset? Until);

    // Looks with the row locked, changes it, and records that. Null: there is no such thing. False: it was so before.
    private Task<bool?> StandStillAsync(
        string task, Standstill wanted, Author author, Func<NpgsqlConnection, Task<List<(bool IsPaused, Pause? Pause)>>> look, Func<NpgsqlConnection, Task> change, CancellationToken cancellationToken) =>
        WorkAsync<bool?>(task, async session =>
        {
            var connection = session.Connection;
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            var found = await look(connection).ConfigureAwait(false);
            // A pause with another end is another pause.
            if (found.Count == 0 || (found[0].IsPaused == wanted.IsPause && !(wanted.IsPause && found[0].Pause?.Until != wanted.Until)))
            {
                await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
                return found.Count == 0 ? null : false;
            }

            await change(connection).ConfigureAwait(false);
            var before = found[0] is { IsPaused: true, Pause: { } was } ? PauseJson(was) : "{}";
            var after = wanted.IsPause ? PauseJson(new Pause(default, null, null, wanted.Until)) : "{}";
            await RecordDoneAsync(connection, wanted.Kind, author, wanted.Target, null, before, after, cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }, cancellationToken);

    private static (bool IsPaused, Pause? Pause) StandingAt(NpgsqlDataReader reader) => (reader.GetBoolean(0), PauseAt(reader, 1));
}
