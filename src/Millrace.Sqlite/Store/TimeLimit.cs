using System.Diagnostics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Millrace.Sqlite;

/// <summary>How long one look at the file may take. SQLite asks now and then while a statement runs, and stops it. Used by one thread.</summary>
internal sealed class TimeLimit
{
    /// <summary>What people may wait for, and others behind them.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromSeconds(2);

    /// <summary>After this a search ends with what it has found.</summary>
    public static readonly TimeSpan Enough = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Reserve = TimeSpan.FromMilliseconds(100);

    // Some 100 microseconds of SQLite's work.
    private const int Instructions = 10_000;

    private long start = Stopwatch.GetTimestamp();
    private TimeSpan most = Most;
    private Func<bool> isWanted = static () => true;

    public TimeSpan Spent => Stopwatch.GetElapsedTime(start);

    /// <summary>Begins anew.</summary>
    /// <param name="wanted">False when nobody waits for the answer any more.</param>
    public void Restart(Func<bool> wanted)
    {
        (start, most, isWanted) = (Stopwatch.GetTimestamp(), Most, wanted);
    }

    /// <summary>Runs something that may be stopped before the rest, so that the rest goes on.</summary>
    /// <returns>False when it was stopped.</returns>
    public bool TryWithin(TimeSpan time, Action action)
    {
        var end = Spent + time;
        most = end < Most - Reserve ? end : Most - Reserve;
        try
        {
            action();
            return true;
        }
        // However late it is by now: on a machine that is busy a statement may stop long after it was told to.
        catch (SqliteException exception) when (exception.SqliteErrorCode == SqliteStore.IsInterrupted && isWanted())
        {
            return false;
        }
        finally
        {
            most = Most;
        }
    }

    public void Watch(SqliteConnection connection) =>
        raw.sqlite3_progress_handler(connection.Handle, Instructions, static limit => limit is TimeLimit { IsOver: true } ? 1 : 0, this);

    private bool IsOver => Spent > most || !isWanted();
}
