using System.Text.Json;
using Millrace.Storage;

namespace Millrace.Sqlite;

// Runs that ended: what is stored of them, and what they leave behind.
internal sealed partial class SqliteStore
{
    private static EndVerdict End(Session session, Guid node, AttemptEnd end, TurnLeases leases, bool hasRequests, bool hasNotes, long now)
    {
        SaveLog(session, end.Log);
        var claim = end.Claim;
        var lease = leases.Find(claim.Lease);
        var index = lease?.IndexOf(claim.JobId, claim.Run) ?? -1;
        if (lease is null || index < 0)
            return Judge(session, node, end);

        var outcome = end.Outcome;
        var error = end.Error;
        if (!outcome.IsFinal())
        {
            if (hasRequests && session.Any(HasRequestSql, ("@id", claim.JobId)))
                outcome = Outcome.Cancelled;
            else if (SuccessorOf(session, claim.Key, claim.JobId) is { } successor)
                (outcome, error) = (Outcome.Superseded, SupersededBy(successor, error));
        }

        var attempt = lease.Attempts[index];
        var run = new EndedRun(claim.JobId, claim.Run, attempt, claim.Type, claim.Tag)
        {
            Charged = end.Charged,
            Node = node,
            Started = end.Started.ToMicros(),
            Finished = end.Finished.ToMicros(),
            Outcome = outcome,
            Result = end.Result,
            Error = error,
            RemoveAt = outcome == end.Outcome ? RemoveAt(end) : RemoveAt(claim.Policy, now),
        };
        if (!InsertAttempt(session, run))
            return Judge(session, node, end);

        leases.MarkEnded(lease, index);
        if (outcome.IsFinal())
        {
            if (hasNotes)
                Forget(session, claim.JobId);
            FreeKey(session, claim.Key, claim.JobId, now);
        }
        else
        {
            // A run that was handed back unstarted tells nothing about what made it a suspect; one that ended in order does.
            var crashes = lease.Crashes[index];
            var isSuspect = outcome == Outcome.Released && lease.IsSuspect;
            // A run that was handed back keeps its place in line.
            var due = end.Again > TimeSpan.Zero ? now + end.Again.ToMicros() : outcome == Outcome.Released ? lease.Passes[index] : now;
            Put(session, new Pending(claim.JobId, claim.Queue, claim.Priority, claim.Type, claim.Run + 1, attempt + (end.Charged ? 1 : 0), crashes, isSuspect) { Due = due }, now);
        }

        if (outcome == end.Outcome)
            SubmitSurely(session, end.Then, now);
        return VerdictOf(outcome, end.Outcome);
    }

    private static long? RemoveAt(AttemptEnd end) =>
        end.Outcome.IsFinal() && end.RemoveAfter is { } delay ? end.Finished.ToMicros() + delay.ToMicros() : null;

    private const string HasRequestSql = "select 1 from millrace_cancel_request where job_id = @id";

    private const string WhoEndedSql = "select node, rescued_by, outcome from millrace_attempt where job_id = @id and run = @run";

    /// <summary>A run that could not be ended: an answer that was lost, or somebody else was first (rule 3).</summary>
    private static EndVerdict Judge(Session session, Guid node, AttemptEnd end)
    {
        var row = session.First(WhoEndedSql, row => new EndedBy(row.MaybeGuid(0), row.MaybeGuid(1), OutcomeExtensions.ToOutcome(row.GetString(2))),
            ("@id", end.Claim.JobId), ("@run", (long)end.Claim.Run));
        return row is { RescuedBy: null } mine && mine.Node == node ? VerdictOf(mine.Outcome, end.Outcome) : EndVerdict.Stale;
    }

    private sealed record EndedBy(Guid? Node, Guid? RescuedBy, Outcome Outcome);

    private static EndVerdict VerdictOf(Outcome stored, Outcome asked) => stored switch
    {
        Outcome.Cancelled when asked != Outcome.Cancelled => EndVerdict.Cancelled,
        Outcome.Superseded when asked != Outcome.Superseded => EndVerdict.Superseded,
        _ => EndVerdict.Accepted,
    };

    /// <summary>What a run that was ended in the user's transaction left behind: its key, its log lines, its notes.</summary>
    private static void Settle(Session session, AttemptEnd end, long now)
    {
        SaveLog(session, end.Log);
        // Here: an operator may have made the job run again since the commit. Its key and its notes are the new run's then.
        if (!HasEnded(session, end.Claim.JobId, end.Claim.Run) || FindPending(session, end.Claim.JobId) is not null || FindRunning(session, end.Claim.JobId) is not null)
            return;
        Forget(session, end.Claim.JobId);
        FreeKey(session, end.Claim.Key, end.Claim.JobId, now);
    }

    private const string InsertAttemptSql = """
        insert into millrace_attempt (
            job_id, run, attempt, charged, type, tag, node, rescued_by, started, finished, success, outcome, result, error, remove_at)
        values (
            @job_id, @run, @attempt, @charged, @type, @tag, @node, @rescued_by, @started, @finished, @success, @outcome, @result, @error, @remove_at)
        on conflict do nothing
        """;

    /// <summary>The fence: false when somebody ended this run before.</summary>
    private static bool InsertAttempt(Session session, EndedRun run) => session.Execute(InsertAttemptSql,
        ("@job_id", run.JobId), ("@run", (long)run.Run), ("@attempt", (long)run.Attempt), ("@charged", run.Charged), ("@type", run.Type), ("@tag", run.Tag),
        ("@node", run.Node?.ToText()), ("@rescued_by", run.RescuedBy?.ToText()), ("@started", run.Started), ("@finished", run.Finished),
        ("@success", SuccessOf(run.Outcome)), ("@outcome", run.Outcome.ToWord()), ("@result", run.Result), ("@error", run.Error), ("@remove_at", run.RemoveAt)) == 1;

    private static object? SuccessOf(Outcome outcome) => outcome switch
    {
        Outcome.Succeeded => 1L,
        Outcome.Failed or Outcome.Discarded or Outcome.Interrupted => 0L,
        _ => null,
    };

    private const string ForgetRequestSql = "delete from millrace_cancel_request where job_id = @id";
    private const string ForgetProgressSql = "delete from millrace_progress where job_id = @id";

    /// <summary>What is only kept while a job goes on.</summary>
    private static void Forget(Session session, long jobId)
    {
        session.Execute(ForgetRequestSql, ("@id", jobId));
        session.Execute(ForgetProgressSql, ("@id", jobId));
    }

    /// <summary>When a job that the store itself ends may be removed: as its submission says, otherwise after an hour like any end that is not a failure.</summary>
    private static long? RemoveAt(string? policy, long now)
    {
        var seconds = 3600.0;
        if (policy is not null)
        {
            try
            {
                using var document = JsonDocument.Parse(policy);
                if (document.RootElement.TryGetProperty("removeDelay", out var delay) && delay.ValueKind == JsonValueKind.Number)
                    seconds = delay.GetDouble();
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException)
            {
                // Written by a newer version: the default is good enough.
            }
        }

        return seconds < 0 ? null : now + (long)(Math.Min(seconds, TimeSpan.FromDays(36_500).TotalSeconds) * 1_000_000);
    }
}

/// <summary>A row of millrace_attempt.</summary>
internal sealed record EndedRun(long JobId, int Run, int Attempt, string Type, string? Tag)
{
    public bool Charged { get; init; }

    public Guid? Node { get; init; }

    public Guid? RescuedBy { get; init; }

    public required long Started { get; init; }

    public required long Finished { get; init; }

    public required Outcome Outcome { get; init; }

    public string? Result { get; init; }

    public string? Error { get; init; }

    public long? RemoveAt { get; init; }
}
