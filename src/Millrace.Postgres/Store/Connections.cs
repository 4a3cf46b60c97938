using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// The engine has two connections: this one, on which all operations take turns, and the heartbeat's. Handlers have a pool of their own, and
// so have those who only look.
internal sealed partial class PostgresStore
{
    private readonly ConcurrentDictionary<string, string> texts = new(ReferenceEqualityComparer.Instance);
    private readonly SemaphoreSlim turns = new(1, 1);
    private readonly Lock sources = new();

    // Guarded by turns.
    private NpgsqlConnection? work;
    private bool isExamined;
    private readonly ConnectPause pause = new();

    // Guarded by sources.
    private NpgsqlDataSource? workSource;
    private NpgsqlDataSource? beatSource;
    private NpgsqlDataSource? handlers;
    private NpgsqlDataSource? looks;
    private volatile bool isPooled;
    private volatile bool isDisposed;

    public bool Owns(DbConnection connection)
    {
        if (connection is not NpgsqlConnection npgsql)
            return false;
        var mine = settings ?? new NpgsqlConnectionStringBuilder(given?.ConnectionString);
        var theirs = new NpgsqlConnectionStringBuilder(npgsql.ConnectionString);
        // Several hosts are one database: whichever of them a transaction is on, it is on ours.
        return (mine.Database ?? mine.Username) == (theirs.Database ?? theirs.Username) && Hosts.Of(mine).Intersect(Hosts.Of(theirs)).Any();
    }

    /// <summary>One operation on the work connection: waits for its turn, opens the connection when there is none, and turns the provider's exceptions into ours.</summary>
    private async Task<T> WorkAsync<T>(string task, Func<Session, Task<T>> operation, CancellationToken cancellationToken)
    {
        await turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            var session = new Session(this, await OpenWorkAsync(cancellationToken).ConfigureAwait(false));
            try
            {
                return await operation(session).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                await ClearAsync(exception).ConfigureAwait(false);
                if (Translate(exception, task, session.CommitIsInFlight) is { } fault)
                    throw fault;
                throw;
            }
        }
        finally
        {
            turns.Release();
        }
    }

    private async Task<NpgsqlConnection> OpenWorkAsync(CancellationToken cancellationToken)
    {
        if (work is { FullState: ConnectionState.Open })
            return work;
        await DropWorkAsync().ConfigureAwait(false);
        claimedHere.Clear();
        pause.ThrowIfItLasts();
        try
        {
            var connection = await WorkSource().OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            work = connection;
            if (!isExamined)
                connection = await ExamineAsync(connection, cancellationToken).ConfigureAwait(false);
            if (HasOwnSession)
                await SettleAsync(connection, cancellationToken).ConfigureAwait(false);
            return work = connection;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            await DropWorkAsync().ConfigureAwait(false);
            throw pause.After(CannotConnect(exception));
        }
    }

    internal TimeSpan LockTimeout => options.LockTimeout;

    internal string Schema => options.Schema;

    internal TimeProvider Time => clock.Time;

    // A session that nobody else uses, before or after: what is set in it once need not be set in each transaction.
    internal bool HasOwnSession => !isPooled && given is null;

    private async Task SettleAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Session.Settings, Session.SettingValues(this));
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    // PgBouncer makes up the process number that it tells a client, so a wrong one shows it. What it would break (prepared statements,
    // LISTEN) is not used before this was asked: statements are prepared at their fifth use.
    private async Task<NpgsqlConnection> ExamineAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (options.Pooler == PostgresPooler.Detect)
        {
            await using var command = new NpgsqlCommand("select pg_backend_pid()", connection);
            isPooled = await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is int pid && pid != connection.ProcessID;
        }

        isExamined = true;
        if (!isPooled || given is not null)
            return connection;
        NpgsqlDataSource? old;
        lock (sources)
        {
            (old, workSource) = (workSource, null);
        }

        await connection.DisposeAsync().ConfigureAwait(false);
        work = null;
        if (old is not null)
            await old.DisposeAsync().ConfigureAwait(false);
        return await WorkSource().OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
    }

    // After a failure the transaction must be gone before the next operation comes. An error of the database costs the connection too: a
    // statement that fails while it is being prepared by itself can leave Npgsql with a wrong idea of what is prepared (npgsql/npgsql#6391),
    // and later batches would be read out of step. Opening another takes milliseconds, and errors are rare.
    private async Task ClearAsync(Exception exception)
    {
        if (work is not { FullState: ConnectionState.Open } || exception is DbException or OperationCanceledException or IOException or TimeoutException)
        {
            await DropWorkAsync().ConfigureAwait(false);
            return;
        }

        try
        {
            await using var rollback = new NpgsqlCommand("rollback", work) { CommandTimeout = 5 };
            await rollback.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is DbException or InvalidOperationException or OperationCanceledException or IOException or TimeoutException)
        {
            await DropWorkAsync().ConfigureAwait(false);
        }
    }

    private async Task DropWorkAsync()
    {
        if (work is null)
            return;
        var broken = work;
        work = null;
        try
        {
            // A connection of the application's own data source goes back to its pool: without what may be wrong about prepared statements.
            if (given is not null && !isPooled && broken.FullState == ConnectionState.Open)
                broken.UnprepareAll();
            await broken.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is DbException or InvalidOperationException or IOException)
        {
            // It is broken; there is nothing left to close.
        }
    }

    private NpgsqlDataSource WorkSource()
    {
        lock (sources)
        {
            return given ?? (workSource ??= Build("millrace", engine =>
            {
                engine.Pooling = false;
                // A full turn brings some 250 KB of jobs and takes some 150 KB of ends: in pieces of the default 8 KB each would wait thirty times for a thread.
                engine.ReadBufferSize = engine.WriteBufferSize = 64 * 1024;
                engine.MaxAutoPrepare = isPooled ? 0 : 100;
                engine.AutoPrepareMinUsages = 5;
                engine.CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds);
            }));
        }
    }

    private NpgsqlDataSource BeatSource()
    {
        lock (sources)
        {
            return given ?? (beatSource ??= Build("millrace beat", engine =>
            {
                var seconds = (int)Math.Ceiling(options.BeatTimeout.TotalSeconds);
                engine.Pooling = false;
                engine.MaxAutoPrepare = 0;
                engine.Timeout = seconds;
                engine.CommandTimeout = seconds;
                engine.CancellationTimeout = -1;
                engine.KeepAlive = 0;
            }));
        }
    }

    private NpgsqlDataSource HandlersSource()
    {
        lock (sources)
        {
            return given ?? (handlers ??= Build("millrace handlers", pool =>
            {
                pool.Pooling = true;
                pool.MinPoolSize = 0;
                pool.MaxPoolSize = options.HandlerConnections;
                if (isPooled)
                {
                    pool.MaxAutoPrepare = 0;
                    pool.NoResetOnClose = true;
                }
            }));
        }
    }

    // Nothing here depends on what a session keeps, so it works behind a pooler without asking whether there is one.
    internal NpgsqlDataSource LookSource()
    {
        lock (sources)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            return given ?? (looks ??= Build("millrace dashboard", pool =>
            {
                pool.Pooling = true;
                pool.MinPoolSize = 0;
                pool.MaxPoolSize = 2;
                pool.MaxAutoPrepare = 0;
                pool.NoResetOnClose = true;
                pool.CommandTimeout = 10;
            }));
        }
    }

    private NpgsqlDataSource Build(string application, Action<NpgsqlConnectionStringBuilder> change)
    {
        var text = new NpgsqlConnectionStringBuilder(settings?.ConnectionString) { Multiplexing = false, Enlist = false };
        text.ApplicationName ??= application;
        text.TcpKeepAlive = true;
        if (text.TcpKeepAliveTime == 0)
            text.TcpKeepAliveTime = 5;
        if (text.TcpKeepAliveInterval == 0)
            text.TcpKeepAliveInterval = 2;
        if (isPooled)
            text.NoResetOnClose = true;
        Hosts.PreferThePrimary(text);
        change(text);
        return new NpgsqlDataSourceBuilder(text.ConnectionString).Build();
    }

    private async Task CloseAsync()
    {
        await turns.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            isDisposed = true;
            await DropWorkAsync().ConfigureAwait(false);
        }
        finally
        {
            turns.Release();
        }

        foreach (var source in new[] { workSource, beatSource, handlers, looks })
        {
            if (source is not null)
                await source.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The statement with the chosen schema. Made once for each text: statements are constants, so their reference is their identity.</summary>
    internal string Sql(string text) => texts.GetOrAdd(text, static (key, store) => store.SqlOf(key), this);

    /// <summary>The same for a text that was put together, and is not kept. Values are never part of it.</summary>
    internal string SqlOf(string text) => text.Replace("millrace.", schema + ".", StringComparison.Ordinal);

    private NpgsqlCommand Command(NpgsqlConnection connection, string text, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlCommand(Sql(text), connection);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    internal NpgsqlParameter Now() => At("now", clock.Now);

    private async Task<int> ExecuteAsync(NpgsqlConnection connection, string text, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, text, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<List<T>> ReadAsync<T>(
        NpgsqlConnection connection, string text, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, text, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await CollectAsync(reader, read, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<List<T>> CollectAsync<T>(NpgsqlDataReader reader, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            rows.Add(read(reader));
        return rows;
    }

    // The value in the first column of the first row; null when there is no row.
    private async Task<T?> OneAsync<T>(NpgsqlConnection connection, string text, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
        where T : struct
    {
        await using var command = Command(connection, text, parameters);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is T value ? value : null;
    }
}
