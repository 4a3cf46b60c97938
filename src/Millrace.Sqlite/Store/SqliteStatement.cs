using System.Buffers;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Millrace.Sqlite;

/// <summary>
/// A prepared statement without rows, bound and run through SQLite's own interface. Microsoft.Data.Sqlite looks every parameter up by its name and makes a reader at each use,
/// which costs more than the statement (docs/decisions/0016). Used by one thread at a time.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 database;
    private readonly sqlite3_stmt statement;
    private readonly int[] places;

    public SqliteStatement(SqliteConnection connection, string sql, ReadOnlySpan<(string Name, object? Value)> values)
    {
        database = connection.Handle ?? throw new InvalidOperationException("The connection is closed.");
        Check(raw.sqlite3_prepare_v2(database, sql, out statement));
        places = new int[values.Length];
        for (var i = 0; i < places.Length; i++)
            places[i] = raw.sqlite3_bind_parameter_index(statement, values[i].Name);
    }

    /// <summary>Binds the values, in the order of the constructor's, and runs the statement.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Run(ReadOnlySpan<(string Name, object? Value)> values)
    {
        try
        {
            for (var i = 0; i < values.Length; i++)
            {
                if (places[i] > 0)
                    Check(Bind(places[i], values[i].Value));
            }

            var code = raw.sqlite3_step(statement);
            if (code is not raw.SQLITE_DONE and not raw.SQLITE_ROW)
                Check(code);
            return raw.sqlite3_changes(database);
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }

    public void Dispose() => statement.Dispose();

    private int Bind(int place, object? value) => value switch
    {
        null => raw.sqlite3_bind_null(statement, place),
        string text => BindText(place, text),
        byte[] bytes => raw.sqlite3_bind_blob(statement, place, bytes),
        long number => raw.sqlite3_bind_int64(statement, place, number),
        int number => raw.sqlite3_bind_int64(statement, place, number),
        short number => raw.sqlite3_bind_int64(statement, place, number),
        bool flag => raw.sqlite3_bind_int64(statement, place, flag ? 1 : 0),
        double number => raw.sqlite3_bind_double(statement, place, number),
        _ => throw new ArgumentException($"A value of the type {value.GetType()} has no column type."),
    };

    // Through bytes and their number, because a text may hold a zero; and not for an empty text, whose bytes are nowhere, which SQLite takes for null.
    private int BindText(int place, string text)
    {
        if (text.Length == 0)
            return raw.sqlite3_bind_text(statement, place, "");
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (most <= 1024)
        {
            Span<byte> small = stackalloc byte[1024];
            return raw.sqlite3_bind_text(statement, place, small[..Encoding.UTF8.GetBytes(text, small)]);
        }

        var bytes = ArrayPool<byte>.Shared.Rent(most);
        try
        {
            return raw.sqlite3_bind_text(statement, place, bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void Check(int code) => SqliteException.ThrowExceptionForRC(code, database);
}
