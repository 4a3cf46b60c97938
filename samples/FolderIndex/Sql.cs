using System.Data.Common;

namespace FolderIndex;

/// <summary>ADO.NET with fewer words.</summary>
internal static class Sql
{
    public static async Task ExecuteAsync(this DbTransaction transaction, string sql, CancellationToken cancellationToken, params (string Name, object Value)[] parameters)
    {
        await using var command = Command(transaction.Connection, sql, parameters);
        command.Transaction = transaction;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task<List<TRow>> QueryAsync<TRow>(
        this DbTransaction transaction, string sql, Func<DbDataReader, TRow> read, CancellationToken cancellationToken, params (string Name, object Value)[] parameters)
    {
        await using var command = Command(transaction.Connection, sql, parameters);
        command.Transaction = transaction;
        return await ReadAsync(command, read, cancellationToken);
    }

    public static async Task<List<TRow>> QueryAsync<TRow>(
        this DbDataSource database, string sql, Func<DbDataReader, TRow> read, CancellationToken cancellationToken, params (string Name, object Value)[] parameters)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(connection, sql, parameters);
        return await ReadAsync(command, read, cancellationToken);
    }

    private static DbCommand Command(DbConnection? connection, string sql, (string Name, object Value)[] parameters)
    {
        var command = (connection ?? throw new InvalidOperationException("The transaction has ended.")).CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value;
            command.Parameters.Add(parameter);
        }
        return command;
    }

    private static async Task<List<TRow>> ReadAsync<TRow>(DbCommand command, Func<DbDataReader, TRow> read, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<TRow>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }
}
