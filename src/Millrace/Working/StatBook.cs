using Millrace.Storage;

namespace Millrace.Working;

/// <summary>Counts every end that the store has accepted, by minute, queue, type and outcome, for charts and rates. What is counted here and not saved yet dies with the process; figures are no history.</summary>
internal sealed class StatBook
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, StatPage> pages = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim saving = new(1, 1);

    /// <summary>A page for one queue: its loop counts without meeting another.</summary>
    public StatPage Open(string queue)
    {
        lock (gate)
            return pages.TryGetValue(queue, out var page) ? page : pages[queue] = new StatPage(queue);
    }

    /// <summary>Counts what a rescue has ended: crashes belong into the charts. The rescuer counts them, and nobody else.</summary>
    public void Count(RescueAnswer answer, Guid node)
    {
        foreach (var run in answer.Runs)
            Open(run.Queue).Count(run, node);
    }

    /// <summary>Saves what has changed since the last time. After a failure it is saved the next time.</summary>
    public async Task SaveAsync(IJobStore store, CancellationToken cancellationToken)
    {
        await saving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            StatPage[] open;
            lock (gate)
                open = [.. pages.Values];
            List<StatRow> rows = [];
            foreach (var page in open)
                page.Read(rows);
            if (rows.Count > 0)
                await store.SaveStatsAsync(rows, cancellationToken).ConfigureAwait(false);
            foreach (var page in open)
                page.Saved();
        }
        finally
        {
            saving.Release();
        }
    }
}

/// <summary>The counts of one queue. A row holds all of its minute, and replaces the one that was saved before.</summary>
internal sealed class StatPage(string queue)
{
    // Loops answer in any order around the change of a minute, and a save may fail for a while. More than this many are nobody's loss but the chart's.
    private const int MostMinutes = 60;

    private static readonly int outcomes = Enum.GetValues<Outcome>().Length;

    private readonly Lock gate = new();
    private readonly List<Minute> minutes = [];

    /// <summary>Counts what a turn has ended. It is on the hot path: nothing is made anew but once for each minute, type and outcome.</summary>
    public void Count(Turn turn, TurnAnswer answer)
    {
        if (turn.Ends.Count + turn.Settled.Count == 0)
            return;
        lock (gate)
        {
            // By the store's clock when it accepted them: a minute that is over gets no more.
            var minute = MinuteOf(answer.Now.UtcTicks / TimeSpan.TicksPerMinute, turn.Node);
            for (var i = 0; i < turn.Settled.Count; i++)
                minute.Add(turn.Settled[i], turn.Settled[i].Outcome);
            for (var i = 0; i < turn.Ends.Count; i++)
            {
                if (answer.Ends[i] != EndVerdict.Stale)
                    minute.Add(turn.Ends[i], OutcomeOf(turn.Ends[i], answer.Ends[i]));
            }
        }
    }

    /// <summary>Counts a run that was taken back. Nobody knows how long it ran.</summary>
    public void Count(RescuedRun run, Guid node)
    {
        lock (gate)
            MinuteOf(run.Finished.UtcTicks / TimeSpan.TicksPerMinute, node).Add(run);
    }

    /// <summary>Adds what has changed. Copies: counting goes on.</summary>
    public void Read(List<StatRow> into)
    {
        lock (gate)
        {
            foreach (var minute in minutes)
                minute.Read(queue, into);
        }
    }

    /// <summary>What was read last is saved.</summary>
    public void Saved()
    {
        lock (gate)
        {
            foreach (var minute in minutes)
                minute.Saved();
            if (minutes.Count > 2)
                minutes.RemoveRange(0, minutes.Count - 2);
        }
    }

    private static Outcome OutcomeOf(AttemptEnd end, EndVerdict verdict) => verdict switch
    {
        EndVerdict.Cancelled => Outcome.Cancelled,
        EndVerdict.Superseded => Outcome.Superseded,
        _ => end.Outcome,
    };

    private Minute MinuteOf(long number, Guid node)
    {
        for (var i = minutes.Count - 1; i >= 0; i--)
        {
            // One that was let go is not opened again, where it would replace what is saved: also when a clock was set back.
            if (minutes[i].Number == number || (i == 0 && number < minutes[i].Number))
                return minutes[i];
            if (minutes[i].Number < number)
                break;
        }

        var opened = new Minute(number, node);
        minutes.Add(opened);
        minutes.Sort(static (left, right) => left.Number.CompareTo(right.Number));
        if (minutes.Count > MostMinutes)
            minutes.RemoveAt(0);
        return opened;
    }

    /// <summary>The node is the one of its first end, also if it takes another identity meanwhile: it only keeps the rows of processes apart.</summary>
    private sealed class Minute(long number, Guid node)
    {
        private readonly Dictionary<string, Cell?[]> types = new(StringComparer.Ordinal);

        public long Number => number;

        public void Add(AttemptEnd end, Outcome outcome) => CellOf(end.Claim.Type, outcome).Add(end.Started - end.Claim.Ready, end.Finished - end.Started);

        public void Add(RescuedRun run) => CellOf(run.Type, run.Outcome).Add();

        public void Read(string queue, List<StatRow> into)
        {
            var bucket = new DateTimeOffset(number * TimeSpan.TicksPerMinute, TimeSpan.Zero);
            foreach (var (type, cells) in types)
            {
                for (var i = 0; i < cells.Length; i++)
                {
                    if (cells[i] is { } cell && cell.Read(bucket, node, queue, type, (Outcome)i) is { } row)
                        into.Add(row);
                }
            }
        }

        public void Saved()
        {
            foreach (var cells in types.Values)
            {
                foreach (var cell in cells)
                    cell?.Saved();
            }
        }

        private Cell CellOf(string type, Outcome outcome)
        {
            if (!types.TryGetValue(type, out var cells))
                types[type] = cells = new Cell?[outcomes];
            return cells[(int)outcome] ??= new Cell();
        }
    }

    private sealed class Cell
    {
        private readonly Histogram wait = new();
        private readonly Histogram run = new();
        private long untimed;
        private long read;
        private long saved;

        public void Add() => untimed++;

        public void Add(TimeSpan waited, TimeSpan ran)
        {
            wait.Add(waited);
            run.Add(ran);
        }

        /// <summary>Null when it is saved as it is.</summary>
        public StatRow? Read(DateTimeOffset bucket, Guid node, string queue, string type, Outcome outcome)
        {
            read = run.Count + untimed;
            return read == saved ? null : new StatRow { Bucket = bucket, Node = node, Queue = queue, Type = type, Outcome = outcome, Count = read, Wait = Copy(wait), Run = Copy(run) };
        }

        public void Saved() => saved = read;

        private static Histogram Copy(Histogram histogram)
        {
            var copy = new Histogram();
            copy.Add(histogram);
            return copy;
        }
    }
}
