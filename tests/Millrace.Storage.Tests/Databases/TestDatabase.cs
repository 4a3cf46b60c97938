using System.Data.Common;

namespace Millrace.Storage.Tests;

/// <summary>A database that one test has for itself.</summary>
public abstract class TestDatabase
{
    // Tests look often, and a new connection is dearer than what they look at.
    private readonly SemaphoreSlim looking = new(1);
    private DbConnection? eye;

    /// <summary>Whether one transaction at a time may write, so that a race between two open writers cannot happen.</summary>
    public abstract bool HasOneWriter { get; }

    /// <summary>Another one of the same kind.</summary>
    public abstract TestDatabase Fresh();

    /// <summary>Makes it, empty.</summary>
    public abstract Task CreateAsync();

    /// <summary>Takes it away again, whoever is still connected.</summary>
    public abstract Task DropAsync();

    /// <summary>A store on it, as a process of its own would have.</summary>
    public abstract IJobStore Open(StoreClock clock);

    /// <summary>A connection past the store, and past PgBouncer.</summary>
    public abstract Task<DbConnection> ConnectAsync();

    /// <summary>What one of Millrace's tables is called in a statement.</summary>
    public abstract string Table(string name);

    /// <summary>Lists the places of the job <c>@id</c>. Finished counts as a place unless the job has a later run, after an operator's retry.</summary>
    public string PlacesSql => $"""
        with leased as ({LeasedSql}),
        place as (
            select 'ready' as name, run from {Table("ready")} where id = @id
            union all select 'scheduled', run from {Table("scheduled")} where id = @id
            union all select 'waiting', run from {Table("waiting")} where id = @id
            union all select 'lease', leased.run from leased
                where not exists (select 1 from {Table("attempt")} a where a.job_id = @id and a.run = leased.run))
        select name from place
        union all
        select 'finished' from {Table("attempt")}
        where job_id = @id and outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded')
            and run = (select max(run) from {Table("attempt")} where job_id = @id)
            and run >= coalesce((select max(run) from place), 0)
        """;

    /// <summary>Lists the column <c>run</c> of every lease that lists the job <c>@id</c>.</summary>
    public abstract string LeasedSql { get; }

    /// <summary>Gives the planner the statistics of this moment.</summary>
    public Task AnalyzeAsync() => QueryAsync("analyze");

    /// <summary>Whether some session of this database waits for a lock.</summary>
    public abstract Task<bool> SomebodyWaitsAsync();

    public async Task<IReadOnlyList<object?[]>> QueryAsync(string sql, params (string Name, object? Value)[] parameters)
    {
        await looking.WaitAsync();
        try
        {
            eye ??= await ConnectAsync();
            return await QueryAsync(eye, null, sql, parameters);
        }
        finally
        {
            looking.Release();
        }
    }

    /// <summary>Closes the connection that the test looked through.</summary>
    protected async Task CloseAsync()
    {
        if (eye is not null)
            await eye.DisposeAsync();
        eye = null;
    }

    public static async Task<IReadOnlyList<object?[]>> QueryAsync(
        DbConnection connection, DbTransaction? transaction, string sql, params (string Name, object? Value)[] parameters)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++)
                row[i] = await reader.IsDBNullAsync(i) ? null : reader.GetValue(i);
            rows.Add(row);
        }
        return rows;
    }
}
