using Npgsql;
using NpgsqlTypes;

namespace Millrace.Bench.Contenders;

/// <summary>The drain of <see cref="RawLoop"/>, on a thread of its own and without async: a blocked read costs least.</summary>
internal sealed class RawTurns : IWorker
{
    private const int Want = 1000;

    private const string Append = """
        insert into millrace.attempt (job_id, run, attempt, charged, type, tag, node, started, finished, success, outcome, result, error, remove_at)
        select e.job_id, e.run, e.attempt, e.charged, e.type, e.tag, @node, e.started, e.finished,
               case e.outcome when 'succeeded' then true when 'discarded' then false end, e.outcome, e.result, e.error, e.remove_at
        from unnest(@jobs, @runs, @attempts, @charged, @types, @tags, @started, @finished, @outcomes, @results, @errors, @remove_ats)
             as e(job_id, run, attempt, charged, type, tag, started, finished, outcome, result, error, remove_at)
        """;

    private const string DeleteLease = "delete from millrace.lease where id = @ended";

    // A constant limit, so that the planner knows how few rows come. The jobs are read in the statement that claims them.
    private static readonly string Claim = $"""
        with claimed as materialized (
            select r.ctid as place, r.id, r.run, r.attempt, r.crashes, r.priority, r.pass
            from millrace.ready r
            where r.queue = @queue
                and (r.priority, r.pass, r.id) > (@after_priority, @after_pass, @after_id)
                and not r.is_suspect
            order by r.priority, r.pass, r.id
            limit {Want}
            for update skip locked
        ),
        taken as (
            delete from millrace.ready r
            where r.ctid = any(array(select place from claimed))
        ),
        leased as (
            insert into millrace.lease (id, node, claimed_at, job_ids, runs, attempts, crashes, passes)
            select @lease, @node, clock_timestamp(), array_agg(id), array_agg(run), array_agg(attempt), array_agg(crashes), array_agg(pass)
            from claimed
            having count(*) > 0
        )
        select c.id, c.run, c.attempt, c.crashes, c.pass, c.priority, j.type, j.tag, j.user_id, j.data, j.due, j.created,
               j.policy, j.headers, j.trace, j.parent, j.schedule, j.key
        from claimed c
        join millrace.job j on j.id = c.id
        """;

    private readonly NpgsqlConnection connection;
    private readonly Guid node = Guid.NewGuid();
    private readonly NpgsqlBatch claim;
    private readonly NpgsqlBatch turn;
    private readonly List<Row> rows = new(Want);
    private readonly Thread thread;
    private volatile bool isStopping;

    public RawTurns(string database)
    {
        connection = new NpgsqlConnection($"{database};Pooling=false;Read Buffer Size=65536;Write Buffer Size=65536;Application Name=raw");
        claim = new NpgsqlBatch(connection) { BatchCommands = { ClaimCommand() } };
        turn = new NpgsqlBatch(connection) { BatchCommands = { AppendCommand(), DeleteCommand(), ClaimCommand() } };
        thread = new Thread(Run) { IsBackground = true };
    }

    /// <summary>Connects only now, as the engine does: the clock is running.</summary>
    public async Task StartAsync()
    {
        await connection.OpenAsync();
        // Each statement has one good plan, by index and row by row, and is planned once.
        foreach (var setting in new[] { "plan_cache_mode = force_generic_plan", "enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off", "jit = off" })
        {
            await using var command = new NpgsqlCommand($"set {setting}", connection);
            await command.ExecuteNonQueryAsync();
        }

        await claim.PrepareAsync();
        await turn.PrepareAsync();
        thread.Start();
    }

    public Task StopAsync()
    {
        isStopping = true;
        thread.Join();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await claim.DisposeAsync();
        await turn.DisposeAsync();
        await connection.DisposeAsync();
    }

    private void Run()
    {
        var (after, lease) = (default(Row), Guid.Empty);
        while (!isStopping)
        {
            var isFirst = rows.Count == 0;
            var batch = isFirst ? claim : turn;
            if (!isFirst)
                FillEnds(batch, lease);
            lease = Guid.NewGuid();
            FillClaim(batch.BatchCommands[^1], lease, after);
            var ended = rows.Count;
            using (var reader = batch.ExecuteReader())
                Read(reader);
            // What was handed in is durable now.
            Arrivals.Ran(ended);
            // The low-water cursor: while turns come back full, not over rows that were just deleted.
            after = rows.Count == Want ? rows[^1] : default;
            if (rows.Count == 0 && ended == 0)
                isStopping = true;
        }
    }

    private void Read(NpgsqlDataReader reader)
    {
        rows.Clear();
        while (reader.Read())
        {
            rows.Add(new Row(reader.GetInt64(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetInt64(4), reader.GetInt16(5), reader.GetString(6), TextAt(reader, 7)));
            // Read because a handler would need them, and let go.
            _ = reader.GetInt64(8);
            _ = reader.GetString(9);
            _ = reader.GetDateTime(10);
            _ = reader.GetDateTime(11);
            for (var column = 12; column <= 17; column++)
                _ = reader.IsDBNull(column);
        }
    }

    private static string? TextAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private void FillEnds(NpgsqlBatch batch, Guid lease)
    {
        var count = rows.Count;
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var (jobs, runs, attempts, charged) = (new long[count], new int[count], new int[count], new bool[count]);
        var (types, tags, outcomes, empty) = (new string[count], new string?[count], new string[count], new string?[count]);
        var (times, removeAts) = (new DateTime[count], new DateTime[count]);
        for (var i = 0; i < count; i++)
        {
            var row = rows[i];
            (jobs[i], runs[i], attempts[i], charged[i]) = (row.Id, row.Run, row.Attempt, true);
            (types[i], tags[i], outcomes[i]) = (row.Type, row.Tag, "succeeded");
            (times[i], removeAts[i]) = (now, now.AddHours(1));
        }

        object[] values = [node, jobs, runs, attempts, charged, types, tags, times, times, outcomes, empty, empty, removeAts];
        var parameters = batch.BatchCommands[0].Parameters;
        for (var i = 0; i < values.Length; i++)
            parameters[i].Value = values[i];
        batch.BatchCommands[1].Parameters[0].Value = lease;
    }

    private static void FillClaim(NpgsqlBatchCommand command, Guid lease, Row after)
    {
        command.Parameters[2].Value = lease;
        command.Parameters[3].Value = after.Priority;
        command.Parameters[4].Value = after.Pass;
        command.Parameters[5].Value = after.Id;
    }

    private NpgsqlBatchCommand ClaimCommand() => new(Claim)
    {
        Parameters =
        {
            new NpgsqlParameter("node", node), new NpgsqlParameter("queue", "default"), new NpgsqlParameter("lease", Guid.Empty),
            Single("after_priority", NpgsqlDbType.Smallint), Single("after_pass", NpgsqlDbType.Bigint), Single("after_id", NpgsqlDbType.Bigint),
        },
    };

    private static NpgsqlBatchCommand DeleteCommand() => new(DeleteLease) { Parameters = { new NpgsqlParameter("ended", Guid.Empty) } };

    private static NpgsqlBatchCommand AppendCommand() => new(Append)
    {
        Parameters =
        {
            Single("node", NpgsqlDbType.Uuid), Array("jobs", NpgsqlDbType.Bigint), Array("runs", NpgsqlDbType.Integer),
            Array("attempts", NpgsqlDbType.Integer), Array("charged", NpgsqlDbType.Boolean), Array("types", NpgsqlDbType.Text), Array("tags", NpgsqlDbType.Text),
            Array("started", NpgsqlDbType.TimestampTz), Array("finished", NpgsqlDbType.TimestampTz), Array("outcomes", NpgsqlDbType.Text),
            Array("results", NpgsqlDbType.Text), Array("errors", NpgsqlDbType.Text), Array("remove_ats", NpgsqlDbType.TimestampTz),
        },
    };

    private static NpgsqlParameter Single(string name, NpgsqlDbType type) => new() { ParameterName = name, NpgsqlDbType = type };

    private static NpgsqlParameter Array(string name, NpgsqlDbType type) => Single(name, NpgsqlDbType.Array | type);

    private readonly record struct Row(long Id, int Run, int Attempt, long Pass, short Priority, string Type, string? Tag);
}
