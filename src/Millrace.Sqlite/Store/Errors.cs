using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    internal const int IsBusy = 5;
    internal const int IsLocked = 6;
    internal const int IsReadOnly = 8;
    internal const int IsInterrupted = 9;
    internal const int IoError = 10;
    internal const int IsCorrupt = 11;
    internal const int IsFull = 13;
    internal const int CannotOpen = 14;
    internal const int IsNoDatabase = 26;
    private const int BusySnapshot = 517;

    public StoreFault? Classify(Exception exception) => exception switch
    {
        StoreException known => known.Fault,
        SqliteException sqlite => FaultOf(sqlite.SqliteErrorCode),
        _ => exception.InnerException is { } inner ? Classify(inner) : null,
    };

    /// <summary>A failure of the database becomes a <see cref="StoreException"/>; anything else (a fault of a callback) stays what it is.</summary>
    internal static Exception Translate(Exception exception, string path) => exception switch
    {
        SqliteException { SqliteErrorCode: IsBusy or IsLocked } busy => Busy(path, null, busy),
        SqliteException sqlite => new StoreException(FaultOf(sqlite.SqliteErrorCode), $"{Advice(sqlite, path)} SQLite says: {sqlite.Message}", sqlite),
        IOException or UnauthorizedAccessException => new StoreException(StoreFault.Unavailable,
            $"The files of the SQLite database {path} cannot be used: {exception.Message} Nothing was changed. This process needs to read and write in their directory.", exception),
        _ => exception,
    };

    internal static StoreException Busy(string path, TimeSpan? waited, SqliteException? cause)
    {
        if (cause?.SqliteExtendedErrorCode == BusySnapshot)
            return new StoreException(StoreFault.Conflict,
                $"The transaction on {path} began with a read, and another one has written since: SQLite cannot let it write any more. Nothing was changed. "
                + "Roll back and begin again with an immediate transaction: connection.BeginTransaction(), not BeginTransaction(deferred: true).", cause);
        return new StoreException(StoreFault.Conflict,
            $"Another transaction was writing to {path} for longer than the busy timeout{(waited is { } time ? $" of {time.TotalSeconds:0.#} s" : "")}. Nothing was changed; the same call may be repeated. "
            + "If this code itself has that transaction open, submit in it: jobs.Using(transaction). Otherwise keep transactions short, or raise SqliteOptions.BusyTimeout.", cause);
    }

    private static StoreFault FaultOf(int code) => code switch
    {
        IsBusy or IsLocked => StoreFault.Conflict,
        IsReadOnly or IsFull => StoreFault.ReadOnly,
        IoError or CannotOpen or IsInterrupted => StoreFault.Unavailable,
        _ => StoreFault.Rejected,
    };

    private static string Advice(SqliteException exception, string path) => exception.SqliteErrorCode switch
    {
        IsInterrupted => $"Looking at the SQLite database {path} took longer than {TimeLimit.Most.TotalSeconds:0} s and was stopped, so that it holds nobody up. Ask for less: a narrower filter, a shorter time.",
        IsReadOnly => $"The SQLite database {path} is read-only. Nothing was changed. Give this process the right to write to the file and to its directory.",
        IsFull => $"The disk of the SQLite database {path} is full. Nothing was changed; even deleting needs space. Free some, and the work goes on.",
        IoError => $"The disk of the SQLite database {path} gave an error. Nothing was changed. Look at the disk, and keep the file off network shares.",
        CannotOpen => $"The SQLite database {path} could not be opened. Check the path, the rights to its directory, and the limit of open files.",
        IsCorrupt => $"The SQLite database {path} is damaged. Stop all processes that use it, keep a copy, and restore a backup (or try \"sqlite3 {path} .recover\").",
        IsNoDatabase => $"The file {path} is not a SQLite database, or is encrypted. Give UseSqlite another path, or move the file away.",
        _ => $"The SQLite database {path} rejected a statement.",
    };
}
