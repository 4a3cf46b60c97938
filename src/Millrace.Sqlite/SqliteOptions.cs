namespace Millrace.Sqlite;

/// <summary>How Millrace uses a SQLite file. Set in the callback of <c>UseSqlite</c>, read once at start.</summary>
public sealed class SqliteOptions
{
    /// <summary>When a commit counts as done. Holds for the engine's connections and for those of the handlers' data source.</summary>
    /// <value><see cref="SqliteSynchronous.Full"/>.</value>
    public SqliteSynchronous Synchronous { get; set; } = SqliteSynchronous.Full;

    /// <summary>How long a write waits for another one, in this process or another, before it fails as a conflict. SQLite lets one writer in at a time.</summary>
    /// <value>5 seconds. 1 second to 10 minutes. A transaction of the application that is open longer makes submissions fail.</value>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>SQLite's setting <c>synchronous</c>: what a power cut can take away. None of them loses anything when only the process dies.</summary>
public enum SqliteSynchronous
{
    /// <summary>Each commit reaches the disk before it returns. What was submitted survives a power cut.</summary>
    Full,

    /// <summary>Commits reach the disk with the next checkpoint. Faster where the disk is slow to sync, but a power cut can undo the latest of them (the file stays sound).</summary>
    Normal,
}
