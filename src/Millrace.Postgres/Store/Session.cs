using Npgsql;

namespace Millrace.Postgres;

/// <summary>One operation's hold on the work connection.</summary>
internal sealed class Session(PostgresStore store, NpgsqlConnection connection)
{
    // Planned for look-ups by key, always: right after a restart, or when a table was empty at its last analyze, the statistics of
    // tables whose rows come and go lead to plans that read or sort a whole queue. commit is never answered before it is durable.
    public const string Settings = """
        select set_config('lock_timeout', @lock_timeout, @local),
               set_config('enable_seqscan', 'off', @local),
               set_config('enable_bitmapscan', 'off', @local),
               set_config('enable_sort', 'off', @local),
               set_config('enable_mergejoin', 'off', @local),
               set_config('jit', 'off', @local),
               set_config('plan_cache_mode', 'force_generic_plan', @local),
               set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, @local)
        """;

    private bool hasSettings;

    public NpgsqlConnection Connection => connection;

    /// <summary>Whether a commit may have reached the database, so that a broken connection leaves the outcome unknown.</summary>
    public bool CommitIsInFlight { get; set; }

    public static NpgsqlParameter[] SettingValues(PostgresStore store) =>
        [Text("lock_timeout", $"{(int)store.LockTimeout.TotalMilliseconds}ms"), Bool("local", !store.HasOwnSession)];

    /// <summary>The beginning of a transaction, to be sent together with the statements that are added.</summary>
    public NpgsqlBatch Begin()
    {
        var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("begin isolation level read committed"));
        hasSettings = !store.HasOwnSession;
        if (hasSettings)
            Add(batch, Settings, SettingValues(store));
        return batch;
    }

    /// <summary>More statements of the transaction that has begun.</summary>
    public NpgsqlBatch Continue()
    {
        hasSettings = false;
        return new NpgsqlBatch(connection);
    }

    public void Add(NpgsqlBatch batch, string text, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(store.Sql(text));
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
    }

    /// <summary>Sends a batch that begins a transaction, and stands at the first result after the settings'.</summary>
    /// <param name="batch">From <see cref="Begin"/> or <see cref="Continue"/>.</param>
    /// <param name="withCommit">Whether its last statement is to be the commit.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<NpgsqlDataReader> SendAsync(NpgsqlBatch batch, bool withCommit, CancellationToken cancellationToken)
    {
        if (withCommit)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("commit"));
            CommitIsInFlight = true;
        }

        var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (hasSettings)
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        return reader;
    }

    /// <summary>Reads on to the answer of the commit. Disposing of a reader does so too, but keeps a failure to itself.</summary>
    public async Task FinishAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
        {
        }

        await reader.DisposeAsync().ConfigureAwait(false);
        CommitIsInFlight = false;
    }

    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await using var batch = Begin();
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One statement without rows, in a transaction of its own.</summary>
    public async Task<int> RunAsync(string text, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var batch = Begin();
        Add(batch, text, parameters);
        var statement = batch.BatchCommands[^1];
        await using var reader = await SendAsync(batch, withCommit: true, cancellationToken).ConfigureAwait(false);
        await FinishAsync(reader, cancellationToken).ConfigureAwait(false);
        return statement.RecordsAffected;
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        await using var commit = new NpgsqlCommand("commit", connection);
        CommitIsInFlight = true;
        await commit.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        CommitIsInFlight = false;
    }

    public async Task RollBackAsync(CancellationToken cancellationToken)
    {
        await using var rollback = new NpgsqlCommand("rollback", connection);
        await rollback.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        CommitIsInFlight = false;
    }
}
