using Millrace.Histories;
using Millrace.Sqlite;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Working;

namespace Millrace.Tests.Simulated;

/// <summary>
/// One process, as <see cref="QueueLoop"/>, <see cref="NodeKeeper"/> and the sweep would have it behave: the store, the lease book and the decisions are the real ones; when
/// anything happens is the simulation's choice.
/// </summary>
internal sealed class SimulatedNode(Fate fate, SqliteStore store, Observer observer, Sabotage sabotage)
{
    public const string Queue = "default";

    private static readonly string[] types = ["work", "tick"];

    private static readonly JobPolicy defaults = new() { MaxAttempts = 3, Retry = RetryPolicy.Every(TimeSpan.FromSeconds(5)), RemoveDelay = TimeSpan.FromSeconds(90) };

    private readonly IdSource ids = new(store);
    private LeaseBook book = new(fate.Clock);
    private readonly List<Run> hands = [];
    private readonly List<(Run Run, AttemptEnd End, bool IsSettled)> ended = [];
    private IHeartbeat? heartbeat;
    private Turn? unanswered;
    private ClaimCursor? cursor;

    // Since it froze under this identity: what it says may be refused.
    private bool mayBeStale;

    public Guid Id { get; private set; }

    /// <summary>Between a crash and the next start.</summary>
    public bool IsDown => Id == Guid.Empty;

    /// <summary>It stands still, and the operating system has given up its lock: everybody else takes it for dead.</summary>
    public bool IsFrozen { get; private set; }

    public bool CanAct => !IsDown && !IsFrozen;

    public bool HasHands => hands.Count > 0;

    public bool HasWork => hands.Count > 0 || ended.Count > 0 || unanswered is not null;

    private sealed class Run(Claim claim)
    {
        public Claim Claim => claim;

        public DateTimeOffset? Started { get; set; }

        public bool IsCancelled { get; set; }
    }

    // ---- life

    public async Task StartAsync()
    {
        Id = fate.NewGuid();
        book = new LeaseBook(fate.Clock);
        cursor = null;
        mayBeStale = false;
        await store.RegisterAsync(new NewNode { Id = Id, Name = "simulated", Expiry = TimeSpan.FromSeconds(30), Types = types, Queues = [Queue] }, CancellationToken.None);
        heartbeat = store.OpenHeartbeat(Id, TimeSpan.FromSeconds(30));
    }

    /// <summary>The process is gone, with everything in its hands.</summary>
    public void Crash()
    {
        fate.Note(Happening.Fault, detail: "crash");
        StopHandlers();
        heartbeat?.Dispose();
        heartbeat = null;
        (Id, IsFrozen, unanswered) = (Guid.Empty, false, null);
    }

    public void Freeze()
    {
        fate.Note(Happening.Fault, detail: "freeze");
        heartbeat?.Dispose();
        heartbeat = null;
        (IsFrozen, mayBeStale) = (true, true);
    }

    /// <summary>It goes on as if nothing had happened, and will be told.</summary>
    public void Thaw()
    {
        fate.Note(Happening.Fault, detail: "thaw");
        IsFrozen = false;
    }

    /// <summary>An orderly stop: what is in hand goes back, then it says good-bye.</summary>
    public async Task LeaveAsync()
    {
        // A claim may still be on its way, and what it brings goes back as well.
        while (HasWork)
        {
            foreach (var run in hands.ToArray())
            {
                if (run.Started is not null)
                    fate.Note(Happening.Stopped, run.Claim.JobId, run.Claim.Run);
                End(run, AttemptRunner.Released(new HeldClaim(run.Claim, Id, 0), null), isSettled: false);
            }

            await TurnAsync(want: 0, isForSuspect: false);
        }

        await store.LeaveAsync(Id, CancellationToken.None);
        heartbeat?.Dispose();
        heartbeat = null;
        Id = Guid.Empty;
    }

    /// <summary>It was taken for dead: a new identity, and nothing in hand is its own any more (rule 8).</summary>
    private async Task RenewAsync()
    {
        StopHandlers();
        unanswered = null;
        heartbeat?.Dispose();
        await StartAsync();
    }

    private void StopHandlers()
    {
        foreach (var run in hands.Where(run => run.Started is not null))
            fate.Note(Happening.Stopped, run.Claim.JobId, run.Claim.Run);
        hands.Clear();
        ended.Clear();
    }

    // ---- turns

    /// <summary>Hands over what has ended and asks for more; or sends again what was not answered.</summary>
    public async Task TurnAsync(int want, bool isForSuspect)
    {
        var turn = unanswered ?? NextTurn(want, isForSuspect);
        var jobs = turn.Ends.Select(end => end.Claim.JobId).ToArray();
        var before = mayBeStale && jobs.Length > 0 ? observer.Image(jobs) : null;
        var (isDone, isAnswered, answer) = await fate.AskAsync("turn", () => store.TurnAsync(turn, CancellationToken.None));
        if (isDone && sabotage == Sabotage.ClaimsWithoutTaking && answer?.Claims is [var first, ..])
            observer.PutBackInLine(first.JobId, first.Run, first.Attempt);
        if (!isAnswered)
        {
            unanswered = turn with { IsRepeated = true };
            if (sabotage == Sabotage.ForgetsClaims && turn.Ends.Count == 0)
                unanswered = null;
            return;
        }

        unanswered = null;
        if (answer is not null)
            await DigestAsync(turn, answer, before, jobs);
    }

    private Turn NextTurn(int want, bool isForSuspect)
    {
        book.Ended([.. ended.Select(each => each.End)]);
        var turn = new Turn
        {
            Node = Id,
            Queue = Queue,
            Types = types,
            Ends = [.. ended.Where(each => !each.IsSettled).Select(each => each.End)],
            Settled = [.. ended.Where(each => each.IsSettled).Select(each => each.End)],
            EmptyLeases = book.ToClose(),
            EndedLeases = book.ToDelete(),
            LeasesToShrink = book.ToShrink(),
            Want = want,
            Lease = want > 0 ? fate.NewGuid() : Guid.Empty,
            After = isForSuspect || fate.Happens(0.3) ? null : cursor,
            SuspectsOnly = isForSuspect,
        };
        ended.Clear();
        if (want > 0)
            book.Expect(turn.Lease);
        return turn;
    }

    private async Task DigestAsync(Turn turn, TurnAnswer answer, string? before, long[] jobs)
    {
        book.Closed(turn.EmptyLeases.Concat(turn.EndedLeases));
        book.Answered(turn.Settled, null);
        book.Answered(turn.Ends, answer.Ends);
        for (var i = 0; i < turn.Ends.Count; i++)
            Digest(turn.Ends[i], answer.Ends[i]);
        if (before is not null && answer.Ends.All(verdict => verdict == EndVerdict.Stale) && observer.Image(jobs) != before)
            fate.Note(Happening.StaleWrite, jobs[0]);
        if (turn.Want == 0 && !answer.NodeIsLost)
            return;
        if (turn.Want > 0)
            book.Opened(turn.Lease, answer.Claims.Count);
        if (answer.NodeIsLost)
        {
            await RenewAsync();
            return;
        }

        hands.AddRange(answer.Claims.Select(claim => new Run(claim)));
        cursor = answer.Claims.Count == turn.Want ? answer.Last : null;
    }

    private void Digest(AttemptEnd end, EndVerdict verdict)
    {
        var claim = end.Claim;
        if (verdict != EndVerdict.Stale)
            fate.Note(Happening.Ended, claim.JobId, claim.Run, verdict == EndVerdict.Accepted ? end.Outcome.ToWord() : verdict.ToString());
        else if (observer.IsStored(claim.JobId))
            fate.Note(Happening.Refused, claim.JobId, claim.Run);
        foreach (var next in end.Then)
            fate.Note(verdict == EndVerdict.Accepted ? Happening.Submitted : Happening.NotSubmitted, next.Id);
    }

    // ---- handlers

    /// <summary>One run in hand begins, or goes on to its end.</summary>
    public async Task WorkAsync()
    {
        if (hands.Count == 0)
            return;
        var run = fate.OneOf(hands);
        if (run.Started is null)
        {
            run.Started = fate.Clock.Now;
            fate.Note(Happening.Started, run.Claim.JobId, run.Claim.Run);
        }
        else if (!run.IsCancelled && fate.Happens(0.25))
        {
            await CompleteInTransactionAsync(run);
        }
        else
        {
            await FinishAsync(run);
        }
    }

    /// <summary>The requests to cancel that are for runs of this node.</summary>
    public async Task LookForCancelsAsync()
    {
        var running = hands.Where(run => run.Started is not null).ToDictionary(run => run.Claim.JobId);
        if (running.Count == 0)
            return;
        foreach (var request in await store.ReadCancelRequestsAsync(running.Keys, CancellationToken.None))
            running[request.JobId].IsCancelled = true;
    }

    private async Task FinishAsync(Run run)
    {
        var claim = run.Claim;
        var policy = JobPolicy.Resolve(JobPolicy.FromJson(claim.Policy), null, null, defaults);
        var stop = run.IsCancelled ? StopReason.Cancelled : StopReason.None;
        var exception = run.IsCancelled ? new OperationCanceledException() : fate.IsCalm ? null : fate.Random.Next(20) switch
        {
            < 12 => null,
            < 15 => new InvalidOperationException("Oops"),
            < 17 => new EndAttemptException(Outcome.Snoozed, fate.Seconds(0, 20), "later"),
            17 => new EndAttemptException(Outcome.Discarded, TimeSpan.Zero, "hopeless"),
            18 => new EndAttemptException(Outcome.Cancelled, TimeSpan.Zero, "not needed"),
            _ => (Exception)new OperationCanceledException(),
        };
        if (exception is OperationCanceledException && !run.IsCancelled)
            stop = StopReason.Shutdown;
        var decision = EndDecision.Decide(exception, stop, null, claim.Attempt, policy, 0.5);
        if (decision.Outcome == Outcome.Succeeded)
            fate.Note(Happening.Effect, claim.JobId, claim.Run);
        fate.Note(Happening.Stopped, claim.JobId, claim.Run);
        End(run, EndOf(run, decision.Outcome, decision.IsCharged) with
        {
            Error = decision.Error,
            Again = decision.Again,
            RemoveAfter = decision.Outcome.IsFinal() ? policy.RemoveAfter(decision.Outcome) : null,
            Then = decision.Outcome == Outcome.Succeeded && fate.Happens(0.1) && !fate.IsCalm ? [await NextOfChainAsync(claim)] : [],
        }, isSettled: false);
    }

    private async Task<NewJob> NextOfChainAsync(Claim claim)
    {
        var next = new NewJob { Id = await ids.NextAsync(null, CancellationToken.None), Nonce = fate.Random.NextInt64(), Type = "work", Parent = claim.JobId };
        // Until the end is answered nobody knows: the process may die before.
        fate.Note(Happening.PerhapsSubmitted, next.Id);
        return next;
    }

    private async Task CompleteInTransactionAsync(Run run)
    {
        var claim = run.Claim;
        var end = EndOf(run, Outcome.Succeeded, isCharged: true) with { RemoveAfter = TimeSpan.FromSeconds(90) };
        var (isDone, isAnswered, isAccepted) = await fate.AskAsync("commit", async () =>
        {
            await using var connection = await store.Handlers.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = FormattableString.Invariant($"insert into effect (job, run) values ({claim.JobId}, {claim.Run})");
            await command.ExecuteNonQueryAsync();
            var accepted = await store.CompleteAsync(Id, end, transaction, CancellationToken.None);
            if (accepted || sabotage == Sabotage.CommitsWhatWasRefused)
            {
                await transaction.CommitAsync();
                fate.Note(Happening.Committed, claim.JobId, claim.Run);
            }

            return accepted;
        });
        // Without an answer the engine looks how the run stands before it does anything else.
        var standing = !isAnswered ? await store.LookAtRunAsync(Id, claim, CancellationToken.None)
            : isAccepted ? RunStanding.EndedByMe : RunStanding.Stale;
        if (standing == RunStanding.Running)
            return;
        fate.Note(Happening.Stopped, claim.JobId, claim.Run);
        if (standing == RunStanding.EndedByMe)
        {
            fate.Note(Happening.Ended, claim.JobId, claim.Run, Outcome.Succeeded.ToWord());
            End(run, end, isSettled: true);
        }
        else
        {
            // The handler learns of it by an exception, and its end is handed in like any other; the store refuses that too.
            End(run, EndOf(run, Outcome.Released, isCharged: false), isSettled: false);
        }
    }

    private AttemptEnd EndOf(Run run, Outcome outcome, bool isCharged) => new()
    {
        Claim = run.Claim,
        Outcome = outcome,
        Charged = isCharged,
        Started = run.Started ?? run.Claim.Claimed,
        Finished = fate.Clock.Now,
    };

    private void End(Run run, AttemptEnd end, bool isSettled)
    {
        hands.Remove(run);
        ended.Add((run, end, isSettled));
    }

    // ---- upkeep, as any node does it

    public async Task SweepAsync()
    {
        var survey = await store.SurveyAsync(Id, CancellationToken.None);
        foreach (var dead in survey.Expired.Where(_ => fate.IsCalm || fate.Happens(0.8)))
            await fate.AskAsync("bury", () => store.BuryAsync(dead, CancellationToken.None));
        foreach (var (lease, _) in survey.LeasesOfTheDead)
            await RescueAsync(lease, run => RescueDecision.Decide(run, JobPolicy.Resolve(JobPolicy.FromJson(run.Policy), null, null, defaults), death: null));
        if (sabotage == Sabotage.ForgetsClaims)
            return;
        foreach (var lease in survey.OwnLeases.Where(lease => !book.Knows(lease)))
            await RescueAsync(lease, RescueDecision.NeverStarted);
    }

    private async Task RescueAsync(Guid lease, Func<LeasedRun, RescueVerdict> decide)
    {
        if (sabotage == Sabotage.RescuesIntoNothing && fate.Happens(0.2))
        {
            observer.Drop(lease);
            return;
        }

        await fate.AskAsync("rescue", () => store.RescueAsync(lease, Id, run =>
        {
            var verdict = decide(run);
            fate.Note(Happening.Interrupted, run.JobId, run.Run, verdict.Outcome.ToWord());
            return verdict;
        }, CancellationToken.None));
    }
}
