using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Millrace.Sqlite;

/// <summary>
/// Connections to a SQLite file that are ready for transactions beside Millrace: write-ahead log, busy timeout, foreign keys and
/// synchronous set; a transaction begins immediate, and waits its turn in line with the engine of the same process instead of polling.
/// Safe for use from any thread; a connection is for one flow at a time.
/// </summary>
public sealed class SqliteDataSource : DbDataSource
{
    private readonly SqliteFile file;

    internal SqliteDataSource(SqliteFile file) => this.file = file;

    /// <summary>Makes a data source for a file, with the same settings as Millrace's own.</summary>
    /// <param name="fileOrConnectionString">The path of the file, or a connection string of Microsoft.Data.Sqlite.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">There is no file: the path is empty, or the database would live in memory.</exception>
    public SqliteDataSource(string fileOrConnectionString, SqliteOptions? options = null)
        : this(new SqliteFile(fileOrConnectionString, options ?? new SqliteOptions()))
    {
    }

    /// <inheritdoc />
    public override string ConnectionString => file.HandlerConnectionString;

    /// <summary>A closed connection. <see cref="SqliteConnection.Open"/> applies the settings.</summary>
    protected override DbConnection CreateDbConnection() => new GatedConnection(file);

    /// <summary>Closes the pooled connections, so that nothing keeps the file open.</summary>
    protected override void Dispose(bool disposing)
    {
        using var pooled = new SqliteConnection(file.HandlerConnectionString);
        SqliteConnection.ClearPool(pooled);
        base.Dispose(disposing);
    }
}
