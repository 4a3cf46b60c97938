using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    public IHeartbeat OpenHeartbeat(Guid node, TimeSpan expiry)
    {
        TakeLock(node);
        return new Heartbeat(this, node, expiry);
    }

    private sealed class Heartbeat(SqliteStore store, Guid node, TimeSpan expiry) : IHeartbeat
    {
        /// <summary>How long a beat may wait for the file. It is for people only: the lock is what says that the node lives.</summary>
        private static readonly TimeSpan ShortWhile = TimeSpan.FromMilliseconds(200);

        private const string BeatSql = """
            update millrace_node
            set beat = beat + 1, expires_at = @expires_at, cpu = @cpu, memory = @memory, pool_queue = @pool_queue
            where id = @id
              and dead_at is null
            """;

        private readonly ManualResetEventSlim interrupted = new();
        private Session? session;

        public bool Beat(ProcessLoad? load = null)
        {
            try
            {
                session ??= new Session(store.file.Open(ShortWhile), null);
                // Read, which never waits for a writer; then write if the file is free.
                if (!NodeLives(session, node) || !store.locks.IsAlive(node))
                    return false;
                Show(session, load);
                return true;
            }
            catch (Exception exception) when (exception is SqliteException or IOException or UnauthorizedAccessException)
            {
                Close();
                throw Translate(exception, store.file.Path);
            }
        }

        private void Show(Session open, ProcessLoad? load)
        {
            if (!store.file.Gate.Enter(ShortWhile))
                return;
            try
            {
                open.Execute(BeatSql,
                    ("@expires_at", store.Now() + expiry.ToMicros()), ("@id", node.ToText()), ("@cpu", load?.Cpu), ("@memory", load?.Memory), ("@pool_queue", load?.PoolQueue));
            }
            catch (SqliteException exception) when (exception.SqliteErrorCode is IsBusy or IsLocked or IsFull or IsReadOnly)
            {
                // Another process writes, or nobody can: the node lives all the same.
            }
            finally
            {
                store.file.Gate.Exit();
            }
        }

        public IReadOnlyCollection<string> Wait(TimeSpan timeout)
        {
            if (interrupted.Wait(timeout))
                interrupted.Reset();
            return [];
        }

        public void Interrupt() => interrupted.Set();

        public void Dispose()
        {
            store.locks.Release(node);
            Close();
            interrupted.Set();
        }

        private void Close()
        {
            var connection = session?.Connection;
            session?.Dispose();
            connection?.Dispose();
            session = null;
        }
    }
}
