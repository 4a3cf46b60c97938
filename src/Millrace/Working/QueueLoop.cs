using Millrace.Storage;
using Millrace.Telemetry;

namespace Millrace.Working;

/// <summary>
/// Works on one queue: claims jobs, keeps the slots busy, hands the ends back. Ends and claims share a turn, one round trip and one commit; while a turn is on its way the
/// slots go on with what is in hand, so that the busier it is the larger the turns are. There is no timer in the saturated path.
/// </summary>
internal sealed class QueueLoop
{
    // While batches come back full, claims go on from the last place; this is how long a row that became ready behind it can be missed.
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(250);

    // How long a finished result may wait for company while there is still enough in hand to run.
    private static readonly TimeSpan LongestWaitOfAnEnd = TimeSpan.FromMilliseconds(50);

    // Claimed jobs that have not started for this long go back: the guess of how long jobs take was wrong, and others may be free.
    private static readonly TimeSpan LongestWaitInHand = TimeSpan.FromSeconds(1);

    private readonly MillraceInstance instance;
    private readonly TimeSpan window;
    private readonly Signal wake = new();
    private readonly Slots slots;
    private readonly TurnSender sender;
    private readonly Lock gate = new();

    // Under the gate: what the slots have finished and no turn has taken yet, and the lease of the last suspect.
    private List<(HeldClaim Held, RunEnd Run)> ended = [];
    private Guid suspect;

    // Touched by whoever has something to tell.
    private int isWoken = 1;
    private int isWokenForSuspect;

    // Written only by the loop.
    private volatile bool isDraining;
    private volatile bool mayHaveMore;

    // Touched only by the loop.
    private bool wantsSuspect;
    private bool tookSuspect;
    private bool isFlushing;
    private int fullBatches;
    private ClaimCursor? cursor;
    private long sweptAt;
    private double averageDataSize;

    /// <param name="instance">Whose loop it is.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="concurrency">How many jobs run at once.</param>
    /// <param name="window">How long claimed jobs may wait in hand.</param>
    /// <param name="firstSlot">The number of its first slot among all of this process.</param>
    public QueueLoop(MillraceInstance instance, string queue, int concurrency, TimeSpan window, int firstSlot)
    {
        this.instance = instance;
        this.window = window;
        Queue = queue;
        Concurrency = concurrency;
        Leases = new LeaseBook(instance.Time);
        slots = new Slots(instance, concurrency, firstSlot, Add, wake.Set);
        sender = new TurnSender(instance, queue);
        instance.WakeUps.Watch(queue, Wake);
    }

    public string Queue { get; }

    public int Concurrency { get; }

    public LeaseBook Leases { get; }

    /// <summary>Handlers that were given up and still run.</summary>
    public int Abandoned => slots.Abandoned;

    /// <summary>Jobs that were claimed and handed back unstarted or unfinished at the stop.</summary>
    public int Released { get; private set; }

    /// <summary>How many turns in a row have failed; 0 when the last was answered.</summary>
    public int FailedTurns => sender.Failed;

    /// <summary>The last claim left nothing in line that it could have taken.</summary>
    public bool IsAtEnd => Volatile.Read(ref isWoken) == 0 && !mayHaveMore;

    /// <summary>There may be something to claim.</summary>
    public void Wake()
    {
        Volatile.Write(ref isWoken, 1);
        wake.Set();
    }

    /// <summary>A suspect is in line: it is claimed alone.</summary>
    public void WakeForSuspect()
    {
        Volatile.Write(ref isWokenForSuspect, 1);
        wake.Set();
    }

    /// <summary>Keeps a slot for a job that is about to be stored. Not while others may be in line: they come first.</summary>
    public bool TryReserve() => IsAtEnd && !isDraining && !instance.Node.IsDraining && slots.TryReserve();

    /// <summary>What became of a reservation: these were claimed with it, or none.</summary>
    /// <param name="reserved">How many slots were kept.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="claimed">What it lists.</param>
    public void Adopt(int reserved, Guid lease, IReadOnlyList<HeldClaim> claimed)
    {
        Leases.Opened(lease, claimed.Count);
        foreach (var held in claimed)
            Hold(held);
        slots.Unreserve(reserved);
        if (isDraining)
            wake.Set();
    }

    /// <summary>What kept it from claiming is over.</summary>
    public void LookAgain() => wake.Set();

    /// <summary>Claims and runs until <paramref name="stopping"/>, then hands back what has not started and waits for what runs. Returns when every end is written.</summary>
    /// <param name="stopping">Claim no more.</param>
    /// <param name="abandoned">Stop at once, whatever is not written yet; the leases tell others what to take back.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abandoned)
    {
        sweptAt = instance.Time.GetTimestamp();
        slots.Open();
        using var stop = stopping.Register(wake.Set);

        while (true)
        {
            if (stopping.IsCancellationRequested && !isDraining)
                BeginDrain();
            if (NextTurn() is { } turn)
                await TakeAsync(turn, abandoned).ConfigureAwait(false);
            else if (isDraining && IsEmpty())
                return;
            else if (!await wake.WaitAsync(LongestWait(), instance.Time, abandoned).ConfigureAwait(false))
                Flush();
        }
    }

    /// <summary>Writes the end of an attempt whose handler did not stop in time.</summary>
    /// <returns>False when it has ended by itself, or is completing the job just now.</returns>
    public bool GiveUp(Attempt attempt, AttemptEnd end)
    {
        if (!attempt.TryGiveUp())
            return false;
        slots.Abandon();
        if (end.Outcome == Outcome.Released)
            Released++;
        Add(attempt.Held, new RunEnd(end, IsSettled: false));
        wake.Set();
        return true;
    }

    /// <summary>Our node was taken for dead: nothing in hand is ours any more.</summary>
    public void DropEverything()
    {
        slots.DropUnstarted();
        Leases.Clear();
        Wake();
    }

    private void BeginDrain()
    {
        isDraining = true;
        slots.Close();
        GiveBackUnstarted();
    }

    private void GiveBackUnstarted()
    {
        while (slots.TryTakeBack(out var held))
        {
            Add(held, new RunEnd(AttemptRunner.Released(held, null), IsSettled: false));
            Released++;
        }
    }

    private bool IsEmpty()
    {
        lock (gate)
            return slots.AreEmpty && ended.Count == 0;
    }

    private TimeSpan LongestWait()
    {
        lock (gate)
        {
            if (ended.Count > 0)
                return LongestWaitOfAnEnd;
        }
        // It may be another suspect's turn, whose end nobody tells us.
        if (wantsSuspect && instance.Solo.TakesSuspects)
            return SweepInterval;
        return slots.Waiting > 0 ? LongestWaitInHand : TimeSpan.MaxValue;
    }

    /// <summary>Nothing has happened for a while although something waits.</summary>
    private void Flush()
    {
        isFlushing = true;
        if (!slots.TryPeek(out var oldest))
            return;
        var waited = instance.Time.GetElapsedTime(oldest.Received);
        if (waited < LongestWaitInHand || isDraining)
            return;
        slots.RunAtLeast(waited);
        GiveBackUnstarted();
    }

    /// <summary>Decides whether it is worth going to the database now, and with what. Null: wait.</summary>
    private PendingTurn? NextTurn()
    {
        if (Interlocked.Exchange(ref isWoken, 0) == 1)
            mayHaveMore = true;
        if (Interlocked.Exchange(ref isWokenForSuspect, 0) == 1)
            wantsSuspect = true;

        var solo = instance.Solo;
        if (solo.IsRule && IsEmpty())
            solo.Release(this);

        var target = Prefetch.Target(Concurrency, slots.AverageRun, window, averageDataSize);
        var inLine = slots.Waiting;
        var room = isDraining || !instance.Node.MayClaim ? 0 : Concurrency - slots.Abandoned + target - inLine - slots.Running;
        var isHungry = mayHaveMore && room > 0 && inLine <= target / 2;
        // Suspects go one by one and before the others, but every second turn is the others', however many suspects a death has left.
        var claimsSuspect = wantsSuspect && solo.TakesSuspects && room > 0 && !(isHungry && tookSuspect) && solo.TryTake(this, slots.AreEmpty);
        var claims = isHungry && !claimsSuspect && (!solo.IsRule || (instance.Types.HasIsolated && solo.TryTake(this, slots.AreEmpty)));
        tookSuspect = claimsSuspect;
        // The slots call when they have worked off half of what is in hand, or at each end when nothing more is expected to come.
        slots.LowWater = mayHaveMore ? target / 2 : int.MaxValue;

        lock (gate)
        {
            var endsMustGo = ended.Count > 0 && (isFlushing || isDraining || !mayHaveMore || inLine == 0 || ended.Count >= Prefetch.Most);
            endsMustGo |= !mayHaveMore && inLine == 0 && Leases.HasToDelete;
            if (!claims && !claimsSuspect && !endsMustGo)
                return null;
            isFlushing = false;
            var turn = new PendingTurn(ended, claims && !solo.IsRule ? Math.Min(room, Prefetch.MostPerTurn) : claims || claimsSuspect ? 1 : 0, claimsSuspect);
            ended = [];
            return turn;
        }
    }

    private async Task TakeAsync(PendingTurn pending, CancellationToken abandoned)
    {
        var node = instance.Node.Id;
        List<AttemptEnd> ends = new(pending.Ended.Count);
        List<AttemptEnd> settled = [];
        foreach (var (held, run) in pending.Ended)
        {
            // Claimed under an identity that was taken for dead since: the store would refuse it.
            if (held.Node != node)
            {
                Refused(held.Claim);
                continue;
            }
            (run.IsSettled ? settled : ends).Add(run.End);
        }
        Leases.Ended(ends);
        Leases.Ended(settled);

        var turn = new Turn
        {
            Node = node,
            Queue = Queue,
            Types = pending.IsForSuspect ? instance.Types.Names : instance.Solo.IsRule ? instance.Types.Isolated : instance.Types.Ordinary,
            Ends = ends,
            Settled = settled,
            EmptyLeases = Leases.ToClose(),
            EndedLeases = Leases.ToDelete(),
            LeasesToShrink = Leases.ToShrink(),
            Want = pending.Want,
            Lease = pending.Want > 0 ? Guid.NewGuid() : Guid.Empty,
            After = pending.IsForSuspect ? null : CursorOrSweep(),
            SuspectsOnly = pending.IsForSuspect,
            IsAlone = instance.Solo.IsRule,
        };
        if (turn.Want > 0)
            Leases.Expect(turn.Lease);
        if (await sender.SendAsync(turn, abandoned).ConfigureAwait(false) is { } answer)
            Digest(turn, answer);
    }

    private ClaimCursor? CursorOrSweep()
    {
        var now = instance.Time.GetTimestamp();
        if (cursor is not null && instance.Time.GetElapsedTime(sweptAt, now) < SweepInterval)
            return cursor;
        sweptAt = now;
        return null;
    }

    private void Digest(Turn turn, TurnAnswer answer)
    {
        Leases.Closed(turn.EmptyLeases.Concat(turn.EndedLeases));
        Leases.Answered(turn.Settled, null);
        Leases.Answered(turn.Ends, answer.Ends);
        for (var i = 0; i < turn.Ends.Count; i++)
            Digest(turn.Ends[i], answer.Ends[i]);

        if (turn.Want == 0)
            return;
        Leases.Opened(turn.Lease, answer.Claims.Count);
        if (answer.NodeIsLost)
        {
            instance.Node.LooksLost(turn.Node);
            return;
        }
        if (turn.SuspectsOnly)
        {
            wantsSuspect = answer.Claims.Count > 0;
            lock (gate)
                suspect = turn.Lease;
            if (!wantsSuspect)
                instance.Solo.Release(this);
        }
        Hold(turn, answer);
        if (turn.SuspectsOnly)
            return;
        var isFull = answer.Claims.Count >= turn.Want;
        // A short batch behind a cursor says nothing about the rows before it: look once more from the start.
        mayHaveMore = isFull || turn.After is not null;
        cursor = isFull ? answer.Last : null;
        fullBatches = isFull ? fullBatches + 1 : 0;
        instance.Idleness.BatchCame(fullBatches);
        if (answer.NextDue is { } due)
            instance.Promoter.NextDueIs(due, answer.Now);
    }

    private void Hold(Turn turn, TurnAnswer answer)
    {
        var received = instance.Time.GetTimestamp();
        foreach (var claim in answer.Claims)
        {
            averageDataSize += (claim.Data.Length - averageDataSize) / 16;
            Hold(new HeldClaim(claim, turn.Node, received));
        }
    }

    private void Hold(HeldClaim held)
    {
        if (slots.TryHold(held))
            return;
        // The stop came while the claim was on its way: back, unstarted.
        Add(held, new RunEnd(AttemptRunner.Released(held, null), IsSettled: false));
        Released++;
    }

    private void Digest(AttemptEnd end, EndVerdict verdict)
    {
        // Most jobs are over now, and nothing follows.
        if (verdict == EndVerdict.Accepted && end.Outcome.IsFinal() && end.Then.Count == 0)
            return;
        var claim = end.Claim;
        switch (verdict)
        {
            case EndVerdict.Stale:
                Refused(claim);
                return;
            case EndVerdict.Superseded:
                Log.Superseded(instance.Log, claim.JobId, claim.Type, claim.Queue, claim.Attempt);
                return;
            case EndVerdict.Cancelled:
                return;
        }
        if (!end.Outcome.IsFinal())
        {
            if (end.Again > TimeSpan.Zero)
                instance.WakeUps.Scheduled.Set();
            else if (!isDraining)
                Wake();
        }
        foreach (var next in end.Then)
            instance.Telemetry.Submitted(next.Type, next.Queue, 1);
        instance.WakeUps.Submitted(end.Then);
    }

    private void Refused(Claim claim)
    {
        instance.Telemetry.Stale(claim);
        Log.Stale(instance.Log, claim.JobId, claim.Type, claim.Queue, claim.Attempt);
    }

    private void Add(HeldClaim held, RunEnd run)
    {
        bool wasSuspect;
        lock (gate)
        {
            ended.Add((held, run));
            wasSuspect = held.Claim.Lease == suspect;
        }
        // Where every job runs alone the next may start with the turn that writes this end, not before.
        if (wasSuspect && !instance.Solo.IsRule)
            instance.Solo.Release(this);
    }

    private sealed record PendingTurn(List<(HeldClaim Held, RunEnd Run)> Ended, int Want, bool IsForSuspect);
}
