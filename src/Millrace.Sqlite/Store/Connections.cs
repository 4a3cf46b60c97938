using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    public bool Owns(DbConnection connection) =>
        connection is SqliteConnection sqlite && sqlite.DataSource.Length > 0
        && string.Equals(RealPath(sqlite.DataSource), RealPath(file.Path), OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    // One local clock: SQLite is a library in this process.
    internal long Now() => clock.Time.GetUtcNow().ToMicros();

    private Task<T> WriteAsync<T>(Func<Session, T> run, CancellationToken cancellationToken) => writer.RunAsync(run, cancellationToken);

    private Task<T> ReadAsync<T>(Func<Session, T> run, CancellationToken cancellationToken) => reader.RunAsync(run, cancellationToken);

    /// <summary>On a connection for people, with a limit of time: see <see cref="TimeLimit"/>.</summary>
    internal Task<T> LookAsync<T>(Func<Session, T> run, CancellationToken cancellationToken) => looker.RunAsync(run, cancellationToken);

    /// <summary>The same for what takes most of that time: not in the way of those who only look. The thread begins with its first work.</summary>
    internal Task<T> ExamineAsync<T>(Func<Session, T> run, CancellationToken cancellationToken) => doctor.RunAsync(run, cancellationToken);

    /// <summary>In the caller's transaction, on the caller's thread: its connection is not to be used by two threads. Without one, as any other write.</summary>
    private Task<T> WriteAsync<T>(DbTransaction? transaction, Func<Session, T> run, CancellationToken cancellationToken)
    {
        if (transaction is null)
            return WriteAsync(run, cancellationToken);
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellationToken);
        try
        {
            return Task.FromResult(WriteInside(transaction, run));
        }
        catch (Exception exception)
        {
            return Task.FromException<T>(Translate(exception, file.Path));
        }
    }

    private T WriteInside<T>(DbTransaction transaction, Func<Session, T> run)
    {
        if (transaction is not SqliteTransaction { Connection: { } connection } open)
            throw new InvalidOperationException($"The transaction is not an open transaction of Microsoft.Data.Sqlite ({transaction.GetType().Name}). Give the one that was begun on {file.Path}, before it is committed.");
        if (!Owns(connection))
            throw new InvalidOperationException($"The transaction is on {connection.DataSource}, but jobs are kept in {file.Path}. A submission can only be part of a transaction on the same file.");
        using var session = new Session(connection, open);
        // All or nothing, also when the caller catches the exception and commits what else it did.
        session.Script("savepoint millrace");
        try
        {
            var answer = run(session);
            session.Script("release millrace");
            return answer;
        }
        catch
        {
            if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0)
                session.Script("rollback to millrace; release millrace");
            throw;
        }
    }

    // SQLite reports the path of an open file with its links resolved.
    private static string RealPath(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            if (File.ResolveLinkTarget(full, returnFinalTarget: true) is { } target)
                return target.FullName;
            return Path.GetDirectoryName(full) is { Length: > 0 } directory && Directory.ResolveLinkTarget(directory, returnFinalTarget: true) is { } real
                ? Path.Combine(real.FullName, Path.GetFileName(full))
                : full;
        }
        catch (IOException)
        {
            return full;
        }
    }
}
