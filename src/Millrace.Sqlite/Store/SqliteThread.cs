using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Millrace.Storage;

namespace Millrace.Sqlite;

/// <summary>
/// A thread with a connection of its own that does the engine's work: SQLite's calls block, and on the thread pool they would starve the
/// handlers. The writing one stands in the file's line, and what queued up meanwhile shares one transaction and one sync of the disk.
/// </summary>
internal sealed class SqliteThread(SqliteFile file, string name, SqliteThread.Role role) : IDisposable
{
    public enum Role
    {
        /// <summary>Changes the file.</summary>
        Write,

        /// <summary>Reads for the engine.</summary>
        Read,

        /// <summary>Reads for people, who may ask for too much: each operation has a limit of time.</summary>
        Look,
    }

    /// <summary>How many operations share a commit at most: enough to hide the sync of the disk, and the file is free again soon.</summary>
    private const int GroupSize = 64;

    private readonly BlockingCollection<Work> queue = [];
    private readonly Lock door = new();
    private Thread? thread;
    private bool isClosed;

    // Touched only by the thread.
    private Session? session;

    public Task<T> RunAsync<T>(Func<Session, T> run, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellationToken);
        var work = new Work<T>(run);
        lock (door)
        {
            ObjectDisposedException.ThrowIf(isClosed, this);
            queue.Add(work, CancellationToken.None);
            if (thread is null)
            {
                thread = new Thread(Loop) { IsBackground = true, Name = name };
                thread.Start();
            }
        }

        return work.WaitAsync(cancellationToken);
    }

    /// <summary>Does what is queued, then closes the connection.</summary>
    public void Dispose()
    {
        lock (door)
        {
            if (isClosed)
                return;
            isClosed = true;
            queue.CompleteAdding();
        }

        thread?.Join();
        queue.Dispose();
    }

    private void Loop()
    {
        foreach (var first in queue.GetConsumingEnumerable())
        {
            if (role == Role.Write)
                Write(first);
            else
                Read(first);
        }

        Close();
    }

    private void Read(Work work)
    {
        if (!work.IsWanted)
            return;
        try
        {
            var opened = Open();
            opened.Limit?.Restart(() => work.IsWanted);
            // One snapshot for all statements of an operation.
            opened.Execute("begin deferred");
            work.Run(opened);
            RollBack(opened);
            work.Succeed();
        }
        catch (Exception exception)
        {
            Abandon(exception);
            work.Fail(SqliteStore.Translate(exception, file.Path));
        }
    }

    private void Write(Work first)
    {
        var group = new List<Work> { first };
        while (group.Count < GroupSize && queue.TryTake(out var next))
            group.Add(next);
        group.RemoveAll(work => !work.IsWanted);
        if (group.Count == 0)
            return;
        if (!file.Gate.Enter(file.BusyTimeout))
        {
            FailAll(group, SqliteStore.Busy(file.Path, file.BusyTimeout, null));
            return;
        }

        var done = new List<Work>();
        try
        {
            WriteGroup(group, done);
        }
        catch (Exception exception)
        {
            Abandon(exception);
            FailAll(group, SqliteStore.Translate(exception, file.Path));
            return;
        }
        finally
        {
            file.Gate.Exit();
        }

        foreach (var work in done)
            work.Succeed();
    }

    private void WriteGroup(List<Work> group, List<Work> done)
    {
        var opened = Open();
        opened.Execute("begin immediate");
        foreach (var work in group)
        {
            if (group.Count > 1)
                opened.Execute("savepoint work");
            try
            {
                work.Run(opened);
                done.Add(work);
            }
            catch (Exception exception) when (group.Count > 1 && IsInTransaction(opened))
            {
                opened.Execute("rollback to work");
                work.Fail(SqliteStore.Translate(exception, file.Path));
            }

            if (group.Count > 1)
                opened.Execute("release work");
        }

        Commit(opened);
    }

    private static void Commit(Session opened)
    {
        try
        {
            opened.Execute("commit");
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == SqliteStore.IoError)
        {
            // Here: the commit record may already be in the log, and a process that opens the file later may find it there.
            throw new StoreException(StoreFault.Unknown,
                "SQLite could not finish writing a commit (disk error). The change may be stored or not; the same operation can be repeated. Look at the disk.", exception);
        }
    }

    private Session Open()
    {
        if (session is not null)
            return session;
        if (role != Role.Look)
            return session = new Session(file.Open(file.BusyTimeout), null);
        session = new Session(file.OpenToLook(), null) { Limit = new TimeLimit() };
        session.Limit.Watch(session.Connection);
        return session;
    }

    private void Close()
    {
        var connection = session?.Connection;
        session?.Dispose();
        connection?.Dispose();
        session = null;
    }

    private void Abandon(Exception exception)
    {
        try
        {
            if (session is not null)
                RollBack(session);
            CloseIfBroken(exception);
        }
        catch (SqliteException)
        {
            // A connection that cannot even roll back: closing it does.
            Close();
        }
    }

    // After a conflict, or a look that was stopped, the connection is as good as before; after anything else a new one may see a file that was replaced or freed.
    private void CloseIfBroken(Exception exception)
    {
        if (exception is StoreException { Fault: StoreFault.Unknown } or SqliteException { SqliteErrorCode: not (SqliteStore.IsBusy or SqliteStore.IsLocked or SqliteStore.IsInterrupted) })
            Close();
    }

    private static void RollBack(Session opened)
    {
        // A full disk or a disk error has already rolled back by itself.
        if (IsInTransaction(opened))
            opened.Execute("rollback");
    }

    private static bool IsInTransaction(Session opened) =>
        opened.Connection.Handle is { } handle && SQLitePCL.raw.sqlite3_get_autocommit(handle) == 0;

    private static void FailAll(List<Work> group, Exception exception)
    {
        foreach (var work in group)
            work.Fail(exception);
    }

    private abstract class Work
    {
        /// <summary>False when whoever asked has gone away before the work began.</summary>
        public abstract bool IsWanted { get; }

        public abstract void Run(Session session);

        public abstract void Succeed();

        public abstract void Fail(Exception exception);
    }

    private sealed class Work<T>(Func<Session, T> run) : Work
    {
        private readonly TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Action? succeed;

        public override bool IsWanted => !answer.Task.IsCompleted;

        public override void Run(Session session)
        {
            var result = run(session);
            succeed = () => answer.TrySetResult(result);
        }

        public override void Succeed() => succeed?.Invoke();

        public override void Fail(Exception exception) => answer.TrySetException(exception);

        public async Task<T> WaitAsync(CancellationToken cancellationToken)
        {
            await using var registration = cancellationToken.UnsafeRegister(
                static (state, token) => ((TaskCompletionSource<T>?)state)?.TrySetCanceled(token), answer).ConfigureAwait(false);
            return await answer.Task.ConfigureAwait(false);
        }
    }
}
