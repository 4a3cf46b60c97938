using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    public Task<bool> CompleteAsync(Guid node, AttemptEnd end, DbTransaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return WriteAsync(transaction, session => Complete(session, node, end), cancellationToken);
    }

    private static bool Complete(Session session, Guid node, AttemptEnd end)
    {
        var claim = end.Claim;
        return FindMine(session, node, claim) is { } mine
            && InsertAttempt(session, new EndedRun(claim.JobId, claim.Run, mine.Lease.Attempts[mine.Index], claim.Type, claim.Tag)
            {
                Charged = end.Charged,
                Node = node,
                Started = end.Started.ToMicros(),
                Finished = end.Finished.ToMicros(),
                Outcome = Outcome.Succeeded,
                Result = end.Result,
                RemoveAt = end.RemoveAfter is { } delay ? end.Finished.ToMicros() + delay.ToMicros() : null,
            });
    }

    private static (Lease Lease, int Index)? FindMine(Session session, Guid node, Claim claim) =>
        FindLease(session, claim.Lease) is { } lease && lease.Node == node && lease.IndexOf(claim.JobId, claim.Run) is >= 0 and var index
            ? (lease, index)
            : null;

    public Task<RunStanding> LookAtRunAsync(Guid node, Claim claim, CancellationToken cancellationToken) =>
        ReadAsync(session => LookAtRun(session, node, claim), cancellationToken);

    private static RunStanding LookAtRun(Session session, Guid node, Claim claim)
    {
        var row = session.First(WhoEndedSql, row => new EndedBy(row.MaybeGuid(0), row.MaybeGuid(1), OutcomeExtensions.ToOutcome(row.GetString(2))),
            ("@id", claim.JobId), ("@run", (long)claim.Run));
        if (row is not null)
            return row.RescuedBy is null && row.Node == node ? RunStanding.EndedByMe : RunStanding.Stale;
        return FindMine(session, node, claim) is null ? RunStanding.Stale : RunStanding.Running;
    }
}
