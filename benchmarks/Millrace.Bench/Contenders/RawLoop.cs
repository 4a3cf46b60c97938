using Npgsql;
using NpgsqlTypes;

namespace Millrace.Bench.Contenders;

/// <summary>
/// The limit that the engine is measured against: the same tables and the same columns, by hand, without an engine. One connection; one round trip and one commit for a turn of
/// 1,000, which stores the ends of the turn before, deletes its lease, and claims and reads the next. No types, no nodes, no fences, no handlers, no JSON.
/// </summary>
internal sealed class RawLoop : IContender
{
    public string Name => "raw";

    public string Title => "raw loop, same tables";

    public string Settings => "one connection, turns of 1,000, prepared, binary; COPY of 10,000 in one transaction";

    public string IsFinished => MillracePostgres.NothingIsLeft;

    public string CountSucceeded => MillracePostgres.CountAttempts;

    public string CountStored => MillracePostgres.CountJobs;

    public string LateRate => MillracePostgres.LateRateOfAttempts;

    public Task PrepareAsync(string database) => MillracePostgres.MakeTablesAsync(database);

    public async Task<ISubmitter> OpenSubmitterAsync(string database) => await RawCopy.OpenAsync(database);

    public Task<IWorker> BuildWorkerAsync(string database) => Task.FromResult<IWorker>(new RawTurns(database));
}

/// <summary>COPY into both tables.</summary>
internal sealed class RawCopy : ISubmitter
{
    private const int BatchSize = 10_000;

    private const string Jobs = """
        copy millrace.job (id, nonce, type, tag, user_id, queue, priority, data, due, created, policy, headers, trace, parent, schedule)
        from stdin (format binary)
        """;

    private const string Ready = """
        copy millrace.ready (queue, priority, pass, id, type, run, attempt, crashes, is_suspect)
        from stdin (format binary)
        """;

    private readonly NpgsqlConnection connection;

    private RawCopy(NpgsqlConnection connection) => this.connection = connection;

    public static async Task<RawCopy> OpenAsync(string database)
    {
        var connection = new NpgsqlConnection($"{database};Pooling=false;Write Buffer Size=65536");
        await connection.OpenAsync();
        return new RawCopy(connection);
    }

    public async Task SubmitManyAsync(int count, string text)
    {
        for (var first = 0; first < count; first += BatchSize)
        {
            var now = TimeProvider.System.GetUtcNow().UtcDateTime;
            await using var transaction = await connection.BeginTransactionAsync();
            CopyJobs(first, Math.Min(BatchSize, count - first), text, now);
            CopyReady(first, Math.Min(BatchSize, count - first), now);
            await transaction.CommitAsync();
        }
    }

    public Task SubmitAsync(int number, string text) => throw new NotSupportedException("Single submissions are pgbench's.");

    public Task PingAsync(int number) => throw new NotSupportedException("The raw loop has no handlers.");

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private void CopyJobs(int first, int count, string text, DateTime now)
    {
        using var copy = connection.BeginBinaryImport(Jobs);
        for (var number = first; number < first + count; number++)
        {
            copy.StartRow();
            copy.Write((long)number + 1, NpgsqlDbType.Bigint);
            copy.Write((long)number * 7919, NpgsqlDbType.Bigint);
            copy.Write("noop", NpgsqlDbType.Text);
            copy.WriteNull();
            copy.Write(0L, NpgsqlDbType.Bigint);
            copy.Write("default", NpgsqlDbType.Text);
            copy.Write((short)0, NpgsqlDbType.Smallint);
            copy.Write($$"""{"number":{{number}},"text":"{{text}}"}""", NpgsqlDbType.Text);
            copy.Write(now, NpgsqlDbType.TimestampTz);
            copy.Write(now, NpgsqlDbType.TimestampTz);
            for (var i = 0; i < 5; i++)
                copy.WriteNull();
        }

        copy.Complete();
    }

    private void CopyReady(int first, int count, DateTime now)
    {
        var pass = (now - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        using var copy = connection.BeginBinaryImport(Ready);
        for (var number = first; number < first + count; number++)
        {
            copy.StartRow();
            copy.Write("default", NpgsqlDbType.Text);
            copy.Write((short)0, NpgsqlDbType.Smallint);
            copy.Write(pass, NpgsqlDbType.Bigint);
            copy.Write((long)number + 1, NpgsqlDbType.Bigint);
            copy.Write("noop", NpgsqlDbType.Text);
            copy.Write(1, NpgsqlDbType.Integer);
            copy.Write(1, NpgsqlDbType.Integer);
            copy.Write(0, NpgsqlDbType.Integer);
            copy.Write(false, NpgsqlDbType.Boolean);
        }

        copy.Complete();
    }
}
