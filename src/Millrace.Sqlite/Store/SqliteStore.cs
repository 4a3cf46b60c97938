using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Sqlite;

/// <summary>
/// Jobs in a SQLite file. One writer at a time, so an operation is a short program inside <c>begin immediate</c>: choose with a select, then
/// change by key, and no other writer can come between. One file of this folder for each group of operations.
/// </summary>
internal sealed partial class SqliteStore : IJobStore, IJobOperations
{
    private readonly SqliteFile file;
    private readonly StoreClock clock;
    private readonly SqliteThread writer;
    private readonly SqliteThread reader;
    private readonly SqliteThread looker;
    private readonly SqliteThread doctor;
    private readonly NodeLocks locks;

    public SqliteStore(SqliteFile file, StoreClock clock)
    {
        this.file = file;
        this.clock = clock;
        writer = new SqliteThread(file, "Millrace SQLite writer", SqliteThread.Role.Write);
        reader = new SqliteThread(file, "Millrace SQLite reader", SqliteThread.Role.Read);
        looker = new SqliteThread(file, "Millrace SQLite looker", SqliteThread.Role.Look);
        doctor = new SqliteThread(file, "Millrace SQLite doctor", SqliteThread.Role.Look);
        locks = new NodeLocks(file.LockDirectory);
        Handlers = new SqliteDataSource(file);
        Inspection = new SqliteInspection(this);
    }

    internal SqliteFile Database => file;

    public string Name => $"SQLite {file.Path}";

    public IJobInspection Inspection { get; }

    public IJobOperations Operations => this;

    public IReadOnlyList<Setting> Settings =>
    [
        Setting.Of("Sqlite.Synchronous", file.Synchronous, new SqliteOptions().Synchronous),
        Setting.Of("Sqlite.BusyTimeout", file.BusyTimeout, new SqliteOptions().BusyTimeout),
    ];

    public bool HasBell => false;

    public DbDataSource Handlers { get; }

    public async ValueTask DisposeAsync()
    {
        // Joining a thread that finishes its queue may take a moment: not on the caller's thread.
        await Task.Run(() =>
        {
            writer.Dispose();
            reader.Dispose();
            looker.Dispose();
            doctor.Dispose();
            locks.Dispose();
        }).ConfigureAwait(false);
        await Handlers.DisposeAsync().ConfigureAwait(false);
    }
}
