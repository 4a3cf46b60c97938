using System.Globalization;
using Npgsql;

namespace Millrace.Bench.Measuring;

/// <summary>Single statements against the server, each over a connection of its own.</summary>
internal static class Server
{
    public static async Task<NpgsqlConnection> OpenAsync(string database)
    {
        var connection = new NpgsqlConnection($"{database};Pooling=false;Command Timeout=900;Application Name=bench");
        await connection.OpenAsync();
        return connection;
    }

    public static async Task<T> AskAsync<T>(string database, string sql)
    {
        await using var connection = await OpenAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)Convert.ChangeType(await command.ExecuteScalarAsync() ?? throw new InvalidOperationException($"No answer to: {sql}"), typeof(T), CultureInfo.InvariantCulture);
    }

    public static async Task ExecuteAsync(string database, params string[] statements)
    {
        await using var connection = await OpenAsync(database);
        foreach (var sql in statements)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>
    /// A database of its own for each run, so that none pays for the one before. The checkpoint stands before the submission and none follows: pages are then written to the
    /// WAL as a whole once or not at all, for every contender alike.
    /// </summary>
    public static async Task<string> NewDatabaseAsync(string server, string name)
    {
        await ExecuteAsync(server, $"drop database if exists {name} with (force)", $"create database {name}", "checkpoint");
        return new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
    }
}
