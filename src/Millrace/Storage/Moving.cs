namespace Millrace.Storage;

/// <summary>A store whose jobs can be moved to another database. Implemented by the stores that a database is moved from.</summary>
public interface IMoveSource
{
    /// <summary>What counts up in the database, so that no id is given twice after the move.</summary>
    Task<MoveCounters> ReadCountersAsync(CancellationToken cancellationToken);

    /// <summary>How many rows a table holds of those that are moved.</summary>
    Task<long> CountRowsAsync(MovedTable table, CancellationToken cancellationToken);

    /// <summary>Rows of a table in the order of its key.</summary>
    /// <param name="table">One of <see cref="MovedTable.All"/>.</param>
    /// <param name="after">The key of the last row that is had; null for the first page.</param>
    /// <param name="limit">1 to 10,000.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Each row's values in the order of <see cref="MovedTable.Columns"/>.</returns>
    Task<IReadOnlyList<object?[]>> ExportAsync(MovedTable table, IReadOnlyList<object?>? after, int limit, CancellationToken cancellationToken);
}

/// <summary>
/// A store that jobs can be moved to. What a job is comes first, in as many transactions as it takes; where it stands comes last, in one: until then nothing can be claimed, and a move that
/// was interrupted goes on where it stopped.
/// </summary>
public interface IMoveTarget
{
    /// <summary>Which move has begun here and not ended: its source; null for none.</summary>
    Task<string?> ReadMoveAsync(CancellationToken cancellationToken);

    /// <summary>Begins a move, or goes on with one.</summary>
    /// <param name="source">The database that is moved, for people.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>False when there are jobs here that no unfinished move has left, or schedules, or another move has begun: nothing was changed.</returns>
    Task<bool> BeginMoveAsync(string source, CancellationToken cancellationToken);

    /// <summary>Takes back all that an unfinished move has left. Does nothing when there is none.</summary>
    Task AbandonMoveAsync(CancellationToken cancellationToken);

    /// <summary>How many rows a table holds.</summary>
    Task<long> CountRowsAsync(MovedTable table, CancellationToken cancellationToken);

    /// <summary>The greatest key of a table whose key is made of numbers; null for one that is empty, or has another key.</summary>
    Task<IReadOnlyList<object?>?> FindLastKeyAsync(MovedTable table, CancellationToken cancellationToken);

    /// <summary>Stores rows, in a transaction of its own. Those that are there already are left alone.</summary>
    Task ImportAsync(MovedTable table, IReadOnlyList<object?[]> rows, CancellationToken cancellationToken);

    /// <summary>Ends the move: stores the places of the jobs, moves the counters on, and forgets that there was a move, all in one transaction.</summary>
    /// <param name="places">Rows of the tables that are <see cref="MovedTable.IsPlace"/>.</param>
    /// <param name="counters">From the source.</param>
    /// <param name="cancellationToken">Stops waiting. Then nothing of this was done.</param>
    /// <returns>How many rows were stored.</returns>
    Task<long> FinishMoveAsync(IAsyncEnumerable<MovedRows> places, MoveCounters counters, CancellationToken cancellationToken);
}

/// <summary>The next numbers of a database.</summary>
/// <param name="NextJob">The id that the next job would get.</param>
/// <param name="NextOperation">The id that the next operation would get.</param>
public sealed record MoveCounters(long NextJob, long NextOperation);

/// <summary>Some rows of one table.</summary>
/// <param name="Table">The table.</param>
/// <param name="Rows">Values in the order of its columns.</param>
public sealed record MovedRows(MovedTable Table, IReadOnlyList<object?[]> Rows);

/// <summary>What the values of a column are, in whatever form a database keeps them.</summary>
public enum MovedKind
{
    /// <summary>A <see cref="string"/>.</summary>
    Text,

    /// <summary>A <see cref="long"/>.</summary>
    Number,

    /// <summary>A <see cref="double"/>.</summary>
    Real,

    /// <summary>A <see cref="bool"/>.</summary>
    Truth,

    /// <summary>A <see cref="DateTimeOffset"/>.</summary>
    Time,

    /// <summary>A <see cref="TimeSpan"/>.</summary>
    Span,

    /// <summary>A <see cref="Guid"/>.</summary>
    Id,

    /// <summary>An array of <see cref="byte"/>.</summary>
    Bytes,

    /// <summary>A list of texts or numbers, as JSON text.</summary>
    List,
}

/// <summary>A column of a table that is moved.</summary>
/// <param name="Name">Its name, the same in all stores.</param>
/// <param name="Kind">What its values are.</param>
public readonly record struct MovedColumn(string Name, MovedKind Kind);

/// <summary>A table that is moved: the same columns in all stores.</summary>
/// <param name="Name">Its name, without the schema or the prefix.</param>
/// <param name="IsPlace">Whether its rows are where jobs stand, or make them: they are stored last, all at once.</param>
/// <param name="KeyLength">How many of the first columns are its key.</param>
/// <param name="Columns">All that is moved.</param>
public sealed record MovedTable(string Name, bool IsPlace, int KeyLength, IReadOnlyList<MovedColumn> Columns)
{
    /// <summary>All of them, in the order in which they are moved. Not moved are nodes and what belongs to them, events, and schedules that are not persistent: their servers submit those again.</summary>
    public static IReadOnlyList<MovedTable> All { get; } =
    [
        Make("job", 1, "id#, nonce#, type, tag, user_id#, queue, priority#, data, due@, created@, policy, headers, trace, parent#, schedule, key"),
        Make("attempt", 2, "job_id#, run#, attempt#, charged?, type, tag, node!, rescued_by!, started@, finished@, success?, outcome, result, error, remove_at@"),
        Make("job_log", 3, "job_id#, run#, line#, at@, level#, category, message, properties, exception"),
        Make("once", 2, "job_id#, key, run#, value"),
        Make("progress", 1, "job_id#, run#, at@, percent~, message"),
        Make("cancel_request", 1, "job_id#, at@, by, reason"),
        Make("deleted_job", 1, "job_id#, operation#, at@"),
        Make("operation", 1, "id#, kind, at@, by, via, reason, target, job_id#, expected#, done#, skipped#, ended@, error, before, after, undo_until@, undone_by#, touched@"),
        Make("operation_job", 2, "operation#, job_id#, before"),
        Make("job_type", 1, "name, aliases[], queue, max_attempts#, timeout+, retry, is_isolated?, schema, first_seen@, last_seen@"),
        Make("deployment", 2, "application, at@, version"),
        Make("stat_minute", 5, "bucket@, queue, type, outcome, node!, count#, wait*, run*"),
        Make("stat_hour", 5, "bucket@, queue, type, outcome, node!, count#, wait*, run*"),
        Make("queue", 1, "name, is_paused?, paused_at@, paused_by, pause_reason, resume_at@") with { IsPlace = true },
        Make("schedule", 1, "name, version#, cron, zone, is_persistent?, missed_ticks, type, tag, user_id#, queue, priority#, data, policy, headers, created@, next_due@, last_tick@, key, on_conflict#, scope#, key_window+, paused_at@, paused_by, pause_reason, resume_at@") with { IsPlace = true },
        Make("unique_key", 1, "key, job_id#, scope#, until@") with { IsPlace = true },
        Make("scheduled", 2, "due@, id#, queue, priority#, type, run#, attempt#, crashes#, is_suspect?") with { IsPlace = true },
        Make("waiting", 1, "id#, reason, since@, due@, queue, priority#, type, run#, attempt#, crashes#, is_suspect?") with { IsPlace = true },
        Make("ready", 4, "queue, priority#, pass#, id#, type, run#, attempt#, crashes#, is_suspect?") with { IsPlace = true },
        Make("lease", 1, "id!, node!, claimed_at@, job_ids[], runs[], attempts[], crashes[], passes[], is_alone?, is_suspect?") with { IsPlace = true },
    ];

    /// <summary>The columns of the key.</summary>
    public IEnumerable<MovedColumn> Key => Columns.Take(KeyLength);

    // A name with a sign for its kind; without one it is text.
    private static MovedTable Make(string name, int keyLength, string columns) => new(name, IsPlace: false, keyLength,
        [.. columns.Split(", ").Select(column => column switch
        {
            [.. var text, '[', ']'] => new MovedColumn(text, MovedKind.List),
            [.. var text, '#'] => new MovedColumn(text, MovedKind.Number),
            [.. var text, '~'] => new MovedColumn(text, MovedKind.Real),
            [.. var text, '?'] => new MovedColumn(text, MovedKind.Truth),
            [.. var text, '@'] => new MovedColumn(text, MovedKind.Time),
            [.. var text, '+'] => new MovedColumn(text, MovedKind.Span),
            [.. var text, '!'] => new MovedColumn(text, MovedKind.Id),
            [.. var text, '*'] => new MovedColumn(text, MovedKind.Bytes),
            _ => new MovedColumn(column, MovedKind.Text),
        })]);
}
