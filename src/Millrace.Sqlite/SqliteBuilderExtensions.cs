using Millrace.Sqlite;

namespace Millrace;

/// <summary>Chooses SQLite as the database of Millrace.</summary>
public static class SqliteBuilderExtensions
{
    /// <summary>Keeps jobs in a SQLite file: no server, no set-up. The file may be the application's own; Millrace's tables begin with <c>millrace_</c>.</summary>
    /// <param name="builder">The builder that <c>AddMillrace</c> gave.</param>
    /// <param name="fileOrConnectionString">The path of the file, or a connection string of Microsoft.Data.Sqlite. Made when it is missing, with its directory. On a local disk: SQLite's locks do not hold on network shares.</param>
    /// <param name="configure">Sets options; null for the defaults.</param>
    /// <exception cref="ArgumentException">There is no file: the path is empty, or the database would live in memory.</exception>
    public static MillraceBuilder UseSqlite(this MillraceBuilder builder, string fileOrConnectionString, Action<SqliteOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = new SqliteOptions();
        configure?.Invoke(options);
        var database = new SqliteFile(fileOrConnectionString, options);
        return builder.UseStore((_, clock) => new SqliteStore(database, clock));
    }
}
