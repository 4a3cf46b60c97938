using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Sqlite;

/// <summary>
/// Jobs in a SQLite file. One writer at a time, so an operation is a short program inside <c>begin immediate</c>: choose with a select, then
/// change by key, and no other writer can come between. One file of this folder for each group of operations.
/// </summary>
internal sealed partial class SqliteStore : IJobStore
{
    private readonly SqliteFile file;
    private readonly StoreClock clock;
    private readonly SqliteThread writer;
    private readonly SqliteThread reader;
    private readonly NodeLocks locks;

    public SqliteStore(SqliteFile file, StoreClock clock)
    {
        this.file = file;
        this.clock = clock;
        writer = new SqliteThread(file, "Millrace SQLite writer", isWriter: true);
        reader = new SqliteThread(file, "Millrace SQLite reader", isWriter: false);
        locks = new NodeLocks(file.LockDirectory);
        Handlers = new SqliteDataSource(file);
    }

    public string Name => $"SQLite {file.Path}";

    public bool HasBell => false;

    public bool HasOneWriter => true;

    public DbDataSource Handlers { get; }

    public async ValueTask DisposeAsync()
    {
        // Joining a thread that finishes its queue may take a moment: not on the caller's thread.
        await Task.Run(() =>
        {
            writer.Dispose();
            reader.Dispose();
            locks.Dispose();
        }).ConfigureAwait(false);
        await Handlers.DisposeAsync().ConfigureAwait(false);
    }
}
